/* source - a survey for whoever runs this: taken here where that is permitted, else by peg-monitor
 */
#include "showqueues/source.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "survey/ask_socket.h"
#include "survey/survey_json.h"

static const char *const requests[] = {
    [SURVEY_COUNTS] = "counts\n", [SURVEY_DETAILS] = "details\n"};

enum { ASK_INTERVAL_MS = 100 }; /* of is_over() */

/* What ends a look before its end. */
struct ending {
    bool (*is_over)(void *arg); /* NULL: nothing */
    void *arg;
};

static bool is_over(const struct ending *ending)
{
    return ending->is_over != NULL && ending->is_over(ending->arg);
}

/* Whether the queues of an instance may be read; what is wrong with them otherwise, the survey
 * finds. false: path_r may not. */
static bool may_read(const struct settings *settings, int instance, char path_r[PATH_MAX])
{
    for (int queue = 0; queue < QUEUE_COUNT; queue++) {
        char name[SETTINGS_NAME_SIZE], below_root[64 + SETTINGS_NAME_SIZE];
        int fd;

        settings_instance_name(instance, name);
        snprintf(below_root, sizeof below_root, "/var/spool/%s/%s", name,
                 queues_name((enum queue)queue));
        if (!settings_path(settings, below_root, path_r))
            continue;
        fd = open(path_r, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
            close(fd);
        else if (errno == EACCES || errno == EPERM)
            return false;
    }
    return true;
}

static bool may_read_all(const struct settings *settings, char path_r[PATH_MAX])
{
    for (int n = PEG_FIRST; n < settings->priority_count; n++) /* -2, -1, 0, ... */
        if (settings_has(settings, n) && !may_read(settings, n, path_r))
            return false;
    return true;
}

/* What has to be done where peg-monitor could not be connected to, by errno. */
static void explain(const struct settings *settings, const char *path, char why_r[SOURCE_WHY_SIZE])
{
    int error = errno;
    char group[ASK_SOCKET_GROUP_SIZE];

    ask_socket_group(settings, group);
    switch (error) {
    case EACCES:
    case EPERM:
        snprintf(
            why_r, SOURCE_WHY_SIZE,
            "%.200s: %s; run this as root, or as a member of the group %.64s while peg-monitor "
            "runs",
            path, strerror(EACCES), group);
        break;
    case ENOENT:
    case ECONNREFUSED:
        snprintf(
            why_r, SOURCE_WHY_SIZE,
            "%.200s: %s, and peg-monitor, which would look there for members of the group %.64s, "
            "does not run; start it (peg-ctl start monitor), or run this as root",
            path, strerror(EACCES), group);
        break;
    default:
        snprintf(why_r, SOURCE_WHY_SIZE,
                 "%.200s: %s, and peg-monitor cannot be asked: %s; run this as root", path,
                 strerror(EACCES), strerror(error));
    }
}

/* Read to the end of the stream. Returns text to be freed, or NULL with the reason in why_r, which
 * is "" where it was ended. */
static char *read_answer(int fd, const struct ending *ending, size_t *len_r,
                         char why_r[SOURCE_WHY_SIZE])
{
    const int64_t limit_ms = clock_boot_ms() + SOURCE_LIMIT_MS;
    char *answer = malloc(SOURCE_ANSWER_SIZE_MAX);
    const char *reason = answer == NULL ? "there is no memory for its answer" : NULL;
    size_t len = 0;

    while (reason == NULL) {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        int64_t left_ms = limit_ms - clock_boot_ms();
        ssize_t got = -1;

        if (is_over(ending))
            reason = "";
        else if (left_ms <= 0)
            reason = "it has not answered in five minutes";
        else if (len == SOURCE_ANSWER_SIZE_MAX)
            reason = "its answer does not end";
        else if (poll(&polled, 1, left_ms < ASK_INTERVAL_MS ? (int)left_ms : ASK_INTERVAL_MS) > 0) {
            got = recv(fd, answer + len, SOURCE_ANSWER_SIZE_MAX - len, MSG_DONTWAIT);
            if (got == 0)
                break;
            if (got < 0 && errno != EINTR && errno != EAGAIN)
                reason = strerror(errno);
        }
        len += got > 0 ? (size_t)got : 0;
    }
    if (reason == NULL && len == 0)
        reason = "it has ended without an answer";
    *len_r = len;
    if (reason == NULL)
        return answer;
    why_r[0] = '\0';
    if (reason[0] != '\0')
        snprintf(why_r, SOURCE_WHY_SIZE,
                 "peg-monitor: %s; its log may say why; try again, or run this as root", reason);
    free(answer);
    return NULL;
}

/* Whether the answer is an error that peg-monitor tells, of which `why_r` then says what it is. */
static bool is_error(const char *answer, size_t len, char why_r[SOURCE_WHY_SIZE])
{
    json_t *root = json_loadb(answer, len, JSON_REJECT_DUPLICATES, NULL);
    const char *error = json_string_value(json_object_get(root, "error"));

    if (error != NULL)
        snprintf(why_r, SOURCE_WHY_SIZE, "peg-monitor: %.400s; run this as root", error);
    json_decref(root);
    return error != NULL;
}

static bool understand(const char *answer, size_t len, struct survey *survey_r,
                       char why_r[SOURCE_WHY_SIZE])
{
    char reason[SURVEY_JSON_WHY_SIZE];

    if (is_error(answer, len, why_r))
        return false;
    if (survey_json_read(answer, len, survey_r, reason))
        return true;
    snprintf(why_r, SOURCE_WHY_SIZE,
             "peg-monitor: its answer is not understood: %s; where it is of another version than "
             "this, restart it (peg-ctl restart monitor)",
             reason);
    return false;
}

/* Ask peg-monitor; path is what may not be read here. */
static bool ask(const struct settings *settings, enum survey_detail detail,
                const struct ending *ending, const char *path, struct survey *survey_r,
                char why_r[SOURCE_WHY_SIZE])
{
    size_t request_len = strlen(requests[detail]);
    int fd = ask_socket_connect(settings);
    char *answer;
    size_t len;
    bool good;

    if (fd < 0 || send(fd, requests[detail], request_len, MSG_NOSIGNAL) != (ssize_t)request_len) {
        explain(settings, path, why_r);
        if (fd >= 0)
            close(fd);
        return false;
    }
    answer = read_answer(fd, ending, &len, why_r);
    close(fd);
    good = answer != NULL && understand(answer, len, survey_r, why_r);
    free(answer);
    return good;
}

bool source_take(const struct settings *settings, enum survey_detail detail,
                 bool (*is_over_now)(void *arg), void *arg, struct survey *survey_r,
                 char why_r[SOURCE_WHY_SIZE])
{
    const struct ending ending = {is_over_now, arg};
    char path[PATH_MAX];

    if (!may_read_all(settings, path))
        return ask(settings, detail, &ending, path, survey_r, why_r);
    why_r[0] = '\0';
    return survey_take(settings, detail, is_over_now, arg, survey_r);
}

bool source_is_here(const struct settings *settings)
{
    char path[PATH_MAX];

    return may_read_all(settings, path);
}
