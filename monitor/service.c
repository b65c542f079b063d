/*
 * service - peg-monitor as a daemon: start, a round every minute, reload, end
 *
 * Signals are taken by the main thread, which counts: SIGTERM and SIGINT end it, in the middle of a
 * long count as well; SIGUSR1 reads the settings again. Others answer who asks (ask_server), and
 * count what goes through the queues (flow_thread).
 */
#include "monitor/service.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/reload_note.h"
#include "lib/settings.h"
#include "lib/startup.h"
#include "metrics/prom_file.h"
#include "metrics/tallies.h"
#include "monitor/ask_server.h"
#include "monitor/figures.h"
#include "monitor/flow_thread.h"
#include "monitor/loop.h"
#include "monitor/settings_share.h"
#include "monitor/teller.h"
#include "survey/ask_socket.h"
#include "survey/survey.h"
#include "survey/survey_json.h"

struct service {
    const char *program;
    struct settings *settings;   /* the main thread's; others take them from the next */
    struct settings_share share; /* the same */
    struct ask_server *ask;
    struct reload_note reloads;
    sigset_t signals; /* that are waited for, and blocked */
    int dir_fd;       /* MONITORING_DIR, as it was at start */
    char dir[PATH_MAX];
    struct flow_thread flow;
    struct survey survey;
    struct survey before; /* the one before it; zero bytes are none */
    struct tallies tallies;
    struct teller *teller;
    bool is_missing[SURVEY_INSTANCES_MAX]; /* the log knows; see missing_place() */
    bool cannot_write;                     /* so does it of that */
};

static bool *missing_place(struct service *service, int instance)
{
    return &service->is_missing[instance - PEG_FIRST];
}

/* Say in the log what cannot be counted, and what can be again: not every minute. */
static void tell_of_instances(struct service *service)
{
    for (size_t i = 0; i < service->survey.instance_count; i++) {
        const struct survey_instance *found = &service->survey.instances[i];
        bool *is_missing = missing_place(service, found->instance);
        char name[SETTINGS_NAME_SIZE];

        settings_instance_name(found->instance, name);
        if (!found->is_known && !*is_missing)
            log_warn("the queues of %s cannot be counted: %s", name, found->why);
        else if (found->is_known && *is_missing)
            log_info("the queues of %s are counted again", name);
        *is_missing = !found->is_known;
    }
}

/* false with errno, of one that failed; the others are written. */
static bool write_files(const struct service *service, int64_t duration_ms)
{
    const struct prom_view view = {.settings = service->settings,
                                   .survey = &service->survey,
                                   .tallies = &service->tallies,
                                   .duration_ms = duration_ms};
    bool good = figures_write(service->dir_fd, &service->survey);
    int error = errno;

    if (!prom_file_write(service->dir_fd, &view))
        return false;
    errno = error;
    return good;
}

static void write_figures(struct service *service, int64_t duration_ms)
{
    bool good = write_files(service, duration_ms);

    if (!good && !service->cannot_write)
        log_error("%s: figures cannot be written: %m%s", service->dir,
                  errno == ENOENT ? "; the folder was removed: restart peg-monitor" : "");
    else if (good && service->cannot_write)
        log_info("%s: figures are written again", service->dir);
    service->cannot_write = !good;
}

/* Whether the end of this process has been asked for. */
static bool is_over(void *arg)
{
    sigset_t pending;

    (void)arg;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* What the ask server's threads tell. */
static char *answer(void *arg, enum survey_detail detail, bool (*is_ended)(void *over_arg),
                    void *over_arg)
{
    struct service *service = arg;
    struct settings *settings = settings_share_get(&service->share);
    struct survey *survey = malloc(sizeof *survey);
    char *text = NULL;

    if (survey != NULL && survey_take(settings, detail, is_ended, over_arg, survey)) {
        flow_thread_fill(&service->flow, survey);
        text = survey_json_write(survey);
    }
    free(survey);
    settings_free(&settings);
    return text;
}

static void count(void *arg)
{
    struct service *service = arg;
    int64_t began_ms = clock_boot_ms();

    service->before = service->survey;
    if (!survey_take_next(service->settings, &service->before, is_over, NULL, &service->survey))
        return;
    flow_thread_round(&service->flow, service->settings, &service->survey);
    tell_of_instances(service);
    teller_round(service->teller, service->settings, &service->survey);
    tallies_take(service->settings, &service->tallies);
    write_figures(service, clock_boot_ms() - began_ms); /* what is seen here is told already */
}

static void reload(void *arg)
{
    struct service *service = arg;

    reload_settings(&service->settings, service->program, &service->reloads);
    settings_share_put(&service->share, service->settings);
}

static int64_t now_ms(void *arg)
{
    (void)arg;
    return clock_boot_ms();
}

static enum loop_event wait_for_signal(void *arg, int64_t timeout_ms)
{
    const struct service *service = arg;
    const struct timespec timeout = {.tv_sec = timeout_ms / 1000,
                                     .tv_nsec = timeout_ms % 1000 * 1000000};
    int number = sigtimedwait(&service->signals, NULL, &timeout);

    if (is_over(NULL)) /* the kernel tells of each SIGUSR1 first, and more may come all the time */
        return LOOP_END;
    switch (number) {
    case -1:
        return LOOP_NOTHING;
    case SIGUSR1:
        return LOOP_RELOAD;
    default:
        return LOOP_END;
    }
}

static bool block_signals(struct service *service)
{
    sigemptyset(&service->signals);
    sigaddset(&service->signals, SIGTERM);
    sigaddset(&service->signals, SIGINT);
    sigaddset(&service->signals, SIGUSR1);
    signal(SIGPIPE, SIG_IGN);
    return sigprocmask(SIG_BLOCK, &service->signals, NULL) == 0;
}

static bool start_ask_server(struct service *service, int listen_fd)
{
    const struct ask_source source = {.answer = answer, .arg = service};

    service->ask = ask_server_start(listen_fd, &source);
    if (service->ask == NULL)
        log_error("cannot start threads: %m");
    return service->ask != NULL;
}

/* In this order: agentx_start() and ask_socket_listen() want no other thread. */
static bool start_threads(struct service *service)
{
    const struct settings *settings = service->settings;
    int listen_fd = ask_socket_listen(settings);

    if (listen_fd < 0)
        return false;
    service->teller = teller_start(settings);
    if (service->teller == NULL) {
        close(listen_fd);
        return false;
    }
    flow_thread_start(&service->flow, settings);
    return start_ask_server(service, listen_fd);
}

/*
 * What needs root comes before it is dropped. Afterwards one right of root is left: to look into
 * folders of all users, since Postfix's queues are open to each instance's mail_owner alone.
 */
static bool start(struct service *service)
{
    const struct settings *settings = service->settings;

    if (!block_signals(service) || !startup_pid_file(service->program, settings) ||
        (service->dir_fd = figures_open(settings, service->dir)) < 0 || !ask_socket_place(settings))
        return false;
    if (!daemon_drop_privileges_but(settings->daemon_user, NULL, CAP_DAC_READ_SEARCH) ||
        !startup_can_read(settings, SETTINGS_CONF_FILE) || !start_threads(service))
        return false;
    startup_note(settings, service->program);
    return true;
}

int monitor_service_run(const struct options *options, bool foreground)
{
    struct service service = {.program = options->program, .dir_fd = -1};
    const struct loop loop = {.now_ms = now_ms,
                              .wait = wait_for_signal,
                              .round = count,
                              .reload = reload,
                              .arg = &service};
    struct diag diag = diag_to_stderr();
    int status = EXIT_FAILED;

    service.settings = settings_load(options->root, &diag);
    if (service.settings == NULL)
        return EXIT_FAILED;
    settings_share_init(&service.share, service.settings);
    if (!foreground)
        daemon_detach();
    if (startup_log(service.program, service.settings, foreground) && start(&service)) {
        log_info("ready, figures are in %s", service.dir);
        daemon_ready();
        loop_run(&loop);
        notify_stopping();
        ask_socket_remove(service.settings);
        figures_remove(service.dir_fd); /* they would look like new ones */
        prom_file_remove(service.dir_fd);
        log_info("stopped");
        status = EXIT_DONE;
    } else {
        startup_refused(service.program, foreground);
    }
    ask_server_stop(&service.ask);
    flow_thread_end(&service.flow);
    teller_stop(&service.teller);
    if (service.dir_fd >= 0)
        close(service.dir_fd);
    settings_share_deinit(&service.share);
    settings_free(&service.settings);
    return status;
}
