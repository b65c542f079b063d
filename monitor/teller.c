/* teller - what each round of peg-monitor means for operators */
#include "monitor/teller.h"

#include <stdlib.h>

#include "admin/postconf.h"
#include "lib/log.h"
#include "snmp/agentx.h"
#include "snmp/latest.h"
#include "survey/alarms.h"

struct teller {
    struct alarms alarms;
    struct latest *latest;
    struct agentx *agentx; /* NULL: no SNMP */
};

static void tell(void *arg, const struct alarm_event *event)
{
    const struct teller *teller = arg;

    alarms_log(event);
    if (teller->agentx != NULL)
        agentx_tell(teller->agentx, event);
}

static struct agentx *start_agentx(const struct settings *settings, struct latest *latest)
{
    char socket[PATH_MAX];
    char *version = NULL;
    struct agentx *agentx = NULL;

    if (!settings_path(settings, settings->agentx_socket, socket)) {
        log_error("AGENTX_SOCKET: the path %s is too long", settings->agentx_socket);
        return NULL;
    }
    version = postconf_builtin("mail_version");
    agentx = agentx_start(socket, version != NULL ? version : "", latest);
    free(version);
    return agentx;
}

struct teller *teller_start(const struct settings *settings)
{
    struct teller *teller = calloc(1, sizeof *teller);

    if (teller == NULL || (teller->latest = latest_new()) == NULL) {
        log_error("%m");
        free(teller);
        return NULL;
    }
    if (settings->agentx_socket[0] != '\0')
        teller->agentx = start_agentx(settings, teller->latest);
    return teller;
}

void teller_round(struct teller *teller, const struct settings *settings,
                  const struct survey *survey)
{
    if (!latest_publish(teller->latest, survey))
        log_error("%m");
    alarms_update(&teller->alarms, settings, survey, tell, teller);
}

void teller_stop(struct teller **teller)
{
    if (*teller == NULL)
        return;
    if (agentx_stop(&(*teller)->agentx))
        latest_free(&(*teller)->latest);
    free(*teller);
    *teller = NULL;
}
