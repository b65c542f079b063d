/*
 * reload_note - whether a daemon has taken over its new configuration
 *
 * A reload is asked for by a signal, which brings no answer. So the daemon writes after each one
 * how many there were since its start, and whether the last was taken, into a file in the run
 * folder.
 */
#ifndef PEG_RELOAD_NOTE_H
#define PEG_RELOAD_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/settings.h"

struct reload_note {
    long pid;            /* of the daemon; set by reload_note_write() */
    unsigned long count; /* reloads since the daemon's start */
    bool taken;          /* the last one; false: it was refused, and the log says why */
    int64_t wall_ms;     /* when that was, by the file's time; set by reload_note_read() */
};

/* Write the note of a program. A failure is logged: who asked then waits in vain for a while. */
void reload_note_write(const struct settings *settings, const char *program,
                       const struct reload_note *note);

/* Read it. False where there is none: no such daemon has reloaded since the machine was started. */
bool reload_note_read(const struct settings *settings, const char *program,
                      struct reload_note *note_r) PEG_MUST_USE;

/*
 * What a daemon does at a reload that has no more than its settings: put those in the file in the
 * place of *settings or, where they have errors, leave the old ones, which the log says; and write
 * the note.
 */
void reload_settings(struct settings **settings, const char *program, struct reload_note *note);

#endif
