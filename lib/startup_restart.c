/* startup_restart - which parameters take a restart, and what a daemon was started with */
#include "lib/startup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"

enum { NOTE_SIZE_MAX = 64 * 1024 };

enum { MILTER = 1, TCPMAP = 2, MONITOR = 4 };

static const struct {
    const char *name;
    unsigned bit;
} programs[] = {
    {"peg-milter", MILTER},
    {"peg-tcpmap", TCPMAP},
    {"peg-monitor", MONITOR},
};

static void print_daemon_user(FILE *out, const struct settings *settings)
{
    fputs(settings->daemon_user, out);
}

static void print_frontend_group(FILE *out, const struct settings *settings)
{
    char group[STARTUP_GROUP_SIZE];

    if (startup_frontend_group(settings, group))
        fputs(group, out);
}

static void print_milter_nice_level(FILE *out, const struct settings *settings)
{
    fprintf(out, "%d", settings->milter_nice_level);
}

static void print_table_capacity(FILE *out, const struct settings *settings)
{
    fprintf(out, "%zu", settings->table_capacity);
}

static void print_tcpmap_listen(FILE *out, const struct settings *settings)
{
    fprintf(out, "[%s]:%d", settings->tcpmap_host, settings->tcpmap_port);
}

static void print_tcpmap_connections(FILE *out, const struct settings *settings)
{
    fprintf(out, "%d", settings->tcpmap_connections);
}

static void print_monitoring_dir(FILE *out, const struct settings *settings)
{
    fputs(settings->monitoring_dir, out);
}

static void print_monitoring_group(FILE *out, const struct settings *settings)
{
    fputs(settings->monitoring_group != NULL ? settings->monitoring_group : "", out);
}

static void print_agentx_socket(FILE *out, const struct settings *settings)
{
    fputs(settings->agentx_socket, out);
}

/* All that is not here is read again on SIGUSR1, by every program that looks at it. */
static const struct {
    const char *name;
    unsigned programs;
    void (*print)(FILE *out, const struct settings *settings); /* the value, without newline */
} on_restart[] = {
    {"DAEMON_USER", MILTER | TCPMAP | MONITOR, print_daemon_user}, /* there is no way back */
    {"INSTANCE_USERS", MILTER, print_frontend_group},              /* who may enter its socket */
    {"NICE_LEVEL_MILTER", MILTER, print_milter_nice_level},        /* a lower one is root's */
    {"TABLE_CAPACITY", MILTER, print_table_capacity},              /* readers take what is there */
    {"TCPMAP_LISTEN", TCPMAP, print_tcpmap_listen},
    {"LIMIT_CONNECTIONS_TCPMAP", TCPMAP, print_tcpmap_connections}, /* open files are root's */
    {"MONITORING_DIR", MONITOR, print_monitoring_dir},              /* root has to make it */
    {"MONITORING_GROUP", MONITOR, print_monitoring_group},          /* root has to give it */
    {"AGENTX_SOCKET", MONITOR, print_agentx_socket}, /* Net-SNMP's library is begun once */
};

enum { ON_RESTART_COUNT = sizeof on_restart / sizeof *on_restart };

static bool concerns(size_t row, const char *program)
{
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (strcmp(programs[i].name, program) == 0)
            return (on_restart[row].programs & programs[i].bit) != 0;
    return false;
}

/* The line of a row, to be freed; NULL: out of memory. */
static char *make_line(size_t row, const struct settings *settings)
{
    char *line = NULL;
    size_t len;
    FILE *out = open_memstream(&line, &len);

    if (out == NULL)
        return NULL;
    fprintf(out, "%s=", on_restart[row].name);
    on_restart[row].print(out, settings);
    fputc('\n', out);
    return fclose(out) == 0 ? line : NULL;
}

static bool has_line(const char *text, const char *line)
{
    size_t len = strlen(line);

    for (; *text != '\0'; text += strcspn(text, "\n"), text += *text != '\0')
        if (strncmp(text, line, len) == 0)
            return true;
    return false;
}

static bool note_path(const struct settings *settings, const char *program, char path_r[PATH_MAX])
{
    char name[128];

    snprintf(name, sizeof name, SETTINGS_RUN_DIR "/%s.started", program);
    return settings_path(settings, name, path_r);
}

/* What the program noted; NULL with errno. To be freed. */
static char *read_note(const struct settings *settings, const char *program)
{
    char path[PATH_MAX];
    size_t len;

    errno = ENAMETOOLONG;
    return note_path(settings, program, path) ? file_read(path, NOTE_SIZE_MAX, &len) : NULL;
}

void startup_forget_note(const struct settings *settings, const char *program)
{
    char path[PATH_MAX];

    if (note_path(settings, program, path))
        unlink(path);
}

/* Whether a parameter differs from what stands in the note. */
static bool differs(size_t row, const struct settings *settings, const char *note)
{
    char *line = make_line(row, settings);
    bool same = line != NULL && has_line(note, line);

    free(line);
    return !same;
}

bool startup_needs_restart(const struct settings *settings, const char *program)
{
    char *note = read_note(settings, program);
    bool needs = note == NULL;

    for (size_t row = 0; !needs && row < ON_RESTART_COUNT; row++)
        needs = concerns(row, program) && differs(row, settings, note);
    free(note);
    return needs;
}

void startup_warn_of_restart(const struct settings *settings, const char *program)
{
    char *note = read_note(settings, program);

    if (note == NULL)
        log_warn("what %s was started with is not known: %m; where %s/%s.started is gone, only a "
                 "restart takes all parameters over",
                 program, SETTINGS_RUN_DIR, program);
    for (size_t row = 0; note != NULL && row < ON_RESTART_COUNT; row++)
        if (concerns(row, program) && differs(row, settings, note))
            log_warn("%s changes when %s is restarted", on_restart[row].name, program);
    free(note);
}

/* The whole note, to be freed; NULL: out of memory. */
static char *make_note(const struct settings *settings, const char *program, size_t *len_r)
{
    char *note = NULL;
    FILE *out = open_memstream(&note, len_r);

    for (size_t row = 0; out != NULL && row < ON_RESTART_COUNT; row++) {
        char *line = concerns(row, program) ? make_line(row, settings) : NULL;

        if (line != NULL)
            fputs(line, out);
        free(line);
    }
    return out != NULL && fclose(out) == 0 ? note : NULL;
}

void startup_note(const struct settings *settings, const char *program)
{
    char folder[PATH_MAX], name[128];
    size_t len = 0;
    char *note = make_note(settings, program, &len);
    int dir_fd = settings_path(settings, SETTINGS_RUN_DIR, folder)
                     ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)
                     : -1;

    snprintf(name, sizeof name, "%s.started", program);
    if (note == NULL || dir_fd < 0 || !file_replace_at(dir_fd, name, note, len, 0644))
        log_warn("%s/%s cannot be written: %m; a change of the configuration will restart this",
                 SETTINGS_RUN_DIR, name);
    if (dir_fd >= 0)
        close(dir_fd);
    free(note);
}
