/*
 * postconf - read and write a Postfix configuration folder, through Postfix's own postconf(1)
 *
 * Errors of postconf are printed on stderr as they come.
 */
#ifndef PEG_ADMIN_POSTCONF_H
#define PEG_ADMIN_POSTCONF_H

#include <stdbool.h>

#include "admin/pairs.h"
#include "lib/attr.h"

/* What main.cf and master.cf of one folder say; all zero where there are none. */
struct postconf {
    struct pairs main;     /* parameters that main.cf sets, values as written */
    struct pairs services; /* "smtp/inet" -> the whole entry, single blanks between its words */
    struct pairs options;  /* "smtp/inet/syslog_name" -> value of `-o syslog_name=` */
};

/* Read a folder. *conf_r belongs to the caller, for postconf_deinit(). False after an error. */
bool postconf_read(const char *dir, struct postconf *conf_r) PEG_MUST_USE;

void postconf_deinit(struct postconf *conf);

/* A copy, for postconf_deinit(). */
struct postconf postconf_copy(const struct postconf *conf) PEG_MUST_USE;

/* Whether a service, given by its whole entry, runs one of these programs, blank separated. */
bool postconf_runs(const char *entry, const char *programs) PEG_MUST_USE;

/*
 * The setting of one parameter with all $names expanded, as Postfix would see it, or NULL after an
 * error; to be freed by the caller. dir NULL: the default folder.
 */
char *postconf_expanded(const char *dir, const char *parameter) PEG_MUST_USE;

/* The same for a parameter's compiled-in default, which no file changes. */
char *postconf_builtin(const char *parameter) PEG_MUST_USE;

/* The types of tables that this Postfix has, one a line; to be freed. NULL after an error. */
char *postconf_table_types(void) PEG_MUST_USE;

/* Set parameters of main.cf; services of master.cf; -o options of services. Lists may be empty. */
bool postconf_set_main(const char *dir, const struct pairs *main) PEG_MUST_USE;
bool postconf_set_services(const char *dir, const struct pairs *services) PEG_MUST_USE;
bool postconf_set_options(const char *dir, const struct pairs *options) PEG_MUST_USE;

/* Take services out of master.cf; only the names count. */
bool postconf_remove_services(const char *dir, const struct pairs *services) PEG_MUST_USE;

/* Take parameters out of main.cf, or turn them into comments; only the names count. */
bool postconf_remove_main(const char *dir, const struct pairs *main) PEG_MUST_USE;
bool postconf_comment_out(const char *dir, const struct pairs *main) PEG_MUST_USE;

/*
 * Programs of Postfix wait up to two seconds before they read a main.cf that has just changed, lest
 * it be half written (src/util/dict.c). postconf and postmulti replace it whole, so nobody has to
 * wait: this makes a folder's main.cf look older. The functions above that change main.cf call it.
 */
bool postconf_cool_down(const char *dir) PEG_MUST_USE;

/* Set chroot to n in every service of master.cf. */
bool postconf_no_chroot(const char *dir) PEG_MUST_USE;

#endif
