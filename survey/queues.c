/* queues - what stands in the queues of a Postfix instance, from its queue directory */
#include "survey/queues.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 16,    /* of hash_queue_depth, 1 or 2 in practice; each level is an open folder */
    NAME_LEN_MAX = 255 /* VALID_HOSTNAME_LEN, the limit of mail_queue_id_ok() */
};

static const char *const queue_names[QUEUE_COUNT] = {"incoming", "active", "deferred", "hold"};

struct walk {
    bool (*visit)(void *arg, int dir_fd, const char *name);
    void *arg;
};

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Postfix src/global/mail_queue.c: digits and letters; `_` stands in names of the flush service. */
bool queues_is_id(const char *name)
{
    size_t len = strlen(name);

    if (len > NAME_LEN_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(name[i]))
            return false;
    return len > 0;
}

/* Postfix src/util/dir_forest.c: one character of the queue ID, `_` where that is short. */
static bool is_hash_name(const char *name)
{
    return (is_alnum(name[0]) || name[0] == '_') && name[1] == '\0';
}

/* The d_type of an entry, asked for where the file system does not give it; DT_UNKNOWN if gone. */
static unsigned char entry_type(int dir_fd, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return DT_UNKNOWN;
    return S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
}

/* Walk the folder `name` in parent_fd and its hashed subfolders. Returns false with errno, which is
 * 0 where visit() has ended it. */
static bool walk_folder(const struct walk *walk, int parent_fd, const char *name, unsigned depth)
{
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth ? O_NOFOLLOW : 0));
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    bool ok = true;
    int error;

    if (dir == NULL) {
        error = errno;
        if (fd >= 0)
            close(fd);
        errno = error;
        return depth > 0 && error == ENOENT; /* an empty subfolder may go at any time */
    }
    while (ok && (errno = 0, entry = readdir(dir)) != NULL) {
        unsigned char type = DT_UNKNOWN;

        if (queues_is_id(entry->d_name) || is_hash_name(entry->d_name))
            type = entry_type(fd, entry);
        if (type == DT_REG && queues_is_id(entry->d_name)) {
            ok = walk->visit(walk->arg, fd, entry->d_name);
            errno = 0;
        } else if (type == DT_DIR && is_hash_name(entry->d_name) && depth < DEPTH_MAX) {
            ok = walk_folder(walk, fd, entry->d_name, depth + 1);
        }
    }
    error = errno;
    closedir(dir);
    errno = error;
    return ok && error == 0;
}

const char *queues_advice(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "make the instance with 'peg-gen apply'";
    case EACCES:
    case EPERM:
        return "run this as root";
    default:
        return "look at that file system";
    }
}

const char *queues_name(enum queue queue)
{
    return queue_names[queue];
}

bool queues_walk(const char *queue_dir, enum queue queue,
                 bool (*visit)(void *arg, int dir_fd, const char *name), void *arg,
                 char why_r[QUEUES_WHY_SIZE])
{
    const struct walk walk = {.visit = visit, .arg = arg};
    int fd = open(queue_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && walk_folder(&walk, fd, queue_names[queue], 0);

    if (!ok && errno == 0)
        why_r[0] = '\0';
    else if (!ok)
        snprintf(why_r, QUEUES_WHY_SIZE, "%s%s%s: %m, %s", queue_dir, fd < 0 ? "" : "/",
                 fd < 0 ? "" : queue_names[queue], queues_advice(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Postfix makes the queues when it is first started: before that the folder has none of them. */
static bool is_fresh(const char *queue_dir)
{
    int fd = open(queue_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool fresh = fd >= 0;

    for (int queue = 0; fresh && queue < QUEUE_COUNT; queue++)
        fresh = faccessat(fd, queue_names[queue], F_OK, 0) != 0 && errno == ENOENT;
    if (fd >= 0)
        close(fd);
    return fresh;
}

struct walk_all {
    bool (*visit)(void *arg, enum queue queue, int dir_fd, const char *name);
    void *arg;
    enum queue queue;
};

static bool visit_one(void *arg, int dir_fd, const char *name)
{
    struct walk_all *all = arg;

    return all->visit(all->arg, all->queue, dir_fd, name);
}

bool queues_walk_all(const char *queue_dir,
                     bool (*visit)(void *arg, enum queue queue, int dir_fd, const char *name),
                     void *arg, char why_r[QUEUES_WHY_SIZE])
{
    struct walk_all all = {.visit = visit, .arg = arg};

    if (is_fresh(queue_dir))
        return true;
    for (int queue = 0; queue < QUEUE_COUNT; queue++) {
        all.queue = (enum queue)queue;
        if (!queues_walk(queue_dir, all.queue, visit_one, &all, why_r))
            return false;
    }
    return true;
}

static bool count_one(void *arg, enum queue queue, int dir_fd, const char *name)
{
    uint64_t *counts = arg;

    (void)dir_fd;
    (void)name;
    counts[queue]++;
    return true;
}

bool queues_count(const char *queue_dir, struct queue_counts *counts_r, char why_r[QUEUES_WHY_SIZE])
{
    uint64_t counts[QUEUE_COUNT] = {0};

    if (!queues_walk_all(queue_dir, count_one, counts, why_r))
        return false;
    *counts_r = (struct queue_counts){.incoming = counts[QUEUE_INCOMING],
                                      .active = counts[QUEUE_ACTIVE],
                                      .deferred = counts[QUEUE_DEFERRED],
                                      .hold = counts[QUEUE_HOLD]};
    return true;
}

uint64_t queues_total(const struct queue_counts *counts)
{
    return counts->incoming + counts->active + counts->deferred + counts->hold;
}
