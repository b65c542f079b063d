/* event - what becomes of a mail to bouncemanager: a call of the bounce command, at once or later
 */
#include "bounce/event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "bounce/call.h"
#include "bounce/notice.h"
#include "bounce/state.h"
#include "bounce/waiter.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/settings.h"
#include "lib/startup.h"

/* local(8) takes what is printed, with its code (RFC 3463), for the reason why mail is returned. */
static int refuse(int status, const char *reason)
{
    puts(reason);
    return status;
}

/* Read all of standard input, and keep at most NOTICE_SIZE_MAX bytes. NULL with errno. */
static char *read_notice(size_t *len_r)
{
    char *text = malloc(NOTICE_SIZE_MAX);
    char rest[4096];
    size_t len = 0;
    ssize_t got = text != NULL ? 1 : -1;

    while (got > 0) {
        got = len < NOTICE_SIZE_MAX ? read(STDIN_FILENO, text + len, NOTICE_SIZE_MAX - len)
                                    : read(STDIN_FILENO, rest, sizeof rest);
        if (got > 0 && len < NOTICE_SIZE_MAX)
            len += (size_t)got;
        if (got < 0 && errno == EINTR)
            got = 1;
    }
    if (got < 0) {
        free(text);
        return NULL;
    }
    *len_r = len;
    return text;
}

/*
 * A descriptor that becomes readable when Postfix has stopped: the process above local(8), which
 * has started this one, is its master. -1 where that cannot be had.
 */
static int watch_master(void)
{
    char path[64];
    long master = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)getppid());
    file = fopen(path, "re");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%*d (%*[^)]) %*c %ld", &master) != 1) /* proc(5); a name like "local" */
        master = 0;
    fclose(file);
    return master > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)master, 0) : -1;
}

/* Whether it came from a client, which local(8) says by such variables. */
static bool is_from_client(void)
{
    static const char *const names[] = {"CLIENT_ADDRESS", "CLIENT_HOSTNAME", "CLIENT_HELO",
                                        "CLIENT_PROTOCOL"};
    bool found = false;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        found = found || getenv(names[i]) != NULL;
    return found;
}

/*
 * Whether it went back to a sender, who claims this address then. It is a bounce, of which Postfix
 * sends the notice besides, by a sender of its own (mail_addr_double_bounce()).
 */
static bool is_returned(const char *sender)
{
    return sender != NULL && (sender[0] == '\0' || strcmp(sender, "MAILER-DAEMON") == 0);
}

/* Count the bounce for a later call. False where that cannot be. */
static bool hold_back(const struct caller *caller, struct state *state, const char *text,
                      size_t len)
{
    state->limit.held_back++;
    if (!state_save(state))
        return false;
    state_keep_notice(state, text, len);
    if (state->limit.held_back == 1)
        log_info("%s: BOUNCE_COMMAND_LIMIT is reached: bounces are counted until the next call",
                 caller->name);
    waiter_start(caller, state);
    return true;
}

/* Count, and call or hold back. Where somebody who waited is gone, first make the call that is due.
 */
static void handle(const struct caller *caller, const struct settings *settings, const char *text,
                   size_t len, const struct notice *notice)
{
    struct held_back due = {.count = 0};
    struct counts more = {.bounces = 1};
    struct state state;
    bool may_call = true;

    if (call_command(caller, settings)[0] == '\0') {
        state_count_closed(settings, caller->name, &more);
        return;
    }
    if (state_open(&state, settings, caller->name)) {
        int64_t now_ms = clock_boot_ms();

        if (state.limit.held_back > 0 &&
            call_limit_wait_ms(&state.limit, settings->bounce_limit, now_ms) == 0)
            due = waiter_take(&state);
        may_call = state.limit.held_back == 0 &&
                   call_limit_wait_ms(&state.limit, settings->bounce_limit, now_ms) == 0;
        if (may_call) {
            bool saved;

            call_limit_note(&state.limit, now_ms);
            saved = state_save(&state);
            (void)saved; /* the log says so, and the call is made all the same */
        } else {
            may_call = !hold_back(caller, &state, text, len);
            more.held_back = !may_call;
        }
        state_count(&state, &more);
        state_close(&state);
    }
    if (due.count > 0)
        waiter_call(caller, settings, &due);
    if (may_call)
        call_make(caller, settings, text, len, notice, 1);
}

static int take_mail(const struct caller *caller, const struct settings *settings)
{
    char address[SETTINGS_BOUNCE_ADDRESS_SIZE];
    const char *sender = getenv("SENDER");
    struct notice *notice = calloc(1, sizeof *notice);
    size_t len = 0;
    char *text = notice != NULL ? read_notice(&len) : NULL;
    enum notice_kind kind = NOTICE_OTHER;
    size_t start;

    if (text == NULL) {
        log_error("%s: a notice cannot be read: %m", caller->name);
        free(notice);
        return EX_TEMPFAIL;
    }
    start = notice_start(text, len);
    settings_bounce_address(caller->name, address);
    kind =
        is_from_client() ? NOTICE_FOREIGN : notice_read(text, len, caller->name, address, notice);
    if (kind == NOTICE_BOUNCE && !is_returned(sender))
        handle(caller, settings, text + start, len - start, notice);
    if (kind == NOTICE_FOREIGN)
        log_warn("%s: mail from=<%s> is returned: it is no notice of this Postfix", caller->name,
                 sender != NULL ? sender : "");
    free(text);
    free(notice);
    return kind != NOTICE_FOREIGN
               ? EX_OK
               : refuse(EX_NOPERM, "5.7.1 This address takes notices of its own mail system alone");
}

/* The number of the Postfix with that name (lib/settings.h). False where it is no name of ours. */
static bool find_instance(const char *name, int *instance_r)
{
    char known[SETTINGS_NAME_SIZE];

    for (int n = PEG_FIRST; n < SETTINGS_PRIORITY_MAX; n++) {
        settings_instance_name(n, known);
        if (strcmp(known, name) != 0)
            continue;
        *instance_r = n;
        return true;
    }
    return false;
}

/* Nothing is known of the settings yet but where they are. */
static bool open_log(const struct options *options)
{
    struct settings unread = {.root = strdup(options->root)};
    bool good = unread.root != NULL && startup_log(options->program, &unread, false);

    free(unread.root);
    return good;
}

int event_run(const struct options *options, const char *name)
{
    struct caller caller = {.root = options->root, .name = name};
    struct diag diag = diag_to_log();
    struct settings *settings;
    int status;

    if (!find_instance(name, &caller.instance))
        options_wrong(options, "there is no Postfix '%s'", name);
    if (geteuid() == 0) {
        fprintf(stderr, "%s is for Postfix, which runs it without rights\n", options->program);
        return EX_TEMPFAIL;
    }
    if (!open_log(options))
        return refuse(EX_TEMPFAIL, "4.3.0 The log cannot be opened");
    settings = settings_load(options->root, &diag);
    if (settings == NULL)
        return refuse(EX_TEMPFAIL, "4.3.5 The settings cannot be read; the log says why");
    caller.stop_fd = watch_master();
    status = take_mail(&caller, settings);
    settings_free(&settings);
    return status;
}
