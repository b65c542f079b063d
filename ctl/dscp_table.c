/* dscp_table - the marks of DSCP_CLASS in the kernel, and the file that they are loaded from */
#include "ctl/dscp_table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/dscp.h"
#include "admin/files.h"
#include "admin/mem.h"
#include "admin/process.h"
#include "lib/file.h"

enum { SCRIPT_SIZE_MAX = 1 << 20, STATUS_NOT_FOUND = 127 };

static char *file_of(const struct settings *settings)
{
    return mem_printf("%s" SETTINGS_DSCP_FILE, settings->root);
}

static char *read_script(const char *path)
{
    size_t len;

    return file_read(path, SCRIPT_SIZE_MAX, &len);
}

static bool load(const char *file)
{
    const char *const argv[] = {"nft", "-f", file, NULL};

    return process_run(argv);
}

/* What nft shows of a table; "" where there is no such table, NULL after an error. */
static char *list_table(const char *table)
{
    const char *const list_names[] = {"nft", "list", "tables", "inet", NULL};
    const char *const list[] = {"nft", "list", "table", "inet", table, NULL};
    char *names = process_output(list_names);
    char *line = mem_printf("table inet %s\n", table);
    bool there = names != NULL && strstr(names, line) != NULL;
    bool failed = names == NULL;

    free(line);
    free(names);
    if (failed)
        return NULL;
    return there ? process_output(list) : mem_dup("");
}

/* As dscp_is_loaded(), for what a file says. */
static int is_loaded(const struct settings *settings, const char *script)
{
    char table[DSCP_TABLE_SIZE];
    char *seal = dscp_seal(script);
    char *listed;
    int loaded = -1;

    dscp_table(settings, table);
    listed = list_table(table);
    if (listed != NULL)
        loaded = seal != NULL ? strstr(listed, seal) != NULL : listed[0] == '\0';
    free(listed);
    free(seal);
    return loaded;
}

int dscp_is_loaded(const struct settings *settings)
{
    char *file = file_of(settings);
    char *script = read_script(file);
    int loaded = script != NULL ? is_loaded(settings, script) : 1;

    free(script);
    free(file);
    return loaded;
}

bool dscp_load(const struct settings *settings)
{
    char *file = file_of(settings);
    bool good = !files_is_file(file) || load(file);

    free(file);
    return good;
}

bool dscp_is_possible(char **why_r)
{
    char *probe = dscp_probe();
    const char *const ask[] = {"nft", "--check", probe, NULL};
    const char *const see[] = {"nft", "--version", NULL};
    struct process process;
    char *err = NULL;
    int status = STATUS_NOT_FOUND;

    if (process_start(&process, geteuid() == 0 ? ask : see, NULL))
        status = process_finish(&process, NULL, &err);
    if (status == STATUS_NOT_FOUND)
        *why_r = mem_dup("nft does not run; install nftables, or set BE (is /usr/sbin in PATH?)");
    else if (status != 0)
        *why_r = mem_printf("nftables does not work here (%.*s); use a kernel with nf_tables and "
                            "run this with CAP_NET_ADMIN, or set BE",
                            (int)strcspn(err, "\n"), err);
    free(err);
    free(probe);
    return status == 0;
}

static bool is_possible(void)
{
    char *why = NULL;
    bool possible = dscp_is_possible(&why);

    free(why); /* check has told it */
    return possible;
}

static enum dscp_what choose(const struct settings *settings, const char *script,
                             const char *present)
{
    if (!dscp_is_wanted(settings) || !is_possible())
        return present != NULL ? DSCP_REMOVE : DSCP_KEEP;
    if (present == NULL)
        return DSCP_CREATE;
    if (strcmp(present, script) != 0)
        return DSCP_REPLACE;
    return geteuid() == 0 && is_loaded(settings, script) != 1 ? DSCP_LOAD : DSCP_KEEP;
}

void dscp_change_init(struct dscp_change *change, const struct settings *settings)
{
    char *present;

    *change = (struct dscp_change){.file = file_of(settings), .script = dscp_script(settings)};
    present = read_script(change->file);
    change->what = choose(settings, change->script, present);
    free(present);
}

void dscp_change_deinit(struct dscp_change *change)
{
    free(change->file);
    free(change->script);
    *change = (struct dscp_change){0};
}

void dscp_change_print(FILE *out, const struct dscp_change *change)
{
    static const char *const texts[] = {
        [DSCP_CREATE] = "new file, loaded by nft",
        [DSCP_REPLACE] = "new contents, loaded by nft",
        [DSCP_LOAD] = "loaded by nft, since the kernel has not what it says",
        [DSCP_REMOVE] = "removed, and its table in the kernel, too",
    };

    if (change->what != DSCP_KEEP)
        fprintf(out, "%s: %s\n", change->file, texts[change->what]);
}

bool dscp_change_carry_out(const struct dscp_change *change)
{
    /* Where no marks are wanted the script takes the table away. */
    if (change->what == DSCP_KEEP)
        return true;
    if (change->what != DSCP_LOAD && !files_write(change->file, change->script))
        return false;
    if (change->what != DSCP_REMOVE)
        return load(change->file);
    /* Without nft there is nothing to take away by it, nor a table that anything was marked by. */
    return (!is_possible() || load(change->file)) && files_remove(change->file);
}
