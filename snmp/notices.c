/* notices - events of alarms, from the thread that finds them to the one that sends them */
#include "snmp/notices.h"

#include <pthread.h>
#include <stdlib.h>

/* Of one alarm. */
struct notice {
    struct alarm_event event; /* the last */
    bool was_told;            /* that it began */
    bool is_waiting;          /* event differs from what was told */
};

struct notices {
    pthread_mutex_t lock;
    struct notice of[MONITORED_COUNT][ALARMS_OF_ONE];
};

struct notices *notices_new(void)
{
    struct notices *notices = calloc(1, sizeof *notices);

    if (notices != NULL && pthread_mutex_init(&notices->lock, NULL) != 0) {
        free(notices);
        return NULL;
    }
    return notices;
}

void notices_free(struct notices **notices)
{
    if (*notices == NULL)
        return;
    pthread_mutex_destroy(&(*notices)->lock);
    free(*notices);
    *notices = NULL;
}

void notices_put(struct notices *notices, const struct alarm_event *event)
{
    struct notice *notice = &notices->of[alarms_row(&event->alarm)][alarms_column(&event->alarm)];

    pthread_mutex_lock(&notices->lock);
    notice->event = *event;
    notice->is_waiting = event->begins != notice->was_told;
    pthread_mutex_unlock(&notices->lock);
}

static bool take(struct notice *notice, struct alarm_event *event_r)
{
    if (!notice->is_waiting)
        return false;
    *event_r = notice->event;
    notice->was_told = event_r->begins;
    notice->is_waiting = false;
    return true;
}

bool notices_take(struct notices *notices, struct alarm_event *event_r)
{
    bool found = false;

    pthread_mutex_lock(&notices->lock);
    for (int row = 0; !found && row < MONITORED_COUNT; row++)
        for (int column = 0; !found && column < ALARMS_OF_ONE; column++)
            found = take(&notices->of[row][column], event_r);
    pthread_mutex_unlock(&notices->lock);
    return found;
}
