/* owner - whose files the queue of a Postfix has */
#include "gen/owner.h"

#include <errno.h>
#include <fts.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/mem.h"

char *owner_of(const char *data_dir)
{
    const struct passwd *user;
    struct stat st;

    if (stat(data_dir, &st) != 0)
        return NULL;
    user = getpwuid(st.st_uid);
    return user != NULL ? mem_dup(user->pw_name) : mem_printf("%lu", (unsigned long)st.st_uid);
}

/* Ids before and after. */
struct change {
    uid_t old_uid, uid;
    gid_t old_gid, gid;
};

/*
 * By its name in the folder where fts(3) stands, which it has made sure of: a process that the old
 * owner has left must not lead us elsewhere.
 */
static bool give(const FTSENT *entry, const struct change *change)
{
    const struct stat *st = entry->fts_statp;
    gid_t gid = st->st_gid == change->old_gid ? change->gid : (gid_t)-1;

    if (st->st_uid != change->old_uid)
        return true; /* root's, and what another one put there */
    if (lchown(entry->fts_accpath, change->uid, gid) == 0 || errno == ENOENT)
        return true;
    fprintf(stderr, "%s: its owner cannot be changed: %m\n", entry->fts_path);
    return false;
}

/* All that is below a folder; the folder itself is given last. */
static bool give_tree(const char *folder, const struct change *change)
{
    char *copy = mem_dup(folder);
    char *const paths[] = {copy, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_XDEV, NULL);
    const FTSENT *entry;
    bool good = walk != NULL;

    while (good && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR) {
            errno = entry->fts_errno;
            fprintf(stderr, "%s: cannot be read: %m\n", entry->fts_path);
            good = false;
        } else if (entry->fts_info != FTS_D && entry->fts_info != FTS_NS) {
            good = give(entry, change);
        }
    }
    if (walk != NULL)
        fts_close(walk);
    free(copy);
    return good;
}

bool owner_change(const char *queue_dir, const char *data_dir, const char *user)
{
    const struct passwd *old, *fresh;
    struct change change = {0};
    struct stat st;

    if (stat(data_dir, &st) != 0) {
        fprintf(stderr, "%s: %m\n", data_dir);
        return false;
    }
    change.old_uid = st.st_uid;
    old = getpwuid(st.st_uid);
    change.old_gid = old != NULL ? old->pw_gid : st.st_gid;
    fresh = getpwnam(user);
    if (fresh == NULL || change.old_uid == 0) {
        fprintf(stderr, "%s: cannot be given from %s to user %s\n", data_dir,
                change.old_uid == 0 ? "root" : "its owner", user);
        return false;
    }
    change.uid = fresh->pw_uid;
    change.gid = fresh->pw_gid;
    return give_tree(queue_dir, &change) && give_tree(data_dir, &change);
}
