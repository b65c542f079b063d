/* message - the header fields of a message in a file, as a milter would be given them */
#include "milter/message.h"

#include <string.h>

/* The end of the field that begins at start: the newline that no blank follows, or the text's end.
 */
static char *field_end(char *start, char *end)
{
    char *newline = memchr(start, '\n', (size_t)(end - start));

    while (newline != NULL && newline + 1 < end && (newline[1] == ' ' || newline[1] == '\t'))
        newline = memchr(newline + 1, '\n', (size_t)(end - newline - 1));
    return newline != NULL ? newline : end;
}

/* The colon behind a field name, or NULL where this is no header field. */
static char *find_colon(char *start, char *end)
{
    char *c = start;

    while (c<end && * c> ' ' && *c <= '~' && *c != ':')
        c++;
    if (c == start)
        return NULL;
    for (char *blank = c; blank < end; blank++) { /* RFC 5322 4.5: blanks before the colon */
        if (*blank == ':') {
            *c = '\0';
            return blank;
        }
        if (*blank != ' ' && *blank != '\t')
            break;
    }
    return NULL;
}

bool message_read_header(char *text, size_t text_len,
                         bool (*field)(void *arg, const char *name, const char *value), void *arg)
{
    char *end = text + text_len;

    /* mbox files begin with a line of their own, and Postfix takes it off. */
    if (text_len > 5 && memcmp(text, "From ", 5) == 0) {
        text = field_end(text, end);
        text += text < end;
    }
    while (text < end) {
        char *stop = field_end(text, end);
        char *colon = find_colon(text, stop);
        char *value;

        if (colon == NULL)
            break;
        value = colon + 1;
        if (value < stop && *value == ' ')
            value++;
        *(stop > value && stop[-1] == '\r' ? stop - 1 : stop) = '\0';
        if (!field(arg, text, value))
            return false;
        text = stop + 1;
    }
    return true;
}
