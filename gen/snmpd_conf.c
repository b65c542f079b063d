/* snmpd_conf - what snmpd is to be told: /etc/snmp/snmpd.priority-email-gateway.conf */
#include "gen/snmpd_conf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/files.h"
#include "admin/mem.h"
#include "lib/file.h"
#include "monitor/figures.h"

enum { TEXT_SIZE_MAX = 1 << 20 };

static const char head[] =
    "# Made by peg-gen, which overwrites it. Link it as /etc/snmp/snmpd.local.conf, and have "
    "snmpd\n"
    "# read it: ln -s snmpd.priority-email-gateway.conf /etc/snmp/snmpd.local.conf\n"
    "\n"
    "# The figures of peg-monitor, in NET-SNMP-EXTEND-MIB::nsExtendOutputFull. One that is not\n"
    "# known has no file: cat says so, and nsExtendResult is 1.\n";

static const char agentx_head[] =
    "\n"
    "# MTA-MIB, NETWORK-SERVICES-MIB and traps of peg-monitor, through AgentX.\n"
    "master agentx\n";

/* A word as snmpd.conf(5) takes it, in quotes. */
static void print_quoted(FILE *out, const char *root, const char *path, const char *name)
{
    char *text = mem_printf("%s%s/%s", root, path, name);

    fputc('"', out);
    for (const char *c = text; *c != '\0'; c++)
        fprintf(out, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
    fputs("\"\n", out);
    free(text);
}

static void print_extend(FILE *out, const struct settings *settings, const char *name)
{
    fprintf(out, "extend %s /bin/cat ", name);
    print_quoted(out, settings->root, settings->monitoring_dir, name);
}

/* No group: that of other subagents, where snmpd.conf names one, stays. */
static void print_agentx(FILE *out, const struct settings *settings)
{
    fputs(agentx_head, out);
    fprintf(out, "agentXSocket unix:%s%s\n", settings->root, settings->agentx_socket);
    fprintf(out, "agentXPerms 0660 0755 %s\n", settings->daemon_user);
}

char *snmpd_conf_text(const struct settings *settings)
{
    char name[FIGURES_NAME_SIZE];
    char *text = NULL;
    size_t len;
    FILE *out = mem_stream(&text, &len);

    fputs(head, out);
    for (int n = PEG_FIRST; n < settings->priority_count; n++)
        for (int queue = 0; queue < QUEUE_COUNT; queue++) {
            if (!settings_has(settings, n))
                continue;
            figures_name(n, (enum queue)queue, name);
            print_extend(out, settings, name);
        }
    for (size_t i = 0; i < FIGURES_MILTER_NAMES; i++)
        print_extend(out, settings, figures_milter_names[i]);
    if (settings->agentx_socket[0] != '\0')
        print_agentx(out, settings);
    mem_stream_end(out);
    return text;
}

bool snmpd_conf_takes_socket(const char *path)
{
    return strpbrk(path, " \t,\"'\\") == NULL;
}

void snmpd_conf_init(struct snmpd_conf *conf, const struct settings *settings)
{
    char *dir = mem_printf("%s" SNMPD_CONF_DIR, settings->root);
    size_t len;
    char *present;

    *conf = (struct snmpd_conf){.file = mem_printf("%s" SNMPD_CONF_FILE, settings->root),
                                .text = snmpd_conf_text(settings)};
    present = file_read(conf->file, TEXT_SIZE_MAX, &len);
    if (files_is_folder(dir) && (present == NULL || strcmp(present, conf->text) != 0))
        conf->what = present == NULL ? SNMPD_CONF_CREATE : SNMPD_CONF_REPLACE;
    free(present);
    free(dir);
}

void snmpd_conf_deinit(struct snmpd_conf *conf)
{
    free(conf->file);
    free(conf->text);
    *conf = (struct snmpd_conf){0};
}

void snmpd_conf_print(FILE *out, const struct snmpd_conf *conf)
{
    if (conf->what != SNMPD_CONF_KEEP)
        fprintf(out, "%s: new %s, for snmpd's next start\n", conf->file,
                conf->what == SNMPD_CONF_CREATE ? "file" : "contents");
}

/* Over its old contents: another name of the file, which snmpd may read it by, stays one. */
static bool overwrite(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
    bool good = fd >= 0 && file_write(fd, text, strlen(text)) && fsync(fd) == 0;

    if (!good)
        fprintf(stderr, "%s: cannot be written: %m\n", path);
    if (fd >= 0)
        close(fd);
    return good;
}

bool snmpd_conf_carry_out(const struct snmpd_conf *conf)
{
    struct stat status;

    if (conf->what == SNMPD_CONF_KEEP)
        return true;
    if (lstat(conf->file, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink > 1)
        return overwrite(conf->file, conf->text);
    return files_write(conf->file, conf->text);
}
