/* counts - how many bounces a Postfix has had, and what became of their commands */
#include "bounce/counts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

enum { MODE = 0600, DIGITS_MAX = 19 };

static uint64_t *place_of(struct counts *counts, const char *name, size_t len)
{
    const struct {
        const char *name;
        uint64_t *place;
    } places[] = {{"bounces", &counts->bounces},
                  {"held_back", &counts->held_back},
                  {"calls", &counts->calls},
                  {"failures", &counts->failures}};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strlen(places[i].name) == len && memcmp(places[i].name, name, len) == 0)
            return places[i].place;
    return NULL;
}

/* Digits to the end of the line, and no more of them than fit. */
static bool parse_number(const char *at, const char *end, uint64_t *number_r)
{
    uint64_t number = 0;

    if (at == end || end - at > DIGITS_MAX)
        return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *number_r = number;
    return true;
}

bool counts_parse(const char *text, size_t len, struct counts *counts_r)
{
    struct counts counts = {.bounces = 0};
    const char *end = text + len;

    for (const char *line_end; text < end; text = line_end + 1) {
        const char *blank;
        uint64_t *place, number;

        line_end = memchr(text, '\n', (size_t)(end - text));
        blank = line_end != NULL ? memchr(text, ' ', (size_t)(line_end - text)) : NULL;
        if (blank == NULL || !parse_number(blank + 1, line_end, &number))
            return false;
        place = place_of(&counts, text, (size_t)(blank - text));
        if (place != NULL)
            *place = number;
    }
    *counts_r = counts;
    return true;
}

size_t counts_format(const struct counts *counts, char text_r[COUNTS_TEXT_SIZE])
{
    return (size_t)snprintf(text_r, COUNTS_TEXT_SIZE,
                            "bounces %" PRIu64 "\nheld_back %" PRIu64 "\ncalls %" PRIu64
                            "\nfailures %" PRIu64 "\n",
                            counts->bounces, counts->held_back, counts->calls, counts->failures);
}

int counts_read(int dir_fd, struct counts *counts_r)
{
    /* A pipe of that name must not make the reader wait. */
    int fd = openat(dir_fd, COUNTS_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char text[COUNTS_TEXT_SIZE];
    struct stat status;
    ssize_t len = -1;
    int error;

    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    errno = EBADMSG;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        len = read(fd, text, sizeof text);
    error = errno;
    close(fd);
    if (len >= 0 && !counts_parse(text, (size_t)len, counts_r)) {
        len = -1;
        error = EBADMSG;
    }
    errno = error;
    return len < 0 ? -1 : 1;
}

bool counts_add(int dir_fd, const struct counts *more)
{
    struct counts counts = {.bounces = 0};
    char text[COUNTS_TEXT_SIZE];

    if (counts_read(dir_fd, &counts) < 0 && errno != EBADMSG)
        return false;
    counts.bounces += more->bounces;
    counts.held_back += more->held_back;
    counts.calls += more->calls;
    counts.failures += more->failures;
    return file_replace_at(dir_fd, COUNTS_FILE, text, counts_format(&counts, text), MODE);
}
