/* units - what systemd is told of the settings: drop-ins for our units, Postfixes to start at boot
 */
#include "gen/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/files.h"
#include "admin/mem.h"
#include "admin/part.h"
#include "admin/postqueue.h"
#include "admin/process.h"
#include "ctl/service_manager.h"
#include "gen/plan.h"
#include "lib/file.h"

#define FOLDER "/etc/systemd/system"
#define DROP_IN "/priority-email-gateway.conf"
#define HEAD "# Written by peg-gen apply from /etc/priority-email-gateway.conf.\n"

enum { DROP_IN_SIZE_MAX = 1 << 16 };

/* What the units say themselves. */
static const char default_host[] = "127.0.0.1";
enum { DEFAULT_PORT = 10040 };
static const char default_user[] = "peg";
static const char default_group[] = "postdrop";

/* Plan the drop-in of a unit: a section with lines; lines is freed. */
static void plan_file(struct pairs *files, const char *unit, const char *section, char *lines)
{
    char *path = mem_printf(FOLDER "/%s.d" DROP_IN, unit);

    pairs_setf(files, path, "%s%s%s%s", lines[0] != '\0' ? HEAD "[" : "",
               lines[0] != '\0' ? section : "", lines[0] != '\0' ? "]\n" : "", lines);
    free(path);
    free(lines);
}

/* A line where a setting is not the default of the unit, else "". To be freed. */
static char *line_unless(bool is_default, const char *name, const char *value)
{
    return is_default ? mem_dup("") : mem_printf("%s=%s\n", name, value);
}

static void plan_socket(const struct settings *settings, struct pairs *files)
{
    const char *host = settings->tcpmap_host;
    bool is_default = strcmp(host, default_host) == 0 && settings->tcpmap_port == DEFAULT_PORT;
    bool is_ipv6 = strchr(host, ':') != NULL;

    /* The first line empties the list. */
    plan_file(files, "peg-tcpmap.socket", "Socket",
              is_default ? mem_dup("")
                         : mem_printf("ListenStream=\nListenStream=%s%s%s:%d\n", is_ipv6 ? "[" : "",
                                      host, is_ipv6 ? "]" : "", settings->tcpmap_port));
}

/* A path as one word of a unit file (systemd.syntax(7)), without specifiers. To be freed. */
static char *quote(const char *path)
{
    char *quoted = mem_resize(NULL, 2 * strlen(path) + 3, 1);
    size_t len = 0;

    quoted[len++] = '"';
    for (; *path != '\0'; path++) {
        if (*path == '"' || *path == '\\')
            quoted[len++] = '\\';
        else if (*path == '%')
            quoted[len++] = '%';
        quoted[len++] = *path;
    }
    quoted[len++] = '"';
    quoted[len] = '\0';
    return quoted;
}

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool is_temporary(const char *path)
{
    return is_below(path, "/tmp") || is_below(path, "/var/tmp");
}

static bool is_home(const char *path)
{
    return is_below(path, "/home") || is_below(path, "/root") || is_below(path, "/run/user");
}

/* What has peg-monitor's unit see its folder and snmpd's socket as others do. To be freed. */
static char *monitoring_lines(const char *path, const char *socket)
{
    bool tmp = is_temporary(path) || is_temporary(socket);
    bool home = is_home(path) || is_home(socket);
    char *folder = quote(path);
    char *writable =
        is_below(path, SETTINGS_RUN_DIR) ? mem_dup("") : mem_printf("ReadWritePaths=%s\n", folder);
    char *lines = mem_printf("%s%s%s", tmp ? "PrivateTmp=no\n" : "", home ? "ProtectHome=no\n" : "",
                             writable);

    free(folder);
    free(writable);
    return lines;
}

/* peg-milter gives its session the same level, which below 0 takes a right. To be freed. */
static char *nice_lines(int level)
{
    char *number = mem_printf("%d", level);
    char *lines = level < 0 ? mem_printf("Nice=%s\nLimitNICE=%s\n", number, number)
                            : line_unless(level == 0, "Nice", number);

    free(number);
    return lines;
}

void units_plan_files(const struct settings *settings, const char *setgid_group,
                      struct pairs *files)
{
    char *user = line_unless(strcmp(settings->daemon_user, default_user) == 0, "User",
                             settings->daemon_user);
    char *nice = nice_lines(settings_nice_level(settings->milter_nice_level));
    char *group = line_unless(strcmp(setgid_group, default_group) == 0,
                              "SupplementaryGroups=\nSupplementaryGroups", setgid_group);
    char *writable = monitoring_lines(settings->monitoring_dir, settings->agentx_socket);

    plan_socket(settings, files);
    plan_file(files, "peg-milter.service", "Service", mem_printf("%s%s", user, nice));
    plan_file(files, "peg-tcpmap.service", "Service", mem_printf("%s%s", user, group));
    plan_file(files, "peg-monitor.service", "Service", mem_printf("%s%s", user, writable));
    free(user);
    free(nice);
    free(group);
    free(writable);
}

static void prepare_files(const struct settings *settings, struct units *units)
{
    char spool[PATH_MAX], group[POSTQUEUE_GROUP_SIZE];
    struct pairs wanted = {0};
    bool is_known =
        settings_path(settings, SETTINGS_FRONTEND_SPOOL, spool) && postqueue_group(spool, group);

    units_plan_files(settings, is_known ? group : default_group, &wanted);
    for (size_t i = 0; i < wanted.count; i++) {
        const struct pair *file = &wanted.items[i];
        size_t len;
        char *present = file_read(file->name, DROP_IN_SIZE_MAX, &len);

        if (strcmp(present != NULL ? present : "", file->value) != 0)
            pairs_set(&units->files, file->name, file->value);
        free(present);
    }
    pairs_deinit(&wanted);
}

static bool has_link(const char *below_folder, const char *unit)
{
    char *link = mem_printf(FOLDER "%s/%s", below_folder, unit);
    struct stat status;
    bool found = lstat(link, &status) == 0 && S_ISLNK(status.st_mode);

    free(link);
    return found;
}

/* Note what to do with a unit that has a link, or has none, where it is to be the other way. */
static void compare(struct units *units, const char *unit, bool found, bool wanted,
                    enum units_action make, enum units_action take_away)
{
    if (wanted != found)
        pairs_set(&units->units[wanted ? make : take_away], unit, "");
}

/* The distribution's unit for a Postfix of ours, as postmulti knows it. */
static void prepare_mask(struct units *units, bool wanted, int instance)
{
    char *registered_name = plan_registered_name(instance);
    char *unit = mem_printf("postfix@%s.service", registered_name);
    bool exists = service_manager_has_unit("postfix@.service");

    compare(units, unit, has_link("", unit), wanted && exists, UNITS_MASK, UNITS_UNMASK);
    free(registered_name);
    free(unit);
}

static void prepare_postfix(const struct settings *settings, struct units *units, int instance)
{
    const struct part part = {.kind =
                                  settings_is_frontend(instance) ? PART_FRONTEND : PART_INSTANCE,
                              .instance = instance};
    bool wanted = settings_has(settings, instance);
    char unit[SERVICE_MANAGER_UNIT_SIZE];

    service_manager_unit(&part, unit);
    if (instance != PEG_FRONTEND) /* the target itself wants that one */
        compare(units, unit, has_link("/" SERVICE_MANAGER_TARGET ".wants", unit), wanted,
                UNITS_ENABLE, UNITS_DISABLE);
    prepare_mask(units, wanted, instance);
}

/* A run that was killed may have left drop-ins that systemd has not read. */
static bool needs_reload(void)
{
    static const char *const show[] = {"systemctl",
                                       "show",
                                       "--property=NeedDaemonReload",
                                       "peg-milter.service",
                                       "peg-tcpmap.socket",
                                       "peg-tcpmap.service",
                                       "peg-monitor.service",
                                       NULL};
    char *said = process_output(show);
    bool needs = said != NULL && strstr(said, "=yes") != NULL;

    free(said);
    return needs;
}

void units_prepare(const struct settings *settings, struct units *units)
{
    *units = (struct units){.reload = false};
    if (!service_manager_is_used(settings))
        return;
    prepare_files(settings, units);
    for (int n = 0; n < SETTINGS_PRIORITY_MAX; n++)
        prepare_postfix(settings, units, n);
    for (int n = PEG_FIRST; settings_is_frontend(n); n++)
        prepare_postfix(settings, units, n);
    units->reload = needs_reload();
}

void units_deinit(struct units *units)
{
    pairs_deinit(&units->files);
    for (int action = 0; action < UNITS_ACTION_COUNT; action++)
        pairs_deinit(&units->units[action]);
}

size_t units_count(const struct units *units)
{
    size_t count = units->files.count + (units->reload ? 1 : 0);

    for (int action = 0; action < UNITS_ACTION_COUNT; action++)
        count += units->units[action].count;
    return count;
}

static void print_files(FILE *out, const struct units *units)
{
    for (size_t i = 0; i < units->files.count; i++)
        fprintf(out, "%s: %s\n", units->files.items[i].name,
                units->files.items[i].value[0] != '\0' ? "new contents" : "no more");
    if (units->reload)
        fprintf(out, "systemd: reads its units again\n");
}

static void print_action(FILE *out, const struct units *units, enum units_action action)
{
    static const char *const done[UNITS_ACTION_COUNT] = {
        [UNITS_ENABLE] = "started with " SERVICE_MANAGER_TARGET,
        [UNITS_MASK] = "masked, since it is not what starts this Postfix",
        [UNITS_DISABLE] = "no more started with " SERVICE_MANAGER_TARGET,
        [UNITS_UNMASK] = "no more masked"};
    const struct pairs *changes = &units->units[action];

    for (size_t i = 0; i < changes->count; i++)
        fprintf(out, "%s: %s\n", changes->items[i].name, done[action]);
}

void units_print(FILE *out, const struct units *units)
{
    print_files(out, units);
    for (int action = 0; action < UNITS_ACTION_COUNT; action++)
        print_action(out, units, (enum units_action)action);
}

static bool write_drop_in(const struct pair *file)
{
    char *folder = mem_dup_len(file->name, strlen(file->name) - strlen(DROP_IN));
    bool good = true;

    if (file->value[0] != '\0') {
        good = files_make_folder(folder, 0755, NULL) && files_write(file->name, file->value);
    } else if (unlink(file->name) != 0 && errno != ENOENT) {
        fprintf(stderr, "%s: cannot be removed: %m\n", file->name);
        good = false;
    } else {
        rmdir(folder); /* unless there is something of the operator's */
    }
    free(folder);
    return good;
}

static bool act(const struct units *units, enum units_action action, FILE *out)
{
    static const char *const commands[UNITS_ACTION_COUNT] = {[UNITS_ENABLE] = "enable",
                                                             [UNITS_MASK] = "mask",
                                                             [UNITS_DISABLE] = "disable",
                                                             [UNITS_UNMASK] = "unmask"};
    const struct pairs *changes = &units->units[action];
    const char *argv[SETTINGS_POSTFIX_MAX + 3] = {"systemctl", commands[action]};

    for (size_t i = 0; i < changes->count; i++)
        argv[i + 2] = changes->items[i].name;
    if (changes->count > 0 && !process_run(argv))
        return false;
    print_action(out, units, action);
    return true;
}

bool units_carry_out(const struct units *units, FILE *out)
{
    static const char *const reload[] = {"systemctl", "daemon-reload", NULL};

    for (size_t i = 0; i < units->files.count; i++)
        if (!write_drop_in(&units->files.items[i]))
            return false;
    if ((units->files.count > 0 || units->reload) && !process_run(reload))
        return false;
    print_files(out, units);
    return act(units, UNITS_ENABLE, out) && act(units, UNITS_MASK, out);
}

bool units_drop(const struct units *units, FILE *out)
{
    return act(units, UNITS_DISABLE, out) && act(units, UNITS_UNMASK, out);
}
