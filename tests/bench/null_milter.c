/*
 * null_milter - a milter that does nothing: what any milter costs at the least, or at the most
 *
 * usage: null_milter SOCKET everything|nothing
 *
 * SOCKET in libmilter's form, unix:/path. `everything`: all events, the body included, each
 * answered before Postfix goes on, as libmilter does by itself. `nothing`: none but the end of the
 * message.
 */
#include <libmilter/mfapi.h>
#include <sys/stat.h>

#include "tests/bench/bench.h"

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    (void)ctx;
    (void)host;
    (void)address;
    return SMFIS_CONTINUE;
}

static sfsistat on_text(SMFICTX *ctx, char *text)
{
    (void)ctx;
    (void)text;
    return SMFIS_CONTINUE;
}

static sfsistat on_command(SMFICTX *ctx, const char *command)
{
    (void)ctx;
    (void)command;
    return SMFIS_CONTINUE;
}

static sfsistat on_address(SMFICTX *ctx, char **words)
{
    (void)ctx;
    (void)words;
    return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    (void)ctx;
    (void)name;
    (void)value;
    return SMFIS_CONTINUE;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    return SMFIS_CONTINUE;
}

static sfsistat on_event(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    static char name[] = "null_milter";
    static const struct smfiDesc everything = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_text,
        .xxfi_envfrom = on_address,
        .xxfi_envrcpt = on_address,
        .xxfi_header = on_header,
        .xxfi_eoh = on_event,
        .xxfi_body = on_body,
        .xxfi_eom = on_event,
        .xxfi_abort = on_event,
        .xxfi_close = on_event,
        .xxfi_unknown = on_command,
        .xxfi_data = on_event,
    };
    static const struct smfiDesc nothing = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_eom = on_event,
    };

    if (argc != 3 || (strcmp(argv[2], "everything") != 0 && strcmp(argv[2], "nothing") != 0))
        give_up("usage: null_milter SOCKET everything|nothing");
    umask(0); /* Postfix connects as another user */
    if (smfi_register(*argv[2] == 'e' ? everything : nothing) != MI_SUCCESS ||
        smfi_setconn(argv[1]) != MI_SUCCESS)
        give_up("%s: libmilter refuses", argv[1]);
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
