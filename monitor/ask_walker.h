/*
 * ask_walker - one thread that looks at the queues for all who ask at a time
 *
 * A look serves those who asked before it was begun, so what they see is never older than their
 * question; who asks during a look waits for the next one, which begins when it ends.
 */
#ifndef PEG_ASK_WALKER_H
#define PEG_ASK_WALKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "survey/survey.h"

/* What is asked, and who answers. */
struct ask_source {
    /*
     * Look, and return the answer as text, to be freed with free(); NULL: is_over() ended it, or
     * memory did. Called in threads of the server's, for two details at once but for each of them
     * by one thread.
     */
    char *(*answer)(void *arg, enum survey_detail detail, bool (*is_over)(void *over_arg),
                    void *over_arg);
    void *arg;
};

struct ask_walker {
    const struct ask_source *source;
    enum survey_detail detail;
    int wake_fd; /* of an eventfd, written to when a look has ended */
    pthread_t thread;
    atomic_bool ends;
    pthread_mutex_t lock; /* of what follows; never held during a look */
    pthread_cond_t wanted;
    uint64_t begun; /* looks so far */
    uint64_t ended;
    uint64_t asked_for; /* the last look that somebody waits for */
    bool is_new;        /* the answer has not been taken */
    char *answer;       /* of the look `ended` */
};

/* source and wake_fd stay the caller's. Returns false, with errno, where no thread can be started.
 */
bool ask_walker_start(struct ask_walker *walker, const struct ask_source *source,
                      enum survey_detail detail, int wake_fd) PEG_MUST_USE;

/* Ask for a look. Returns its number, from 1. Thread-safe. */
uint64_t ask_walker_ask(struct ask_walker *walker) PEG_MUST_USE;

/*
 * Take the answer of the last look that has ended: its number, or 0 where none has since the last
 * call. *answer_r is the caller's then, and may be NULL. Looks before it need no answer of their
 * own. Thread-safe.
 */
uint64_t ask_walker_take(struct ask_walker *walker, char **answer_r) PEG_MUST_USE;

/* End a look that is under way, and the thread. */
void ask_walker_stop(struct ask_walker *walker);

#endif
