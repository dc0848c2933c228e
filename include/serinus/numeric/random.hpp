#pragma once
/// \file
/// Random numbers by counting: the k-th number of a stream is a function of seed, stream and k alone, so the same seed
/// gives the same result whatever the order, the thread or the machine. There is no other randomness in Serinus.

#include <cstdint>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// 64 well mixed bits of a number: the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
inline constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/// One stream of a seed. `RandomStream(7, 3).below(10)` is its first number from 0 to 9.
class RandomStream {
  public:
    RandomStream(std::uint64_t seed, std::uint64_t stream) noexcept
        : key_(mixed(mixed(seed + 0x9e3779b97f4a7c15ULL) + stream * 0xd1342543de82ef95ULL)) {}

    std::uint64_t next() noexcept { return mixed(key_ + ++count_ * 0x9e3779b97f4a7c15ULL); }
    /// A number from 0 to n - 1, n < 2^32, each as likely as another to 2^-32 n.
    std::uint64_t below(std::uint64_t n) noexcept { return ((next() >> 32) * n) >> 32; }

  private:
    std::uint64_t key_, count_ = 0;
};

}  // namespace v0
}  // namespace serinus
