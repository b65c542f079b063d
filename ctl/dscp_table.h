/*
 * dscp_table - the marks of DSCP_CLASS in the kernel, and the file that they are loaded from
 *
 * The file is there as long as the table may be: peg-gen removes the table first. So a gateway that
 * has never marked packets never asks for nftables.
 *
 * Functions that return bool print an error on stderr before they return false.
 */
#ifndef PEG_CTL_DSCP_TABLE_H
#define PEG_CTL_DSCP_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/attr.h"
#include "lib/settings.h"

/* What peg-gen would change: DSCP_LOAD, where the file is right and the kernel has not what it
 * says. */
enum dscp_what { DSCP_KEEP, DSCP_CREATE, DSCP_REPLACE, DSCP_LOAD, DSCP_REMOVE };

struct dscp_change {
    enum dscp_what what;
    char *file;
    char *script; /* what the file should say */
};

/*
 * Whether nft and the kernel can carry such scripts out; for other users than root: whether there
 * is nft. Where not, *why_r is the reason and what to do, to be freed.
 */
bool dscp_is_possible(char **why_r) PEG_MUST_USE;

/*
 * Find out; where marks are not possible, none are wanted. To be freed with dscp_change_deinit().
 * Only root can see into the kernel: for others it has what the file says.
 */
void dscp_change_init(struct dscp_change *change, const struct settings *settings);
void dscp_change_deinit(struct dscp_change *change);

/* Write a line where there is a change. */
void dscp_change_print(FILE *out, const struct dscp_change *change);

/* Make the change, at once for all packets. The users of the instances must be there. */
bool dscp_change_carry_out(const struct dscp_change *change) PEG_MUST_USE;

/*
 * Whether the kernel has the table that the file describes: 1 or 0, also 1 where there is no file;
 * -1 after an error on stderr.
 */
int dscp_is_loaded(const struct settings *settings) PEG_MUST_USE;

/* Load the file, where there is one, in the place of what the kernel has. Needs CAP_NET_ADMIN. */
bool dscp_load(const struct settings *settings) PEG_MUST_USE;

#endif
