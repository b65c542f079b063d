/* doctor_services - whether the parts answer those that they serve */
#include "doctor/doctor_steps.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/as_user.h"
#include "admin/mem.h"
#include "ctl/ports.h"
#include "admin/postconf.h"
#include "doctor/smtp.h"
#include "doctor/talk.h"
#include "lib/startup.h"

enum { ANSWER_MS = 5000, GREETING_MS = 8000 /* postscreen waits six seconds */ };

/*
 * The milter protocol as Postfix begins it (src/milter/milter8.c): length, 'O', version 6, all
 * actions, all steps. The answer begins in the same way.
 */
static bool negotiate(struct talk *talk)
{
    static const unsigned char offer[] = {0, 0, 0, 13,   'O', 0,    0,    0,   6,
                                          0, 0, 1, 0xff, 0,   0x1f, 0xff, 0xff};
    static const unsigned char quit[] = {0, 0, 0, 1, 'Q'};
    unsigned char answer[5];

    if (!talk_send(talk, offer, sizeof offer) || !talk_read(talk, answer, sizeof answer))
        return false;
    if (answer[4] != 'O') {
        snprintf(talk->why, sizeof talk->why, "it refuses to negotiate; look into its log");
        return false;
    }
    return talk_send(talk, quit, sizeof quit);
}

/* As smtpd: in the queue folder, by mail_owner. arg: a descriptor of that folder. */
static bool ask_milter(void *arg, char text_r[AS_USER_TEXT_SIZE])
{
    const int *queue_fd = arg;
    struct talk talk = {.fd = -1};
    bool good = false;

    if (fchdir(*queue_fd) != 0)
        snprintf(text_r, AS_USER_TEXT_SIZE, "its folder cannot be entered: %m");
    else if (!talk_unix(&talk, SETTINGS_MILTER_SOCKET, ANSWER_MS) || !negotiate(&talk))
        snprintf(text_r, AS_USER_TEXT_SIZE, "%s", talk.why);
    else
        good = true;
    talk_close(&talk);
    return good;
}

/* Whether Postfix puts its processes into a group besides the user's own (initgroups(3)). */
static bool is_member(const char *user, const char *group)
{
    const struct group *entry = getgrnam(group);

    for (char **member = entry != NULL ? entry->gr_mem : NULL; member != NULL && *member != NULL;
         member++)
        if (strcmp(*member, user) == 0)
            return true;
    return false;
}

/* Whether it answers the frontend of that number. */
static void examine_milter(struct doctor *doctor, int frontend)
{
    bool is_urgent = frontend == PEG_URGENT;
    char name[SETTINGS_NAME_SIZE];

    settings_instance_name(frontend, name);
    char *dir = mem_printf("%s/etc/%s", doctor->settings->root, name);
    char *queue_dir = mem_printf("%s" SETTINGS_FRONTEND_SPOOL, doctor->settings->root);
    char *user = postconf_expanded(dir, "mail_owner");
    int queue_fd = open(queue_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char text[AS_USER_TEXT_SIZE], group[STARTUP_GROUP_SIZE];
    bool joins =
        user != NULL && startup_frontend_group(doctor->settings, group) && is_member(user, group);

    if (user != NULL &&
        as_user(user, joins ? group : NULL, ask_milter, &queue_fd, 2 * ANSWER_MS, text))
        verdict_say(&doctor->verdicts, VERDICT_OK, "peg-milter", "answers %suser %s on %s/%s",
                    is_urgent ? "the urgent frontend, " : "", user, queue_dir,
                    SETTINGS_MILTER_SOCKET);
    else
        verdict_say(&doctor->verdicts, VERDICT_FAILED, "peg-milter",
                    "does not answer the %sfrontend (user %s) on %s/%s: %s; mail goes by the "
                    "default priority: peg-ctl restart milter",
                    is_urgent ? "urgent " : "", user != NULL ? user : "", queue_dir,
                    SETTINGS_MILTER_SOCKET, user != NULL ? text : "");
    if (queue_fd >= 0)
        close(queue_fd);
    free(dir);
    free(queue_dir);
    free(user);
}

/* `get *` has no entry, which leaves no trace in the table. */
static void examine_tcpmap(struct doctor *doctor)
{
    static const char question[] = "get *\n";
    const struct settings *settings = doctor->settings;
    char line[TALK_LINE_SIZE];
    struct talk talk;

    if (!talk_inet(&talk, settings->tcpmap_host, settings->tcpmap_port, ANSWER_MS) ||
        !talk_send(&talk, question, strlen(question)) || !talk_line(&talk, line))
        verdict_say(&doctor->verdicts, VERDICT_FAILED, "peg-tcpmap",
                    "does not answer on %s port %d: %s; all mail waits: peg-ctl restart tcpmap",
                    settings->tcpmap_host, settings->tcpmap_port, talk.why);
    else if (strncmp(line, "500 ", 4) != 0)
        verdict_say(&doctor->verdicts, VERDICT_FAILED, "peg-tcpmap",
                    "what answers on %s port %d is something else: %.80s; stop it, then peg-ctl "
                    "restart tcpmap",
                    settings->tcpmap_host, settings->tcpmap_port, line);
    else
        verdict_say(&doctor->verdicts, VERDICT_OK, "peg-tcpmap", "answers on %s port %d",
                    settings->tcpmap_host, settings->tcpmap_port);
    talk_close(&talk);
}

/* The value of a parameter for a listener: its own in master.cf, else that in main.cf. Or NULL. */
static const char *listener_value(const struct postconf *conf, const char *service,
                                  const char *parameter)
{
    char *name = mem_printf("%s/inet/%s", service, parameter);
    const char *own = pairs_get(&conf->options, name);

    free(name);
    return own != NULL ? own : pairs_get(&conf->main, parameter);
}

const char *doctor_listener_prelude(const struct doctor *doctor, int frontend, const char *service)
{
    const char *tls = NULL, *proxy = NULL;

    for (size_t i = 0; doctor->work != NULL && i < doctor->work->folder_count; i++) {
        const struct postconf *conf = &doctor->work->folders[i].present.conf;

        if (doctor->work->folders[i].plan->instance != frontend)
            continue;
        tls = listener_value(conf, service, "smtpd_tls_wrappermode");
        proxy = listener_value(conf, service, "smtpd_upstream_proxy_protocol");
    }
    if (proxy != NULL && proxy[0] != '\0')
        return "PROXY"; /* which comes before TLS */
    return tls != NULL && strcmp(tls, "yes") == 0 ? "TLS" : NULL;
}

static void examine_listener(struct doctor *doctor, int frontend, const char *service)
{
    struct talk talk = {.fd = -1};
    char *host = ports_frontend_host(doctor->settings, frontend, service);
    const char *prelude = doctor_listener_prelude(doctor, frontend, service);
    char name[SETTINGS_NAME_SIZE];

    settings_instance_name(frontend, name);
    if (host == NULL || !talk_inet(&talk, host, ports_number(service), GREETING_MS) ||
        (prelude == NULL && !smtp_greet(&talk)))
        verdict_say(&doctor->verdicts, VERDICT_FAILED, name,
                    "does not take mail on %s: %s; look into the log", service,
                    host != NULL ? talk.why : "its address cannot be found");
    else if (prelude != NULL)
        verdict_say(&doctor->verdicts, VERDICT_OK, name, "takes %s connections on %s", prelude,
                    service);
    else
        verdict_say(&doctor->verdicts, VERDICT_OK, name, "takes mail on %s", service);
    if (prelude == NULL)
        smtp_quit(&talk);
    talk_close(&talk);
    free(host);
}

/* INSTANCE_NEXTHOP: [host]:port */
static void examine_remote(struct doctor *doctor, int priority)
{
    const char *nexthop = doctor->settings->instance[priority].nexthop;
    const char *end = strrchr(nexthop, ']');
    char *host = end != NULL ? mem_dup_len(nexthop + 1, (size_t)(end - nexthop) - 1) : mem_dup("");
    const char *address = strncasecmp(host, "ipv6:", 5) == 0 ? host + 5 : host;
    struct talk talk = {.fd = -1};
    char about[32];

    snprintf(about, sizeof about, "priority %d", priority);
    if (talk_inet(&talk, address, ports_number(nexthop), GREETING_MS) && smtp_greet(&talk))
        verdict_say(&doctor->verdicts, VERDICT_OK, about, "%s takes mail", nexthop);
    else
        verdict_say(&doctor->verdicts, VERDICT_FAILED, about,
                    "its instance on another host, %s, does not take mail: %s", nexthop, talk.why);
    smtp_quit(&talk);
    free(host);
}

void doctor_services(struct doctor *doctor)
{
    const struct settings *settings = doctor->settings;

    for (int n = PEG_FIRST; settings_is_frontend(n); n++)
        if (settings_has(settings, n))
            examine_milter(doctor, n);
    examine_tcpmap(doctor);
    for (int n = PEG_FIRST; settings_is_frontend(n); n++)
        for (char **service = settings_listen(settings, n); *service != NULL; service++)
            examine_listener(doctor, n, *service);
    for (int n = 0; n < settings->priority_count; n++)
        if (!settings_is_local(settings, n))
            examine_remote(doctor, n);
}
