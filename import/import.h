/*
 * import - the original's rule file, in the syntax of a Perl hash, as our rules file
 *
 * The original reads /etc/qpsmtpd/addPrivatePriorityDomain.conf as Perl. Here nothing is run: rows
 * of [ "header", qr/pattern/, recipients, priority ] are read in whatever way Perl lets them be
 * quoted and laid out, and everything else is reported and left in the result as a comment.
 */
#ifndef PEG_IMPORT_IMPORT_H
#define PEG_IMPORT_IMPORT_H

#include <stddef.h>

#include "lib/attr.h"
#include "lib/diag.h"

enum { IMPORT_FILE_MAX = 1024 * 1024 };

struct import_source {
    const char *text; /* of the original's file */
    size_t text_len;
    const char *file;   /* its name, for the reports and for the result */
    int priority_count; /* PRIORITY_COUNT here, 0 where it is not known */
};

/*
 * Convert a file. What cannot be converted goes to errors, and stands in the result as a comment;
 * rules that this gateway does not have the priorities for go to warnings. Returns the text of a
 * rules file which peg-milter reads, to be freed with free(); NULL, with an error, where the source
 * is no text.
 */
char *import_rules(const struct import_source *source, struct diag *errors,
                   struct diag *warnings) PEG_MUST_USE;

#endif
