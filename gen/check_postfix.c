/* check_postfix - whether this Postfix has all that the gateway is made of */
#include "gen/check_parts.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/files.h"
#include "admin/mem.h"
#include "admin/postconf.h"
#include "admin/process.h"

enum {
    MAJOR_MIN = 3,
    MINOR_MIN = 1
}; /* the first with all that plan_frontend.c and plan_instance.c
       write */

/* Whether a line of text is this word. */
static bool has_line(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, word, len) == 0 && (line[len] == '\n' || line[len] == '\0'))
            return true;
    }
    return false;
}

/* False: there is no use in looking further. */
static bool check_tables(struct diag *diag)
{
    static const char *const types[] = {"tcp", "regexp"};
    char *known = postconf_table_types();

    if (known == NULL) {
        diag_error(diag, "postconf", 0,
                   "does not run; is Postfix installed, and /usr/sbin in PATH?");
        return false;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (!has_line(known, types[i]))
            diag_error(diag, "postconf -m", 0,
                       "this Postfix has no tables of type %s; install one that has", types[i]);
    free(known);
    return true;
}

static void check_version(struct diag *diag)
{
    static const char *const argv[] = {"postconf", "-d", "smtpd_milters", NULL};
    char *version = postconf_builtin("mail_version");
    char *milters = process_output(argv);
    int major = 0, minor = 0;

    if (version == NULL || sscanf(version, "%d.%d", &major, &minor) != 2 || major < MAJOR_MIN ||
        (major == MAJOR_MIN && minor < MINOR_MIN))
        diag_error(diag, "postconf -d mail_version", 0,
                   "this Postfix is version %s; %d.%d or later is needed",
                   version != NULL ? version : "unknown", MAJOR_MIN, MINOR_MIN);
    if (milters == NULL || strncmp(milters, "smtpd_milters", strlen("smtpd_milters")) != 0)
        diag_error(diag, "postconf -d smtpd_milters", 0,
                   "this Postfix knows no milters; install one that does");
    free(version);
    free(milters);
}

/* The value in the template, or Postfix's own where there is none yet. */
static char *setting(const struct settings *settings, const char *parameter)
{
    char *dir = mem_printf("%s/etc/postfix", settings->root);
    char *main = mem_printf("%s/main.cf", dir);
    char *value =
        files_is_file(main) ? postconf_expanded(dir, parameter) : postconf_builtin(parameter);

    free(dir);
    free(main);
    return value != NULL ? value : mem_dup("");
}

static void check_programs(const struct settings *settings, struct diag *diag)
{
    static const char *const programs[] = {"master",          "smtpd",  "cleanup",  "qmgr",
                                           "trivial-rewrite", "smtp",   "lmtp",     "bounce",
                                           "error",           "pickup", "proxymap", "showq"};
    char *dir = setting(settings, "daemon_directory");

    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        char *path = mem_printf("%s/%s", dir, programs[i]);

        if (access(path, X_OK) != 0)
            diag_error(diag, path, 0,
                       "cannot be run: %m; install Postfix whole, or correct daemon_directory");
        free(path);
    }
    free(dir);
}

static void check_users(const struct settings *settings, struct diag *diag)
{
    char *user = setting(settings, "mail_owner");
    char *group = setting(settings, "setgid_group");

    if (getpwnam(user) == NULL)
        diag_error(diag, "postconf mail_owner", 0,
                   "there is no user %s; make it, or install Postfix whole", user);
    if (getgrnam(group) == NULL)
        diag_error(diag, "postconf setgid_group", 0,
                   "there is no group %s; make it, or install Postfix whole", group);
    free(user);
    free(group);
}

void check_postfix(const struct settings *settings, struct diag *diag)
{
    if (!check_tables(diag))
        return;
    check_version(diag);
    check_programs(settings, diag);
    check_users(settings, diag);
}
