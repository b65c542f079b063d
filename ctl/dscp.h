/*
 * dscp - the marks of DSCP_CLASS as a script for nft(8)
 *
 * Every Postfix has a user of its own (INSTANCE_USERS), and nftables knows by which user's process
 * a packet's socket was opened: that holds whatever is restarted, and for every way out. The table
 * is ours alone; what others do with packets they may do before it or after it.
 *
 * Pure: settings in, text out.
 */
#ifndef PEG_CTL_DSCP_H
#define PEG_CTL_DSCP_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/settings.h"

/* The name of the table: of the system's gateway a plain one, below --root one for each root. */
enum { DSCP_TABLE_SIZE = 64 };
void dscp_table(const struct settings *settings, char name_r[DSCP_TABLE_SIZE]);

/* Whether packets of any Postfix of this host are to be marked: a class other than BE, and users of
 * their own. */
bool dscp_is_wanted(const struct settings *settings) PEG_MUST_USE;

/*
 * The script that puts the table in the place of one that is there, at once; where no marks are
 * wanted, the script that takes it away. It names users, which nft looks up. To be freed.
 */
char *dscp_script(const struct settings *settings) PEG_MUST_USE;

/* A script for a kernel and an nft that are only to be asked whether they could carry one out. */
char *dscp_probe(void) PEG_MUST_USE;

/*
 * The words of a script that stand in no other, and that `nft list table` shows, too; to be freed.
 * NULL where it is no script of ours, or one that takes the table away.
 */
char *dscp_seal(const char *script) PEG_MUST_USE;

#endif
