/*
 * command - a command line in sh syntax, taken apart without any shell
 *
 * Understood: words, single and double quotes, backslash escapes (POSIX XCU 2.2), and the facts of
 * a bounce as $NAME or ${NAME}. A fact never ends a word or begins another, whatever stands in it.
 * What only a shell could do (pipes, redirection, other expansions) is an error. Names of files are
 * not expanded: `*`, `?` and `[` stand for themselves.
 */
#ifndef PEG_COMMAND_H
#define PEG_COMMAND_H

#include <stdbool.h>

#include "lib/attr.h"

/* What a command can be told, by its environment and in its words. */
enum command_fact {
    FACT_INSTANCE,   /* postfix4, postfix-frontend or postfix-urgent */
    FACT_PRIORITY,   /* 4; "" for a frontend */
    FACT_QUEUE_ID,   /* of the message that could not be delivered */
    FACT_SENDER,     /* its sender */
    FACT_RECIPIENTS, /* those who do not get it, one a line */
    FACT_REASON,     /* a line for each of them: status and diagnostic text */
    FACT_COUNT,      /* of bounces that this call stands for */
    FACT_NUMBER
};

/* "PEG_BOUNCE_INSTANCE" and so on. */
extern const char *const command_fact_names[FACT_NUMBER];

enum { COMMAND_WHY_SIZE = 256 };

/*
 * The words of a command line, NULL at the end, to be freed with command_free(). NULL where it is
 * wrong, or memory ran out, with the reason in why_r. An empty line is wrong.
 */
char **command_split(const char *text, const char *const facts[FACT_NUMBER],
                     char why_r[COMMAND_WHY_SIZE]) PEG_MUST_USE;

void command_free(char ***words);

/* Whether command_split() takes the line, whatever the facts are. */
bool command_is_good(const char *text, char why_r[COMMAND_WHY_SIZE]) PEG_MUST_USE;

#endif
