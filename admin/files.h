/*
 * files - the few things that peg-gen does with files by itself
 *
 * Every function prints an error on stderr, with the path, before it returns false.
 */
#ifndef PEG_ADMIN_FILES_H
#define PEG_ADMIN_FILES_H

#include <stdbool.h>

#include "lib/attr.h"

enum { FILES_CF_SIZE_MAX = 4 << 20 }; /* bytes of a main.cf or master.cf */

/* Whether there is a regular file, or a folder, of that name. */
bool files_is_file(const char *path) PEG_MUST_USE;
bool files_is_folder(const char *path) PEG_MUST_USE;

/* Whether there is something in a folder. */
bool files_has_entries(const char *path) PEG_MUST_USE;

/*
 * Make a folder and its missing parents. The folder itself gets mode and, where owner is not NULL
 * and this is root, that user and the user's group; the parents get 0755. One that exists is left
 * as it is.
 */
bool files_make_folder(const char *path, unsigned mode, const char *owner) PEG_MUST_USE;

/* Replace a file's contents at once, by rename(2): readers see the old or the new. Mode 0644. */
bool files_write(const char *path, const char *text) PEG_MUST_USE;

/* Remove a file, where it is there. */
bool files_remove(const char *path) PEG_MUST_USE;

/* Make an empty file, 0644, that belongs to owner as in files_make_folder(); one there is left. */
bool files_make_empty(const char *path, const char *owner) PEG_MUST_USE;

/* Let the group of a user write to a file, too. */
bool files_share(const char *path, const char *user) PEG_MUST_USE;

/* Remove a folder with all that is in it, where it is there; a link is left. */
void files_remove_folder(const char *path);

/* The same for the folder that stands beside path, with suffix behind its name. */
void files_remove_beside(const char *path, const char *suffix);

/* Make durable what was created, renamed or removed in a folder, or in the one around path. */
bool files_sync_folder(const char *path) PEG_MUST_USE;
bool files_sync_parent(const char *path) PEG_MUST_USE;

/* Copy a regular file with its mode; the copy belongs to the caller's user. */
bool files_copy(const char *from, const char *to) PEG_MUST_USE;

#endif
