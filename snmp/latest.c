/* latest - the survey of the latest round, for threads that answer from it */
#include "snmp/latest.h"

#include <pthread.h>
#include <stdlib.h>

struct latest {
    pthread_mutex_t lock; /* of the two below */
    struct latest_survey *current;
};

struct latest *latest_new(void)
{
    struct latest *latest = calloc(1, sizeof *latest);

    if (latest != NULL && pthread_mutex_init(&latest->lock, NULL) != 0) {
        free(latest);
        return NULL;
    }
    return latest;
}

void latest_free(struct latest **latest)
{
    if (*latest == NULL)
        return;
    pthread_mutex_destroy(&(*latest)->lock);
    free((*latest)->current);
    free(*latest);
    *latest = NULL;
}

/* When one entered its state: by itself, or by the survey that first saw it there. */
static int64_t changed_ms(const struct latest_survey *before, const struct survey *survey,
                          int number)
{
    enum survey_state state, old_state = SURVEY_UNKNOWN;
    int64_t since_ms;

    if (!monitored_state(survey, number, &state, &since_ms))
        return 0;
    if (state == SURVEY_UP && since_ms != 0)
        return since_ms;
    if (before == NULL || !monitored_state(&before->survey, number, &old_state, NULL) ||
        old_state == SURVEY_UNKNOWN || state == SURVEY_UNKNOWN)
        return 0;
    return old_state == state ? latest_changed_ms(before, number) : survey->taken_ms;
}

/* With the lock held, or by the only one who has it. */
static void release(struct latest_survey *survey)
{
    if (survey != NULL && --survey->references == 0)
        free(survey);
}

bool latest_publish(struct latest *latest, const struct survey *survey)
{
    struct latest_survey *next = malloc(sizeof *next);
    struct latest_survey *before = latest->current; /* nobody else changes it */

    if (next == NULL)
        return false;
    next->survey = *survey;
    next->references = 1;
    for (int number = PEG_FIRST; number < MONITORED_END; number++)
        next->changed_ms[number - PEG_FIRST] = changed_ms(before, survey, number);
    pthread_mutex_lock(&latest->lock);
    latest->current = next;
    release(before);
    pthread_mutex_unlock(&latest->lock);
    return true;
}

struct latest_survey *latest_get(struct latest *latest)
{
    struct latest_survey *survey;

    pthread_mutex_lock(&latest->lock);
    survey = latest->current;
    if (survey != NULL)
        survey->references++;
    pthread_mutex_unlock(&latest->lock);
    return survey;
}

void latest_put(struct latest *latest, struct latest_survey **survey)
{
    pthread_mutex_lock(&latest->lock);
    release(*survey);
    pthread_mutex_unlock(&latest->lock);
    *survey = NULL;
}

int64_t latest_changed_ms(const struct latest_survey *latest, int number)
{
    return latest->changed_ms[number - PEG_FIRST];
}
