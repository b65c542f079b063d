/* call - one call of the bounce command of a Postfix: its facts, its end, its lines in the log */
#include "bounce/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bounce/run.h"
#include "bounce/state.h"
#include "lib/command.h"
#include "lib/log.h"

const char *call_command(const struct caller *caller, const struct settings *settings)
{
    return caller->instance < settings->priority_count
               ? settings_own(settings, caller->instance)->bounce_command
               : "";
}

/* How it ended, in words. */
static void describe_end(const struct run_result *result, char text_r[64])
{
    switch (result->end) {
    case RUN_EXITED:
        snprintf(text_r, 64, "ended with status %d", result->status);
        break;
    case RUN_SIGNALED:
        snprintf(text_r, 64, "was killed by signal %d", result->status);
        break;
    case RUN_TIMED_OUT:
        snprintf(text_r, 64, "was killed after %d s", RUN_TIME_LIMIT_S);
        break;
    case RUN_STOPPED:
        snprintf(text_r, 64, "was killed, since Postfix has stopped");
        break;
    }
}

/* Returns whether all is well. */
static bool report(const struct caller *caller, const struct notice *notice, uint64_t count,
                   const struct run_result *result)
{
    bool good = result->end == RUN_EXITED && result->status == 0;
    size_t len = strlen(result->output);
    char end[64];

    describe_end(result, end);
    while (len > 0 && strchr(" \t\r\n", result->output[len - 1]) != NULL)
        len--;
    (good ? log_info : log_warn)(
        "%s: bounce of %s: from=<%s>, recipients=%zu, count=%" PRIu64 ", command %s%s%.*s",
        caller->name, notice->queue_id, notice->sender, notice->recipient_count, count, end,
        len > 0 ? ", output: " : "", (int)len, result->output);
    return good;
}

/* Returns whether it was run, and ended as it should. */
static bool run(const struct caller *caller, const struct settings *settings, const char *text,
                size_t len, const struct notice *notice, uint64_t count)
{
    char priority[16] = "", count_text[32], why[COMMAND_WHY_SIZE];
    const char *const facts[FACT_NUMBER] = {
        [FACT_INSTANCE] = caller->name,
        [FACT_PRIORITY] = priority,
        [FACT_QUEUE_ID] = notice->queue_id,
        [FACT_SENDER] = notice->sender,
        [FACT_RECIPIENTS] = notice->recipients,
        [FACT_REASON] = notice->reasons,
        [FACT_COUNT] = count_text,
    };
    struct run_result result;
    bool done = false;
    char **words;

    if (!settings_is_frontend(caller->instance))
        snprintf(priority, sizeof priority, "%d", caller->instance);
    snprintf(count_text, sizeof count_text, "%" PRIu64, count);
    words = command_split(call_command(caller, settings), facts, why);
    if (words == NULL) {
        log_error("%s: bounce of %s: the command cannot be run: %s", caller->name, notice->queue_id,
                  why);
        return false;
    }
    if (notice->listed_count < notice->recipient_count)
        log_warn("%s: bounce of %s: the command is told of %zu of %zu recipients", caller->name,
                 notice->queue_id, notice->listed_count, notice->recipient_count);
    if (run_command(&(struct run_input){words, facts, text, len, caller->stop_fd}, &result))
        done = report(caller, notice, count, &result);
    else
        log_error("%s: bounce of %s: %s cannot be run: %m", caller->name, notice->queue_id,
                  words[0]);
    command_free(&words);
    return done;
}

void call_make(const struct caller *caller, const struct settings *settings, const char *text,
               size_t len, const struct notice *notice, uint64_t count)
{
    bool done = run(caller, settings, text, len, notice, count);
    const struct counts more = {.calls = done, .failures = !done};

    state_count_closed(settings, caller->name, &more);
}
