/*
 * units - what systemd is told of the settings: drop-ins for our units, Postfixes to start at boot
 *
 * The units in conf/systemd hold the defaults. Where a setting differs, a drop-in follows it, and
 * each Postfix that there is becomes part of our target. Units that the distribution has for each
 * registered instance (Debian's postfix@.service) are masked for ours: they would start nothing,
 * since ours are not enabled (gen/registry.h), and fail when they stop it. Nothing is done where
 * systemd is not the service manager of the gateway (ctl/service_manager.h).
 */
#ifndef PEG_GEN_UNITS_H
#define PEG_GEN_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "admin/pairs.h"
#include "lib/attr.h"
#include "lib/settings.h"

enum units_action { UNITS_ENABLE, UNITS_MASK, UNITS_DISABLE, UNITS_UNMASK, UNITS_ACTION_COUNT };

/* What has to be changed. All zero is nothing. */
struct units {
    struct pairs files; /* drop-in -> its contents; "" where it has to go */
    struct pairs units[UNITS_ACTION_COUNT];
    bool reload; /* systemd has not read what is there */
};

/*
 * The drop-ins that these settings need, each with its contents, "" where there is to be none.
 * setgid_group: that of the frontend's Postfix. Pure.
 */
void units_plan_files(const struct settings *settings, const char *setgid_group,
                      struct pairs *files);

/* Find out what to change; changes nothing. To be freed with units_deinit(). */
void units_prepare(const struct settings *settings, struct units *units);
void units_deinit(struct units *units);

/* How many changes there are. */
size_t units_count(const struct units *units) PEG_MUST_USE;

/* Write a line for each change. */
void units_print(FILE *out, const struct units *units);

/*
 * Make the changes, and write a line for each; units_drop() those for instances that are removed.
 * They start and stop nothing. False after an error on stderr.
 */
bool units_carry_out(const struct units *units, FILE *out) PEG_MUST_USE;
bool units_drop(const struct units *units, FILE *out) PEG_MUST_USE;

#endif
