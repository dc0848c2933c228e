/**
 * \file
 * Serinus for C, and for every language that can call C. C99; link libserinus (find_package(serinus COMPONENTS c), or
 * pkg-config serinus-c).
 *
 * Rules that hold for every function here:
 *  - Status: a function that can fail returns 0 (SERINUS_OK) or a serinus_status. Nothing is thrown, printed or
 *    aborted.
 *  - Errors: `error` is a buffer of the caller's with room for `error_capacity` bytes. On failure it gets a sentence in
 *    UTF-8, cut to fit and always ended by a zero byte; on success the empty string. NULL, or a capacity of 0: no
 *    sentence. 512 bytes hold every sentence that does not quote a long name of the caller's own.
 *  - Memory: the caller owns all arrays and structs and may free them as soon as the function has returned. Serinus
 *    keeps no pointer to them. Strings that Serinus returns are constants and are never freed; a serinus_text is given
 *    back to serinus_text_free, a serinus_monitor to serinus_monitor_free.
 *  - Threads: there is no state behind these functions but what a handle holds. Any number of threads may call them at
 *    the same time, as long as no two of them use the same handle or write to the same struct or buffer.
 *  - Structs: set `struct_size` to sizeof the struct and everything else to zero, then what you need. Zero in an option
 *    always means the default. Structs grow only at their end, so a program built with an older header keeps working; a
 *    program built with a newer one works too unless it sets an option that the library does not know yet, which is
 *    refused with SERINUS_ERROR_ARGUMENT_STRUCT_SIZE. Fields of a result that the library does not know are set to
 *    zero.
 */
#ifndef SERINUS_H
#define SERINUS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SERINUS_API __attribute__((visibility("default")))
#else
#define SERINUS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** What a function answers. A number never changes its meaning. */
typedef enum serinus_status {
    SERINUS_OK = 0,
    /* written by tests/structure/check_codes.py from serinus/core/code.def */
    /** an argument lies outside its range */
    SERINUS_ERROR_ARGUMENT_RANGE = 10,
    /** arrays that belong together have different lengths */
    SERINUS_ERROR_ARGUMENT_LENGTH = 11,
    /** a NaN where the policy is error */
    SERINUS_ERROR_ARGUMENT_NAN = 12,
    /** a word that is not one of the allowed ones */
    SERINUS_ERROR_ARGUMENT_WORD = 13,
    /** a count that is negative, fractional, above 2^53, or bad above total */
    SERINUS_ERROR_ARGUMENT_COUNT = 14,
    /** a margin that is impossible, or that this method cannot serve */
    SERINUS_ERROR_ARGUMENT_MARGIN = 15,
    /** an infinite value where only finite ones have a meaning */
    SERINUS_ERROR_ARGUMENT_INFINITE = 16,
    /** a null pointer where the C interface needs an array or a struct */
    SERINUS_ERROR_ARGUMENT_NULL = 17,
    /** a value of the wrong type */
    SERINUS_ERROR_ARGUMENT_TYPE = 18,
    /** a struct of the C interface that is too short, or sets a field that this library does not know */
    SERINUS_ERROR_ARGUMENT_STRUCT_SIZE = 19,
    /** noise that was learned in another unit than the margin needs */
    SERINUS_ERROR_ARGUMENT_NOISE = 20,
    /** something given after the moment that it must be given before */
    SERINUS_ERROR_ARGUMENT_ORDER = 22,
    /** timestamps that are not strictly increasing where they must be */
    SERINUS_ERROR_DATA_ORDER = 40,
    /** a timestamp that cannot be read */
    SERINUS_ERROR_DATA_TIMESTAMP = 41,
    /** a duration that cannot be read */
    SERINUS_ERROR_DATA_DURATION = 42,
    /** a column that is missing, doubled or unknown */
    SERINUS_ERROR_DATA_COLUMN = 43,
    /** a cell that cannot be read */
    SERINUS_ERROR_DATA_VALUE = 44,
    /** an arm that is neither baseline nor canary */
    SERINUS_ERROR_DATA_ARM = 45,
    /** a document without a single sample */
    SERINUS_ERROR_DATA_EMPTY = 46,
    /** a document that is not of the kind it should be */
    SERINUS_ERROR_DATA_DOCUMENT = 47,
    /** a Prometheus answer that says it failed */
    SERINUS_ERROR_DATA_QUERY = 48,
    /** a document that is too large or nested too deeply */
    SERINUS_ERROR_DATA_SIZE = 49,
    /** a document of a format that is not read */
    SERINUS_ERROR_DATA_FORMAT = 50,
    /** buckets of a histogram where a metric reads a single series, or none of the bound that it asks for */
    SERINUS_ERROR_DATA_BUCKET = 51,
    /** a state that belongs to another class */
    SERINUS_ERROR_STATE_KIND = 70,
    /** a state of a version that this library does not know */
    SERINUS_ERROR_STATE_VERSION = 71,
    /** a state that is truncated or altered */
    SERINUS_ERROR_STATE_DAMAGED = 72,
    /** a state that was taken under other options or another plan */
    SERINUS_ERROR_STATE_OPTIONS = 73,
    /** a state whose numbers cannot have come from this class */
    SERINUS_ERROR_STATE_INVARIANT = 74,
    /** a plan that is not JSON */
    SERINUS_ERROR_PLAN_JSON = 100,
    /** a key that no plan has */
    SERINUS_ERROR_PLAN_UNKNOWN_KEY = 101,
    /** a key that every plan must have */
    SERINUS_ERROR_PLAN_MISSING_KEY = 102,
    /** a value of the wrong type */
    SERINUS_ERROR_PLAN_TYPE = 103,
    /** a value that is impossible */
    SERINUS_ERROR_PLAN_VALUE = 104,
    /** something that a plan may ask for but this version does not have yet */
    SERINUS_ERROR_PLAN_NOT_BUILT = 105,
    /** a name or a key given twice */
    SERINUS_ERROR_PLAN_DUPLICATE = 106,
    /** a time that runs backwards */
    SERINUS_ERROR_MONITOR_TIME = 140,
    /** a stage that the plan does not have */
    SERINUS_ERROR_MONITOR_STAGE = 141,
    /** a file that cannot be read */
    SERINUS_ERROR_FILE_READ = 150,
    /** a file that cannot be written */
    SERINUS_ERROR_FILE_WRITE = 151,
    /** an audit log that is not what was written: a line was changed, left out, put in or moved */
    SERINUS_ERROR_AUDIT_CHANGED = 180,
    /** an audit log that is sealed with another key than the one given, with one where none is given, or with none */
    SERINUS_ERROR_AUDIT_KEY = 181,
    /** a target that is no decimal number between 0 and 1 and no such percentage */
    SERINUS_ERROR_SLO_TARGET = 160,
    /** a condition that no error rate can meet */
    SERINUS_ERROR_SLO_NEVER_FIRES = 161,
    /** not enough memory; the C interface alone says it so */
    SERINUS_ERROR_MEMORY = 190,
    /** a defect of Serinus itself; the C interface alone says it so */
    SERINUS_ERROR_INTERNAL = 191
    /* end of what check_codes.py writes */
} serinus_status;

/** The version of the library that is running, "major.minor.patch". A constant; never NULL. */
SERINUS_API const char* serinus_version(void);

/**
 * The stable name of a status: "ok", "serinus.argument.range", ...; "unknown" for a number that is none.
 * A constant; never NULL.
 */
SERINUS_API const char* serinus_status_name(int32_t status);

/** The name of a reason, as serinus_decision.reason has its number: "harm_proven", ...; "unknown" for a number that is
 * none. A constant; never NULL. */
SERINUS_API const char* serinus_reason_name(int32_t reason);

/** Which way the canary may differ from the baseline; SERINUS_GREATER: the canary is larger. */
enum { SERINUS_TWO_SIDED = 1, SERINUS_GREATER = 2, SERINUS_LESS = 3 };

/** What happens to a NaN: left out, or refused with SERINUS_ERROR_ARGUMENT_NAN. It is never compared. */
enum { SERINUS_NAN_DROP = 1, SERINUS_NAN_ERROR = 2 };

/** An option that is on or off. */
enum { SERINUS_ON = 1, SERINUS_OFF = 2 };

/** How the p-value comes about. */
enum {
    SERINUS_MANN_WHITNEY_AUTO = 1,
    SERINUS_MANN_WHITNEY_EXACT = 2,
    SERINUS_MANN_WHITNEY_EDGEWORTH = 3,
    SERINUS_MANN_WHITNEY_NORMAL = 4,
    SERINUS_MANN_WHITNEY_SADDLEPOINT = 5,
    SERINUS_MANN_WHITNEY_DRAWN = 6
};

typedef struct serinus_mann_whitney_options {
    uint32_t struct_size;
    int32_t alternative; /**< default SERINUS_TWO_SIDED */
    int32_t method;      /**< default SERINUS_MANN_WHITNEY_AUTO */
    int32_t continuity;  /**< default SERINUS_ON; of the method NORMAL only */
    int32_t nan_policy;  /**< default SERINUS_NAN_DROP */
} serinus_mann_whitney_options;

typedef struct serinus_mann_whitney_result {
    uint32_t struct_size;
    int32_t method;     /**< what p_value was computed by; never AUTO */
    int32_t degenerate; /**< 1: all values are equal, or an arm is empty */
    int32_t reserved;   /**< always 0 */
    double u;           /**< pairs in which the canary's value is larger, equal ones count half */
    double z;           /**< (u - mn/2) / sigma, sigma corrected for ties */
    double p_value;     /**< of the alternative asked for; 1 when degenerate */
    double effect;      /**< u/(mn) = P(canary > baseline) + P(=)/2; 0.5: no difference; NaN with an empty arm */
    int64_t ties;       /**< how many of all values are equal to another one */
    int64_t n_baseline; /**< values that were compared; NaN not counted */
    int64_t n_canary;
} serinus_mann_whitney_result;

/**
 * Mann-Whitney U: does the canary tend to larger, or smaller, values than the baseline?
 *
 * `baseline`, `canary`: n_baseline and n_canary values in any order and any unit, only read, not kept. NULL is an empty
 * arm when its length is 0 and SERINUS_ERROR_ARGUMENT_NULL otherwise. An empty arm is not an error: the result is
 * degenerate with p_value 1. `options`: only read; NULL means all defaults. `result`: written on success only, NULL is
 * SERINUS_ERROR_ARGUMENT_NULL. Works in memory of its own that is freed before it returns; may be called by many
 * threads at once. The definition of everything is that of serinus::mann_whitney in serinus/fixed/mann_whitney.hpp.
 *
 *     serinus_mann_whitney_options options = {sizeof options};
 *     serinus_mann_whitney_result result = {sizeof result};
 *     char error[512];
 *     options.alternative = SERINUS_GREATER;
 *     if (serinus_mann_whitney(b, nb, c, nc, &options, &result, error, sizeof error)) fputs(error, stderr);
 */
SERINUS_API int32_t serinus_mann_whitney(const double* baseline, size_t n_baseline, const double* canary,
                                         size_t n_canary, const serinus_mann_whitney_options* options,
                                         serinus_mann_whitney_result* result, char* error, size_t error_capacity);

/* ---- the whole job: JSON in, JSON out ----
 *
 * Where memory runs out, what is at work may be the JSON library giving its own back, which ends the program: a process
 * that must outlive that makes its monitor at the start and hands arrays over.
 */

/**
 * A text that Serinus made: `size` bytes of UTF-8 (of a state: any bytes) and a zero byte behind them. Empty is
 * {NULL, 0}. This struct never grows.
 */
typedef struct serinus_text {
    char* data;
    size_t size;
} serinus_text;

/** Gives a text back and empties it; NULL and an empty one are fine. */
SERINUS_API void serinus_text_free(serinus_text* text);

/** A text of the caller's, only read. `data` may be NULL when `size` is 0. This struct never grows. */
typedef struct serinus_document {
    const char* data;
    size_t size;
} serinus_document;

/** How data are to be understood that do not say it themselves. */
typedef struct serinus_data_options {
    uint32_t struct_size;
    int32_t stage;       /**< the stage that the data are of, counted from 1; default: what they say, or the first */
    int64_t since_ms;    /**< when that stage began, milliseconds of Unix time; default: the canary's first sample */
    int64_t now_ms;      /**< the present; default: the data are complete and judged as a whole */
    const char* arms;    /**< "label=track,baseline=stable,canary=canary"; default: what the plan says */
    const char* columns; /**< what columns of a table are called, "timestamp=Time,value=Value"; default: our names */
} serinus_data_options;

/**
 * Judges a rollout: the whole job at once, as `serinus judge --format json` does it.
 *
 * `plan`: JSON. `data`: CSV, JSON lines, Prometheus, VictoriaMetrics, OpenMetrics or OTLP JSON, told apart by what they
 * look like. `options`: NULL means all defaults. `decision`: gets the JSON of data/schema/decision.schema.json, written
 * on success only; NULL is SERINUS_ERROR_ARGUMENT_NULL.
 *
 *     serinus_text decision = {0};
 *     char error[512];
 *     if (serinus_judge_json(plan, data, NULL, &decision, error, sizeof error)) fputs(error, stderr);
 *     else fwrite(decision.data, 1, decision.size, stdout);
 *     serinus_text_free(&decision);
 */
SERINUS_API int32_t serinus_judge_json(serinus_document plan, serinus_document data,
                                       const serinus_data_options* options, serinus_text* decision, char* error,
                                       size_t error_capacity);

/**
 * Learns a plan's noise from history, as `serinus calibrate` does it.
 *
 * `history`: data from before the rollout. `releases`: `n_releases` documents, each of one former release that was
 * good; NULL with 0. `calibrated`: gets the plan with what was learned, to be judged with from now on. `learned`: gets
 * what was learned of each metric and what was not, and why; may be NULL. Both are written on success only.
 */
SERINUS_API int32_t serinus_calibrate_json(serinus_document plan, serinus_document history,
                                           const serinus_document* releases, size_t n_releases,
                                           const serinus_data_options* options, serinus_text* calibrated,
                                           serinus_text* learned, char* error, size_t error_capacity);

/**
 * How fast a service spends its error budget, as `serinus burn --plan PLAN --format json` does it.
 *
 * `objective`: the name of one of the plan's objectives, NULL when it has one only. `report`: gets the JSON of
 * data/schema/burn.schema.json, written on success only. Of `options`, `stage` and `since_ms` say nothing here and must
 * be 0.
 */
SERINUS_API int32_t serinus_burn_json(serinus_document plan, const char* objective, serinus_document data,
                                      const serinus_data_options* options, serinus_text* report, char* error,
                                      size_t error_capacity);

/**
 * What a plan asks for and what was understood of data, as `serinus check --format json` does it; nothing is judged.
 *
 * `data`: {NULL, 0} to look at the plan alone. `understood`: gets JSON whose `mend` says what should be mended first;
 * written on success only.
 */
SERINUS_API int32_t serinus_check_json(serinus_document plan, serinus_document data,
                                       const serinus_data_options* options, serinus_text* understood, char* error,
                                       size_t error_capacity);

/* ---- a rollout that is watched ---- */

/** What a rollout should do now. */
enum { SERINUS_PROMOTE = 1, SERINUS_HOLD = 2, SERINUS_ROLLBACK = 3 };

/** Who should look, and how soon. */
enum { SERINUS_PAGE = 1, SERINUS_TICKET = 2, SERINUS_INFO = 3 };

/** What stands behind the promise about alpha. */
enum { SERINUS_PROVED = 1, SERINUS_MEASURED = 2, SERINUS_NO_GUARANTEE = 3 };

/** Whose samples they are. (An option of 0 is the default everywhere else; an arm has none.) */
enum { SERINUS_BASELINE = 1, SERINUS_CANARY = 2 };

/** The answer in numbers; the whole of it is the JSON of serinus_monitor_decision_json. */
typedef struct serinus_decision {
    uint32_t struct_size;
    int32_t action;    /**< SERINUS_PROMOTE, SERINUS_HOLD or SERINUS_ROLLBACK */
    int32_t severity;  /**< SERINUS_PAGE, SERINUS_TICKET or SERINUS_INFO */
    int32_t guarantee; /**< SERINUS_PROVED, SERINUS_MEASURED or SERINUS_NO_GUARANTEE */
    int32_t reason;    /**< the code of the most important reason, see serinus_reason_name; 0: none */
    int32_t stage;     /**< the one that runs, counted from 1 */
    int32_t stages;
    int32_t finished;   /**< 1: promoted out of the last stage */
    int32_t no_data;    /**< 1: held because no metric that could decide has any data */
    int32_t n_failed;   /**< metrics and objectives whose failure is proven */
    int64_t time_ms;    /**< the time that the decision is made for; 0 before any */
    int64_t elapsed_ms; /**< since the stage began */
    double traffic;     /**< the canary's share in this stage; 0: the plan does not say */
    double alpha;       /**< a good canary is ever rolled back with at most this probability */
    double evidence;    /**< of harm, of the metric that has most: log10 of its e-value over the one that it needs; 0 is
                             proof, NaN: no metric has any */
} serinus_decision;

/** Samples of one series, only read, not kept. */
typedef struct serinus_series {
    uint32_t struct_size;
    int32_t arm;             /**< SERINUS_BASELINE or SERINUS_CANARY */
    const char* name;        /**< as the plan calls it */
    const char* instance;    /**< what the samples were taken from; NULL: there is one only, or nobody knows */
    const int64_t* times_ms; /**< milliseconds of Unix time, `size` of them, in any order */
    const double* values;    /**< `size` of them */
    size_t size;
} serinus_series;

/** A rollout that is watched. One handle is used by one thread at a time; it may move between threads. */
typedef struct serinus_monitor serinus_monitor;

/**
 * A monitor of a plan. `*monitor` is written on success only, to be given to serinus_monitor_free.
 *
 * What all of its functions share: a call that fails for an argument or for data leaves the monitor as it was. After
 * SERINUS_ERROR_MEMORY or SERINUS_ERROR_INTERNAL the monitor answers every call but serinus_monitor_restore and
 * serinus_monitor_free with SERINUS_ERROR_INTERNAL: half of an observation must not be judged. NULL for a monitor is
 * SERINUS_ERROR_ARGUMENT_NULL. `decision`: what it decides then; may be NULL.
 */
SERINUS_API int32_t serinus_monitor_create(serinus_document plan, serinus_monitor** monitor, char* error,
                                           size_t error_capacity);

/** Frees a monitor; NULL is fine. */
SERINUS_API void serinus_monitor_free(serinus_monitor* monitor);

/**
 * Takes new samples and decides. `series`: `n_series` of them, NULL with 0: silence ages the data. `now_ms`: the
 * present time, never backwards; 0: the newest sample known. Samples that were handed over before change nothing.
 */
SERINUS_API int32_t serinus_monitor_observe(serinus_monitor* monitor, const serinus_series* series, size_t n_series,
                                            int64_t now_ms, serinus_decision* decision, char* error,
                                            size_t error_capacity);

/** The same of a document, in any format that serinus_judge_json reads. Of `options`, `stage` and `since_ms` must be 0:
 * see serinus_monitor_enter_stage. */
SERINUS_API int32_t serinus_monitor_observe_document(serinus_monitor* monitor, serinus_document data,
                                                     const serinus_data_options* options, serinus_decision* decision,
                                                     char* error, size_t error_capacity);

/** Told after traffic was moved: stage `stage`, counted from 1, runs since `at_ms`. Telling it again changes nothing. */
SERINUS_API int32_t serinus_monitor_enter_stage(serinus_monitor* monitor, int32_t stage, int64_t at_ms, char* error,
                                                size_t error_capacity);

/** An instance of an arm was restarted: it is not judged until the plan's warm-up has passed. */
SERINUS_API int32_t serinus_monitor_restart(serinus_monitor* monitor, int32_t arm, const char* instance, int64_t at_ms,
                                            char* error, size_t error_capacity);

/** Judges all that has come without waiting for more: for data that are complete. */
SERINUS_API int32_t serinus_monitor_flush(serinus_monitor* monitor, serinus_decision* decision, char* error,
                                          size_t error_capacity);

/** What it decides now; before any data a hold. `decision`: NULL is SERINUS_ERROR_ARGUMENT_NULL here. */
SERINUS_API int32_t serinus_monitor_decision(serinus_monitor* monitor, serinus_decision* decision, char* error,
                                             size_t error_capacity);

/** The same, whole, as the JSON of data/schema/decision.schema.json; written on success only. */
SERINUS_API int32_t serinus_monitor_decision_json(serinus_monitor* monitor, serinus_text* decision, char* error,
                                                  size_t error_capacity);

/** All that the monitor remembers, as bytes, for a process that may be stopped at any time; written on success only. */
SERINUS_API int32_t serinus_monitor_state(serinus_monitor* monitor, serinus_text* state, char* error,
                                          size_t error_capacity);

/** Takes over the bytes that serinus_monitor_state gave for the same plan; SERINUS_ERROR_STATE_* for anything else, and
 * the monitor is as it was then. */
SERINUS_API int32_t serinus_monitor_restore(serinus_monitor* monitor, serinus_document state, char* error,
                                            size_t error_capacity);

#ifdef __cplusplus
}
#endif

#endif
