/*
 * policy - the settings and rules that are in force, as one whole that is swapped on reload
 *
 * A policy never changes once it is made. Each message takes the one in force when it begins, and
 * keeps it to its end.
 */
#ifndef PEG_POLICY_H
#define PEG_POLICY_H

#include "lib/attr.h"
#include "lib/diag.h"
#include "lib/settings.h"
#include "milter/rules.h"

struct policy {
    struct settings *settings;
    struct rules *rules;
    unsigned long references; /* policy_* only */
};

/*
 * Read the configuration and the rules below root. Every problem is reported to diag. NULL: it is
 * not usable. The caller holds one reference.
 */
struct policy *policy_load(const char *root, struct diag *diag) PEG_MUST_USE;

/* Give a reference back. *policy becomes NULL. Thread-safe. */
void policy_release(struct policy **policy);

/* Put a policy in force; the caller's reference goes over. Thread-safe. */
void policy_install(struct policy *policy);

/* The policy in force, with a reference for the caller; NULL before the first was installed.
 * Thread-safe. */
struct policy *policy_current(void) PEG_MUST_USE;

/* The highest priority of the policy in force. Thread-safe. */
int policy_highest_priority(void) PEG_MUST_USE;

#endif
