#pragma once
/// \file
/// A loop with the widest vectors that the machine has, chosen while the program runs.
///
/// What most people build is for any x86-64, whose vectors hold two doubles, and most machines that run it have AVX2,
/// whose vectors hold four. With GCC and Clang on x86-64 `widest` compiles its loop for both and asks the processor
/// (a load and a test of what the compiler's own start-up code has found out); elsewhere, and where the whole program
/// is built for AVX2, there is one loop and no question.
///
/// **The bits are the same either way**: AVX2 brings no fused products (FMA is another extension), and a loop given
/// here may not depend on the width: each element on its own, sums in a fixed number of lanes.
///
/// `SERINUS_NO_RUN_TIME_AVX2`, defined before any header, leaves out the second loop.

#include <serinus/core/version.hpp>

/// For a lambda or function that a loop of `widest` is made of: only what is inlined is compiled for the wider vectors.
#if defined(__GNUC__)
#define SERINUS_ALWAYS_INLINE __attribute__((always_inline))
#else
#define SERINUS_ALWAYS_INLINE
#endif

#if defined(__GNUC__) && defined(__x86_64__) && !defined(__AVX2__) && !defined(SERINUS_NO_RUN_TIME_AVX2)
#define SERINUS_RUN_TIME_AVX2 1
#else
#define SERINUS_RUN_TIME_AVX2 0
#endif

namespace serinus {
inline namespace v0 {
namespace simd {

#if SERINUS_RUN_TIME_AVX2
namespace detail {
template <class Loop>
__attribute__((target("avx2"))) inline void run_avx2(const Loop& loop) noexcept {
    loop();
}
}  // namespace detail
#endif

/// Calls `loop`, a lambda without arguments that is marked SERINUS_ALWAYS_INLINE.
///
///     simd::widest([&]() SERINUS_ALWAYS_INLINE {
///         for (std::size_t i = 0; i < 64; ++i) y[i] = a * x[i] + y[i];
///     });
template <class Loop>
inline void widest(const Loop& loop) noexcept {
#if SERINUS_RUN_TIME_AVX2
    if (__builtin_cpu_supports("avx2") != 0) {
        detail::run_avx2(loop);
        return;
    }
#endif
    loop();
}

}  // namespace simd
}  // namespace v0
}  // namespace serinus
