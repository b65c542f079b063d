/*
 * ports - is a port free for a Postfix that is to be started?
 *
 * Postfix sets SO_REUSEPORT on its listening sockets (src/util/inet_listen.c), so that a second one
 * on the same port starts without an error, and the kernel gives each a share of the connections.
 * Mail would take a wrong way in silence: so it is looked at before.
 */
#ifndef PEG_CTL_PORTS_H
#define PEG_CTL_PORTS_H

#include <stdbool.h>

#include "admin/pairs.h"
#include "admin/part.h"
#include "lib/attr.h"
#include "lib/diag.h"
#include "lib/settings.h"

/*
 * Whether nobody listens where this part, which does not run, is going to listen; waits up to 5 s
 * for those who leave, such as processes of a Postfix that has just been stopped. Errors are
 * printed on stderr. A daemon of ours needs no such look: it does not share its port.
 */
bool ports_are_free(const struct settings *settings, const struct part *part) PEG_MUST_USE;

/*
 * The same without waiting, reporting to diag. dir: the folder whose inet_interfaces and
 * inet_protocols count for a frontend; left: inet services ("127.0.0.1:25/inet") whose ports do not
 * matter, since who has them gives them up before, or NULL.
 */
void ports_check(const struct settings *settings, const struct part *part, const char *dir,
                 const struct pairs *left, struct diag *diag);

/* Whether somebody listens on a port of an address of this host. */
bool ports_is_taken(const char *host, int port) PEG_MUST_USE;

/*
 * Whether two inet services of Postfix, such as "smtp" and "127.0.0.1:25", have a port in common
 * and addresses that are not different ones.
 */
bool ports_clash(const char *service, const char *other) PEG_MUST_USE;

/*
 * An address at which a service of FRONTEND_LISTEN or, with PEG_URGENT, of URGENT_LISTEN can be
 * reached from this host, to be freed; NULL after an error on stderr.
 */
char *ports_frontend_host(const struct settings *settings, int frontend,
                          const char *service) PEG_MUST_USE;

/* The port number of an inet service; 0 where /etc/services does not know its name. */
int ports_number(const char *service) PEG_MUST_USE;

#endif
