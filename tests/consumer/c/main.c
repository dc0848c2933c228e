/* Strict C99: the header must need nothing else. */
#include <serinus.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    const double baseline[] = {1, 2, 3, 4, 5};
    const double canary[] = {6, 7, 8, 9, 10};
    serinus_mann_whitney_options options = {sizeof options, 0, 0, 0, 0};
    serinus_mann_whitney_result result;
    char error[128];
    int32_t status;

    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    options.alternative = SERINUS_GREATER;
    status = serinus_mann_whitney(baseline, 5, canary, 5, &options, &result, error, sizeof error);
    if (status != SERINUS_OK) {
        printf("%s (%s)\n", error, serinus_status_name(status));
        return 1;
    }
    printf("serinus %s: U = %g, p = %g\n", serinus_version(), result.u, result.p_value);
    /* One of C(10, 5) = 252 arrangements is as extreme. */
    if (result.u != 25.0 || result.p_value < 0.99 / 252 || result.p_value > 1.01 / 252) return 1;

    status = serinus_mann_whitney(baseline, 5, NULL, 5, NULL, &result, error, sizeof error);
    return status == SERINUS_ERROR_ARGUMENT_NULL && strstr(error, "canary") != NULL ? 0 : 1;
}
