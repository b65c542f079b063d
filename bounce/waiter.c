/* waiter - a process that waits until the bounces that were held back may be told in one call */
#include "bounce/waiter.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

struct held_back waiter_take(struct state *state)
{
    struct held_back held_back = {.count = state->limit.held_back};

    held_back.notice = state_take_notice(state, NOTICE_SIZE_MAX, &held_back.len);
    state->limit.held_back = 0;
    call_limit_note(&state->limit, clock_boot_ms());
    return held_back;
}

void waiter_call(const struct caller *caller, const struct settings *settings,
                 struct held_back *held_back)
{
    const char *text = held_back->notice != NULL ? held_back->notice : "";
    struct notice *notice = calloc(1, sizeof *notice);
    char address[SETTINGS_BOUNCE_ADDRESS_SIZE];

    if (notice == NULL)
        log_fatal("out of memory");
    settings_bounce_address(caller->name, address);
    if (held_back->notice != NULL &&
        notice_read(text, held_back->len, caller->name, address, notice) != NOTICE_BOUNCE)
        *notice = (struct notice){.queue_id = ""};
    if (call_command(caller, settings)[0] == '\0')
        log_info("%s: there is no command any more that %" PRIu64 " bounces could be told",
                 caller->name, held_back->count);
    else
        call_make(caller, settings, text, held_back->len, notice, held_back->count);
    free(notice);
    free(held_back->notice);
}

/*
 * Make the call that is due, if one is. Returns after which time to look again, 0 for never: then
 * the lock is gone, while nobody could hold back one more bounce and count on this process.
 */
static int64_t look(const struct caller *caller, const struct settings *settings, int lock_fd)
{
    struct held_back held_back;
    struct state state;
    int64_t wait_ms;

    if (!state_open(&state, settings, caller->name))
        return 0;
    wait_ms = call_limit_wait_ms(&state.limit, settings->bounce_limit, clock_boot_ms());
    if (state.limit.held_back == 0) {
        close(lock_fd);
        state_close(&state);
        return 0;
    }
    if (wait_ms > 0) {
        state_close(&state);
        return wait_ms;
    }
    held_back = waiter_take(&state);
    wait_ms = state_save(&state) ? 1 : 0;
    state_close(&state);
    waiter_call(caller, settings, &held_back);
    return wait_ms; /* more may be held back by now */
}

static void PEG_NORETURN wait_and_call(const struct caller *caller, int lock_fd)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct pollfd stop = {.fd = caller->stop_fd, .events = POLLIN};
    struct diag diag = diag_to_log();
    struct settings *settings;
    int64_t wait_ms = 0;

    setsid();
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (dup2(null_fd, fd) < 0)
            _exit(EXIT_FAILURE); /* local(8) would wait for it */
    do {
        settings = settings_load(caller->root, &diag); /* they may have changed */
        if (settings == NULL)
            break;
        wait_ms = look(caller, settings, lock_fd);
        settings_free(&settings);
    } while (wait_ms > 0 && poll(&stop, 1, (int)wait_ms) <= 0);
    _exit(EXIT_SUCCESS);
}

void waiter_start(const struct caller *caller, const struct state *state)
{
    int lock_fd = state_lock_waiter(state);
    pid_t pid;

    if (lock_fd < 0)
        return;
    pid = fork();
    if (pid == 0) {
        close(state->fd); /* or the state would stay locked */
        wait_and_call(caller, lock_fd);
    }
    if (pid < 0)
        log_error("%s: fork: %m; the next bounce makes up for it", caller->name);
    close(lock_fd);
}
