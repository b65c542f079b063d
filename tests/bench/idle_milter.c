/*
 * idle_milter - a milter that does nothing
 *
 * all: it is told everything, and answers each step, as one does that negotiates nothing away.
 * nothing: it wants to be told nothing, and there is nothing but the end of each message.
 *
 * usage: idle_milter SOCKET all|nothing    (until SIGTERM)
 */
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <sys/stat.h>

#include "tests/bench/bench.h"

enum {
    NOTHING = SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NODATA |
              SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY | SMFIP_NOUNKNOWN,
    NO_ANSWERS = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA |
                 SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY | SMFIP_NR_UNKN
};

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                             unsigned long unused0, unsigned long unused1, unsigned long *actions_r,
                             unsigned long *steps_r, unsigned long *unused0_r,
                             unsigned long *unused1_r)
{
    static const int stages[] = {SMFIM_CONNECT, SMFIM_HELO, SMFIM_ENVFROM, SMFIM_ENVRCPT,
                                 SMFIM_DATA,    SMFIM_EOM,  SMFIM_EOH};
    char none[] = "{none}"; /* an empty list would mean all that there is by default */

    (void)unused0, (void)unused1;
    *actions_r = 0;
    *steps_r = steps & (NOTHING | NO_ANSWERS);
    *unused0_r = *unused1_r = 0;
    if ((actions & SMFIF_SETSYMLIST) != 0) {
        *actions_r = SMFIF_SETSYMLIST;
        for (size_t n = 0; n < sizeof stages / sizeof *stages; n++)
            smfi_setsymlist(ctx, stages[n], none);
    }
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    (void)ctx, (void)host, (void)address;
    return SMFIS_CONTINUE;
}

static sfsistat on_text(SMFICTX *ctx, char *text)
{
    (void)ctx, (void)text;
    return SMFIS_CONTINUE;
}

static sfsistat on_unknown(SMFICTX *ctx, const char *command)
{
    (void)ctx, (void)command;
    return SMFIS_CONTINUE;
}

static sfsistat on_arguments(SMFICTX *ctx, char **arguments)
{
    (void)ctx, (void)arguments;
    return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    (void)ctx, (void)name, (void)value;
    return SMFIS_CONTINUE;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *body, size_t len)
{
    (void)ctx, (void)body, (void)len;
    return SMFIS_CONTINUE;
}

static sfsistat on_step(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    static char name[] = "idle";
    const struct smfiDesc all = {.xxfi_name = name,
                                 .xxfi_version = SMFI_VERSION,
                                 .xxfi_connect = on_connect,
                                 .xxfi_helo = on_text,
                                 .xxfi_envfrom = on_arguments,
                                 .xxfi_envrcpt = on_arguments,
                                 .xxfi_header = on_header,
                                 .xxfi_eoh = on_step,
                                 .xxfi_body = on_body,
                                 .xxfi_eom = on_step,
                                 .xxfi_abort = on_step,
                                 .xxfi_close = on_step,
                                 .xxfi_unknown = on_unknown,
                                 .xxfi_data = on_step};
    const struct smfiDesc nothing = {.xxfi_name = name,
                                     .xxfi_version = SMFI_VERSION,
                                     .xxfi_flags = SMFIF_SETSYMLIST,
                                     .xxfi_negotiate = on_negotiate};
    char connection[256];

    if (argc != 3 || (strcmp(argv[2], "all") != 0 && strcmp(argv[2], "nothing") != 0))
        give_up("usage: idle_milter SOCKET all|nothing");
    snprintf(connection, sizeof connection, "unix:%s", argv[1]);
    umask(0); /* whoever wants to */
    smfi_setbacklog(1024);
    if (smfi_register(strcmp(argv[2], "all") == 0 ? all : nothing) != MI_SUCCESS ||
        smfi_setconn(connection) != MI_SUCCESS || smfi_opensocket(true) != MI_SUCCESS)
        give_up("%s: libmilter cannot listen", argv[1]);
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
