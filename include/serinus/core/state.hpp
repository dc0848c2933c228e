#pragma once
/// \file
/// How a stateful class is written to bytes and read back, without JSON.
///
/// A class with a memory has a plain struct of it: doubles, integers, bools, strings, words, optionals, arrays, vectors
/// and further such structs. The struct names itself and describes its fields (core/describe.hpp):
///
///     struct ThingState {
///         static constexpr std::string_view kind = "thng";  // four letters, never reused
///         static constexpr std::int64_t version = 1;
///         double alpha = 0;
///         std::vector<double> masses;
///         template <class Visitor, class Self>
///         static constexpr void describe(Visitor& visit, Self& self) {
///             visit("alpha", self.alpha);
///             visit("masses", self.masses);
///         }
///     };
///
/// `encode` walks that description to bytes: "SRNS", the kind, the version, the payload's length, the payload
/// (little-endian, IEEE-754 bits, so nothing is rounded), and the CRC-32C of all before. `decode` reads exactly that
/// and raises `serinus.state.kind`, `.version` or `.damaged` for anything else; a length inside the bytes is checked
/// against what is left before memory is asked for. io/state walks the same description to JSON. A described struct
/// inside that is no state itself (it has no kind) is walked in place, as if its members were the owner's own.
///
/// States are read for ever. A struct that gains a field raises its version and says since when there is one:
///
///     static constexpr std::int64_t version = 2;
///     static constexpr std::int64_t since(std::string_view field) { return field == "prior" ? 2 : 1; }
///
/// A state of version 1 is then read without that field, which keeps the value that the struct gives it. Where version
/// 1 is not read any longer, `static constexpr std::int64_t oldest = 2;` says so.

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {

/// A struct that is described and says what kind and version it is: see above.
template <class T>
concept StateStruct = Described<T> && requires {
    { T::kind } -> std::convertible_to<std::string_view>;
    { T::version } -> std::convertible_to<std::int64_t>;
};

namespace detail {

/// A described struct inside a state that has no version of its own.
template <class T>
concept PartOfState = Described<T> && !StateStruct<T>;

/// The oldest version of a struct that is read.
template <StateStruct T>
constexpr std::int64_t oldest_version() {
    if constexpr (requires { T::oldest; }) return T::oldest;
    if constexpr (requires { T::since(""); }) return 1;
    return T::version;
}

/// Whether a state of that version has that field.
template <StateStruct T>
bool has_field(std::string_view field, std::int64_t version) {
    if constexpr (requires { T::since(field); }) return T::since(field) <= version;
    return true;
}

template <StateStruct T>
bool is_read(std::uint64_t version) {
    return version >= static_cast<std::uint64_t>(oldest_version<T>()) &&
           version <= static_cast<std::uint64_t>(T::version);
}

/// What is said of a version that is not read.
template <StateStruct T>
std::string allowed_versions() {
    const std::string newest = std::to_string(T::version);
    return oldest_version<T>() == T::version ? newest : std::to_string(oldest_version<T>()) + " to " + newest;
}

/// What the k-th byte before the last of eight adds to a CRC-32C, for each k and each value of the byte.
inline constexpr std::array<std::array<std::uint32_t, 256>, 8> crc32c_tables = [] {
    std::array<std::array<std::uint32_t, 256>, 8> tables{};
    for (std::uint32_t value = 0; value < 256; ++value) {
        std::uint32_t crc = value;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0x82F63B78U & (0U - (crc & 1U)));
        tables[0][value] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t value = 0; value < 256; ++value) {
            const std::uint32_t before = tables[k - 1][value];
            tables[k][value] = (before >> 8) ^ tables[0][before & 0xFFU];
        }
    }
    return tables;
}();

}  // namespace detail

/// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), as in iSCSI; of "123456789" it is 0xE3069283. Eight bytes at
/// a time (Kounavis and Berry 2008, "Novel table lookup-based algorithms for high-performance CRC generation", IEEE
/// Transactions on Computers 57(11)).
inline std::uint32_t crc32c(std::span<const std::byte> bytes) noexcept {
    const auto& tables = detail::crc32c_tables;
    std::uint32_t crc = 0xFFFFFFFFU;
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        std::uint64_t next = 0;
        for (std::size_t k = 0; k < 8; ++k) next |= static_cast<std::uint64_t>(bytes[i + k]) << (8 * k);
        next ^= crc;
        crc = 0;
        for (std::size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(next >> (8 * k)) & 0xFFU];
    }
    for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<std::uint32_t>(bytes[i])) & 0xFFU];
    return ~crc;
}

namespace detail {

class StateWriter {
  public:
    explicit StateWriter(std::vector<std::byte>& out) : out_(out) {}

    void raw(std::uint64_t value, int size) {
        std::array<std::byte, 8> bytes;
        for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>((value >> (8 * i)) & 0xFFU);
        out_.insert(out_.end(), bytes.begin(), bytes.begin() + size);
    }
    void text(std::string_view value) {
        for (const char c : value) out_.push_back(static_cast<std::byte>(c));
    }

    template <class T>
    void operator()(std::string_view, const T& value) {
        write(value);
    }

  private:
    void write(double value) { raw(std::bit_cast<std::uint64_t>(value), 8); }
    void write(std::int64_t value) { raw(static_cast<std::uint64_t>(value), 8); }
    void write(bool value) { raw(value ? 1 : 0, 1); }
    void write(const std::string& value) {
        raw(value.size(), 8);
        text(value);
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    void write(Enum value) {
        raw(static_cast<std::uint64_t>(value), 4);
    }
    template <class T>
    void write(const std::optional<T>& value) {
        write(value.has_value());
        if (value) write(*value);
    }
    template <class T, std::size_t N>
    void write(const std::array<T, N>& values) {
        for (const T& value : values) write(value);
    }
    template <class T>
    void write(const std::vector<T>& values) {
        raw(values.size(), 8);
        for (const T& value : values) write(value);
    }
    template <StateStruct T>
    void write(const T& value) {
        raw(static_cast<std::uint64_t>(T::version), 4);
        T::describe(*this, value);
    }
    template <PartOfState T>
    void write(const T& value) {
        T::describe(*this, value);
    }

    std::vector<std::byte>& out_;
};

class StateReader {
  public:
    explicit StateReader(std::span<const std::byte> in) : in_(in) {}

    std::uint64_t raw(int size) {
        need(static_cast<std::size_t>(size));
        std::uint64_t value = 0;
        for (int i = 0; i < size; ++i) value |= static_cast<std::uint64_t>(in_[static_cast<std::size_t>(i)]) << (8 * i);
        in_ = in_.subspan(static_cast<std::size_t>(size));
        return value;
    }
    std::string text(std::size_t size) {
        need(size);
        std::string value;
        for (const std::byte byte : in_.first(size)) value.push_back(static_cast<char>(byte));
        in_ = in_.subspan(size);
        return value;
    }
    std::size_t left() const noexcept { return in_.size(); }
    void need(std::size_t size) const {
        if (in_.size() < size) raise(Code::state_damaged, "the state ends too early");
    }

    template <class T>
    void operator()(std::string_view name, T& value) {
        read(name, value);
    }

    /// Takes the fields that a state of that version has.
    template <StateStruct T>
    void take(std::int64_t version, T& value) {
        const auto field = [&](std::string_view name, auto& member) {
            if (has_field<T>(name, version)) read(name, member);
        };
        T::describe(field, value);
    }

  private:
    void read(std::string_view, double& value) { value = std::bit_cast<double>(raw(8)); }
    void read(std::string_view, std::int64_t& value) { value = static_cast<std::int64_t>(raw(8)); }
    void read(std::string_view name, bool& value) {
        const std::uint64_t bit = raw(1);
        if (bit > 1) raise(Code::state_damaged, std::string(name) + " is " + std::to_string(bit) + "; allowed: 0, 1");
        value = bit == 1;
    }
    void read(std::string_view, std::string& value) { value = text(static_cast<std::size_t>(raw(8))); }
    template <class Enum>
        requires std::is_enum_v<Enum>
    void read(std::string_view name, Enum& value) {
        const std::uint64_t number = raw(4);
        for (const auto& [key, text] : Words<Enum>::table) {
            if (static_cast<std::uint64_t>(key) == number) {
                value = key;
                return;
            }
        }
        raise(Code::state_damaged,
              std::string(name) + " is " + std::to_string(number) + "; allowed: " + allowed_words<Enum>());
    }
    template <class T>
    void read(std::string_view name, std::optional<T>& value) {
        bool present = false;
        read(name, present);
        value.reset();
        if (present) read(name, value.emplace());
    }
    template <class T, std::size_t N>
    void read(std::string_view name, std::array<T, N>& values) {
        for (T& value : values) read(name, value);
    }
    template <class T>
    void read(std::string_view name, std::vector<T>& values) {
        const std::uint64_t size = raw(8);
        if (size > left())
            raise(Code::state_damaged, std::string(name) + " claims more elements than the state has bytes");
        values.clear();
        for (std::uint64_t i = 0; i < size; ++i) read(name, values.emplace_back());
    }
    template <StateStruct T>
    void read(std::string_view name, T& value) {
        const std::uint64_t version = raw(4);
        if (!is_read<T>(version)) {
            raise(Code::state_version, std::string(name) + " has version " + std::to_string(version) +
                                           "; allowed: " + allowed_versions<T>());
        }
        take(static_cast<std::int64_t>(version), value);
    }
    template <PartOfState T>
    void read(std::string_view, T& value) {
        T::describe(*this, value);
    }

    std::span<const std::byte> in_;
};

}  // namespace detail

/// The bytes of a state. Cost: linear in its size.
template <StateStruct State>
std::vector<std::byte> encode(const State& state) {
    static_assert(State::kind.size() == 4, "the kind of a state has four letters");
    std::vector<std::byte> payload;
    detail::StateWriter body(payload);
    State::describe(body, state);

    std::vector<std::byte> out;
    detail::StateWriter head(out);
    head.text("SRNS");
    head.text(State::kind);
    head.raw(static_cast<std::uint64_t>(State::version), 4);
    head.raw(payload.size(), 8);
    out.insert(out.end(), payload.begin(), payload.end());
    head.raw(crc32c(out), 4);
    return out;
}

/// The state that `encode` wrote. Raises `serinus.state.*` for bytes of another kind or version, truncated, lengthened
/// or altered. The numbers inside are what they were; whether they make sense is for the class's `restore` to check.
template <StateStruct State>
State decode(std::span<const std::byte> bytes) {
    constexpr std::size_t head_size = 4 + 4 + 4 + 8;
    detail::StateReader head(bytes);
    if (head.text(4) != "SRNS")
        raise(Code::state_damaged, "these bytes are no Serinus state (they do not begin with SRNS)");
    if (const std::string kind = head.text(4); kind != State::kind) {
        raise(Code::state_kind, "the state's kind is " + in_quotes(kind) + "; allowed: " + in_quotes(State::kind));
    }
    const std::uint64_t version = head.raw(4);
    if (!detail::is_read<State>(version)) {
        raise(Code::state_version,
              "the state's version is " + std::to_string(version) + "; allowed: " + detail::allowed_versions<State>());
    }
    const std::uint64_t size = head.raw(8);
    if (head.left() < 4 || size != head.left() - 4)
        raise(Code::state_damaged, "the state's length is not what its header says");
    const std::size_t checked = head_size + static_cast<std::size_t>(size);
    detail::StateReader tail(bytes.subspan(checked));
    if (tail.raw(4) != crc32c(bytes.first(checked)))
        raise(Code::state_damaged, "the state's checksum does not match its content");

    State state;
    detail::StateReader body(bytes.subspan(head_size, static_cast<std::size_t>(size)));
    body.take(static_cast<std::int64_t>(version), state);
    if (body.left() != 0) raise(Code::state_damaged, "the state has bytes left over after its last field");
    return state;
}

}  // namespace v0
}  // namespace serinus
