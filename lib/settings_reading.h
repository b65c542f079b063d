/*
 * settings_reading - what settings.c and settings_check.c know while a file is read
 *
 * Nobody else uses this.
 */
#ifndef PEG_SETTINGS_READING_H
#define PEG_SETTINGS_READING_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/settings.h"
#include "lib/settings_table.h"

struct reading {
    struct settings *settings;
    struct diag *diag;
    /* Of the last assignment of NAME or NAME_FRONTEND; 0: the default stands. */
    unsigned line[SETTINGS_PARAMETER_COUNT];
    const char *set_as[SETTINGS_PARAMETER_COUNT]; /* the name in that line, old or new */
    bool bad[SETTINGS_PARAMETER_COUNT]; /* reported, so that further checks would mislead */
    bool incomplete;                    /* lines that are no assignments were reported */
    struct settings_instance scratch;   /* to see whether a value is right */
    unsigned urgent_line[SETTINGS_PARAMETER_COUNT];    /* of NAME_URGENT; 0: there is none */
    const char *of_frontend[SETTINGS_PARAMETER_COUNT]; /* the value of NAME_FRONTEND */
    const char *of_default[SETTINGS_PARAMETER_COUNT];  /* the value of NAME_DEFAULT */
    bool own[SETTINGS_PARAMETER_COUNT][SETTINGS_PRIORITY_MAX]; /* NAME[n] was given */
};

/* The place of a parameter in settings_parameters. */
static inline size_t settings_row_of(const struct settings_parameter *p)
{
    return (size_t)(p - settings_parameters);
}

static inline size_t settings_row(const char *name)
{
    return settings_row_of(settings_table_find(name));
}

/* When all values are stored: see whether they go together, and fill in what follows from others.
 */
void settings_reading_check(struct reading *in);

#endif
