/* probe_server - receive the probes of one run of peg-gen doctor */
#include "doctor/probe_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/mem.h"
#include "lib/clock.h"
#include "lib/probe.h"

enum { SESSIONS_MAX = 64, POLL_MS = 20, BACKLOG = 128 };

struct session {
    int fd;
    struct lmtp lmtp;
};

struct probe_server {
    char id[PROBE_ID_SIZE];
    int priority_count;
    char *path;
    int lock_fd;
    int listen_fd;
    pthread_t thread;
    bool runs;
    atomic_llong deadline_ms; /* INT64_MAX until all is sent */
    atomic_bool expected[SETTINGS_PRIORITY_MAX];
    struct probe_arrival arrivals[SETTINGS_PRIORITY_MAX]; /* the thread's until it has ended */
    struct session *sessions[SESSIONS_MAX];
    size_t session_count;
};

/* The priority of a recipient that is one of this run's probes, or -1. */
static int priority_of(const struct probe_server *server, const char *recipient)
{
    int priority = probe_priority(recipient, server->priority_count);
    char address[PROBE_ADDRESS_SIZE];

    if (priority < 0)
        return -1;
    probe_address(server->id, priority, address);
    return strcasecmp(address, recipient) == 0 ? priority : -1;
}

static bool wants(void *arg, const char *recipient)
{
    return priority_of(arg, recipient) >= 0;
}

static void deliver(void *arg, const char *client, const char *recipient, const char *message,
                    size_t len)
{
    struct probe_server *server = arg;
    struct probe_arrival *arrival = &server->arrivals[priority_of(server, recipient)];

    if (arrival->count++ > 0)
        return;
    arrival->at_ms = clock_boot_ms();
    snprintf(arrival->client, sizeof arrival->client, "%s", client);
    arrival->message = mem_dup_len(message, len);
    arrival->len = len;
}

static bool is_done(struct probe_server *server)
{
    if (atomic_load(&server->deadline_ms) == INT64_MAX)
        return false;
    for (int n = 0; n < server->priority_count; n++)
        if (atomic_load(&server->expected[n]) && server->arrivals[n].count == 0)
            return clock_boot_ms() >= atomic_load(&server->deadline_ms);
    return true;
}

static void accept_session(struct probe_server *server, const struct lmtp_owner *owner)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct session *session;

    if (fd < 0)
        return;
    session = mem_resize(NULL, 1, sizeof *session);
    session->fd = fd;
    lmtp_init(&session->lmtp, owner);
    server->sessions[server->session_count++] = session;
}

static void end_session(struct probe_server *server, size_t n)
{
    struct session *session = server->sessions[n];

    close(session->fd);
    lmtp_deinit(&session->lmtp);
    free(session);
    server->sessions[n] = server->sessions[--server->session_count];
}

/* Send what it has to say, which always fits in the socket's buffer. False: the session is over. */
static bool serve(struct session *session, bool readable)
{
    struct lmtp *lmtp = &session->lmtp;
    char bytes[4096];
    ssize_t got = readable ? recv(session->fd, bytes, sizeof bytes, 0) : -1;

    if (got == 0 || (readable && got < 0 && errno != EAGAIN && errno != EINTR))
        return false;
    if (got > 0)
        lmtp_take(lmtp, bytes, (size_t)got);
    if (lmtp->replies_len > 0 && send(session->fd, lmtp->replies, lmtp->replies_len,
                                      MSG_NOSIGNAL) != (ssize_t)lmtp->replies_len)
        return false;
    lmtp->replies_len = 0;
    return !lmtp->over;
}

static void *serve_thread(void *arg)
{
    struct probe_server *server = arg;
    const struct lmtp_owner owner = {.arg = server, .wants = wants, .deliver = deliver};

    while (!is_done(server)) {
        struct pollfd fds[SESSIONS_MAX + 1];
        size_t count = server->session_count;

        for (size_t n = 0; n < count; n++)
            fds[n] = (struct pollfd){.fd = server->sessions[n]->fd, .events = POLLIN};
        fds[count] =
            (struct pollfd){.fd = count < SESSIONS_MAX ? server->listen_fd : -1, .events = POLLIN};
        if (poll(fds, (nfds_t)count + 1, POLL_MS) <= 0)
            continue;
        for (size_t n = count; n-- > 0;)
            if (fds[n].revents != 0 && !serve(server->sessions[n], true))
                end_session(server, n);
        if (fds[count].revents != 0)
            accept_session(server, &owner);
        if (server->session_count > 0 &&
            !serve(server->sessions[server->session_count - 1], false)) /* the greeting */
            end_session(server, server->session_count - 1);
    }
    while (server->session_count > 0)
        end_session(server, server->session_count - 1);
    return NULL;
}

/* The folder, with a lock on it that keeps other doctors out; -1 after saying why. */
static int open_folder(const struct settings *settings)
{
    char *path = mem_printf("%s" SETTINGS_PROBE_DIR, settings->root);
    struct stat status;
    int fd = -1;

    if (mkdir(path, 0711) != 0 && errno != EEXIST)
        fprintf(stderr, "%s: cannot be made: %m\n", path);
    else if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0 ||
             fstat(fd, &status) != 0)
        fprintf(stderr, "%s: cannot be opened: %m\n", path);
    else if (status.st_uid != geteuid() || (status.st_mode & 022) != 0)
        fprintf(stderr, "%s: others may write there; remove it\n", path);
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        fprintf(stderr, "%s: another peg-gen doctor is at work\n", path);
    else
        goto done;
    if (fd >= 0)
        close(fd);
    fd = -1;
done:
    free(path);
    return fd;
}

/* Every Postfix delivers by a user of its own, so that all may connect; few can guess an address.
 */
static bool listen_here(struct probe_server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t mask;
    bool good;

    if (strlen(server->path) >= sizeof address.sun_path) {
        fprintf(stderr, "%s: too long for a socket\n", server->path);
        return false;
    }
    strcpy(address.sun_path, server->path);
    unlink(server->path); /* of a doctor that was killed: we have the lock */
    server->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mask = umask(0);
    good = server->listen_fd >= 0 &&
           bind(server->listen_fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
           listen(server->listen_fd, BACKLOG) == 0;
    umask(mask);
    if (!good)
        fprintf(stderr, "%s: cannot be listened on: %m\n", server->path);
    return good;
}

struct probe_server *probe_server_open(const struct settings *settings, const char *id)
{
    int lock_fd = open_folder(settings);
    struct probe_server *server;

    if (lock_fd < 0)
        return NULL;
    server = mem_resize(NULL, 1, sizeof *server);
    memset(server, 0, sizeof *server);
    snprintf(server->id, sizeof server->id, "%s", id);
    server->priority_count = settings->priority_count;
    server->path = mem_printf("%s" SETTINGS_PROBE_SOCKET, settings->root);
    server->lock_fd = lock_fd;
    server->listen_fd = -1;
    atomic_init(&server->deadline_ms, INT64_MAX);
    if (listen_here(server)) {
        server->runs = pthread_create(&server->thread, NULL, serve_thread, server) == 0;
        if (server->runs)
            return server;
        fprintf(stderr, "peg-gen: no thread can be started\n");
    }
    probe_server_close(&server);
    return NULL;
}

void probe_server_expect(struct probe_server *server, int priority)
{
    atomic_store(&server->expected[priority], true);
}

void probe_server_finish(struct probe_server *server, long limit_ms)
{
    if (!server->runs)
        return;
    atomic_store(&server->deadline_ms, clock_boot_ms() + limit_ms);
    pthread_join(server->thread, NULL);
    server->runs = false;
}

const struct probe_arrival *probe_server_arrival(const struct probe_server *server, int priority)
{
    return &server->arrivals[priority];
}

void probe_server_close(struct probe_server **server_ptr)
{
    struct probe_server *server = *server_ptr;

    *server_ptr = NULL;
    if (server == NULL)
        return;
    probe_server_finish(server, 0);
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    unlink(server->path);
    close(server->lock_fd);
    for (int n = 0; n < server->priority_count; n++)
        free(server->arrivals[n].message);
    free(server->path);
    free(server);
}
