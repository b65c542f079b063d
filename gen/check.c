/* check - is all there that the gateway needs, and does it fit together? */
#include "gen/check.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "admin/config_line.h"
#include "admin/files.h"
#include "admin/mem.h"
#include "admin/part.h"
#include "ctl/ports.h"
#include "ctl/rules_check.h"
#include "gen/check_parts.h"
#include "gen/template.h"
#include "lib/settings_values.h"

/* main.cf splits lists of tables and options at these; and $ begins a name. */
static void check_root(const struct settings *settings, struct diag *diag)
{
    /* The longest socket in a queue folder, which Postfix names by its whole path (unix(7)). */
    static const char socket[] = SETTINGS_FRONTEND_SPOOL "/public/postlog";
    size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof socket;

    if (strlen(settings->root) > room)
        diag_error(diag, settings->root, 0,
                   "the name of this folder is too long for Postfix's sockets in it: at most %zu "
                   "bytes",
                   room);
    if (strpbrk(settings->root, " \t\n,;$\"'\\{}#") != NULL)
        diag_error(
            diag, settings->root, 0,
            "this folder cannot be a --root: Postfix would not take its name in main.cf; use "
            "one without blanks and punctuation");
}

static void check_user(const struct settings *settings, struct diag *diag)
{
    const struct passwd *user = getpwnam(settings->daemon_user);
    unsigned line = config_line(settings, "DAEMON_USER");

    if (user == NULL)
        diag_error(
            diag, settings->file, line,
            "DAEMON_USER: there is no user %s; make it (useradd --system %s) or name another",
            settings->daemon_user, settings->daemon_user);
    else if (user->pw_uid == 0)
        diag_error(diag, settings->file, line,
                   "DAEMON_USER: %s is root; name a user without rights", settings->daemon_user);
}

static void check_group(const struct settings *settings, struct diag *diag)
{
    unsigned line = config_line(settings, "MONITORING_GROUP");

    if (line != 0 && getgrnam(settings->monitoring_group) == NULL)
        diag_error(diag, settings->file, line,
                   "MONITORING_GROUP: there is no group %s; make it (groupadd --system %s) or name "
                   "another",
                   settings->monitoring_group, settings->monitoring_group);
}

static void check_template(const struct settings *settings, struct diag *diag)
{
    char *dir = mem_printf("%s/etc/postfix", settings->root);
    char *main = mem_printf("%s/main.cf", dir);
    char *master = mem_printf("%s/master.cf", dir);
    char *proto_dir = NULL;

    if (files_is_file(main) && !files_is_file(master))
        diag_error(diag, master, 0, "is missing, though main.cf is there; restore it");
    else if (!files_is_file(main) && files_is_file(master))
        diag_error(diag, main, 0, "is missing, though master.cf is there; restore it");
    else if (!files_is_file(main) && settings->root[0] == '\0')
        diag_error(diag, main, 0,
                   "is missing: it is the template of the frontend and the instances; "
                   "install and configure Postfix first");
    else if (!files_is_file(main) && (proto_dir = template_proto_dir()) == NULL)
        diag_error(diag, main, 0,
                   "is missing, and Postfix's main.cf.proto, from which it could be "
                   "made, is not there either; put a main.cf and master.cf there");
    free(proto_dir);
    free(dir);
    free(main);
    free(master);
}

/* What lib/settings cannot see: names of services. */
static void check_listener(const struct settings *settings, const char *parameter,
                           const char *service, struct diag *diag)
{
    int first = settings->instance_port_base;
    int last = first + settings->priority_count - 1;
    unsigned line = config_line(settings, parameter);
    int port = ports_number(service);

    if (port == 0)
        diag_error(diag, settings->file, line, "%s: no service %s in /etc/services", parameter,
                   service);
    else if (settings_value_inet_port(service) == 0 &&
             ((port >= first && port <= last) || port == settings->tcpmap_port))
        diag_error(diag, settings->file, line,
                   "%s: %s is port %d, which is that of TCPMAP_LISTEN or an instance", parameter,
                   service, port);
}

/* Two frontends at one port, which lib/settings sees where both say it in the same way. */
static void check_shared(const struct settings *settings, struct diag *diag)
{
    for (char **urgent = settings->urgent_listen; *urgent != NULL; urgent++)
        for (char **other = settings->frontend_listen; *other != NULL; other++)
            if (ports_clash(*urgent, *other))
                diag_error(diag, settings->file, config_line(settings, "URGENT_LISTEN"),
                           "URGENT_LISTEN: %s is taken by %s of FRONTEND_LISTEN; use another port "
                           "or another address",
                           *urgent, *other);
}

static void check_listen(const struct settings *settings, struct diag *diag)
{
    for (int n = PEG_FIRST; n < 0; n++)
        for (char **service = settings_listen(settings, n); *service != NULL; service++)
            check_listener(settings, n == PEG_URGENT ? "URGENT_LISTEN" : "FRONTEND_LISTEN",
                           *service, diag);
    check_shared(settings, diag);
}

void check_system(const struct settings *settings, struct diag *diag)
{
    check_root(settings, diag);
    rules_check(settings, diag);
    check_user(settings, diag);
    check_group(settings, diag);
    check_listen(settings, diag);
    check_postfix(settings, diag);
    check_template(settings, diag);
    check_dscp(settings, diag);
    check_access(settings, diag);
    check_snmp(settings, diag);
}
