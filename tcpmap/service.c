/*
 * service - peg-tcpmap as a daemon: start, the decision table behind the server, signals, end
 *
 * One thread. SIGTERM and SIGINT end it, SIGUSR1 reads the settings again.
 */
#include "tcpmap/service.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <event2/event.h>

#include "admin/postqueue.h"
#include "lib/clock.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/reload_note.h"
#include "lib/settings.h"
#include "lib/startup.h"
#include "store/open_table.h"
#include "tcpmap/answer.h"
#include "tcpmap/listen.h"
#include "tcpmap/server.h"
#include "tcpmap/tidying.h"

enum { SIGNAL_COUNT = 3 };

struct service {
    const char *program;
    const char *root; /* --root */
    struct settings *settings;
    struct listen_set listeners;
    int connection_limit;
    struct table *table; /* NULL: not available */
    bool holding;        /* the log knows that the table is not available */
    int64_t holding_since_ms;
    uint64_t lookups;
    uint64_t misses;
    struct reload_note reloads;
    struct event_base *base;
    struct event *signals[SIGNAL_COUNT];
    struct event *clock;
    struct server *server;
    struct tidying *tidying;
};

/*
 * ready() of struct server_config: have the table that the writer uses now. Says in the log when
 * that changes.
 */
static bool table_is_ready(void *arg)
{
    struct service *service = arg;
    char why[TABLE_WHY_SIZE];

    if (service->table != NULL && table_is_current(service->table))
        return true;
    table_close(&service->table);
    service->table = open_table(service->settings, TABLE_READER, why);
    if (service->table == NULL && !service->holding) {
        service->holding = true;
        service->holding_since_ms = clock_boot_ms();
        log_warn("the decision table is not available, lookups wait for it: %s", why);
    } else if (service->table != NULL && service->holding) {
        service->holding = false;
        log_info("the decision table is available again, after %" PRId64 " ms",
                 clock_boot_ms() - service->holding_since_ms);
    }
    return service->table != NULL;
}

/* wanted() of tidying: does the table ask for something? */
static bool table_wants(void *arg)
{
    const struct service *service = arg;

    return service->table != NULL && table_is_current(service->table) &&
           table_wanted(service->table) != 0;
}

/* The priority of a recipient without a claim: the default, unless its claim may have been lost. */
static int priority_without_claim(const struct service *service)
{
    return table_is_unsure(service->table) ? service->settings->priority_count - 1
                                           : service->settings->default_priority;
}

/* lookup() of struct server_config. */
static int lookup(void *arg, const char *key, size_t key_len, char text_r[PROTOCOL_LINE_MAX])
{
    struct service *service = arg;
    int priority;

    if (!answer_is_address(key, key_len))
        return 0;
    if (service->table == NULL)
        return -1;
    service->lookups++;
    if (table_lookup(service->table, key, key_len, priority_without_claim(service), clock_boot_ms(),
                     &priority) == 0)
        service->misses++;
    answer_format(service->settings, priority, text_r);
    return 1;
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct service *service = arg;

    (void)what;
    if (number == SIGUSR1) {
        reload_settings(&service->settings, service->program, &service->reloads);
    } else {
        notify_stopping();
        server_stop(service->server);
    }
}

/* With the pid file there a reload may be asked for: its signal waits until it is caught. */
static bool hold_reload(int how)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    return sigprocmask(how, &signals, NULL) == 0;
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
    daemon_alive();
}

static bool start_clock(struct service *service)
{
    static const struct timeval second = {.tv_sec = 1};

    service->clock = event_new(service->base, -1, EV_PERSIST, on_second, NULL);
    return service->clock != NULL && event_add(service->clock, &second) == 0;
}

static bool catch_signals(struct service *service)
{
    static const int numbers[SIGNAL_COUNT] = {SIGTERM, SIGINT, SIGUSR1};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        service->signals[i] = evsignal_new(service->base, numbers[i], on_signal, service);
        if (service->signals[i] == NULL || event_add(service->signals[i], NULL) != 0)
            return false;
    }
    return hold_reload(SIG_UNBLOCK);
}

/* What may need root comes before privileges are dropped, strangers' bytes come after. */
static bool start(struct service *service)
{
    const struct settings *settings = service->settings;

    if (!hold_reload(SIG_BLOCK) || !startup_pid_file(service->program, settings) ||
        !startup_store(settings))
        return false;
    if (!listen_set_open(&service->listeners, settings->tcpmap_host, settings->tcpmap_port))
        return false;
    service->connection_limit =
        startup_fit_connections("LIMIT_CONNECTIONS_TCPMAP", settings->tcpmap_connections);
    if (!postqueue_drop_privileges(settings))
        return false;
    if (!startup_can_read(settings, SETTINGS_CONF_FILE) || !open_table_can_recover(settings))
        return false;
    const struct server_config config = {SERVER_CONFIG_TIMES,
                                         .lookup = lookup,
                                         .ready = table_is_ready,
                                         .arg = service,
                                         .listen_fds = service->listeners.fds,
                                         .listen_fd_count = service->listeners.count,
                                         .connection_limit = service->connection_limit};
    const struct tidying_config tidying = {.root = service->root,
                                           .to_log = log_where() != LOG_TO_STDERR,
                                           .wanted = table_wants,
                                           .arg = service};

    service->base = event_base_new();
    if (service->base != NULL && catch_signals(service) && start_clock(service))
        service->server = server_new(service->base, &config);
    if (service->server != NULL)
        service->tidying = tidying_new(service->base, &tidying);
    if (service->tidying == NULL) {
        log_error("cannot make the event loop: %m");
        return false;
    }
    (void)table_is_ready(service); /* where it is not, that is in the log, and lookups wait */
    startup_note(settings, service->program);
    return true;
}

static void finish(struct service *service)
{
    tidying_free(&service->tidying);
    server_free(&service->server);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        if (service->signals[i] != NULL)
            event_free(service->signals[i]);
    if (service->clock != NULL)
        event_free(service->clock);
    if (service->base != NULL)
        event_base_free(service->base);
    listen_set_close(&service->listeners);
    table_close(&service->table);
    settings_free(&service->settings);
}

int tcpmap_service_run(const struct options *options, bool foreground)
{
    struct service service = {.program = options->program, .root = options->root};
    struct diag diag = diag_to_stderr();
    char listening[LISTEN_SET_TEXT_SIZE];
    int status = EXIT_FAILED;

    service.settings = settings_load(options->root, &diag);
    if (service.settings == NULL)
        return EXIT_FAILED;
    if (!foreground)
        daemon_detach();
    if (startup_log(service.program, service.settings, foreground) && start(&service)) {
        listen_set_text(&service.listeners, listening);
        log_info("ready, listening on %s%s for %d connections", listening,
                 service.listeners.inherited ? ", inherited," : "", service.connection_limit);
        daemon_ready();
        if (event_base_dispatch(service.base) == 0)
            status = EXIT_DONE;
        log_info("stopped: %" PRIu64 " lookups, %" PRIu64 " of them missed, %" PRIu64
                 " connections",
                 service.lookups, service.misses, server_served(service.server));
    } else {
        startup_refused(service.program, foreground);
    }
    finish(&service);
    return status;
}
