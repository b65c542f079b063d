/* policy - the settings and rules that are in force */
#include "milter/policy.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t policy_lock = PTHREAD_MUTEX_INITIALIZER; /* for all below, and references */
static struct policy *policy_in_force;

struct policy *policy_load(const char *root, struct diag *diag)
{
    struct policy *policy = calloc(1, sizeof *policy);
    char path[PATH_MAX];

    if (policy == NULL) {
        diag_error(diag, "rules", 0, "out of memory");
        return NULL;
    }
    policy->references = 1;
    policy->settings = settings_load(root, diag);
    if (policy->settings != NULL) {
        if (settings_path(policy->settings, SETTINGS_RULES_FILE, path))
            policy->rules = rules_load(path, policy->settings->priority_count, diag);
        else
            diag_error(diag, root, 0, "the path of the rules file is too long");
    }
    if (policy->rules == NULL)
        policy_release(&policy);
    return policy;
}

void policy_release(struct policy **policy_ptr)
{
    struct policy *policy = *policy_ptr;
    unsigned long left;

    *policy_ptr = NULL;
    if (policy == NULL)
        return;
    pthread_mutex_lock(&policy_lock);
    left = --policy->references;
    pthread_mutex_unlock(&policy_lock);
    if (left > 0)
        return;
    rules_free(&policy->rules);
    settings_free(&policy->settings);
    free(policy);
}

void policy_install(struct policy *policy)
{
    struct policy *before;

    pthread_mutex_lock(&policy_lock);
    before = policy_in_force;
    policy_in_force = policy;
    pthread_mutex_unlock(&policy_lock);
    policy_release(&before);
}

struct policy *policy_current(void)
{
    struct policy *policy;

    pthread_mutex_lock(&policy_lock);
    policy = policy_in_force;
    if (policy != NULL)
        policy->references++;
    pthread_mutex_unlock(&policy_lock);
    return policy;
}

int policy_highest_priority(void)
{
    struct policy *policy = policy_current();
    int highest = policy->settings->priority_count - 1;

    policy_release(&policy);
    return highest;
}
