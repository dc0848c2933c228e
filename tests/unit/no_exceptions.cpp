// Compiled with -fno-exceptions: all of the statistics, and the one function that such a program has to define.
#include <array>
#include <cstdio>
#include <cstdlib>

#include "all_headers.hpp"

namespace serinus {
inline namespace v0 {
void on_error(const Error& error) {
    std::exit(error.code() == Code::argument_range ? 0 : 1);  // it must not return
}
}  // namespace v0
}  // namespace serinus

int main() {
    const std::array<double, 3> baseline{1, 2, 3};
    const std::array<double, 3> canary{4, 5, 6};
    const double p_value = serinus::mann_whitney(baseline, canary).p_value;
    if (!(p_value > 0.09 && p_value < 0.11)) return 1;  // 2 / C(6, 3)
    serinus::require(false, "field", 1, "nothing");
    std::puts("an error came back");
    return 1;
}
