#pragma once
/// \file
/// How the rooms of a Monitor refuse a state that cannot be; inside the library only.

#include <cstdint>
#include <optional>
#include <string>

#include <serinus/core/error.hpp>
#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

inline void require_state(bool good, const char* what) {
    if (!good) raise(Code::state_invariant, std::string("the state of a Monitor has ") + what);
}

inline void require_state_time(const std::optional<std::int64_t>& ms) {
    require_state(!ms || (*ms >= earliest_ms && *ms <= latest_ms), "a time beyond the years 1 to 9999");
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
