/// \file
/// The C interface: checks pointers and sizes, translates words, and lets no exception out. Everything else happens in
/// the C++ function of the same name.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <limits>
#include <new>
#include <serinus.h>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <serinus/batch/sort_kernel.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/version.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/mann_whitney.hpp>

namespace {

using serinus::Code;
using serinus::raise;

/// Puts a sentence into the caller's buffer, cut at the start of a UTF-8 character.
void write_error(std::string_view sentence, char* error, std::size_t capacity) noexcept {
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
    } catch (const serinus::Error& failure) {
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

void require_pointer(const void* pointer, std::string_view field) {
    if (pointer == nullptr) raise(Code::argument_null, std::string(field) + " is NULL; allowed: a pointer to a struct");
}

std::span<const double> require_array(const double* values, std::size_t size, std::string_view field) {
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
                                                  "; allowed: those that version " + serinus::version() + " knows, " +
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
    for (const auto& [value, text] : serinus::Words<Enum>::table) {
        if (static_cast<std::int32_t>(value) == number) return value;
        allowed += ", " + std::to_string(static_cast<std::int32_t>(value)) + " (" + std::string(text) + ")";
    }
    raise(Code::argument_word, std::string(field) + " is " + std::to_string(number) + "; allowed: " + allowed);
}

bool take_switch(std::int32_t number, bool standard, std::string_view field) {
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

// The layout that programs were compiled against. A change here breaks them: append fields, never touch these.
static_assert(sizeof(serinus_mann_whitney_options) == 20);
static_assert(sizeof(serinus_mann_whitney_result) == 72 && offsetof(serinus_mann_whitney_result, u) == 16);
static_assert(number(serinus::Alternative::two_sided) == SERINUS_TWO_SIDED &&
              number(serinus::Alternative::greater) == SERINUS_GREATER &&
              number(serinus::Alternative::less) == SERINUS_LESS);
static_assert(number(serinus::NanPolicy::drop) == SERINUS_NAN_DROP &&
              number(serinus::NanPolicy::error) == SERINUS_NAN_ERROR);
static_assert(number(serinus::MannWhitneyMethod::automatic) == SERINUS_MANN_WHITNEY_AUTO &&
              number(serinus::MannWhitneyMethod::exact) == SERINUS_MANN_WHITNEY_EXACT &&
              number(serinus::MannWhitneyMethod::edgeworth) == SERINUS_MANN_WHITNEY_EDGEWORTH &&
              number(serinus::MannWhitneyMethod::normal) == SERINUS_MANN_WHITNEY_NORMAL &&
              number(serinus::MannWhitneyMethod::saddlepoint) == SERINUS_MANN_WHITNEY_SADDLEPOINT &&
              number(serinus::MannWhitneyMethod::drawn) == SERINUS_MANN_WHITNEY_DRAWN);

}  // namespace

extern "C" {

const char* serinus_version(void) { return serinus::version(); }

const char* serinus_status_name(std::int32_t status) {
    switch (status) {
        case SERINUS_OK: return "ok";
#define SERINUS_ERROR(identifier, number, name, when) \
    case number: return name;
#define SERINUS_REASON(identifier, number, group, sentence)
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
        default: return "unknown";
    }
}

std::int32_t serinus_mann_whitney(const double* baseline, std::size_t n_baseline, const double* canary,
                                  std::size_t n_canary, const serinus_mann_whitney_options* options,
                                  serinus_mann_whitney_result* result, char* error, std::size_t error_capacity) {
    return guarded(error, error_capacity, [&] {
        require_pointer(result, "result");
        require_struct_size(*result, 72, "result");
        const serinus_mann_whitney_options given = take_options(options, 20, "options");
        const serinus::MannWhitneyOptions standard;
        serinus::Workspace workspace{.sort = serinus::fastest_sort()};
        const serinus::MannWhitneyResult found = serinus::mann_whitney(
            require_array(baseline, n_baseline, "baseline"), require_array(canary, n_canary, "canary"),
            {.continuity = take_switch(given.continuity, standard.continuity, "options->continuity"),
             .alternative = take_enum(given.alternative, standard.alternative, "options->alternative"),
             .method = take_enum(given.method, standard.method, "options->method"),
             .nan_policy = take_enum(given.nan_policy, standard.nan_policy, "options->nan_policy")},
            workspace);
        give_result({.struct_size = 0,
                     .method = number(found.method),
                     .degenerate = found.degenerate ? 1 : 0,
                     .reserved = 0,
                     .u = found.u,
                     .z = found.z,
                     .p_value = found.p_value,
                     .effect = found.effect,
                     .ties = found.ties,
                     .n_baseline = found.n_baseline,
                     .n_canary = found.n_canary},
                    result);
    });
}

}  // extern "C"
