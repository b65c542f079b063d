/*
 * as_user - look at something as another user would see it, from a child process
 *
 * The child gives up all rights but that user's (lib/daemon.h), and is killed where it takes too
 * long: nothing that it waits for holds up its parent.
 */
#ifndef PEG_ADMIN_AS_USER_H
#define PEG_ADMIN_AS_USER_H

#include <stdbool.h>

#include "lib/attr.h"

enum { AS_USER_TEXT_SIZE = 512 };

/*
 * Call look in such a child, which is in that user's own group and, where group is not NULL, in
 * that one. Returns what it returns, and in text_r what it wrote there: up to AS_USER_TEXT_SIZE - 1
 * bytes. False with the reason in text_r where it came to nothing.
 */
bool as_user(const char *user, const char *group,
             bool (*look)(void *arg, char text_r[AS_USER_TEXT_SIZE]), void *arg, long limit_ms,
             char text_r[AS_USER_TEXT_SIZE]) PEG_MUST_USE;

#endif
