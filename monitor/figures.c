/* figures - the files in MONITORING_DIR, one for each count */
#include "monitor/figures.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/file.h"

/* The second is the name that the system had which this one succeeds. */
const char *const figures_milter_names[FIGURES_MILTER_NAMES] = {"milterCount", "qpsmtpdCount"};

void figures_name(int instance, enum queue queue, char name_r[FIGURES_NAME_SIZE])
{
    char instance_name[SETTINGS_NAME_SIZE];

    settings_instance_name(instance, instance_name);
    snprintf(name_r, FIGURES_NAME_SIZE, "%s-%s", instance_name, queues_name(queue));
}

/* Returns false with errno, and no file of that name is left. */
static bool write_figure(int dir_fd, const char *name, uint64_t number)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%" PRIu64 "\n", number);
    int error;

    if (file_replace_at(dir_fd, name, text, (size_t)len, 0644))
        return true;
    error = errno;
    unlinkat(dir_fd, name, 0);
    errno = error;
    return false;
}

static void remove_instance(int dir_fd, int instance)
{
    char name[FIGURES_NAME_SIZE];

    for (int queue = 0; queue < QUEUE_COUNT; queue++) {
        figures_name(instance, (enum queue)queue, name);
        unlinkat(dir_fd, name, 0);
    }
}

/* Returns 0, or the errno of the last that failed. */
static int write_instance(int dir_fd, const struct survey_instance *instance)
{
    char name[FIGURES_NAME_SIZE];
    int error = 0;

    for (int queue = 0; queue < QUEUE_COUNT; queue++) {
        figures_name(instance->instance, (enum queue)queue, name);
        if (!write_figure(dir_fd, name, instance->queues[queue].messages))
            error = errno;
    }
    return error;
}

bool figures_write(int dir_fd, const struct survey *survey)
{
    int error = 0;

    for (int n = PEG_FIRST; n < SETTINGS_PRIORITY_MAX; n++) {
        const struct survey_instance *instance = survey_find(survey, n);
        int failed = 0;

        if (instance != NULL && instance->is_known)
            failed = write_instance(dir_fd, instance);
        else
            remove_instance(dir_fd, n);
        error = failed != 0 ? failed : error;
    }
    for (size_t i = 0; i < FIGURES_MILTER_NAMES; i++)
        if (survey->milter.state == SURVEY_UNKNOWN)
            unlinkat(dir_fd, figures_milter_names[i], 0);
        else if (!write_figure(dir_fd, figures_milter_names[i], survey->milter.state == SURVEY_UP))
            error = errno;
    errno = error;
    return error == 0;
}

void figures_remove(int dir_fd)
{
    for (int n = PEG_FIRST; n < SETTINGS_PRIORITY_MAX; n++)
        remove_instance(dir_fd, n);
    for (size_t i = 0; i < FIGURES_MILTER_NAMES; i++)
        unlinkat(dir_fd, figures_milter_names[i], 0);
}
