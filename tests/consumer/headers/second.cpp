#include <array>

#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/series/series.hpp>

double p_value_of_second() {
    const std::array<double, 5> baseline{10, 20, 30, 40, 50};
    const std::array<double, 5> canary{60, 70, 80, 90, 100};
    return serinus::mann_whitney(baseline, canary).p_value;
}
