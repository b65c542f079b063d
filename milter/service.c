/*
 * service - peg-milter as a daemon: start, reload, end
 *
 * libmilter runs the sessions' threads. Signals go to a thread of ours: SIGUSR1 has another one
 * read the configuration and the rules again; SIGTERM, SIGINT and SIGHUP end the process.
 */
#include "milter/service.h"

#include <errno.h>
#include <libmilter/mfapi.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/reload_note.h"
#include "lib/startup.h"
#include "milter/drain.h"
#include "milter/keep.h"
#include "milter/place.h"
#include "milter/policy.h"
#include "milter/session.h"
#include "store/journal.h"
#include "store/open_table.h"

#define PROGRAM "peg-milter"

enum { BACKLOG = 1024, DRAIN_MS = 20000, SESSION_STACK = 1024 * 1024 };

/* In the work thread alone. */
static void reload(const char *root)
{
    static struct reload_note note;
    struct diag diag = diag_to_log();
    struct policy *policy = policy_load(root, &diag);

    note.count++;
    note.taken = policy != NULL;
    if (note.taken) {
        size_t count = rules_count(policy->rules);

        startup_warn_of_restart(policy->settings, PROGRAM);
        policy_install(policy);
        log_info("reloaded: %zu rules are in force now", count);
    } else {
        log_warn("reload refused: the old rules stay in force");
    }
    policy = policy_current();
    reload_note_write(policy->settings, PROGRAM, &note);
    policy_release(&policy);
}

/*
 * libmilter's listener waits 5 s for the next connection, with the lock that smfi_stop() wants: so
 * somebody has to connect until this process is gone.
 */
static void *wake_thread(void *arg)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SETTINGS_MILTER_SOCKET};

    for (;;) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= 0) {
            (void)connect(fd, (const struct sockaddr *)&address, sizeof address);
            close(fd);
        }
        clock_sleep_ms(10);
    }
    return arg;
}

/* Messages first: when it is told, libmilter takes down what its sessions use. */
static void stop(void)
{
    unsigned undecided = drain(DRAIN_MS);
    pthread_t thread;

    if (undecided > 0)
        log_warn("%u messages are left undecided: the disk keeps them waiting", undecided);
    if (pthread_create(&thread, NULL, wake_thread, NULL) == 0)
        pthread_detach(thread);
    smfi_stop();
}

static void fill_signals(sigset_t *signals_r)
{
    sigemptyset(signals_r);
    sigaddset(signals_r, SIGUSR1);
    sigaddset(signals_r, SIGTERM);
    sigaddset(signals_r, SIGINT);
    sigaddset(signals_r, SIGHUP);
}

static sem_t reloads; /* that were asked for */

/*
 * Created before libmilter's own thread for signals, this one gets them first, as long as it waits
 * for them: all that takes time is done elsewhere.
 */
static void *signal_thread(void *arg)
{
    sigset_t signals;
    int number;

    fill_signals(&signals);
    while (sigwait(&signals, &number) == 0 && number == SIGUSR1)
        sem_post(&reloads);
    stop();
    return arg;
}

/* Reload when that was asked for, and look after the decision table once a second. */
static void *work_thread(void *arg)
{
    const char *root = arg;

    for (;;) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        if (sem_clockwait(&reloads, CLOCK_MONOTONIC, &until) == 0)
            reload(root);
        keep_table();
    }
    return NULL;
}

static bool start_threads(const char *root)
{
    static char path[PATH_MAX];
    void *(*const starts[])(void *) = {signal_thread, work_thread};

    snprintf(path, sizeof path, "%s", root);
    if (sem_init(&reloads, 0, 0) != 0)
        return false;
    for (size_t n = 0; n < sizeof starts / sizeof *starts; n++) {
        pthread_t thread;
        int error = pthread_create(&thread, NULL, starts[n], path);

        if (error != 0) {
            log_error("cannot start a thread: %s", strerror(error));
            return false;
        }
        pthread_detach(thread);
    }
    return true;
}

/* In every thread: delivered to one that does not wait for them they would kill the process. */
static bool block_signals(void)
{
    sigset_t signals;

    fill_signals(&signals);
    signal(SIGXFSZ, SIG_IGN); /* a journal that must not grow is an error as others are */
    signal(SIGPIPE, SIG_IGN); /* and so is the end of who started this process */
    return pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0;
}

/* Open the socket, by a path relative to the queue folder, so that its length does not matter. */
static bool open_socket(const struct settings *settings)
{
    char spool[PATH_MAX] = "", connection[] = "unix:" SETTINGS_MILTER_SOCKET;
    mode_t mask;
    int opened;

    if (!place_make(settings))
        return false;
    if (!settings_path(settings, SETTINGS_FRONTEND_SPOOL, spool) || chdir(spool) != 0) {
        log_error("%s: %m; run peg-gen apply first", spool);
        return false;
    }
    mask = umask(0117); /* the folder keeps others out, and gives it the group */
    smfi_setbacklog(BACKLOG);
    errno = 0;
    opened = smfi_setconn(connection) == MI_SUCCESS && smfi_opensocket(true) == MI_SUCCESS;
    umask(mask);
    if (!opened) {
        log_error("cannot listen on %s/%s: %s", spool, SETTINGS_MILTER_SOCKET,
                  errno != 0 ? strerror(errno) : "libmilter does not say why");
        return false;
    }
    if (geteuid() == 0) {
        const struct passwd *user = getpwnam(settings->daemon_user);

        if (user == NULL || lchown(SETTINGS_MILTER_SOCKET, user->pw_uid, (gid_t)-1) != 0) {
            log_error("owner of %s/%s: %m", spool, SETTINGS_MILTER_SOCKET);
            return false;
        }
    }
    return true;
}

/* The decision table, and the journal that makes what is in it durable. */
static bool open_decisions(const struct settings *settings)
{
    char folder[PATH_MAX], why[TABLE_WHY_SIZE];
    const struct journal_config config = {.folder = folder};
    struct table *table = open_table(settings, TABLE_WRITER, why);
    struct journal *journal = NULL;

    if (table != NULL && settings_path(settings, SETTINGS_STORE_DIR, folder) &&
        (journal = journal_open(&config, why)) != NULL) {
        session_use(table, journal);
        return true;
    }
    log_error("decisions cannot be kept: %s", why);
    table_close(&table);
    return false;
}

/* All that needs root comes before privileges are dropped; threads come after. */
static bool start(const struct settings *settings)
{
    if (!block_signals() || !startup_pid_file(PROGRAM, settings) || !startup_store(settings))
        return false;
    if (!session_register()) {
        log_error("libmilter refuses the callbacks: is it older than this program was built for?");
        return false;
    }
    if (!open_socket(settings))
        return false;
    startup_nice("NICE_LEVEL_MILTER", settings->milter_nice_level);
    /* Of as many smtpd processes, each may begin a session before the end of its last was heard. */
    startup_fit_connections("LIMIT_CONNECTIONS_MILTER", 2 * settings->milter_connections);
    if (daemon_drop_privileges(settings->daemon_user, NULL) &&
        startup_can_read(settings, SETTINGS_CONF_FILE) &&
        startup_can_read(settings, SETTINGS_RULES_FILE) && open_table_can_recover(settings) &&
        open_decisions(settings)) {
        startup_note(settings, PROGRAM);
        return true;
    }
    unlink(SETTINGS_MILTER_SOCKET);
    return false;
}

/*
 * libmilter makes a thread for nearly every session, and glibc keeps stacks of 40 MB in all for the
 * next ones: five of the usual size. The others would be mapped and unmapped for a session.
 */
static void use_small_stacks(void)
{
    pthread_attr_t attr;

    if (pthread_attr_init(&attr) != 0)
        return;
    if (pthread_attr_setstacksize(&attr, SESSION_STACK) == 0)
        (void)pthread_setattr_default_np(&attr); /* or it is slower, no more */
    pthread_attr_destroy(&attr);
}

int milter_service_run(const struct options *options, bool foreground)
{
    struct diag diag = diag_to_stderr();
    struct policy *policy = policy_load(options->root, &diag);

    if (policy == NULL)
        return EXIT_FAILED;
    if (!foreground)
        daemon_detach();
    if (!startup_log(options->program, policy->settings, foreground) || !start(policy->settings)) {
        startup_refused(options->program, foreground);
        policy_release(&policy);
        return EXIT_FAILED;
    }
    log_info("ready, %zu rules, priorities 0 to %d, default %d", rules_count(policy->rules),
             policy->settings->priority_count - 1, policy->settings->default_priority);
    policy_install(policy);
    if (!start_threads(options->root))
        return EXIT_FAILED;
    use_small_stacks(); /* not before: to compile rules takes more */
    daemon_ready();
    if (smfi_main() != MI_SUCCESS) {
        log_error("libmilter gave up");
        return EXIT_FAILED;
    }
    notify_stopping(); /* not in stop(): libmilter's own thread may have got the signal */
    log_info("stopped");
    return EXIT_DONE;
}
