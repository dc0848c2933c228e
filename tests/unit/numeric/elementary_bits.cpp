/// \file
/// Prints one 64-bit hash a function over 300,000 fixed arguments. elementary_bits.sh builds it in many ways and
/// expects the same text from each, and the text in data/reference/elementary_bits.txt.

#include <array>
#include <bit>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/sum.hpp>

namespace {

namespace elementary = serinus::elementary;

constexpr std::uint64_t argument_count = 300'000;

/// The n-th number of a fixed sequence (the output function of SplitMix64, Steele, Lea and Flood 2014).
std::uint64_t random_bits(std::uint64_t n) {
    std::uint64_t z = (n + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

double uniform(std::uint64_t n) { return static_cast<double>(random_bits(n) >> 11) * 0x1p-53; }

/// Every kind of argument in turn: any bit pattern (with denormals, infinities, NaNs and both zeros), the range in
/// which exp is finite, the range around 0, and numbers of every small magnitude.
double argument(std::uint64_t n) {
    constexpr std::array<double, 8> edges{0.0,
                                          -0.0,
                                          1.0,
                                          -1.0,
                                          0x1p-1074,
                                          std::bit_cast<double>(0x7ff0000000000000),
                                          std::bit_cast<double>(0xfff0000000000000),
                                          std::bit_cast<double>(0x7ff8000000000000)};
    if (n < edges.size()) return edges[n];
    switch (n % 5) {
        case 0: return std::bit_cast<double>(random_bits(n));
        case 1: return 1500.0 * uniform(n) - 760.0;
        case 2: return 4.0 * uniform(n) - 2.0;
        case 3: return 80.0 * uniform(n) - 40.0;
        default: break;
    }
    const std::uint64_t exponent = 1023 - 60 + random_bits(n + argument_count) % 64;
    return std::bit_cast<double>((random_bits(n) & 0x800fffffffffffff) | (exponent << 52));
}

/// FNV-1a on whole words, with a shift so that high bits reach low ones.
class Hash {
  public:
    void add(double x) {
        value_ = (value_ ^ std::bit_cast<std::uint64_t>(x)) * 0x100000001b3;
        value_ ^= value_ >> 29;
    }
    void print(const char* name) const { std::printf("%-18s %016" PRIx64 "\n", name, value_); }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325;
};

template <class Function>
void print_scalar(const char* name, const std::vector<double>& arguments, Function function) {
    Hash hash;
    for (const double x : arguments) hash.add(function(x));
    hash.print(name);
}

/// The array form, in pieces of 0 to 70 numbers.
template <class Function>
void print_array(const char* name, const std::vector<double>& arguments, Function function) {
    std::vector<double> results(arguments.size());
    std::size_t start = 0;
    for (std::uint64_t piece = 0; start < arguments.size(); ++piece) {
        std::size_t size = random_bits(piece) % 71;
        if (size > arguments.size() - start) size = arguments.size() - start;
        function(std::span(arguments).subspan(start, size), std::span(results).subspan(start, size));
        start += size;
    }
    Hash hash;
    for (const double y : results) hash.add(y);
    hash.print(name);
}

}  // namespace

int main() {
    using Input = std::span<const double>;
    using Output = std::span<double>;
    std::vector<double> arguments(argument_count);
    for (std::uint64_t n = 0; n < argument_count; ++n) arguments[n] = argument(n);

    print_scalar("exp", arguments, [](double x) { return elementary::exp(x); });
    print_array("exp_array", arguments, [](Input in, Output out) { elementary::exp(in, out); });
    print_scalar("expm1", arguments, [](double x) { return elementary::expm1(x); });
    print_array("expm1_array", arguments, [](Input in, Output out) { elementary::expm1(in, out); });
    print_scalar("log", arguments, [](double x) { return elementary::log(x); });
    print_array("log_array", arguments, [](Input in, Output out) { elementary::log(in, out); });
    print_scalar("log1p", arguments, [](double x) { return elementary::log1p(x); });
    print_array("log1p_array", arguments, [](Input in, Output out) { elementary::log1p(in, out); });
    print_scalar("log_ndtr", arguments, [](double x) { return elementary::log_ndtr(x); });

    // The forms inside the sums over nodes, where they hold.
    std::vector<double> near(argument_count), inside(argument_count);
    for (std::uint64_t n = 0; n < argument_count; ++n) {
        near[n] = 0.695 * uniform(n) - 0.305;
        inside[n] = (n % 2 == 0 ? 1100.0 : 2.0) * uniform(n) - 0.999;
    }
    namespace detail = elementary::detail;
    print_array("log1p_near_0", near, [](Input in, Output out) {
        detail::map(in, out, [](double x) SERINUS_ALWAYS_INLINE { return detail::log1p_near_0_kernel(x); });
    });
    print_array("log1p_inside", inside, [](Input in, Output out) {
        detail::map(in, out,
                    [](double x) SERINUS_ALWAYS_INLINE { return detail::log1p_inside_kernel(x, 1 / (1 + x)); });
    });

    Hash pairs;
    for (std::size_t n = 0; n + 1 < arguments.size(); ++n) {
        pairs.add(elementary::log_add_exp(arguments[n], arguments[n + 1]));
    }
    pairs.print("log_add_exp");

    // Sums of finite numbers only: the sign of the NaN that infinities can leave in a sum differs between machines.
    std::vector<double> finite(argument_count);
    for (std::uint64_t n = 0; n < argument_count; ++n) finite[n] = 1e3 * uniform(n) - 400.0;
    Hash sums;
    Hash log_sums;
    for (std::size_t size = 0, start = 0; start + size <= finite.size(); start += size, ++size) {
        sums.add(serinus::pairwise_sum(std::span(finite).subspan(start, size)));
        log_sums.add(elementary::log_sum_exp(std::span(finite).subspan(start, size)));
    }
    sums.add(serinus::pairwise_sum(finite));
    log_sums.add(elementary::log_sum_exp(finite));
    log_sums.print("log_sum_exp");
    sums.print("pairwise_sum");
    return 0;
}
