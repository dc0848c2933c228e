// What happens when memory runs out in the middle of a call of the C interface: the n-th allocation fails, for every n.
// Each time the answer is a status and a sentence, nothing leaks, and nothing that was asked for half is answered. (Not
// of the functions that read or write JSON: nlohmann's values ask for memory in their destructor, and the program ends
// where there is none. serinus.h says so.)
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <serinus.h>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

std::atomic<long> live{0};    // blocks that are allocated and not freed
std::atomic<long> until{-1};  // allocations until one fails; below 0: none does
std::atomic<bool> failed{false};

void* take(std::size_t size) {
    if (until >= 0 && until-- == 0) {
        failed = true;
        return nullptr;
    }
    void* const block = std::malloc(size == 0 ? 1 : size);
    if (block != nullptr) ++live;
    return block;
}

void give(void* block) noexcept {
    if (block == nullptr) return;
    --live;
    std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
    if (void* const block = take(size)) return block;
    throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* block) noexcept { give(block); }
void operator delete[](void* block) noexcept { give(block); }
void operator delete(void* block, std::size_t) noexcept { give(block); }
void operator delete[](void* block, std::size_t) noexcept { give(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { give(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { give(block); }

namespace {

const std::string plan = R"({
  "name": "shop", "interval": "10s", "stages": [{"traffic": 0.5}],
  "metrics": [{"name": "errors", "kind": "proportion", "bad": "e", "total": "n", "margin": {"ratio": 2}}],
  "noise": {"errors": {"dispersion": 1, "intervals": 100}}
})";

serinus_document document(const std::string& text) { return {text.data(), text.size()}; }

/// Calls with the n-th allocation failing, for every n until none fails, and hands on each answer.
template <class Call>
void with_every_failure(Call call) {
    for (long n = 0;; ++n) {
        failed = false;
        const long before = live;
        until = n;
        const std::int32_t status = call();
        until = -1;
        if (!failed) {
            EXPECT_EQ(status, SERINUS_OK);
            EXPECT_GT(n, 5) << "the call allocates; otherwise nothing was tried";
            return;
        }
        ASSERT_EQ(status, SERINUS_ERROR_MEMORY) << "allocation " << n;
        ASSERT_EQ(live, before) << "allocation " << n << " failed and something leaked";
    }
}

/// Three series of two arms, as a controller hands them over.
struct Samples {
    std::vector<std::int64_t> times;
    std::vector<double> bad, total;
    std::vector<serinus_series> series;

    Samples(int from, int to) {
        for (int i = from; i < to; ++i) {
            times.push_back(1'790'000'000'000 + i * 10'000LL);
            bad.push_back(1 + i % 3);
            total.push_back(100);
        }
        for (const std::int32_t arm : {SERINUS_BASELINE, SERINUS_CANARY}) {
            add(arm, "errors that are called by a name of some length", bad);
            add(arm, "all", total);
        }
    }
    void add(std::int32_t arm, const char* name, const std::vector<double>& values) {
        serinus_series one{};
        one.struct_size = sizeof one;
        one.arm = arm;
        one.name = name;
        one.times_ms = times.data();
        one.values = values.data();
        one.size = values.size();
        series.push_back(one);
    }
};

/// A monitor that has seen something, and what it has in mind.
struct Watched {
    serinus_monitor* monitor = nullptr;
    Watched() {
        EXPECT_EQ(serinus_monitor_create(document(plan), &monitor, nullptr, 0), SERINUS_OK);
        observe(Samples(0, 4));
    }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    ~Watched() { serinus_monitor_free(monitor); }

    std::int32_t observe(const Samples& samples) const {
        return serinus_monitor_observe(monitor, samples.series.data(), samples.series.size(), 0, nullptr, nullptr, 0);
    }
    std::string state() const {
        serinus_text text{nullptr, 0};
        EXPECT_EQ(serinus_monitor_state(monitor, &text, nullptr, 0), SERINUS_OK);
        std::string bytes(text.data, text.size);
        serinus_text_free(&text);
        return bytes;
    }
};

TEST(CMemory, StateAndDecisionLeakNothingAndChangeNothing) {
    const Watched watched;
    const std::string before = watched.state();
    with_every_failure([&] {
        serinus_text text{nullptr, 0};
        const std::int32_t status = serinus_monitor_state(watched.monitor, &text, nullptr, 0);
        EXPECT_EQ(status == SERINUS_OK, text.data != nullptr);
        serinus_text_free(&text);
        return status;
    });
    with_every_failure([&] {
        serinus_decision decision{};
        decision.struct_size = sizeof decision;
        std::array<char, 64> error{};
        const std::int32_t status = serinus_monitor_decision(watched.monitor, &decision, error.data(), error.size());
        EXPECT_STREQ(error.data(), status == SERINUS_OK ? "" : "serinus.memory: not enough memory");
        EXPECT_EQ(decision.action, status == SERINUS_OK ? SERINUS_HOLD : 0);
        return status;
    });
    EXPECT_EQ(watched.state(), before);
}

TEST(CMemory, RestoreLeaksNothing) {
    const Watched watched;
    const std::string state = watched.state();
    with_every_failure([&] { return serinus_monitor_restore(watched.monitor, document(state), nullptr, 0); });
    EXPECT_EQ(watched.state(), state);
}

TEST(CMemory, ArgumentsThatAreRefusedLeakNothing) {
    const Watched watched;
    Samples wrong(4, 6);
    wrong.series[1].arm = 7;
    const long before = live;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(watched.observe(wrong), SERINUS_ERROR_ARGUMENT_WORD);
    EXPECT_EQ(live, before);
}

// A monitor that could observe a half only answers nothing more, until it is restored; then it is as before.
TEST(CMemory, AnObservationThatFailedHalfWayIsNeverJudged) {
    const Watched whole;
    const std::string state = whole.state();
    const Samples more(4, 9);
    ASSERT_EQ(whole.observe(more), SERINUS_OK);
    const std::string expected = whole.state();

    for (long n = 0;; ++n) {
        const long before = live;
        {
            const Watched watched;
            failed = false;
            until = n;
            const std::int32_t status = watched.observe(more);
            until = -1;
            if (!failed) {
                EXPECT_GT(n, 20) << "the call allocates; otherwise nothing was tried";
                EXPECT_EQ(watched.state(), expected);
                break;
            }
            ASSERT_EQ(status, SERINUS_ERROR_MEMORY) << "allocation " << n;
            serinus_decision decision{};
            decision.struct_size = sizeof decision;
            EXPECT_EQ(serinus_monitor_decision(watched.monitor, &decision, nullptr, 0), SERINUS_ERROR_INTERNAL);
            EXPECT_EQ(watched.observe(more), SERINUS_ERROR_INTERNAL);
            ASSERT_EQ(serinus_monitor_restore(watched.monitor, document(state), nullptr, 0), SERINUS_OK);
            ASSERT_EQ(watched.observe(more), SERINUS_OK);
            ASSERT_EQ(watched.state(), expected) << "allocation " << n;
        }
        ASSERT_EQ(live, before) << "allocation " << n << " failed and something leaked";
    }
}

}  // namespace
