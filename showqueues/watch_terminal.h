/*
 * watch_terminal - the terminal of peg-showqueues --watch: its alternate screen, colours and keys
 *
 * What it can do comes from terminfo(5). One at a time in a process, in one thread.
 */
#ifndef PEG_WATCH_TERMINAL_H
#define PEG_WATCH_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

#include "lib/attr.h"
#include "showqueues/watch_view.h"

struct watch_terminal;

/*
 * The terminal that standard output is. NULL where it is none, or one that cannot place its cursor
 * (TERM=dumb, or unknown to terminfo): text goes there line by line then.
 */
struct watch_terminal *watch_terminal_open(void) PEG_MUST_USE;

/* Free *terminal, after leaving it, and set it to NULL, which it may be. */
void watch_terminal_close(struct watch_terminal **terminal);

/*
 * Take the screen: what stands there is put aside, the cursor is hidden, and keys come one by one
 * and unseen where standard input is a terminal. Also where another program had it meanwhile.
 * Returns false with errno; EINTR where another job of the shell is in the foreground.
 */
bool watch_terminal_enter(struct watch_terminal *terminal) PEG_MUST_USE;

/* Give it back as it was, to stop for a while or for ever; nothing where it was not taken. */
void watch_terminal_leave(struct watch_terminal *terminal);

/*
 * Its size now, its characters, and its styles, none of which are colours where NO_COLOR is set
 * (https://no-color.org). The styles are borrowed from it; note stays as it is.
 */
void watch_terminal_look(const struct watch_terminal *terminal, struct watch_look *look);

/* Show these lines in place of all before. Returns false with errno. */
bool watch_terminal_show(const struct watch_terminal *terminal, const char *text) PEG_MUST_USE;

#endif
