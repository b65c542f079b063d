/* agentx - an AgentX subagent (RFC 2741) in a thread of its own */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/library/large_fd_set.h>

#include "snmp/agentx.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "snmp/agentx_parts.h"
#include "snmp/notices.h"

enum { PING_INTERVAL_S = 5, ANSWER_TIMEOUT_S = 1, RETRIES = 1 };

enum { LEAVE_LIMIT_MS = 500 };

static const char agent_name[] = "peg-monitor";

struct agentx {
    pthread_t thread;
    int wake_fd; /* an eventfd: there are notices, or the end has come */
    int left_fd; /* another one: the thread has taken leave of snmpd */
    atomic_bool is_over;
    struct notices *notices;
    struct agentx_answers answers;
    char socket[sizeof((struct sockaddr_un *)0)->sun_path];
    bool is_connected; /* of the thread alone, as the next */
    bool is_refused;   /* the log knows */
};

/* The library's own words are ours in the log. */
static int log_line(int major, int minor, void *message, void *arg)
{
    const struct snmp_log_message *line = message;
    int len = (int)strcspn(line->msg, "\n");

    (void)major;
    (void)minor;
    (void)arg;
    if (len > 0)
        log_warn("Net-SNMP: %.*s", len, line->msg);
    return SNMPERR_SUCCESS;
}

static int note_connected(int major, int minor, void *session, void *arg)
{
    struct agentx *agentx = arg;

    (void)major;
    (void)minor;
    (void)session;
    agentx->is_connected = true;
    agentx->is_refused = false;
    log_info("SNMP: connected with snmpd at %s", agentx->socket);
    return SNMPERR_SUCCESS;
}

static int note_disconnected(int major, int minor, void *session, void *arg)
{
    struct agentx *agentx = arg;

    (void)major;
    (void)minor;
    (void)session;
    if (agentx->is_connected)
        log_warn("SNMP: snmpd at %s is away; it is tried every %d s", agentx->socket,
                 PING_INTERVAL_S);
    agentx->is_connected = false;
    return SNMPERR_SUCCESS;
}

/* An snmpd that came later, and does not let this process in. Once. */
static void log_refusal(struct agentx *agentx)
{
    if (agentx->is_refused || access(agentx->socket, W_OK) == 0 || errno != EACCES)
        return;
    log_warn("SNMP: %s: %m; see agentXPerms in snmpd.conf(5); it is tried every %d s",
             agentx->socket, PING_INTERVAL_S);
    agentx->is_refused = true;
}

/* Why the library could not connect, which it does not tell: by trying once more. */
static void log_absence(struct agentx *agentx)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", agentx->socket);
    errno =
        fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? EAGAIN : errno;
    if (errno == EACCES)
        log_refusal(agentx);
    else
        log_info("SNMP: no snmpd at %s yet: %m; it is tried every %d s", agentx->socket,
                 PING_INTERVAL_S);
    if (fd >= 0)
        close(fd);
}

static void set_flag(int which)
{
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, which, 1);
}

/* A library that reads no file and writes none. */
static void set_up_library(struct agentx *agentx)
{
    char address[sizeof agentx->socket + sizeof "unix:"];

    snprintf(address, sizeof address, "unix:%s", agentx->socket);
    snmp_disable_log();
    netsnmp_register_loghandler(NETSNMP_LOGHANDLER_CALLBACK, LOG_WARNING);
    snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, log_line, NULL);
    set_flag(NETSNMP_DS_LIB_DONT_READ_CONFIGS);
    set_flag(NETSNMP_DS_LIB_DONT_PERSIST_STATE);
    set_flag(NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD);
    set_flag(NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE);
    set_flag(NETSNMP_DS_LIB_ALARM_DONT_USE_SIG);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_ROOT_ACCESS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, address);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, note_connected,
                           agentx);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, note_disconnected,
                           agentx);
}

/* What init_agent() would set otherwise. */
static void set_times(void)
{
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL,
                       PING_INTERVAL_S);
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_TIMEOUT,
                       ANSWER_TIMEOUT_S * ONE_SEC);
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_RETRIES, RETRIES);
}

static bool connect_first(struct agentx *agentx)
{
    set_up_library(agentx);
    if (init_agent(agent_name) != 0 || !agentx_register_tables(&agentx->answers)) {
        log_error("SNMP: Net-SNMP's library cannot be used; there is no SNMP");
        return false;
    }
    set_times();
    init_snmp(agent_name); /* connects */
    if (!agentx->is_connected)
        log_absence(agentx);
    return true;
}

/* Wait for requests, alarms of the library, or wake_fd, and serve the first two. */
static void serve_once(struct agentx *agentx)
{
    netsnmp_large_fd_set readable;
    struct timeval timeout = {.tv_sec = PING_INTERVAL_S};
    int fd_count = agentx->wake_fd + 1;
    int block = 0;
    uint64_t wakes;

    netsnmp_large_fd_set_init(&readable, FD_SETSIZE);
    netsnmp_large_fd_setfd(agentx->wake_fd, &readable);
    snmp_select_info2(&fd_count, &readable, &timeout, &block);
    if (netsnmp_large_fd_set_select(fd_count, &readable, NULL, NULL, block ? NULL : &timeout) > 0)
        snmp_read2(&readable);
    else
        snmp_timeout();
    netsnmp_large_fd_set_cleanup(&readable);
    run_alarms();
    netsnmp_check_outstanding_agent_requests();
    if (read(agentx->wake_fd, &wakes, sizeof wakes) < 0 && errno != EAGAIN)
        log_error("SNMP: %m");
}

/* The library would free agentx with a callback that is still there. */
static void shut_down(struct agentx *agentx)
{
    snmp_unregister_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, note_connected,
                             agentx, 1);
    snmp_unregister_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP,
                             note_disconnected, agentx, 1);
    snmp_shutdown(agent_name);
}

static void serve(struct agentx *agentx)
{
    struct alarm_event event;

    while (!atomic_load(&agentx->is_over)) {
        while (agentx->is_connected && notices_take(agentx->notices, &event))
            agentx_send(&event);
        serve_once(agentx);
        if (!agentx->is_connected)
            log_refusal(agentx);
    }
}

static void tell(int event_fd)
{
    if (eventfd_write(event_fd, 1) != 0)
        log_error("SNMP: %m");
}

static void *serve_thread(void *arg)
{
    struct agentx *agentx = arg;

    if (connect_first(agentx)) {
        serve(agentx);
        shut_down(agentx);
    }
    tell(agentx->left_fd);
    return NULL;
}

static void release(struct agentx **agentx)
{
    if ((*agentx)->wake_fd >= 0)
        close((*agentx)->wake_fd);
    if ((*agentx)->left_fd >= 0)
        close((*agentx)->left_fd);
    notices_free(&(*agentx)->notices);
    free(*agentx);
    *agentx = NULL;
}

struct agentx *agentx_start(const char *socket, const char *postfix_version, struct latest *latest)
{
    struct agentx *agentx = calloc(1, sizeof *agentx);
    int error = ENAMETOOLONG;

    if (agentx == NULL || setenv("MIBS", "", 1) != 0) { /* MIB files are for names: none */
        log_error("SNMP: %m");
        free(agentx);
        return NULL;
    }
    agentx->answers.latest = latest;
    agentx->notices = notices_new();
    agentx->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    agentx->left_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    snprintf(agentx->answers.postfix_version, sizeof agentx->answers.postfix_version, "%s",
             postfix_version);
    if (snprintf(agentx->socket, sizeof agentx->socket, "%s", socket) < (int)sizeof agentx->socket)
        error = agentx->wake_fd < 0 || agentx->left_fd < 0 || agentx->notices == NULL
                    ? errno
                    : pthread_create(&agentx->thread, NULL, serve_thread, agentx);
    if (error == 0)
        return agentx;
    errno = error;
    log_error("SNMP: %s: %m; there is no SNMP", socket);
    release(&agentx);
    return NULL;
}

void agentx_tell(struct agentx *agentx, const struct alarm_event *event)
{
    notices_put(agentx->notices, event);
    tell(agentx->wake_fd);
}

/* The library waits for each answer of an snmpd that hangs, seconds in all. */
static bool has_left(const struct agentx *agentx)
{
    struct pollfd left = {.fd = agentx->left_fd, .events = POLLIN};

    return poll(&left, 1, LEAVE_LIMIT_MS) > 0;
}

bool agentx_stop(struct agentx **agentx)
{
    if (*agentx == NULL)
        return true;
    atomic_store(&(*agentx)->is_over, true);
    tell((*agentx)->wake_fd);
    if (!has_left(*agentx)) {
        log_warn("SNMP: snmpd at %s does not answer, and is left without a word",
                 (*agentx)->socket);
        pthread_detach((*agentx)->thread);
        *agentx = NULL; /* the thread has it */
        return false;
    }
    pthread_join((*agentx)->thread, NULL);
    release(agentx);
    return true;
}
