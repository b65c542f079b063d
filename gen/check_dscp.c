/* check_dscp - can packets be marked on this machine? */
#include "gen/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen/config_line.h"
#include "gen/dscp.h"
#include "gen/process.h"

enum { STATUS_NOT_FOUND = 127 };

/* The lines that ask for marks, and so are to be named; each once. */
static size_t find_lines(const struct settings *settings, unsigned lines_r[])
{
    size_t count = 0;

    for (int n = PEG_FRONTEND; n < settings->priority_count; n++) {
        const struct settings_instance *own =
            n == PEG_FRONTEND ? &settings->frontend : &settings->instance[n];
        unsigned line;
        bool known = false;

        if (own->dscp == 0 || (n != PEG_FRONTEND && !settings_is_local(settings, n)))
            continue;
        line = config_line_of_instance(settings, "DSCP_CLASS", n);
        for (size_t i = 0; i < count; i++)
            known = known || lines_r[i] == line;
        if (!known)
            lines_r[count++] = line;
    }
    return count;
}

/* Have nft and the kernel look at a script; without root's rights, see whether nft is there. */
static void check_nft(const struct settings *settings, unsigned line, struct diag *diag)
{
    char *probe = dscp_probe();
    const char *const ask[] = {"nft", "--check", probe, NULL};
    const char *const see[] = {"nft", "--version", NULL};
    struct process process;
    char *err = NULL;
    int status = STATUS_NOT_FOUND;

    if (process_start(&process, geteuid() == 0 ? ask : see, PROCESS_NICE_KEEP))
        status = process_finish(&process, NULL, &err);
    if (status == STATUS_NOT_FOUND)
        diag_error(diag, settings->file, line,
                   "DSCP_CLASS needs nft, which does not run: install nftables, or set BE; is "
                   "/usr/sbin in PATH?");
    else if (status != 0)
        diag_error(diag, settings->file, line,
                   "DSCP_CLASS needs nftables, which does not work here: %.*s; use a kernel with "
                   "nf_tables and run this with CAP_NET_ADMIN, or set BE",
                   (int)strcspn(err, "\n"), err);
    free(err);
    free(probe);
}

void check_dscp(const struct settings *settings, struct diag *diag)
{
    unsigned lines[SETTINGS_PRIORITY_MAX + 1];
    size_t count = find_lines(settings, lines);

    for (size_t i = 0; !settings->instance_users && i < count; i++)
        diag_error(diag, settings->file, lines[i],
                   "DSCP_CLASS needs INSTANCE_USERS=yes, since packets are told apart by the user "
                   "who sends them; set that, or BE here");
    if (settings->instance_users && count > 0)
        check_nft(settings, lines[0], diag);
}
