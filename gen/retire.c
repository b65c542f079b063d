/* retire - wait until no mail needs the Postfixes that the settings no longer have */
#include "gen/retire.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/process.h"
#include "ctl/retry.h"
#include "gen/gone.h"
#include "keeper/id_set.h"
#include "lib/clock.h"
#include "survey/queues.h"

enum { POLL_MIN_MS = 50, POLL_MAX_MS = 2000, FLUSH_MS = 60000 };

/* A frontend's queue when the waiting began, and what of it is still there. */
struct mail {
    char queue_dir[PATH_MAX]; /* "": it does not matter */
    struct id_set before;
    bool no_memory;
    int64_t left;
};

static bool add(void *arg, int dir_fd, const char *name)
{
    struct mail *mail = arg;

    (void)dir_fd;
    if (!id_set_add(&mail->before, name))
        mail->no_memory = true;
    return true;
}

static bool count(void *arg, int dir_fd, const char *name)
{
    struct mail *mail = arg;

    (void)dir_fd;
    mail->left += id_set_has(&mail->before, name);
    return true;
}

/* In the order in which mail moves, so that none is missed. */
static bool walk(struct mail *mail, bool (*visit)(void *, int, const char *))
{
    static const enum queue order[] = {QUEUE_HOLD, QUEUE_INCOMING, QUEUE_ACTIVE, QUEUE_DEFERRED,
                                       QUEUE_ACTIVE};
    char why[QUEUES_WHY_SIZE];

    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (!queues_walk(mail->queue_dir, order[i], visit, mail, why)) {
            fprintf(stderr, "%s\n", why);
            return false;
        }
    if (mail->no_memory)
        fprintf(stderr, "%s: too many messages for the memory of this machine\n", mail->queue_dir);
    return !mail->no_memory;
}

static bool flush(const struct work *work)
{
    bool good = true;

    for (size_t i = 0; i < work->gone_count; i++) {
        const char *const argv[] = {"postqueue", "-c", work->gone[i].dir, "-f", NULL};

        good = process_run(argv) && good;
    }
    return good;
}

static void report(int64_t left, int64_t gone, int timeout_s)
{
    fprintf(
        stderr,
        "after %d s %" PRId64 " messages are left in instances that are to be removed, and %" PRId64
        " in the frontend that may be bound for them (see peg-showqueues): nothing is removed; "
        "run peg-gen apply --drain again, with more time (--drain=SECONDS) where they need it\n",
        timeout_s, gone, left);
}

static bool count_left(struct mail *mail, int64_t *left_r)
{
    *left_r = 0;
    for (int i = 0; i < SETTINGS_FRONTENDS_MAX; i++) {
        mail[i].left = 0;
        if (mail[i].queue_dir[0] != '\0' && !walk(&mail[i], count))
            return false;
        *left_r += mail[i].left;
    }
    return true;
}

static bool wait_for(const struct work *work, struct mail *mail, int timeout_s)
{
    int64_t start_ms = clock_boot_ms();
    int64_t flushed_ms = start_ms;
    int poll_ms = POLL_MIN_MS;

    for (;;) {
        int64_t now_ms = clock_boot_ms();
        int64_t left, gone;

        if (!count_left(mail, &left) || (gone = gone_mail(work)) < 0)
            return false;
        if (left == 0 && gone == 0)
            return true;
        if (now_ms - start_ms >= (int64_t)timeout_s * 1000) {
            report(left, gone, timeout_s);
            return false;
        }
        if (now_ms - flushed_ms >= FLUSH_MS) {
            flushed_ms = now_ms;
            if (!retry_deferred(work->settings) || !flush(work))
                return false;
        }
        clock_sleep_ms(poll_ms);
        poll_ms = poll_ms * 2 < POLL_MAX_MS ? poll_ms * 2 : POLL_MAX_MS;
    }
}

/* What the frontends have now that may be bound for an instance that goes. */
static bool note_mail(const struct work *work, struct mail *mail)
{
    bool good = true;

    for (size_t i = 0; i < work->folder_count; i++) {
        const struct plan *plan = work->folders[i].plan;
        struct mail *of_frontend;

        if (!settings_has(work->settings, plan->instance) || !work_is_frontend(&work->folders[i]))
            continue;
        of_frontend = &mail[plan->instance - PEG_FIRST];
        snprintf(of_frontend->queue_dir, sizeof of_frontend->queue_dir, "%s", plan->queue_dir);
        good = walk(of_frontend, add) && good;
    }
    return good;
}

bool retire_wait(const struct work *work, int timeout_s)
{
    struct mail mail[SETTINGS_FRONTENDS_MAX] = {{.left = 0}};
    bool instances_go = work->kept > 0;
    bool good = !instances_go || note_mail(work, mail);

    /* With a new queue manager nothing is cached of what the lookup server said before. */
    good = good && (!instances_go || retry_lookups(work->settings)) && flush(work) &&
           wait_for(work, mail, timeout_s);
    for (int i = 0; i < SETTINGS_FRONTENDS_MAX; i++)
        id_set_free(&mail[i].before);
    return good;
}
