/*
 * service_manager - systemd, where it is this host's: the units of the parts, started and stopped
 *
 * What systemd has started it must also be asked to stop, and what it is to watch over it must have
 * started itself. So where it runs, and has our units, start and stop of a part go through
 * systemctl(1); the units then call peg-ctl with --direct. Reloads do not change systemd's view.
 */
#ifndef PEG_CTL_SERVICE_MANAGER_H
#define PEG_CTL_SERVICE_MANAGER_H

#include <stdbool.h>

#include "admin/part.h"
#include "lib/attr.h"
#include "lib/settings.h"

#define SERVICE_MANAGER_TARGET "priority-email-gateway.target"

enum { SERVICE_MANAGER_UNIT_SIZE = SETTINGS_NAME_SIZE + 16 };

/* Whether systemd is the running service manager, our units are installed, and there is no --root.
 */
bool service_manager_is_used(const struct settings *settings) PEG_MUST_USE;

/* Whether systemd finds a unit file of that name. */
bool service_manager_has_unit(const char *name) PEG_MUST_USE;

/* The service unit of a part: "peg-tcpmap.service", "peg-instance@4.service". */
void service_manager_unit(const struct part *part, char unit_r[SERVICE_MANAGER_UNIT_SIZE]);

/*
 * Have systemd start or stop parts, all of them in one transaction, which keeps to the order in the
 * units. Returns when they serve, or are gone; false after an error on stderr.
 */
bool service_manager_start(const struct selection *selection) PEG_MUST_USE;
bool service_manager_stop(const struct selection *selection) PEG_MUST_USE;

#endif
