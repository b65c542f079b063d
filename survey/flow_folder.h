/*
 * flow_folder - the folder of one queue under watch, with its hashed subfolders (hash_queue_names)
 *
 * Not for concurrent use on one inotify descriptor.
 */
#ifndef PEG_FLOW_FOLDER_H
#define PEG_FLOW_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "survey/queues.h"

/* Of subfolders, "A/4/"; "" of the queue itself. Twice the depth that Postfix allows, and NUL. */
enum { FLOW_BELOW_SIZE = 2 * 16 + 1 };

struct flow_watch {
    int wd;
    char below[FLOW_BELOW_SIZE];
};

struct flow_folder {
    enum queue queue;
    int inotify_fd; /* borrowed */
    uint32_t events;
    int fd; /* of the queue, to open files in; -1: not watched */
    dev_t dev;
    ino_t ino;
    struct flow_watch *watches;
    size_t watch_count;
};

/* Nothing is watched yet. The events are those of files that are wanted, as inotify(7) has them;
 * those of subfolders are wanted in any case. */
void flow_folder_init(struct flow_folder *folder, enum queue queue, int inotify_fd,
                      uint32_t events);

/*
 * Watch the queue in queue_dir: anew where the folder is not the one that is watched. *changed_r is
 * set to true where that was so, or untouched. Returns false with errno where it is not watched
 * now.
 */
bool flow_folder_watch(struct flow_folder *folder, const char *queue_dir,
                       bool *changed_r) PEG_MUST_USE;

/* Watch a subfolder that was made in a watched one, where its name is that of a hashed one. Returns
 * false with errno where it cannot be watched. */
bool flow_folder_add(struct flow_folder *folder, const char *queue_dir,
                     const struct flow_watch *parent, const char *name) PEG_MUST_USE;

/* The watch of that descriptor, borrowed until the next call; NULL: not of this folder. */
const struct flow_watch *flow_folder_find(const struct flow_folder *folder, int wd) PEG_MUST_USE;

/* The kernel has ended a watch: its folder is gone. That of the queue ends them all. */
void flow_folder_ended(struct flow_folder *folder, int wd);

/* Watch it no more, and free what it has. */
void flow_folder_end(struct flow_folder *folder);

#endif
