/*
 * template - make a configuration folder from another, the first time
 *
 * ROOT/etc/postfix is the template of the frontends and of all instances. Each is copied from it
 * once and is the operator's from then on, save for the parameters that peg-gen keeps.
 */
#ifndef PEG_GEN_TEMPLATE_H
#define PEG_GEN_TEMPLATE_H

#include <stdbool.h>

#include "lib/attr.h"

/*
 * Copy template_dir into dir, an empty folder: main.cf, master.cf and, where these refer to
 * $config_directory, the operator's files and folders beside them. Chroot is off in all services,
 * and there are no inet services. False after an error on stderr.
 */
bool template_fill(const char *template_dir, const char *dir) PEG_MUST_USE;

/*
 * Make the template below root from Postfix's own main.cf.proto and master.cf.proto, and the
 * settings of the default instance that say how Postfix was installed, as postmulti(1) does. Its
 * queue and data directories are below root, too, though nobody should start it.
 */
bool template_make(const char *root, const char *template_dir) PEG_MUST_USE;

/*
 * The settings of main.cf that a copy does not take over: what the template is among the instances
 * of this host is the template's alone. NULL at the end.
 */
extern const char *const template_own_settings[];

/* The folder where the .proto files are, to be freed; NULL where there are none, or after an error.
 */
char *template_proto_dir(void) PEG_MUST_USE;

#endif
