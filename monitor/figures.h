/*
 * figures - the files in MONITORING_DIR, one for each count: `postfix0-deferred`, `milterCount`,
 * ...
 *
 * Each holds the number and a newline, and is replaced at once. A count that is not known has no
 * file: an old number would look like a new one.
 *
 * Not for concurrent use on one folder.
 */
#ifndef PEG_FIGURES_H
#define PEG_FIGURES_H

#include <limits.h>
#include <stdbool.h>

#include "lib/attr.h"
#include "lib/settings.h"
#include "survey/survey.h"

/* The name of the file of a queue, "postfix0-deferred". */
enum { FIGURES_NAME_SIZE = SETTINGS_NAME_SIZE + 16 };
void figures_name(int instance, enum queue queue, char name_r[FIGURES_NAME_SIZE]);

/* The names of the files that say whether peg-milter runs. */
enum { FIGURES_MILTER_NAMES = 2 };
extern const char *const figures_milter_names[FIGURES_MILTER_NAMES];

/*
 * Open MONITORING_DIR, made where it is not there, with its parents: 0755, the folder itself
 * belongs to DAEMON_USER. One that is a link, or on a path with a link below --root, or that
 * belongs to somebody else is refused, since strangers choose what stands in such folders as /tmp.
 * Call it before privileges are dropped. Returns a descriptor of the folder, or -1 after logging
 * why and what to do; path_r is its name.
 */
int figures_open(const struct settings *settings, char path_r[PATH_MAX]) PEG_MUST_USE;

/*
 * Write the files of all counts into the folder, and remove those of counts that are not known and
 * of instances that are not there (any more). Returns false with errno where one could not be
 * written; it is removed then, and the others are written.
 */
bool figures_write(int dir_fd, const struct survey *survey) PEG_MUST_USE;

/* Remove all of them: nobody counts any more. */
void figures_remove(int dir_fd);

#endif
