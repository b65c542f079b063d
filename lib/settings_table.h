/*
 * settings_table - one row for every parameter: its name, type, range, default and place
 *
 * Only settings.c uses this; everybody else sees the finished struct settings.
 */
#ifndef PEG_SETTINGS_TABLE_H
#define PEG_SETTINGS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/settings.h"

enum settings_kind {
    KIND_NUMBER,
    KIND_SIZE,
    KIND_TIME,
    KIND_RELAY,
    KIND_LISTEN,
    KIND_ENDPOINT,
    KIND_USER,
    KIND_GROUP,
    KIND_FLAG,
    KIND_DSCP,
    KIND_COMMAND,
    KIND_PATH,
    KIND_SOCKET,
    KIND_NEXTHOP
};

/* How a parameter's name may go on. */
enum settings_suffix {
    SUFFIX_NONE,
    SUFFIX_ALL,  /* _FRONTEND, _URGENT, _DEFAULT or [n], and one is needed */
    SUFFIX_INDEX /* [n], which is needed */
};

struct settings_parameter {
    const char *name;
    enum settings_kind kind;
    long min, max; /* KIND_NUMBER, KIND_SIZE; KIND_TIME in seconds; KIND_LISTEN: 1, or 0 for "" */
    const char *fallback; /* the default, as one would write it; NULL: it depends, see settings.c */
    enum settings_suffix suffix;
    size_t offset; /* in struct settings; with a suffix, in struct settings_instance */
};

enum { SETTINGS_PARAMETER_COUNT = 28 };
extern const struct settings_parameter settings_parameters[SETTINGS_PARAMETER_COUNT];

/* The row of exactly this name (without suffix), or of the old name of one; NULL for others. */
const struct settings_parameter *settings_table_find(const char *name) PEG_MUST_USE;

/*
 * Check a value and store it below base: a struct settings, or a struct settings_instance where the
 * parameter has a suffix (settings_store.c). Returns false, with nothing stored, where the value is
 * wrong.
 */
bool settings_table_store(const struct settings_parameter *p, void *base,
                          const char *value) PEG_MUST_USE;

/* What a right value would be, as in "X is needed". */
enum { SETTINGS_NEEDED_SIZE = 256 };
void settings_table_needed(const struct settings_parameter *p, char text_r[SETTINGS_NEEDED_SIZE]);

/* The known name that is nearest to an unknown one; "" where none is near. */
enum { SETTINGS_NEAREST_SIZE = 64 };
void settings_table_nearest(const char *name, char nearest_r[SETTINGS_NEAREST_SIZE]);

/* Free what is stored in settings, and in an instance (settings_store.c). */
void settings_table_free(struct settings *settings);
void settings_table_free_instance(struct settings_instance *instance);

#endif
