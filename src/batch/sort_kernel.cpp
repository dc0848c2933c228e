// Sorting doubles with AVX2. Functions carry their target themselves, so that nothing else of this file, and no inline
// function of a library, is compiled for a processor that may not be there.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <serinus/batch/sort_kernel.hpp>
#include <serinus/numeric/order.hpp>

#if (defined(__x86_64__) || defined(_M_X64)) && defined(__GNUC__)
#define SERINUS_AVX2 __attribute__((target("avx2")))
#define SERINUS_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline
#include <immintrin.h>
#endif

namespace serinus {
inline namespace v0 {

#ifdef SERINUS_AVX2
namespace {

constexpr std::size_t lanes = 4;
constexpr std::size_t most_in_network = 128;

// ---- networks: bitonic sorting of whole registers (Batcher 1968)

SERINUS_AVX2_INLINE __m256d reversed(__m256d v) { return _mm256_permute4x64_pd(v, _MM_SHUFFLE(0, 1, 2, 3)); }

/// The smaller ones of v and t in the lanes where `High` has no bit, the larger ones where it has.
template <int High>
SERINUS_AVX2_INLINE __m256d exchanged(__m256d v, __m256d t) {
    return _mm256_blend_pd(_mm256_min_pd(v, t), _mm256_max_pd(v, t), High);
}
/// Sorts a register that rises and then falls, or the other way round.
SERINUS_AVX2_INLINE __m256d merged(__m256d v) {
    v = exchanged<0b1100>(v, _mm256_permute2f128_pd(v, v, 1));
    return exchanged<0b1010>(v, _mm256_permute_pd(v, 0b0101));
}
SERINUS_AVX2_INLINE __m256d sorted(__m256d v) {
    v = exchanged<0b1010>(v, _mm256_permute_pd(v, 0b0101));
    v = exchanged<0b1100>(v, reversed(v));
    return exchanged<0b1010>(v, _mm256_permute_pd(v, 0b0101));
}

template <std::size_t N>
SERINUS_AVX2_INLINE void merge_registers(__m256d* v) {
    if constexpr (N == 1) {
        v[0] = merged(v[0]);
    } else {
        for (std::size_t i = 0; i < N / 2; ++i) {
            const __m256d low = _mm256_min_pd(v[i], v[i + N / 2]);
            v[i + N / 2] = _mm256_max_pd(v[i], v[i + N / 2]);
            v[i] = low;
        }
        merge_registers<N / 2>(v);
        merge_registers<N / 2>(v + N / 2);
    }
}

template <std::size_t N>
SERINUS_AVX2_INLINE void sort_registers(__m256d* v) {
    if constexpr (N == 1) {
        v[0] = sorted(v[0]);
    } else {
        sort_registers<N / 2>(v);
        sort_registers<N / 2>(v + N / 2);
        // The second half backwards makes one sequence that rises and falls.
        for (std::size_t i = 0; i < N / 4; ++i) {
            const __m256d swap = reversed(v[N / 2 + i]);
            v[N / 2 + i] = reversed(v[N - 1 - i]);
            v[N - 1 - i] = swap;
        }
        if constexpr (N == 2) v[1] = reversed(v[1]);
        merge_registers<N>(v);
    }
}

template <std::size_t N>
SERINUS_AVX2 void sort_network(double* values, std::size_t n) {
    // What is missing is filled with the largest value there is.
    alignas(32) double padded[N * lanes];
    __m256d v[N];
    const std::size_t whole = n / lanes;
    const __m256d infinity = _mm256_set1_pd(std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < N; ++i) v[i] = i < whole ? _mm256_loadu_pd(values + i * lanes) : infinity;
    if (n % lanes != 0) {
        _mm256_store_pd(padded, infinity);
        for (std::size_t i = whole * lanes; i < n; ++i) padded[i - whole * lanes] = values[i];
        v[whole] = _mm256_load_pd(padded);
    }
    sort_registers<N>(v);
    for (std::size_t i = 0; i < whole; ++i) _mm256_storeu_pd(values + i * lanes, v[i]);
    if (n % lanes != 0) {
        _mm256_store_pd(padded, v[whole]);
        for (std::size_t i = whole * lanes; i < n; ++i) values[i] = padded[i - whole * lanes];
    }
}

SERINUS_AVX2 void sort_few(double* values, std::size_t n) {
    if (n <= 1) return;
    if (n <= 4) return sort_network<1>(values, n);
    if (n <= 8) return sort_network<2>(values, n);
    if (n <= 16) return sort_network<4>(values, n);
    if (n <= 32) return sort_network<8>(values, n);
    if (n <= 64) return sort_network<16>(values, n);
    sort_network<32>(values, n);
}

// ---- quicksort

/// For each pattern of lanes: an order of the eight halves that brings the lanes without a bit to the left.
struct Orders {
    alignas(32) std::array<std::array<std::int32_t, 8>, 16> order{};
    constexpr Orders() {
        for (std::size_t pattern = 0; pattern < 16; ++pattern) {
            std::size_t at = 0;
            for (const std::size_t wanted : {std::size_t{0}, std::size_t{1}}) {
                for (std::size_t lane = 0; lane < lanes; ++lane) {
                    if ((pattern >> lane & 1) != wanted) continue;
                    order[pattern][at++] = static_cast<std::int32_t>(2 * lane);
                    order[pattern][at++] = static_cast<std::int32_t>(2 * lane + 1);
                }
            }
        }
    }
};
constexpr Orders orders;

/// Where the parts that are written end, and where they begin again.
struct Writers {
    double* left;
    double* right;  // one past the free room
};

template <int Compare>
SERINUS_AVX2_INLINE void write(__m256d v, __m256d pivot, Writers& to) {
    const int pattern = _mm256_movemask_pd(_mm256_cmp_pd(v, pivot, Compare));
    const __m256i order =
        _mm256_load_si256(reinterpret_cast<const __m256i*>(orders.order[static_cast<std::size_t>(pattern)].data()));
    const __m256d apart = _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(v), order));
    _mm256_storeu_pd(to.left, apart);
    _mm256_storeu_pd(to.right - lanes, apart);
    const auto above = static_cast<std::ptrdiff_t>(__builtin_popcount(static_cast<unsigned>(pattern)));
    to.left += static_cast<std::ptrdiff_t>(lanes) - above;
    to.right -= above;
}

/// Values for which `Compare` to the pivot holds go right, the others left; returns how many went left. n >= 32.
template <int Compare>
SERINUS_AVX2 std::size_t partition(double* values, std::size_t n, double pivot_value) {
    constexpr std::size_t step = 4 * lanes;  // read at once, so that the side is chosen a quarter as often
    const __m256d pivot = _mm256_set1_pd(pivot_value);
    // Both ends are held back, which makes room to write; the middle that fills no step is held too.
    __m256d held[8];
    for (std::size_t i = 0; i < 4; ++i) {
        held[i] = _mm256_loadu_pd(values + i * lanes);
        held[4 + i] = _mm256_loadu_pd(values + n - step + i * lanes);
    }
    double* left = values + step;
    double* right = values + n - step;
    double rest[step];
    const auto rest_size = static_cast<std::size_t>(right - left) % step;
    for (std::size_t i = 0; i < rest_size; ++i) rest[i] = left[i];
    left += rest_size;
    Writers to{values, values + n};
    while (left != right) {
        double* from;
        // Read where the free room is smaller.
        if (left - to.left > to.right - right) {
            right -= step;
            from = right;
        } else {
            from = left;
            left += step;
        }
        const __m256d a = _mm256_loadu_pd(from), b = _mm256_loadu_pd(from + lanes),
                      c = _mm256_loadu_pd(from + 2 * lanes), d = _mm256_loadu_pd(from + 3 * lanes);
        write<Compare>(a, pivot, to);
        write<Compare>(b, pivot, to);
        write<Compare>(c, pivot, to);
        write<Compare>(d, pivot, to);
    }
    // First the odd ones: the last register must find room for just itself, where its two halves coincide.
    for (std::size_t i = 0; i < rest_size; ++i) {
        const bool goes_right = Compare == _CMP_GE_OQ ? rest[i] >= pivot_value : rest[i] > pivot_value;
        if (goes_right) {
            *--to.right = rest[i];
        } else {
            *to.left++ = rest[i];
        }
    }
    for (const __m256d& v : held) write<Compare>(v, pivot, to);
    return static_cast<std::size_t>(to.left - values);
}

/// The middle one of 16 values from all over.
SERINUS_AVX2 double pivot_of(const double* values, std::size_t n) {
    alignas(32) double sample[16];
    for (std::size_t i = 0; i < 16; ++i) sample[i] = values[i * (n / 16) + n / 32];
    sort_network<4>(sample, 16);
    return sample[8];
}

SERINUS_AVX2 void quicksort(double* values, std::size_t n, int depth) {
    while (n > most_in_network) {
        // Partitions that do not help come from data made for it.
        if (depth-- == 0) return sort_ascending({values, n});
        const double pivot = pivot_of(values, n);
        std::size_t below = partition<_CMP_GE_OQ>(values, n, pivot);
        if (below == 0) {
            // The pivot is the smallest: all that equal it are in place.
            below = partition<_CMP_GT_OQ>(values, n, pivot);
        } else {
            quicksort(values, below, depth);
        }
        values += below;
        n -= below;
    }
    sort_few(values, n);
}

void sort_avx2(std::span<double> values) {
    int depth = 4;
    for (std::size_t n = values.size(); n > 0; n /= 2) depth += 2;
    quicksort(values.data(), values.size(), depth);
}

}  // namespace
#endif

SortKernel fastest_sort() noexcept {
#ifdef SERINUS_AVX2
    if (__builtin_cpu_supports("avx2")) return &sort_avx2;
#endif
    return &sort_ascending;
}

}  // namespace v0
}  // namespace serinus
