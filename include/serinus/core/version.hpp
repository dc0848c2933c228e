#pragma once
/// \file
/// What this Serinus is called: the one place that carries the version number.

#define SERINUS_VERSION_MAJOR 0
#define SERINUS_VERSION_MINOR 1
#define SERINUS_VERSION_PATCH 0
#define SERINUS_VERSION_STRING "0.1.0"

// One sentence in place of a thousand errors: a file that cannot be found ends a compilation, #error alone does not.
#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 202002L
#include "Serinus needs C++20: compile with -std=c++20 or later"
#endif

// Fast-math lets the compiler reorder sums and assume that NaN does not exist; every promise about bits and about
// missing data would be void, so such a build is refused instead of being wrong in silence.
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)
#error "Serinus does not work under -ffast-math or -ffinite-math-only: compile this file without them."
#endif

namespace serinus {
inline namespace v0 {

/// The version of these headers, as "major.minor.patch".
constexpr const char* version() noexcept { return SERINUS_VERSION_STRING; }

}  // namespace v0
}  // namespace serinus
