/* macros - what Postfix tells a milter beside the message */
#include "milter/macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/settings.h"
#include "milter/rules.h"

/* To Postfix an empty list means its own one (milter/milter.c, MILTER_MACRO_EVAL), for which it has
 * the sender resolved; a macro that it does not know has no value, and is not sent. */
#define NONE "{none}"

/* No more macros than are read. {mail_addr} always has a value, and so those of the message before
 * never stay in force. */
void macros_ask(SMFICTX *ctx, const char *rules_macros)
{
    static const int without[] = {SMFIM_CONNECT, SMFIM_HELO, SMFIM_DATA, SMFIM_EOH};
    const char *always = *rules_macros != '\0' ? "{mail_addr}" : NONE;
    char none[] = NONE, recipient[] = RULES_RECIPIENT_MACRO, at_end[] = "i v", *of_message = NULL;

    for (size_t n = 0; n < sizeof without / sizeof *without; n++)
        smfi_setsymlist(ctx, without[n], none);
    if (asprintf(&of_message, "%s %s", always, rules_macros) >= 0) {
        smfi_setsymlist(ctx, SMFIM_ENVFROM, of_message);
        free(of_message);
    }
    smfi_setsymlist(ctx, SMFIM_ENVRCPT, recipient);
    smfi_setsymlist(ctx, SMFIM_EOM, at_end);
}

const char *macros_queue_id(SMFICTX *ctx)
{
    char macro[] = "i";
    const char *queue_id = smfi_getsymval(ctx, macro);

    return queue_id != NULL ? queue_id : "NOQUEUE";
}

int macros_frontend(SMFICTX *ctx)
{
    char macro[] = "v", urgent[SETTINGS_NAME_SIZE];
    const char *version = smfi_getsymval(ctx, macro);

    settings_instance_name(PEG_URGENT, urgent);
    return version != NULL && strcspn(version, " ") == strlen(urgent) &&
                   strncmp(version, urgent, strlen(urgent)) == 0
               ? PEG_URGENT
               : PEG_FRONTEND;
}
