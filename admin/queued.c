/* queued - what a Postfix instance holds in its queues, as `postqueue -j` lists it */
#include "admin/queued.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/postqueue.h"

enum { LAST_WORDS_SIZE = 400 };

struct listing {
    void (*each)(void *arg, const struct queued_message *message);
    void *arg;
    const char **recipients; /* of the message at hand, with room for as many as the largest had */
    size_t room;
    size_t line; /* number of the line at hand, from 1 */
    char *why_r;
};

struct child {
    pid_t pid;
    FILE *out;
    int err_fd;
};

/* Put the addresses of a JSON array into listing->recipients; they belong to the array. */
static bool take_recipients(struct listing *listing, json_t *recipients)
{
    size_t count = json_array_size(recipients);

    if (count > listing->room) {
        const char **more = realloc(listing->recipients, count * sizeof *more);

        if (more == NULL) {
            snprintf(listing->why_r, QUEUED_WHY_SIZE, "out of memory");
            return false;
        }
        listing->recipients = more;
        listing->room = count;
    }
    for (size_t i = 0; i < count; i++) {
        const char *address =
            json_string_value(json_object_get(json_array_get(recipients, i), "address"));

        if (address == NULL || *address == '\0') {
            snprintf(listing->why_r, QUEUED_WHY_SIZE,
                     "line %zu of what postqueue wrote: recipient %zu has no address",
                     listing->line, i + 1);
            return false;
        }
        listing->recipients[i] = address;
    }
    return true;
}

static bool take_message(struct listing *listing, json_t *root)
{
    json_t *recipients = json_object_get(root, "recipients");
    json_t *arrival = json_object_get(root, "arrival_time");
    struct queued_message message = {
        .queue_id = json_string_value(json_object_get(root, "queue_id")),
        .queue_name = json_string_value(json_object_get(root, "queue_name")),
        .arrival_s = json_integer_value(arrival),
        .recipient_count = json_array_size(recipients)};

    if (message.queue_id == NULL || *message.queue_id == '\0' || message.queue_name == NULL ||
        *message.queue_name == '\0' || !json_is_integer(arrival) || !json_is_array(recipients)) {
        snprintf(
            listing->why_r, QUEUED_WHY_SIZE,
            "line %zu of what postqueue wrote: no queue_id, queue_name, arrival_time or recipients",
            listing->line);
        return false;
    }
    if (!take_recipients(listing, recipients))
        return false;
    message.recipients = listing->recipients;
    listing->each(listing->arg, &message);
    return true;
}

/* The length of the character of UTF-8 that stands there (RFC 3629); 0: that is none. */
static size_t character_len(const unsigned char *at, size_t left)
{
    unsigned char low = 0x80, high = 0xbf; /* of the second byte */
    size_t len = 2;

    if (*at < 0x80)
        return 1;
    if (*at < 0xc2 || *at > 0xf4)
        return 0;
    if (*at >= 0xf0) {
        len = 4;
        low = *at == 0xf0 ? 0x90 : low;
        high = *at == 0xf4 ? 0x8f : high;
    } else if (*at >= 0xe0) {
        len = 3;
        low = *at == 0xe0 ? 0xa0 : low;
        high = *at == 0xed ? 0x9f : high;
    }
    if (left < len || at[1] < low || at[1] > high)
        return 0;
    for (size_t n = 2; n < len; n++)
        if ((at[n] & 0xc0) != 0x80)
            return 0;
    return len;
}

/* Put `?` for what Postfix takes for UTF-8 and is none (src/util/printable.c says so itself), as it
 * does with other bytes: no JSON may have it, and one sender would hide the whole queue. */
static void make_utf8(char *line, size_t len)
{
    size_t character;

    for (size_t at = 0; at < len; at += character) {
        character = character_len((unsigned char *)line + at, len - at);
        if (character == 0) {
            line[at] = '?';
            character = 1;
        }
    }
}

static bool take_line(struct listing *listing, char *line, size_t len)
{
    json_error_t error = {.text = "the end of the line is missing"};
    json_t *root = NULL;
    bool good;

    make_utf8(line, len);
    if (line[len - 1] == '\n')
        root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        snprintf(listing->why_r, QUEUED_WHY_SIZE, "line %zu of what postqueue wrote: %s",
                 listing->line, error.text);
        return false;
    }
    good = take_message(listing, root);
    json_decref(root);
    return good;
}

/* Read all that postqueue writes, up to the first line that is not good. */
static bool take_all(struct listing *listing, FILE *out)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len = 0;
    bool good = true;

    while (good && (errno = 0, len = getline(&line, &size, out)) > 0) {
        listing->line++;
        good = take_line(listing, line, (size_t)len);
    }
    if (good && !feof(out)) {
        snprintf(listing->why_r, QUEUED_WHY_SIZE, "read what postqueue writes: %m");
        good = false;
    }
    free(line);
    return good;
}

/* Start it, with nothing to read, and ended by SIGPIPE as is the default. Returns an errno. */
static int spawn(const char *path, const char *config_dir, int out_fd, int err_fd, pid_t *pid_r)
{
    char name[] = "postqueue", conf[] = "-c", json[] = "-j", folder[PATH_MAX];
    char *const argv[] = {name, conf, folder, json, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t broken_pipe;
    int error;

    if (snprintf(folder, sizeof folder, "%s", config_dir) >= PATH_MAX)
        return ENAMETOOLONG;
    if (posix_spawn_file_actions_init(&files) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &broken_pipe);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    error = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&files, err_fd, STDERR_FILENO);
    if (error == 0)
        error = posix_spawn(pid_r, path, &files, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* What it writes as errors goes to memory: nobody reads that while it runs. */
static bool start(struct child *child, const char *config_dir, char why_r[QUEUED_WHY_SIZE])
{
    char path[PATH_MAX];
    int fds[2] = {-1, -1};
    int error = 0;

    if (!postqueue_find(path)) {
        snprintf(why_r, QUEUED_WHY_SIZE, "there is no program postqueue in PATH or /usr/sbin");
        return false;
    }
    *child = (struct child){.err_fd = memfd_create("postqueue-errors", MFD_CLOEXEC)};
    if (child->err_fd < 0 || pipe2(fds, O_CLOEXEC) != 0 ||
        (child->out = fdopen(fds[0], "r")) == NULL)
        error = errno;
    else
        error = spawn(path, config_dir, fds[1], child->err_fd, &child->pid);
    if (fds[1] >= 0)
        close(fds[1]);
    if (error == 0)
        return true;
    snprintf(why_r, QUEUED_WHY_SIZE, "start %.256s: %s", path, strerror(error));
    if (child->out != NULL)
        fclose(child->out);
    else if (fds[0] >= 0)
        close(fds[0]);
    if (child->err_fd >= 0)
        close(child->err_fd);
    return false;
}

/* The last line in fd: where a program of Postfix gives up, that is its reason. */
static void last_words(int fd, char words_r[LAST_WORDS_SIZE])
{
    struct stat status;
    off_t start;
    ssize_t got;
    char *newline;

    start = fstat(fd, &status) == 0 && status.st_size >= LAST_WORDS_SIZE
                ? status.st_size - LAST_WORDS_SIZE + 1
                : 0;
    got = pread(fd, words_r, LAST_WORDS_SIZE - 1, start);
    words_r[got > 0 ? got : 0] = '\0';
    for (got--; got >= 0 && words_r[got] == '\n'; got--)
        words_r[got] = '\0';
    newline = strrchr(words_r, '\n');
    if (newline != NULL)
        memmove(words_r, newline + 1, strlen(newline + 1) + 1);
}

/* Wait for its end. Returns whether that was a good one; a bad one is the reason for all else. */
static bool finish(struct child *child, char why_r[QUEUED_WHY_SIZE])
{
    char words[LAST_WORDS_SIZE];
    int status = 0;
    pid_t pid;

    fclose(child->out);
    while ((pid = waitpid(child->pid, &status, 0)) < 0 && errno == EINTR)
        ;
    if (pid < 0)
        snprintf(why_r, QUEUED_WHY_SIZE, "nobody knows how postqueue ended: %m");
    last_words(child->err_fd, words);
    close(child->err_fd);
    if (pid < 0 || status == 0)
        return pid > 0;
    if (words[0] != '\0')
        snprintf(why_r, QUEUED_WHY_SIZE, "%s", words);
    else if (WIFEXITED(status))
        snprintf(why_r, QUEUED_WHY_SIZE, "postqueue ended with status %d", WEXITSTATUS(status));
    else
        snprintf(why_r, QUEUED_WHY_SIZE, "postqueue was ended by signal %d", WTERMSIG(status));
    return false;
}

bool queued_each(const char *config_dir,
                 void (*each)(void *arg, const struct queued_message *message), void *arg,
                 char why_r[QUEUED_WHY_SIZE])
{
    struct listing listing = {.each = each, .arg = arg, .why_r = why_r};
    char why_ended[QUEUED_WHY_SIZE];
    struct child child;
    bool complete, ended_well, reached_end;

    if (!start(&child, config_dir, why_r))
        return false;
    complete = take_all(&listing, child.out);
    reached_end = feof(child.out) != 0;
    if (!reached_end)
        kill(child.pid, SIGKILL);
    free(listing.recipients);
    ended_well = finish(&child, why_ended);
    if (!ended_well && reached_end)
        memcpy(why_r, why_ended, sizeof why_ended);
    return complete && ended_well;
}
