/* monitored - all that a survey looks at, numbered: the Postfixes, peg-milter, peg-tcpmap */
#include "survey/monitored.h"

#include <stdio.h>

void monitored_name(int number, char name_r[SETTINGS_NAME_SIZE])
{
    if (number == MONITORED_MILTER || number == MONITORED_TCPMAP)
        snprintf(name_r, SETTINGS_NAME_SIZE, "%s",
                 number == MONITORED_MILTER ? "peg-milter" : "peg-tcpmap");
    else
        settings_instance_name(number, name_r);
}

bool monitored_state(const struct survey *survey, int number, enum survey_state *state_r,
                     int64_t *since_ms_r)
{
    const struct survey_instance *instance = survey_find(survey, number);
    const struct survey_daemon *daemon = number == MONITORED_MILTER   ? &survey->milter
                                         : number == MONITORED_TCPMAP ? &survey->tcpmap
                                                                      : NULL;

    if (instance == NULL && daemon == NULL)
        return false;
    *state_r = daemon != NULL ? daemon->state : instance->state;
    if (since_ms_r != NULL)
        *since_ms_r = daemon != NULL ? daemon->up_since_ms : instance->up_since_ms;
    return true;
}
