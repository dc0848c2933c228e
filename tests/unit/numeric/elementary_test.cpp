#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <mpfr.h>

#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/sum.hpp>

namespace {

namespace elementary = serinus::elementary;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double smallest = std::numeric_limits<double>::denorm_min();
constexpr double largest = std::numeric_limits<double>::max();

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }

/// A number of MPFR, freed at the end.
class Number {
  public:
    Number() { mpfr_init2(value_, 96); }
    ~Number() { mpfr_clear(value_); }
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;
    mpfr_ptr get() { return value_; }

  private:
    mpfr_t value_;
};

/// |got - exact| in units of the last place of exact (of the smallest denormal where exact is denormal).
double ulps(double got, mpfr_ptr exact) {
    static Number difference;
    mpfr_set_d(difference.get(), got, MPFR_RNDN);
    mpfr_sub(difference.get(), difference.get(), exact, MPFR_RNDN);
    if (mpfr_zero_p(difference.get()) != 0) return 0;
    if (mpfr_zero_p(exact) != 0) return infinity;
    const long last_place = std::max<long>(mpfr_get_exp(exact) - 53, -1074);
    mpfr_mul_2si(difference.get(), difference.get(), -last_place, MPFR_RNDN);
    return std::abs(mpfr_get_d(difference.get(), MPFR_RNDN));
}

using Reference = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);

/// log(Phi(x)) by erfc; below -10^4, where erfc leaves even MPFR's range, by the asymptotic series of Mills' ratio
/// (Abramowitz and Stegun 26.2.12), whose first neglected term is below 10^-44.
int reference_log_ndtr(mpfr_ptr result, mpfr_srcptr x, mpfr_rnd_t rounding) {
    static Number t;
    static Number w;
    if (mpfr_cmp_d(x, -1e4) < 0) {
        mpfr_sqr(t.get(), x, rounding);
        mpfr_ui_div(w.get(), 1, t.get(), rounding);
        mpfr_set_ui(result, 0, rounding);
        for (const long coefficient : {-945L, 105L, -15L, 3L, -1L}) {
            mpfr_add_si(result, result, coefficient, rounding);
            mpfr_mul(result, result, w.get(), rounding);
        }
        mpfr_log1p(result, result, rounding);
        mpfr_div_2ui(w.get(), t.get(), 1, rounding);
        mpfr_sub(result, result, w.get(), rounding);
        mpfr_const_pi(w.get(), rounding);
        mpfr_mul(w.get(), w.get(), t.get(), rounding);
        mpfr_mul_2ui(w.get(), w.get(), 1, rounding);
        mpfr_log(w.get(), w.get(), rounding);
        mpfr_div_2ui(w.get(), w.get(), 1, rounding);
        return mpfr_sub(result, result, w.get(), rounding);
    }
    mpfr_sqrt_ui(t.get(), 2, rounding);
    mpfr_div(t.get(), x, t.get(), rounding);
    mpfr_abs(t.get(), t.get(), rounding);
    mpfr_erfc(result, t.get(), rounding);
    mpfr_div_2ui(result, result, 1, rounding);
    if (mpfr_sgn(x) < 0) return mpfr_log(result, result, rounding);
    mpfr_neg(result, result, rounding);
    return mpfr_log1p(result, result, rounding);
}

/// Arguments for the sweeps: reproducible, and not from the standard library's distributions, which differ between
/// implementations.
class Arguments {
  public:
    explicit Arguments(std::uint64_t seed) : generator_(seed) {}
    double uniform(double low, double high) {
        return low + (high - low) * std::ldexp(static_cast<double>(generator_() >> 11), -53);
    }
    double log_uniform(double low, double high) {
        return std::min(high, std::exp(uniform(std::log(low), std::log(high))));
    }
    double sign() { return (generator_() & 1) != 0 ? 1.0 : -1.0; }
    double positive_bits() { return std::bit_cast<double>(generator_() % 0x7ff0000000000000); }
    double denormal() { return std::bit_cast<double>(1 + generator_() % 0x000fffffffffffff); }

  private:
    std::mt19937_64 generator_;
};

template <class Function, class Generate>
void expect_accurate(const char* where, double allowed, int count, Function function, Reference reference,
                     Generate generate) {
    Number x;
    Number exact;
    double worst = 0;
    double worst_at = 0;
    for (int i = 0; i < count; ++i) {
        const double argument = generate();
        mpfr_set_d(x.get(), argument, MPFR_RNDN);
        reference(exact.get(), x.get(), MPFR_RNDN);
        const double got = function(argument);
        if (got == mpfr_get_d(exact.get(), MPFR_RNDN)) continue;  // at most half an ulp; saves most of the time
        const double error = ulps(got, exact.get());
        if (!(error <= worst)) {
            worst = error;
            worst_at = argument;
        }
    }
    EXPECT_LE(worst, allowed) << where << ": worst at " << std::hexfloat << worst_at;
}

constexpr auto exp_of = [](double x) { return elementary::exp(x); };
constexpr auto expm1_of = [](double x) { return elementary::expm1(x); };
constexpr auto log_of = [](double x) { return elementary::log(x); };
constexpr auto log1p_of = [](double x) { return elementary::log1p(x); };
constexpr auto log_ndtr_of = [](double x) { return elementary::log_ndtr(x); };

TEST(Elementary, ExpIsWithinOneUlp) {
    Arguments a(1);
    constexpr int n = 250'000;
    expect_accurate("near 0", 1.0, n, exp_of, mpfr_exp, [&] { return a.uniform(-1, 1); });
    expect_accurate("all finite", 1.0, n, exp_of, mpfr_exp, [&] { return a.uniform(-745.13, 709.78); });
    expect_accurate("denormal results", 1.0, n, exp_of, mpfr_exp, [&] { return a.uniform(-745.13, -708.3); });
    expect_accurate("magnitudes", 1.0, n, exp_of, mpfr_exp, [&] { return a.sign() * a.log_uniform(1e-300, 709.0); });
    expect_accurate("joints", 1.0, n, exp_of, mpfr_exp, [&] {
        return (std::floor(a.uniform(-1074, 1023)) + 0.5) * 0.69314718055994531 * (1 + a.uniform(-1e-13, 1e-13));
    });
}

TEST(Elementary, Expm1IsWithinOneUlp) {
    Arguments a(2);
    constexpr int n = 100'000;
    expect_accurate("near 0", 1.0, n, expm1_of, mpfr_expm1, [&] { return a.uniform(-0.4, 0.4); });
    expect_accurate("first joint", 1.0, n, expm1_of, mpfr_expm1, [&] { return a.sign() * a.uniform(0.34, 0.39); });
    expect_accurate("middle", 1.0, n, expm1_of, mpfr_expm1, [&] { return a.uniform(-45, 45); });
    expect_accurate("all finite", 1.0, n, expm1_of, mpfr_expm1, [&] { return a.uniform(0, 709.78); });
    expect_accurate("magnitudes", 1.0, n, expm1_of, mpfr_expm1,
                    [&] { return a.sign() * a.log_uniform(smallest, 709.0); });
}

TEST(Elementary, LogIsWithinOneUlp) {
    Arguments a(3);
    constexpr int n = 150'000;
    expect_accurate("[1/2, 2]", 1.0, n, log_of, mpfr_log, [&] { return a.uniform(0.5, 2); });
    expect_accurate("joints", 1.0, n, log_of, mpfr_log,
                    [&] { return a.uniform(0, 1) < 0.5 ? a.uniform(0.69, 0.71) : a.uniform(1.37, 1.42); });
    expect_accurate("all positive", 1.0, n, log_of, mpfr_log, [&] { return a.positive_bits(); });
    expect_accurate("denormals", 1.0, n, log_of, mpfr_log, [&] { return a.denormal(); });
    expect_accurate("near 1", 1.0, n, log_of, mpfr_log, [&] { return 1 + a.sign() * a.log_uniform(1e-16, 0.1); });
}

TEST(Elementary, Log1pIsWithinOneUlp) {
    Arguments a(4);
    constexpr int n = 80'000;
    expect_accurate("[-1, 1]", 1.0, n, log1p_of, mpfr_log1p, [&] { return a.uniform(-1, 1); });
    expect_accurate("joints", 1.0, n, log1p_of, mpfr_log1p,
                    [&] { return a.uniform(0, 1) < 0.5 ? a.uniform(-0.32, -0.29) : a.uniform(0.37, 0.42); });
    expect_accurate("near -1", 1.0, n, log1p_of, mpfr_log1p, [&] { return -1 + a.log_uniform(1e-16, 0.7); });
    expect_accurate("small", 1.0, n, log1p_of, mpfr_log1p, [&] { return a.sign() * a.log_uniform(smallest, 0.5); });
    expect_accurate("around 2^-53", 1.0, n, log1p_of, mpfr_log1p,
                    [&] { return a.sign() * a.log_uniform(0x1p-56, 0x1p-48); });
    expect_accurate("large", 1.0, n, log1p_of, mpfr_log1p, [&] { return a.log_uniform(0.5, largest); });
}

// The two forms of log1p inside the sums over nodes.
TEST(Elementary, Log1pWithoutItsEdges) {
    namespace detail = elementary::detail;
    Arguments a(31);
    constexpr int n = 150'000;
    const auto near = [](double x) { return detail::log1p_near_0_kernel(x); };
    // A product with the inverse, where log1p has a quotient: one rounding more.
    const auto inside = [](double x) { return detail::log1p_inside_kernel(x, 1 / (1 + x)); };
    expect_accurate("near 0", 1.0, n, near, mpfr_log1p, [&] { return a.uniform(-0.305, 0.39); });
    expect_accurate("near 0, small", 1.0, n, near, mpfr_log1p, [&] { return a.sign() * a.log_uniform(1e-300, 0.1); });
    expect_accurate("inside", 1.5, n, inside, mpfr_log1p, [&] { return a.uniform(-1, 3); });
    expect_accurate("inside, near -1", 1.5, n, inside, mpfr_log1p, [&] { return -1 + a.log_uniform(1e-3, 0.7); });
    expect_accurate("inside, small", 1.5, n, inside, mpfr_log1p, [&] { return a.sign() * a.log_uniform(1e-300, 1); });
    expect_accurate("inside, large", 1.5, n, inside, mpfr_log1p, [&] { return a.log_uniform(0.5, 1e6); });
}

TEST(Elementary, LogNdtrIsWithinFourUlps) {
    Arguments a(5);
    constexpr int n = 2'000;
    for (const auto& [low, high] : {std::array{-50.0, -6.5},
                                    {-6.5, -2.0},
                                    {-2.0, -0.5},
                                    {-0.5, 0.0},
                                    {0.0, 0.5},
                                    {0.5, 2.0},
                                    {2.0, 5.0},
                                    {5.0, 8.5},
                                    {8.5, 12.0},
                                    {12.0, 37.5},
                                    {37.5, 38.5}}) {
        const std::string where = std::to_string(low) + " to " + std::to_string(high);
        expect_accurate(where.c_str(), 4.0, n, log_ndtr_of, reference_log_ndtr, [&] { return a.uniform(low, high); });
    }
    expect_accurate("left", 4.0, n, log_ndtr_of, reference_log_ndtr, [&] { return -a.log_uniform(6.5, 1e4); });
    expect_accurate("far left", 4.0, n, log_ndtr_of, reference_log_ndtr, [&] { return -a.log_uniform(1e4, 1.89e154); });
    expect_accurate("small", 4.0, n, log_ndtr_of, reference_log_ndtr,
                    [&] { return a.sign() * a.log_uniform(smallest, 0.5); });
    // Both sides of every joint: the ends of the pieces are the multiples of 1/2.
    expect_accurate("joints", 4.0, n, log_ndtr_of, reference_log_ndtr,
                    [&] { return std::floor(a.uniform(-13, 17)) * 0.5 + a.sign() * a.log_uniform(1e-16, 1e-6); });
}

// Bits, because +0 and -0 must be told apart and NaN must be the one that is promised.
#define EXPECT_BITS(actual, expected) EXPECT_EQ(bits(actual), bits(expected))
#define ASSERT_BITS(name, actual, expected, argument) \
    ASSERT_EQ(bits(actual), bits(expected)) << (name) << " of " << std::hexfloat << (argument)

TEST(Elementary, ExpEdges) {
    EXPECT_BITS(elementary::exp(0.0), 1.0);
    EXPECT_BITS(elementary::exp(-0.0), 1.0);
    EXPECT_BITS(elementary::exp(smallest), 1.0);
    EXPECT_BITS(elementary::exp(-smallest), 1.0);
    EXPECT_BITS(elementary::exp(infinity), infinity);
    EXPECT_BITS(elementary::exp(-infinity), 0.0);
    EXPECT_BITS(elementary::exp(nan), nan);
    EXPECT_BITS(elementary::exp(-nan), nan);
    EXPECT_BITS(elementary::exp(std::bit_cast<double>(0xfff0000000000001)), nan);  // signalling, negative
    EXPECT_BITS(elementary::exp(0x1.62e42fefa39efp+9), 0x1.fffffffffff2ap+1023);   // the last finite one (MPFR)
    EXPECT_BITS(elementary::exp(0x1.62e42fefa39f0p+9), infinity);
    EXPECT_BITS(elementary::exp(-0x1.74910d52d3051p+9), smallest);  // the last that does not round to 0 (MPFR)
    EXPECT_BITS(elementary::exp(-0x1.74910d52d3053p+9), 0.0);
    for (const double x : {710.0, 1023.9, 1024.0, 1e10, largest}) {
        EXPECT_BITS(elementary::exp(x), infinity);
        EXPECT_BITS(elementary::exp(-x - 40), 0.0);
    }
}

TEST(Elementary, Expm1Edges) {
    for (const double x : {0.0, smallest, 0x1p-1022, 1e-300, 0x1p-60}) {
        EXPECT_BITS(elementary::expm1(x), x);
        EXPECT_BITS(elementary::expm1(-x), -x);
    }
    EXPECT_BITS(elementary::expm1(infinity), infinity);
    EXPECT_BITS(elementary::expm1(-infinity), -1.0);
    EXPECT_BITS(elementary::expm1(nan), nan);
    EXPECT_BITS(elementary::expm1(-nan), nan);
    EXPECT_BITS(elementary::expm1(0x1.62e42fefa39f0p+9), infinity);
    EXPECT_LT(elementary::expm1(0x1.62e42fefa39efp+9), infinity);
    for (const double x : {40.0, 41.0, 700.0, 1024.0, largest}) EXPECT_BITS(elementary::expm1(-x), -1.0);
    for (const double x : {710.0, 1023.9, 1024.0, largest}) EXPECT_BITS(elementary::expm1(x), infinity);
}

TEST(Elementary, LogEdges) {
    EXPECT_BITS(elementary::log(1.0), 0.0);
    EXPECT_BITS(elementary::log(0.0), -infinity);
    EXPECT_BITS(elementary::log(-0.0), -infinity);
    EXPECT_BITS(elementary::log(infinity), infinity);
    EXPECT_BITS(elementary::log(smallest), -0x1.74385446d71c3p+9);  // -1074 log(2) (MPFR)
    EXPECT_BITS(elementary::log(largest), 0x1.62e42fefa39efp+9);    // 1024 log(2) (MPFR)
    for (const double x : {-smallest, -1.0, -largest, -infinity, nan, -nan}) EXPECT_BITS(elementary::log(x), nan);
}

TEST(Elementary, Log1pEdges) {
    for (const double x : {0.0, smallest, 0x1p-1022, 1e-300, 0x1p-60}) {
        EXPECT_BITS(elementary::log1p(x), x);
        EXPECT_BITS(elementary::log1p(-x), -x);
    }
    EXPECT_BITS(elementary::log1p(-1.0), -infinity);
    EXPECT_BITS(elementary::log1p(infinity), infinity);
    EXPECT_BITS(elementary::log1p(largest), 0x1.62e42fefa39efp+9);
    for (const double x : {std::nextafter(-1.0, -2.0), -2.0, -largest, -infinity, nan, -nan}) {
        EXPECT_BITS(elementary::log1p(x), nan);
    }
}

TEST(Elementary, LogNdtrEdges) {
    EXPECT_BITS(elementary::log_ndtr(0.0), elementary::log_ndtr(-0.0));
    EXPECT_BITS(elementary::log_ndtr(0.0), -0x1.62e42fefa39efp-1);  // -log(2)
    EXPECT_BITS(elementary::log_ndtr(infinity), -0.0);
    EXPECT_BITS(elementary::log_ndtr(40.0), -0.0);
    EXPECT_BITS(elementary::log_ndtr(38.9999), -0.0);
    EXPECT_BITS(elementary::log_ndtr(largest), -0.0);
    EXPECT_BITS(elementary::log_ndtr(-infinity), -infinity);
    EXPECT_BITS(elementary::log_ndtr(-largest), -infinity);
    EXPECT_BITS(elementary::log_ndtr(-1e200), -infinity);
    EXPECT_BITS(elementary::log_ndtr(-0x1p500), -0x1p999);
    EXPECT_BITS(elementary::log_ndtr(-0x1.fffffffffffffp+511), -0x1.ffffffffffffep+1022);
    EXPECT_BITS(elementary::log_ndtr(nan), nan);
    EXPECT_BITS(elementary::log_ndtr(-nan), nan);
    // The two tails make 1.
    for (double x = 0; x < 8; x += 0.01) {
        EXPECT_NEAR(elementary::exp(elementary::log_ndtr(x)) + elementary::exp(elementary::log_ndtr(-x)), 1.0, 0x1p-50);
    }
}

// Where errors reach 0.85 ulp, two neighbouring arguments whose exact results differ by less may come out in the wrong
// order, by one step at most: more would need an error above 1 ulp. At a joint between two formulas nothing else is
// allowed either.
template <class Function>
void expect_ordered(double from, Function function, int steps, int allowed) {
    double x = from;
    for (int i = 0; i < steps / 2; ++i) x = std::nextafter(x, -infinity);
    double before = function(x);
    for (int i = 0; i < steps; ++i) {
        x = std::nextafter(x, infinity);
        const double now = function(x);
        double floor = before;
        for (int j = 0; j < allowed; ++j) floor = std::nextafter(floor, -infinity);
        ASSERT_GE(now, floor) << std::hexfloat << x;
        before = now;
    }
}

TEST(Elementary, JointsKeepTheOrder) {
    constexpr double log_2 = 0.69314718055994531;
    for (int k = -1060; k < 1023; ++k) {
        expect_ordered((k + 0.5) * log_2, exp_of, 100, 1);
        expect_ordered((k + 0.5) * log_2, expm1_of, 100, 1);
        expect_ordered(std::ldexp(0.695, k), log_of, 100, 1);
        expect_ordered(std::ldexp(1.0, k), log_of, 100, 1);
        if (k >= -45) expect_ordered(std::ldexp(0.695, k) - 1, log1p_of, 100, 1);
        expect_ordered(std::ldexp(1.0, k), log1p_of, 100, 1);
        expect_ordered(-std::ldexp(0.9, std::min(k, 0)), log1p_of, 100, 1);
    }
    for (double x = -8; x <= 40; x += 0.5) expect_ordered(x, log_ndtr_of, 1000, 3);
    expect_ordered(-40.0, expm1_of, 1000, 0);
}

using Array = void (*)(std::span<const double>, std::span<double>);

template <class Function>
void expect_lanes(const char* name, Array array, Function scalar) {
    Arguments a(6);
    std::vector<double> arguments;
    for (const double x :
         {0.0, smallest, 0x1p-1022, 0.5, 0.69, 1.0, 40.0, 709.0, 745.2, 1024.0, largest, infinity, nan}) {
        arguments.push_back(x);
        arguments.push_back(-x);
    }
    while (arguments.size() < 3000) {
        arguments.push_back(a.uniform(-760, 720));
        arguments.push_back(a.uniform(-2, 2));
        arguments.push_back(a.sign() * a.positive_bits());
    }
    constexpr double guard = 12345.0;
    for (std::size_t length = 0; length <= 70; ++length) {
        for (std::size_t offset = 0; offset < 9; ++offset) {
            // Every combination meets other arguments, in lanes that move.
            const std::size_t start = (length * 31 + offset * 7) % (arguments.size() - 80);
            const std::span<const double> in = std::span<const double>(arguments).subspan(start, length);
            std::vector<double> out(length + 10, guard);
            array(in, std::span(out).subspan(offset % 5, length));
            std::vector<double> in_place(in.begin(), in.end());
            array(in_place, in_place);
            for (std::size_t i = 0; i < length; ++i) {
                ASSERT_BITS(name, out[offset % 5 + i], scalar(in[i]), in[i]);
                ASSERT_BITS(name, in_place[i], scalar(in[i]), in[i]);
            }
            for (std::size_t i = 0; i < out.size(); ++i) {
                if (i < offset % 5 || i >= offset % 5 + length) {
                    ASSERT_EQ(out[i], guard) << name << " wrote outside";
                }
            }
        }
    }
    std::vector<double> all(arguments.size());
    array(arguments, all);
    for (std::size_t i = 0; i < all.size(); ++i) ASSERT_BITS(name, all[i], scalar(arguments[i]), arguments[i]);
}

TEST(Elementary, ArraysGiveTheScalarBits) {
    expect_lanes("exp", elementary::exp, exp_of);
    expect_lanes("expm1", elementary::expm1, expm1_of);
    expect_lanes("log", elementary::log, log_of);
    expect_lanes("log1p", elementary::log1p, log1p_of);
}

TEST(Elementary, ArraysOfDifferentLengthAreRefused) {
    const std::vector<double> in(3);
    std::vector<double> out(4);
    try {
        elementary::exp(in, out);
        FAIL() << "accepted";
    } catch (const serinus::Error& error) {
        EXPECT_EQ(error.code(), serinus::Code::argument_length);
        EXPECT_STREQ(error.what(), "serinus.argument.length: out has 4 elements; allowed: 3, the length of in");
    }
    EXPECT_THROW(elementary::log(in, out), serinus::Error);
    EXPECT_THROW(elementary::log1p(in, out), serinus::Error);
    EXPECT_THROW(elementary::expm1(in, out), serinus::Error);
}

TEST(Elementary, LogAddExpKeepsItsBound) {
    Arguments a(7);
    Number x;
    Number y;
    for (int i = 0; i < 30'000; ++i) {
        const double first = i % 2 == 0 ? a.uniform(-5, 5) : a.uniform(-1000, 1000);
        const double second = i % 3 == 0 ? first + a.uniform(-40, 40) : a.uniform(-5, 5);
        const double got = elementary::log_add_exp(first, second);
        EXPECT_BITS(got, elementary::log_add_exp(second, first));
        mpfr_set_d(x.get(), first, MPFR_RNDN);
        mpfr_set_d(y.get(), second, MPFR_RNDN);
        mpfr_exp(x.get(), x.get(), MPFR_RNDN);
        mpfr_exp(y.get(), y.get(), MPFR_RNDN);
        mpfr_add(x.get(), x.get(), y.get(), MPFR_RNDN);
        mpfr_log(x.get(), x.get(), MPFR_RNDN);
        mpfr_sub_d(x.get(), x.get(), got, MPFR_RNDN);
        const double scale = std::max({std::abs(first), std::abs(second), std::abs(got)});
        ASSERT_LE(std::abs(mpfr_get_d(x.get(), MPFR_RNDN)), scale * 0x1p-52 + 0x1p-52) << first << ' ' << second;
    }
}

TEST(Elementary, LogAddExpEdges) {
    EXPECT_BITS(elementary::log_add_exp(-infinity, -infinity), -infinity);
    EXPECT_BITS(elementary::log_add_exp(infinity, infinity), infinity);
    EXPECT_BITS(elementary::log_add_exp(infinity, -infinity), infinity);
    EXPECT_BITS(elementary::log_add_exp(infinity, 3.0), infinity);
    EXPECT_BITS(elementary::log_add_exp(-infinity, 3.0), 3.0);
    EXPECT_BITS(elementary::log_add_exp(-1e308, 1e308), 1e308);
    EXPECT_BITS(elementary::log_add_exp(-largest, largest), largest);
    EXPECT_BITS(elementary::log_add_exp(0.0, 0.0), elementary::log(2.0));
    for (const double x : {0.0, infinity, -infinity, nan}) {
        EXPECT_BITS(elementary::log_add_exp(x, nan), nan);
        EXPECT_BITS(elementary::log_add_exp(-nan, x), nan);
    }
}

TEST(Elementary, LogSumExpIsTheDocumentedSum) {
    Arguments a(8);
    for (const std::size_t length : {1U, 2U, 3U, 4U, 5U, 33U, 127U, 128U, 129U, 500U, 1000U}) {
        std::vector<double> values(length);
        for (double& value : values) value = a.uniform(-30, 900);
        const double maximum = *std::max_element(values.begin(), values.end());
        std::vector<double> terms(length);
        for (std::size_t i = 0; i < length; ++i) terms[i] = elementary::exp(values[i] - maximum);
        EXPECT_BITS(elementary::log_sum_exp(values), maximum + elementary::log(serinus::pairwise_sum(terms)));
    }
}

TEST(Elementary, LogSumExpIsAccurate) {
    Arguments a(9);
    Number sum;
    Number term;
    for (int round = 0; round < 200; ++round) {
        std::vector<double> values(static_cast<std::size_t>(a.uniform(1, 400)));
        for (double& value : values) value = a.uniform(-5, 5);
        mpfr_set_ui(sum.get(), 0, MPFR_RNDN);
        for (const double value : values) {
            mpfr_set_d(term.get(), value, MPFR_RNDN);
            mpfr_exp(term.get(), term.get(), MPFR_RNDN);
            mpfr_add(sum.get(), sum.get(), term.get(), MPFR_RNDN);
        }
        mpfr_log(sum.get(), sum.get(), MPFR_RNDN);
        const double got = elementary::log_sum_exp(values);
        mpfr_sub_d(sum.get(), sum.get(), got, MPFR_RNDN);
        // One ulp of results up to 11 is 2^-49; 40 half-ulps of the sum are 40 * 2^-53.
        EXPECT_LE(std::abs(mpfr_get_d(sum.get(), MPFR_RNDN)), 0x1p-49 + 40 * 0x1p-53);
    }
}

TEST(Elementary, LogSumExpEdges) {
    EXPECT_BITS(elementary::log_sum_exp({}), -infinity);
    EXPECT_BITS(elementary::log_sum_exp(std::vector{-infinity}), -infinity);
    EXPECT_BITS(elementary::log_sum_exp(std::vector(300, -infinity)), -infinity);
    EXPECT_BITS(elementary::log_sum_exp(std::vector{2.0, infinity, -infinity}), infinity);
    EXPECT_BITS(elementary::log_sum_exp(std::vector{2.0, -infinity}), 2.0);
    EXPECT_BITS(elementary::log_sum_exp(std::vector{-largest, largest}), largest);
    EXPECT_BITS(elementary::log_sum_exp(std::vector{7.25}), 7.25);
    EXPECT_BITS(elementary::log_sum_exp(std::vector{nan, infinity}), nan);
    std::vector<double> values(200, 1.0);
    values[150] = -nan;
    EXPECT_BITS(elementary::log_sum_exp(values), nan);
}

TEST(Elementary, LogNdtrScaledIsLogNdtrWithoutItsLeadingTerm) {
    for (double x = -37; x < 37; x += 0.13)
        EXPECT_NEAR(elementary::log_ndtr_scaled(x), elementary::log_ndtr(x) + 0.5 * x * x, 4e-16 * (1 + x * x));
    // Far left: -log(t sqrt(2 pi)) (1 - ...), of which log_ndtr has no digit left.
    EXPECT_NEAR(elementary::log_ndtr_scaled(-1e9), -std::log(1e9) - 0.91893853320467274178, 1e-14);
    EXPECT_EQ(elementary::log_ndtr_scaled(infinity), infinity);
    EXPECT_TRUE(std::isnan(elementary::log_ndtr_scaled(std::nan(""))));
}

}  // namespace
