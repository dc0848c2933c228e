/* A controller that watches a rollout, as one in any language would that can call C: it hands over the counts of each
 * interval, keeps the monitor's state where it keeps its own, and does what the decision says. After every look it
 * forgets everything, as a process does that is stopped and started: the state is all that it needs.
 *
 * The counts are made up: 500 requests an interval and arm; one in a hundred fails in the baseline, one in thirty in
 * the canary. */
#include <serinus.h>
#include <stdio.h>
#include <string.h>

static const char* const plan_json =
    "{\"name\": \"checkout\", \"interval\": \"30s\", \"stages\": [{\"traffic\": 0.5, \"min\": \"10m\"}],"
    " \"metrics\": [{\"name\": \"errors\", \"kind\": \"proportion\", \"bad\": \"failed\", \"total\": \"requests\","
    "               \"margin\": {\"ratio\": 1.5}}],"
    " \"noise\": {\"errors\": {\"dispersion\": 1, \"intervals\": 1000}}}";

static int32_t failed(const char* call, int32_t status, const char* error) {
    if (status != SERINUS_OK) fprintf(stderr, "%s: %s (%s)\n", call, error, serinus_status_name(status));
    return status;
}

/* One look: a monitor is made, takes its state over, observes, decides and gives its state back. */
static int32_t look(serinus_text* state, const serinus_series* series, size_t n, serinus_decision* decision) {
    serinus_monitor* monitor = NULL;
    serinus_document plan, known;
    char error[512];
    int32_t status;

    plan.data = plan_json;
    plan.size = strlen(plan_json);
    status = failed("create", serinus_monitor_create(plan, &monitor, error, sizeof error), error);
    if (status == SERINUS_OK && state->size > 0) {
        known.data = state->data;
        known.size = state->size;
        status = failed("restore", serinus_monitor_restore(monitor, known, error, sizeof error), error);
    }
    if (status == SERINUS_OK)
        status =
            failed("observe", serinus_monitor_observe(monitor, series, n, 0, decision, error, sizeof error), error);
    serinus_text_free(state);
    if (status == SERINUS_OK)
        status = failed("state", serinus_monitor_state(monitor, state, error, sizeof error), error);
    serinus_monitor_free(monitor);
    return status;
}

int main(void) {
    static const char* const actions[] = {"?", "promote", "hold", "rollback"};
    serinus_text state = {NULL, 0};
    serinus_decision decision;
    int i;

    memset(&decision, 0, sizeof decision);
    decision.struct_size = sizeof decision;
    decision.action = SERINUS_HOLD;
    for (i = 0; i < 120 && decision.action == SERINUS_HOLD; ++i) {
        const int64_t at = 1790000000000 + i * 30000;
        const double requests = 500, bad_baseline = 5, bad_canary = 16 + i % 2;
        serinus_series series[4];
        int k;
        memset(series, 0, sizeof series);
        for (k = 0; k < 4; ++k) {
            series[k].struct_size = sizeof series[k];
            series[k].arm = k < 2 ? SERINUS_BASELINE : SERINUS_CANARY;
            series[k].name = k % 2 == 0 ? "failed" : "requests";
            series[k].times_ms = &at;
            series[k].values = k % 2 == 1 ? &requests : k == 0 ? &bad_baseline : &bad_canary;
            series[k].size = 1;
        }
        if (look(&state, series, 4, &decision) != SERINUS_OK) return 2;
        printf("%2d  %-8s  10^%.1f of the evidence of harm that is needed  (%s; state of %lu bytes)\n", i + 1,
               actions[decision.action], decision.evidence, serinus_reason_name(decision.reason),
               (unsigned long)state.size);
    }
    serinus_text_free(&state);
    return decision.action == SERINUS_ROLLBACK ? 0 : 1;
}
