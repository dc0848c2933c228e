#pragma once
/// \file
/// What every function of the C interface does before and after its C++ one: pointers and sizes are checked, words are
/// translated, and no exception leaves.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <serinus.h>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <serinus/core/error.hpp>
#include <serinus/core/version.hpp>
#include <serinus/core/words.hpp>

namespace serinus::c {

/// Puts a sentence into the caller's buffer, cut at the start of a UTF-8 character.
inline void write_error(std::string_view sentence, char* error, std::size_t capacity) noexcept {
    if (error == nullptr || capacity == 0) return;
    std::size_t length = std::min(sentence.size(), capacity - 1);
    if (length < sentence.size()) {
        while (length > 0 && (static_cast<unsigned char>(sentence[length]) & 0xC0U) == 0x80U) --length;
    }
    std::memcpy(error, sentence.data(), length);
    error[length] = '\0';
}

/// Runs the body of a C function: every exception becomes a status and a sentence.
template <class Body>
std::int32_t guarded(char* error, std::size_t capacity, Body&& body) noexcept {
    try {
        body();
        write_error("", error, capacity);
        return SERINUS_OK;
    } catch (const Error& failure) {
        write_error(failure.what(), error, capacity);
        return static_cast<std::int32_t>(failure.code());
    } catch (const std::bad_alloc&) {
        write_error("serinus.memory: not enough memory", error, capacity);
        return SERINUS_ERROR_MEMORY;
    } catch (const std::exception& failure) {
        write_error("serinus.internal: ", error, capacity);
        const std::size_t used = error == nullptr || capacity == 0 ? 0 : std::strlen(error);
        if (used > 0) write_error(failure.what(), error + used, capacity - used);
        return SERINUS_ERROR_INTERNAL;
    } catch (...) {
        write_error("serinus.internal: an exception of unknown type", error, capacity);
        return SERINUS_ERROR_INTERNAL;
    }
}

inline void require_pointer(const void* pointer, std::string_view field) {
    if (pointer == nullptr) raise(Code::argument_null, std::string(field) + " is NULL; allowed: a pointer to a struct");
}

inline std::span<const double> require_array(const double* values, std::size_t size, std::string_view field) {
    if (values == nullptr && size > 0) {
        raise(Code::argument_null, std::string(field) + " is NULL with " + std::to_string(size) +
                                       " values; allowed: NULL with 0 values, or a pointer to that many");
    }
    return {values, size};
}

/// `first_size`: of this struct in the first release that had it.
template <class Struct>
void require_struct_size(const Struct& given, std::size_t first_size, std::string_view field) {
    if (given.struct_size < first_size) {
        raise(Code::argument_struct_size, std::string(field) + "->struct_size is " + std::to_string(given.struct_size) +
                                              "; allowed: at least " + std::to_string(first_size));
    }
}

/// The caller's options as this library knows them: what an older header lacks is zero, what a newer one adds must be.
template <class Options>
Options take_options(const Options* given, std::size_t first_size, std::string_view field) {
    static_assert(std::is_trivially_copyable_v<Options>);
    Options options{};
    if (given == nullptr) return options;
    require_struct_size(*given, first_size, field);
    std::memcpy(&options, given, std::min(sizeof(Options), static_cast<std::size_t>(given->struct_size)));
    const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
    for (std::size_t i = sizeof(Options); i < given->struct_size; ++i) {
        if (bytes[i] != 0) {
            raise(Code::argument_struct_size, std::string(field) + " sets a field at byte " + std::to_string(i) +
                                                  "; allowed: those that version " + version() + " knows, " +
                                                  std::to_string(sizeof(Options)) + " bytes");
        }
    }
    return options;
}

/// Hands a result over in as many bytes as the caller has; `struct_size` stays the caller's.
template <class Result>
void give_result(Result value, Result* out) {
    static_assert(std::is_trivially_copyable_v<Result>);
    const std::size_t size = out->struct_size;
    value.struct_size = out->struct_size;
    std::memcpy(out, &value, std::min(sizeof(Result), size));
    if (size > sizeof(Result))
        std::memset(reinterpret_cast<unsigned char*>(out) + sizeof(Result), 0, size - sizeof(Result));
}

/// A number of the C interface as the C++ enum with the same numbers; 0 is the default.
template <class Enum>
Enum take_enum(std::int32_t number, Enum standard, std::string_view field) {
    if (number == 0) return standard;
    std::string allowed = "0 (default)";
    for (const auto& [value, text] : Words<Enum>::table) {
        if (static_cast<std::int32_t>(value) == number) return value;
        allowed += ", " + std::to_string(static_cast<std::int32_t>(value)) + " (" + std::string(text) + ")";
    }
    raise(Code::argument_word, std::string(field) + " is " + std::to_string(number) + "; allowed: " + allowed);
}

inline bool take_switch(std::int32_t number, bool standard, std::string_view field) {
    if (number == 0) return standard;
    if (number != SERINUS_ON && number != SERINUS_OFF) {
        raise(Code::argument_word,
              std::string(field) + " is " + std::to_string(number) + "; allowed: 0 (default), 1 (on), 2 (off)");
    }
    return number == SERINUS_ON;
}

template <class Enum>
constexpr std::int32_t number(Enum value) noexcept {
    return static_cast<std::int32_t>(value);
}

}  // namespace serinus::c
