// One look at two samples, header-only: is the canary's latency higher?
#include <iostream>
#include <vector>

#include <serinus/fixed/mann_whitney.hpp>

int main() {
    const std::vector<double> baseline{102, 98, 110, 95, 101, 99, 104, 97};
    const std::vector<double> canary{109, 112, 101, 115, 108, 120, 103, 111};
    const auto result = serinus::mann_whitney(baseline, canary, {.alternative = serinus::Alternative::greater});
    std::cout << "P(canary > baseline) = " << result.effect << ", p = " << result.p_value << " ("
              << serinus::word(result.method) << ")\n";
    return result.p_value < 0.05 ? 0 : 1;
}
