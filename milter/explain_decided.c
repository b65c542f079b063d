/* explain_decided - say what was decided for a message that a frontend has in its queue */
#include "milter/explain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/daemon.h"
#include "lib/iso_time.h"
#include "lib/log.h"
#include "lib/message_name.h"
#include "lib/options.h"
#include "lib/route.h"
#include "store/find.h"

/* A routing key holds whatever a client gave: nothing of it may reach a terminal as a command. */
static void print_key(const char *key)
{
    for (; *key != '\0'; key++)
        putchar((unsigned char)*key < ' ' || *key == 0x7f ? '?' : *key);
}

static void print_recipient(const struct settings *settings, int filter_priority,
                            const struct record_recipient *recipient)
{
    bool is_directed = filter_priority != RECORD_NO_FILTER;
    int goes_by = is_directed ? filter_priority : recipient->priority;
    char instance[SETTINGS_NAME_SIZE], route[PEG_ROUTE_SIZE];

    settings_instance_name(goes_by, instance);
    if (is_directed)
        route_marked(settings, goes_by, route);
    else
        route_plain(settings, goes_by, route);
    print_key(recipient->given != NULL ? recipient->given : recipient->key);
    if (recipient->rule_line > 0)
        printf(": rule %u", recipient->rule_line);
    else
        printf(": no rule");
    printf(", priority %d, instance %s", recipient->priority, instance);
    if (recipient->given != NULL) {
        printf(", as ");
        print_key(recipient->key);
    }
    printf(" -> %s\n", route);
}

static bool print_record(const struct settings *settings, struct record_reader *reader)
{
    struct record_recipient recipient;
    char time[ISO_TIME_SIZE];
    int more;

    iso_time_print(reader->wall_ms, time);
    print_key(reader->queue_id);
    printf(": decided %s, way %s", time, reader->way);
    if (reader->filter_priority != RECORD_NO_FILTER)
        printf(", priority %d", reader->filter_priority);
    putchar('\n');
    while ((more = record_next(reader, &recipient)) == 1)
        if (recipient.use != RECORD_SPARE)
            print_recipient(settings, reader->filter_priority, &recipient);
    if (more < 0)
        log_error("the rest of this record cannot be read");
    return more == 0;
}

static void say_why_not(const struct settings *settings, const char *folder, const char *why)
{
    if (access(folder, R_OK | X_OK) != 0 && errno == EACCES)
        log_error("%s; only root and user %s may read what was decided", why,
                  settings->daemon_user);
    else
        log_error("%s", why);
}

/* Print the record of one frontend's message: 1; 0 there is none; -1 it cannot be read. */
static int explain_one(const struct settings *settings, const char *folder, const char *name)
{
    char why[FOLDER_WHY_SIZE];
    struct record_reader reader;
    int found = find_message(folder, name, &reader, why);

    if (found < 0)
        say_why_not(settings, folder, why);
    if (found != 1)
        return found;
    found = print_record(settings, &reader) ? 1 : -1;
    record_reader_free(&reader);
    return found;
}

/* Two frontends may each have a message with this queue ID: the names in the output differ. */
static bool explain_from(const struct settings *settings, const char *queue_id)
{
    char folder[PATH_MAX], name[MESSAGE_NAME_SIZE];
    int found = 0;

    if (!settings_path(settings, SETTINGS_STORE_DIR, folder)) {
        log_error("the path %s is too long", settings->root);
        return false;
    }
    for (int n = PEG_FIRST; found >= 0 && settings_is_frontend(n); n++) {
        int found_here;

        message_name(n, queue_id, name);
        found_here = explain_one(settings, folder, name);
        if (found_here != 0)
            found = found_here;
    }
    if (found == 0)
        log_error("no decision on a message %s: one that has left a frontend's queue may have "
                  "been forgotten",
                  queue_id);
    return found == 1;
}

int explain_decided(const char *program, const char *root, const char *queue_id)
{
    struct diag diag = diag_to_stderr();
    struct settings *settings = settings_load(root, &diag);
    bool done;

    if (settings == NULL)
        return EXIT_FAILED;
    done = log_open(program, LOG_TO_STDERR, NULL) &&
           daemon_drop_privileges(settings->daemon_user, NULL) && explain_from(settings, queue_id);
    if (fflush(stdout) != 0) {
        log_error("cannot write: %m");
        done = false;
    }
    settings_free(&settings);
    return done ? EXIT_DONE : EXIT_FAILED;
}
