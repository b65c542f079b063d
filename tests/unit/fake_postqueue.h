/*
 * fake_postqueue - a script in place of Postfix's postqueue, in a folder that is first in PATH
 *
 * Included once by a test program, which uses make_folder() and remove_folder() as setup and
 * teardown; functions are inline since not every program uses all.
 */
#ifndef PEG_FAKE_POSTQUEUE_H
#define PEG_FAKE_POSTQUEUE_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define MESSAGE(queue, id, recipients)                                                \
    "{\"queue_name\": \"" queue "\", \"queue_id\": \"" id "\", \"arrival_time\": 1, " \
    "\"message_size\": 2, \"forced_expire\": false, \"sender\": \"MAILER-DAEMON\", "  \
    "\"recipients\": [" recipients "]}\n"
#define RECIPIENT(address) "{\"address\": \"" address "\"}"
#define DELAYED(address) "{\"address\": \"" address "\", \"delay_reason\": \"why\"}"

static char folder[PATH_MAX];
static char saved_path[4 * PATH_MAX];

static inline const char *in_folder(const char *name)
{
    static char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(in_folder(name), "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(in_folder(name), mode), 0);
}

static inline char *read_file(const char *name)
{
    FILE *file = fopen(in_folder(name), "r");
    char *text = calloc(1, 4096);

    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, 4095, file) > 0);
    fclose(file);
    return text;
}

static inline void play(const char *script)
{
    write_file("postqueue", script, 0755);
}

/* A postqueue that writes this and ends with the status. */
static inline void play_output(const char *output, const char *errors, int status)
{
    char script[256];

    write_file("output", output, 0644);
    write_file("errors", errors, 0644);
    snprintf(
        script, sizeof script,
        "#!/bin/sh\ncd \"${0%%/*}\"\nprintf '%%s|' \"$@\" >args\nreadlink /proc/$$/fd/0 >stdin\n"
        "cat output\ncat errors >&2\nexit %d\n",
        status);
    play(script);
}

static inline int make_folder(void **state)
{
    char path[6 * PATH_MAX];

    (void)state;
    strcpy(folder, "/tmp/pegqueuedXXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(saved_path, sizeof saved_path, "%s", getenv("PATH"));
    snprintf(path, sizeof path, "%s:%s", folder, saved_path);
    return setenv("PATH", path, 1);
}

static inline int remove_folder(void **state)
{
    static const char *const names[] = {"postqueue", "output", "errors", "args",
                                        "stdin",     "many",   "files"};

    (void)state;
    for (size_t i = 0; i < LENGTH(names); i++)
        unlink(in_folder(names[i]));
    return setenv("PATH", saved_path, 1) != 0 ? -1 : rmdir(folder);
}

#endif
