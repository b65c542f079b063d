/* check_snmp - can AGENTX_SOCKET be a socket that snmpd makes? */
#include "gen/check_parts.h"

#include <string.h>
#include <sys/un.h>

#include "admin/config_line.h"
#include "gen/snmpd_conf.h"

void check_snmp(const struct settings *settings, struct diag *diag)
{
    const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    unsigned line = config_line(settings, "AGENTX_SOCKET");

    if (strlen(settings->root) + strlen(settings->agentx_socket) > room)
        diag_warning(
            diag, settings->file, line,
            "AGENTX_SOCKET is too long for a socket, so there will be no SNMP: name one of "
            "at most %zu bytes, with --root",
            room);
    if (!snmpd_conf_takes_socket(settings->agentx_socket))
        diag_warning(
            diag, settings->file, line,
            "AGENTX_SOCKET cannot be named in snmpd.conf: name one without blanks, commas, "
            "quotes and backslashes");
}
