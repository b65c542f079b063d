/* watch - peg-showqueues --watch: the queues as they are now, again and again */
#include "showqueues/watch.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/options.h"
#include "showqueues/watch_pace.h"
#include "showqueues/watch_terminal.h"
#include "showqueues/watch_view.h"
#include "survey/flow.h"

enum input { SIGNALS, KEYS, EVENTS, INPUT_COUNT };

enum { RATE_MS_MIN = 500 }; /* what passes in less time tells little */

enum next { NEXT_LOOK, NEXT_DRAW, NEXT_END };

static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int others[] = {SIGTSTP, SIGCONT, SIGWINCH};

struct watch {
    const struct watch_source *source;
    struct watch_terminal *terminal; /* NULL: lines go to whatever standard output is */
    struct pollfd inputs[INPUT_COUNT];
    struct watch_pace pace;
    struct survey surveys[2]; /* the latest, and the one before it */
    int latest;
    bool has_before;
    struct survey detailed;   /* the latest with details */
    char why[WATCH_WHY_SIZE]; /* there is none; "" */
    int64_t shown_interval_ms;
};

/* Whether somebody wants something else than the survey that is under way. */
static bool is_interrupted(void *arg)
{
    struct watch *watch = arg;

    return poll(watch->inputs, EVENTS, 0) > 0;
}

/* What was known of the oldest messages is shown until somebody looks again. */
static void keep_ages(const struct survey *detailed, struct survey *survey)
{
    for (size_t i = 0; i < survey->instance_count && i < detailed->instance_count; i++)
        for (int queue = 0; queue < QUEUE_COUNT; queue++)
            if (survey->instances[i].instance == detailed->instances[i].instance &&
                survey->instances[i].queues[queue].messages > 0)
                survey->instances[i].queues[queue].oldest_ms =
                    detailed->instances[i].queues[queue].oldest_ms;
}

/* Returns false where it was interrupted. */
static bool look(struct watch *watch)
{
    struct survey *survey = &watch->surveys[!watch->latest];
    int64_t began_ms = clock_boot_ms();
    enum survey_detail detail = watch_pace_detail(&watch->pace, began_ms);
    int64_t since_ms;

    watch->why[0] = '\0';
    if (!watch->source->take(watch->source->arg, detail, is_interrupted, watch, survey,
                             watch->why)) {
        if (watch->why[0] == '\0')
            return false;
        *survey = (struct survey){.taken_ms = clock_wall_ms()};
    }
    if (survey->detail == SURVEY_DETAILS)
        watch->detailed = *survey;
    else
        keep_ages(&watch->detailed, survey);
    since_ms = survey->taken_ms - watch->surveys[watch->latest].taken_ms;
    watch->has_before = watch->surveys[watch->latest].taken_ms > 0 && since_ms >= RATE_MS_MIN;
    watch->latest = !watch->latest;
    watch_pace_took(&watch->pace, detail, began_ms, clock_boot_ms());
    watch->shown_interval_ms =
        watch->pace.has_details ? watch->pace.due_ms - began_ms : watch->pace.interval_ms;
    return true;
}

/* Returns false with errno. */
static bool draw(const struct watch *watch)
{
    static const struct watch_style none = {"", "", "", "", "", ""};
    struct watch_look look = {.style = none};
    const struct survey *survey = &watch->surveys[watch->latest];
    char note[WATCH_WHY_SIZE + 64];
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    bool ok;

    if (out == NULL)
        return false;
    snprintf(note, sizeof note, "every %lld s%s",
             (long long)(watch->shown_interval_ms + 999) / 1000,
             watch->inputs[KEYS].fd >= 0 ? ", q quits" : "");
    look.note = watch->why[0] != '\0' ? watch->why : watch->terminal != NULL ? note : "";
    if (watch->terminal != NULL)
        watch_terminal_look(watch->terminal, &look);
    watch_view_print(survey, watch->has_before ? &watch->surveys[!watch->latest] : NULL, &look,
                     out);
    if (watch->terminal == NULL)
        putc('\n', out); /* between blocks */
    ok = fclose(out) == 0 && (watch->terminal != NULL ? watch_terminal_show(watch->terminal, text)
                                                      : file_write(STDOUT_FILENO, text, len));
    free(text);
    return ok;
}

static bool is_ending(void)
{
    sigset_t pending;

    sigpending(&pending);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (sigismember(&pending, endings[i]) == 1)
            return true;
    return false;
}

/*
 * Take the screen. In the background this stops, as others do that want the terminal, until it is
 * in the foreground, or until a signal ends it. Returns false with errno where the screen is not
 * taken, EINTR in the latter case.
 */
static bool enter(const struct watch *watch)
{
    while (!watch_terminal_enter(watch->terminal)) {
        if (errno != EINTR || is_ending())
            return false;
        raise(SIGSTOP);
    }
    return true;
}

/* Be away until somebody has this process go on. */
static void pause_here(const struct watch *watch)
{
    watch_terminal_leave(watch->terminal);
    raise(SIGSTOP); /* as SIGTSTP, which is blocked, would have done */
}

static enum next take_signal(struct watch *watch)
{
    struct signalfd_siginfo told;

    if (read(watch->inputs[SIGNALS].fd, &told, sizeof told) != sizeof told)
        return NEXT_DRAW;
    switch (told.ssi_signo) {
    case SIGWINCH:
        return NEXT_DRAW;
    case SIGTSTP:
        pause_here(watch);
        return enter(watch) ? NEXT_LOOK : NEXT_END;
    case SIGCONT: /* another program may have had the screen */
        return enter(watch) ? NEXT_LOOK : NEXT_END;
    default:
        return NEXT_END;
    }
}

static enum next take_key(struct watch *watch)
{
    char key;

    if (read(watch->inputs[KEYS].fd, &key, 1) == 1)
        return key == 'q' || key == 'Q' ? NEXT_END : NEXT_DRAW;
    watch->inputs[KEYS].fd = -1; /* nobody types any more */
    return NEXT_DRAW;
}

/* Wait until something is to be done. Of what happens meanwhile much is drained at a time. */
static enum next wait_for(struct watch *watch)
{
    nfds_t count = INPUT_COUNT; /* without EVENTS where some have come, and gather */

    for (;;) {
        int64_t left_ms = watch->pace.due_ms - clock_boot_ms();
        int64_t wait_ms = count == EVENTS && left_ms > FLOW_WAIT_MS ? FLOW_WAIT_MS : left_ms;
        int ready = poll(watch->inputs, count, wait_ms > 0 ? (int)wait_ms : 0);

        if (ready > 0 && watch->inputs[SIGNALS].revents != 0)
            return take_signal(watch);
        if (ready > 0 && watch->inputs[KEYS].revents != 0)
            return take_key(watch);
        if (count == EVENTS)
            watch->source->drain(watch->source->arg);
        count = count == INPUT_COUNT && ready > 0 ? EVENTS : INPUT_COUNT;
        if (left_ms <= 0)
            return NEXT_LOOK;
    }
}

/* Returns false with errno. */
static bool run(struct watch *watch)
{
    for (enum next next = NEXT_LOOK; next != NEXT_END; next = wait_for(watch))
        if ((next == NEXT_DRAW ? watch->pace.due_ms > 0 : look(watch)) && !draw(watch))
            return false;
    return true;
}

/* Signals that are taken by a descriptor from now on; -1 with errno. */
static int take_signals(sigset_t *before_r)
{
    sigset_t signals;

    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        sigaddset(&signals, endings[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        sigaddset(&signals, others[i]);
    sigprocmask(SIG_BLOCK, &signals, before_r);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Only here signals have to wait until the terminal is as it was: a write to a pipe that nobody
 * reads can be ended by them. Returns false with errno. */
static bool run_on_terminal(struct watch *watch)
{
    sigset_t before;
    int signals = take_signals(&before);
    bool ok;
    int error;

    watch->inputs[SIGNALS].fd = signals;
    if (isatty(STDIN_FILENO) != 0)
        watch->inputs[KEYS].fd = STDIN_FILENO;
    ok = signals >= 0 && enter(watch) && run(watch);
    error = errno;
    watch_terminal_leave(watch->terminal);
    watch_terminal_close(&watch->terminal);
    if (signals >= 0)
        close(signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return ok;
}

int watch_run(const struct watch_source *source, const char *program, int interval_s)
{
    static struct watch watch; /* large for a stack */
    bool ok;
    int error;

    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN); /* write() tells it */
    watch = (struct watch){.source = source,
                           .inputs = {[SIGNALS] = {.fd = -1, .events = POLLIN},
                                      [KEYS] = {.fd = -1, .events = POLLIN},
                                      [EVENTS] = {.fd = source->fd, .events = POLLIN}},
                           .pace = {.interval_ms = (int64_t)interval_s * 1000},
                           .terminal = watch_terminal_open()};
    ok = watch.terminal != NULL ? run_on_terminal(&watch) : run(&watch);
    error = errno;
    if (ok || error == EPIPE || error == EIO || error == EINTR)
        return EXIT_DONE; /* nobody reads it, the terminal is gone, or it was not to begin */
    errno = error;
    fprintf(stderr, "%s: cannot write: %m\n", program);
    return EXIT_FAILED;
}
