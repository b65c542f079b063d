/* watch_terminal - the terminal of peg-showqueues --watch: its alternate screen, colours and keys
 */
#include "showqueues/watch_terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NCURSES_NOMACROS
#include <curses.h>
#include <term.h>

#include "lib/file.h"

enum { WIDTH = 80, HEIGHT = 24 }; /* of one that does not tell */

/* Capabilities, as terminfo(5) names them. */
enum string { CUP, EL, ED, SMCUP, RMCUP, CIVIS, CNORM, SGR0, BOLD, SETAF, STRING_COUNT };

static const char *const names[STRING_COUNT] = {
    [CUP] = "cup",     [EL] = "el",       [ED] = "ed",     [SMCUP] = "smcup", [RMCUP] = "rmcup",
    [CIVIS] = "civis", [CNORM] = "cnorm", [SGR0] = "sgr0", [BOLD] = "bold",   [SETAF] = "setaf",
};

enum { COLOUR_COUNT = 8, STYLE_SIZE = 64 };

struct watch_terminal {
    char *strings[STRING_COUNT]; /* "" where it has none */
    char colours[COLOUR_COUNT][STYLE_SIZE];
    char alarm[STYLE_SIZE];
    bool has_keys;
    struct termios before; /* where has_keys */
    bool is_entered;
};

/* Capabilities may ask for pauses, `$<5>`, as terminals needed that were built before 1990. */
static char *without_pauses(const char *string)
{
    char *copy = strdup(string);
    char *to = copy;

    if (copy == NULL)
        return NULL;
    for (const char *from = copy; *from != '\0';) {
        const char *end = strncmp(from, "$<", 2) == 0 ? strchr(from, '>') : NULL;

        if (end != NULL)
            from = end + 1;
        else
            *to++ = *from++;
    }
    *to = '\0';
    return copy;
}

/* Returns false where there is no memory. */
static bool read_strings(struct watch_terminal *terminal)
{
    for (int i = 0; i < STRING_COUNT; i++) {
        const char *found = tigetstr(names[i]);

        if (found == NULL || found == (char *)-1)
            found = "";
        terminal->strings[i] = without_pauses(found);
        if (terminal->strings[i] == NULL)
            return false;
    }
    return true;
}

static void make_styles(struct watch_terminal *terminal)
{
    const char *no_color = getenv("NO_COLOR");
    bool has_colours = tigetnum("colors") >= COLOUR_COUNT && terminal->strings[SETAF][0] != '\0' &&
                       (no_color == NULL || no_color[0] == '\0');

    for (int colour = 0; has_colours && colour < COLOUR_COUNT; colour++)
        snprintf(terminal->colours[colour], STYLE_SIZE, "%s",
                 tiparm(terminal->strings[SETAF], colour));
    snprintf(terminal->alarm, sizeof terminal->alarm, "%s%s", terminal->strings[BOLD],
             terminal->colours[COLOR_RED]);
}

struct watch_terminal *watch_terminal_open(void)
{
    struct watch_terminal *terminal;
    int status;

    if (isatty(STDOUT_FILENO) == 0 || setupterm(NULL, STDOUT_FILENO, &status) != OK)
        return NULL;
    terminal = calloc(1, sizeof *terminal);
    if (terminal == NULL || !read_strings(terminal) || terminal->strings[CUP][0] == '\0' ||
        terminal->strings[EL][0] == '\0' || terminal->strings[ED][0] == '\0') {
        watch_terminal_close(&terminal);
        return NULL;
    }
    make_styles(terminal);
    terminal->has_keys = tcgetattr(STDIN_FILENO, &terminal->before) == 0;
    return terminal;
}

void watch_terminal_close(struct watch_terminal **terminal)
{
    if (*terminal != NULL)
        for (int i = 0; i < STRING_COUNT; i++)
            free((*terminal)->strings[i]);
    free(*terminal);
    *terminal = NULL;
    del_curterm(cur_term);
}

static bool say(const char *text)
{
    return file_write(STDOUT_FILENO, text, strlen(text));
}

static int size_of(int told, const char *capability, int otherwise)
{
    int known = told > 0 ? told : tigetnum(capability);

    return known > 0 ? known : otherwise;
}

static void measure(int *width_r, int *height_r)
{
    struct winsize size = {0};

    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *width_r = size_of(size.ws_col, "cols", WIDTH);
    *height_r = size_of(size.ws_row, "lines", HEIGHT);
}

static void ignore(int signal_number)
{
    (void)signal_number;
}

/* In the background tcsetattr() would stop here, and whoever ends this process would wait for ever.
 * Returns false with errno, EINTR there. */
static bool set_modes(const struct termios *modes)
{
    const struct sigaction interrupt = {.sa_handler = ignore};
    struct sigaction before;
    bool ok;
    int error;

    sigaction(SIGTTOU, &interrupt, &before);
    ok = tcsetattr(STDIN_FILENO, TCSADRAIN, modes) == 0;
    error = errno;
    sigaction(SIGTTOU, &before, NULL);
    errno = error;
    return ok;
}

bool watch_terminal_enter(struct watch_terminal *terminal)
{
    struct termios keys = terminal->before;

    if (terminal->has_keys) {
        keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        keys.c_cc[VMIN] = 1;
        keys.c_cc[VTIME] = 0;
        if (!set_modes(&keys))
            return false;
    }
    terminal->is_entered = true;
    return say(terminal->strings[SMCUP]) && say(terminal->strings[CIVIS]);
}

void watch_terminal_leave(struct watch_terminal *terminal)
{
    int width, height;

    if (!terminal->is_entered)
        return;
    terminal->is_entered = false;
    measure(&width, &height);
    if (terminal->strings[RMCUP][0] == '\0') /* what was shown stays: go on below it */
        (void)!say(tiparm(terminal->strings[CUP], height - 1, 0));
    (void)!(say(terminal->strings[SGR0]) && say(terminal->strings[CNORM]) &&
            say(terminal->strings[RMCUP]));
    if (terminal->has_keys)
        (void)!set_modes(&terminal->before);
}

void watch_terminal_look(const struct watch_terminal *terminal, struct watch_look *look)
{
    measure(&look->width, &look->height);
    look->is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    look->style = (struct watch_style){.plain = terminal->strings[SGR0],
                                       .heading = terminal->strings[BOLD],
                                       .alarm = terminal->alarm,
                                       .moving = terminal->colours[COLOR_GREEN],
                                       .deferred = terminal->colours[COLOR_YELLOW],
                                       .hold = terminal->colours[COLOR_CYAN]};
}

bool watch_terminal_show(const struct watch_terminal *terminal, const char *text)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *screen = open_memstream(&bytes, &len);
    int width, height;
    int row = 0;
    bool ok;

    if (screen == NULL)
        return false;
    measure(&width, &height);
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1, row++)
        fprintf(screen, "%s%s%.*s", tiparm(terminal->strings[CUP], row, 0), terminal->strings[EL],
                (int)(end - text), text);
    if (row < height)
        fprintf(screen, "%s%s", tiparm(terminal->strings[CUP], row, 0), terminal->strings[ED]);
    ok = fclose(screen) == 0 && file_write(STDOUT_FILENO, bytes, len);
    free(bytes);
    return ok;
}
