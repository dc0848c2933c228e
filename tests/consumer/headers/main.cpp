// Uses the statistics without anything compiled. The second file includes the same headers: each inline function must
// be defined in both without a clash.
#include <array>
#include <cstdio>

#include <serinus/core/version.hpp>
#include <serinus/fixed/mann_whitney.hpp>

double p_value_of_second();

int main() {
    const std::array<double, 5> baseline{1, 2, 3, 4, 5};
    const std::array<double, 5> canary{6, 7, 8, 9, 10};
    // Every canary value lies above every baseline value: U = 25, exact two-sided p = 2 / C(10, 5).
    const auto result = serinus::mann_whitney(baseline, canary);
    std::printf("serinus %s: U = %g, p = %g\n", serinus::version(), result.u, result.p_value);
    return result.u == 25 && result.p_value > 0.0079 && result.p_value < 0.008 && p_value_of_second() == result.p_value
               ? 0
               : 1;
}
