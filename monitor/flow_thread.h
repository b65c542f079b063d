/*
 * flow_thread - peg-monitor's thread that counts what goes through the queues, as it happens
 */
#ifndef PEG_FLOW_THREAD_H
#define PEG_FLOW_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "survey/flow.h"

enum { FLOW_THREAD_PATIENCE_MS = 500 };

struct flow_thread {
    struct flow *flow; /* NULL: nothing is counted, and the log says why */
    pthread_t thread;
    int wake_fd; /* an eventfd: there may be folders to look at, or the end has come */
    atomic_bool ends;
    pthread_mutex_t lock; /* of these */
    pthread_cond_t counted;
    uint64_t asked;     /* how many times somebody wanted all counted */
    uint64_t answered;  /* those of them that have it */
    bool is_unwatched;  /* the log knows */
    uint64_t overflows; /* the log knows of these */
};

/*
 * Watch the Postfixes of these settings and start to count. Call it with privileges dropped and
 * signals blocked. Where it cannot be started the log says why, and all flows stay unknown.
 */
void flow_thread_start(struct flow_thread *thread, const struct settings *settings);

/*
 * Once a round, in the thread that started it: watch what is new, do as flow_thread_fill(), and say
 * in the log, once, what cannot be watched or was lost. The settings are borrowed for the call.
 */
void flow_thread_round(struct flow_thread *thread, const struct settings *settings,
                       struct survey *survey);

/* Put into a survey what has happened until now; what is known by then, where that takes longer
 * than FLOW_THREAD_PATIENCE_MS since long queues are being read. In any thread. */
void flow_thread_fill(struct flow_thread *thread, struct survey *survey);

/* End it at once, also in the midst of long queues; nothing where it was not started. */
void flow_thread_end(struct flow_thread *thread);

#endif
