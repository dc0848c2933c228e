#pragma once
/// \file
/// A name for content: SHA-256 (FIPS 180-4), as 64 hexadecimal digits. It says which plan a decision or a state belongs
/// to.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

namespace detail {
inline constexpr std::array<std::uint32_t, 64> sha256_constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
}  // namespace detail

/// The SHA-256 of the bytes, in lower-case hexadecimal. Cost: O(bytes).
inline std::string sha256(std::span<const std::byte> content) {
    std::vector<std::uint8_t> message;
    message.reserve(content.size() + 72);
    for (const std::byte byte : content) message.push_back(static_cast<std::uint8_t>(byte));
    message.push_back(0x80);
    while (message.size() % 64 != 56) message.push_back(0);
    const std::uint64_t bits = static_cast<std::uint64_t>(content.size()) * 8;
    for (int i = 7; i >= 0; --i) message.push_back(static_cast<std::uint8_t>(bits >> (8 * i)));

    std::array<std::uint32_t, 8> hash{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (std::size_t block = 0; block < message.size(); block += 64) {
        std::array<std::uint32_t, 64> w{};
        for (std::size_t i = 0; i < 16; ++i) {
            for (std::size_t byte = 0; byte < 4; ++byte) w[i] = (w[i] << 8) | message[block + 4 * i + byte];
        }
        for (std::size_t i = 16; i < 64; ++i) {
            const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
            const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        auto [a, b, c, d, e, f, g, h] = hash;
        for (std::size_t i = 0; i < 64; ++i) {
            const std::uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                                     ((e & f) ^ (~e & g)) + detail::sha256_constants[i] + w[i];
            const std::uint32_t t2 =
                (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g;
            g = f;
            f = e;
            e = d + t1;
            d = c;
            c = b;
            b = a;
            a = t1 + t2;
        }
        const std::array<std::uint32_t, 8> add{a, b, c, d, e, f, g, h};
        for (std::size_t i = 0; i < 8; ++i) hash[i] += add[i];
    }

    std::string hex;
    for (const std::uint32_t part : hash) {
        for (int shift = 28; shift >= 0; shift -= 4) hex += "0123456789abcdef"[(part >> shift) & 0xFU];
    }
    return hex;
}

/// HMAC-SHA-256 of the bytes under a key (RFC 2104), in lower-case hexadecimal: what only who has the key can make. A key
/// longer than a block of 64 bytes counts as its SHA-256. Cost: O(bytes).
inline std::string hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> content) {
    std::array<std::byte, 64> padded{};
    const auto pack = [](std::string_view hex, auto out) {
        const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
        for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
            *out++ = static_cast<std::byte>(digit(hex[i]) << 4 | digit(hex[i + 1]));
    };
    if (key.size() > padded.size()) {
        pack(sha256(key), padded.begin());
    } else {
        std::copy(key.begin(), key.end(), padded.begin());
    }
    std::vector<std::byte> inner, outer;
    for (const std::byte byte : padded) {
        inner.push_back(byte ^ std::byte{0x36});
        outer.push_back(byte ^ std::byte{0x5c});
    }
    inner.insert(inner.end(), content.begin(), content.end());
    pack(sha256(inner), std::back_inserter(outer));
    return sha256(outer);
}

}  // namespace v0
}  // namespace serinus
