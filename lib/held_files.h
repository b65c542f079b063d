/*
 * held_files - which of some files a process holds locked, seen without locking them
 *
 * A pid file is locked by flock(2) as long as its process runs: those of our daemons by
 * lib/daemon.c, those of Postfix by master(8). Who tries that lock has it for a moment, in which
 * the start of such a process is refused. /proc/locks (proc_locks(5)) names all locks of the
 * machine, and needs no right to open the files; searching their folders is enough.
 *
 * It names a file by the device of its file system and its inode. On btrfs and overlayfs stat(2)
 * tells another device, so that of the mount is taken (mountinfo, proc(5)).
 *
 * Threads: concurrent calls on different objects.
 */
#ifndef PEG_HELD_FILES_H
#define PEG_HELD_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/attr.h"

enum held { HELD_UNKNOWN, HELD_NO, HELD_YES };

struct held_file {
    enum held held;
    /* Its own: */
    bool is_sought; /* it is there; what follows says which file it is */
    uint64_t mount;
    bool has_device;
    dev_t device;
    ino_t inode;
};

/* Note which file path names; links are not followed. HELD_NO where there is none. */
void held_files_note(const char *path, struct held_file *file_r);

/*
 * Set `held` of all files that were noted. HELD_UNKNOWN where the kernel does not say; a process
 * in a PID namespace of its own is not told of locks outside of it. Where mail moves fast a lock
 * that is held all the time may be missing in one reading, so a file counts as not held only where
 * twenty do not have it.
 */
void held_files_find(struct held_file files[], size_t count);

/*
 * The readers behind it, for tests: mountinfo gives the files their devices; in the text of
 * /proc/locks locked files become HELD_YES. false where there is an error of reading.
 */
bool held_files_read_mounts(FILE *mountinfo, struct held_file files[], size_t count) PEG_MUST_USE;
bool held_files_read_locks(FILE *locks, struct held_file files[], size_t count) PEG_MUST_USE;

#endif
