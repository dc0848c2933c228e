/// \file
/// The C interface of what takes one look at two arms, and what it says of itself.

#include <cstddef>
#include <cstdint>
#include <serinus.h>

#include <serinus/batch/sort_kernel.hpp>
#include <serinus/core/version.hpp>
#include <serinus/fixed/mann_whitney.hpp>

#include "c/call.hpp"

namespace {

using namespace serinus::c;

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

const char* serinus_reason_name(std::int32_t reason) {
    switch (reason) {
#define SERINUS_ERROR(identifier, number, name, when)
#define SERINUS_REASON(identifier, number, group, sentence) \
    case number: return #identifier;
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
