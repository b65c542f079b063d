/*
 * notice - read what Postfix sends to bounce_notice_recipient, without trusting it
 *
 * Pure. Anybody may send mail to that address, and what stands in a genuine notice (addresses,
 * words of other mail servers) comes from strangers as well.
 */
#ifndef PEG_BOUNCE_NOTICE_H
#define PEG_BOUNCE_NOTICE_H

#include <stddef.h>

#include "lib/attr.h"

enum {
    /* Of a whole one; what goes beyond is not read. Of 1000 recipients (smtpd_recipient_limit) each
     * has two long replies in it, and the part for programs comes last. */
    NOTICE_SIZE_MAX = 1 << 24,
    NOTICE_ID_SIZE = 256,
    NOTICE_SENDER_SIZE = 1024,
    NOTICE_LIST_SIZE = 32 * 1024 /* so that an environment can hold it: 128 KiB is Linux's limit */
};

enum notice_kind {
    NOTICE_BOUNCE,  /* a message went back to its sender */
    NOTICE_OTHER,   /* made by this Postfix, but nothing went back to anybody */
    NOTICE_FOREIGN, /* not made by this Postfix */
};

/* What a NOTICE_BOUNCE says. Control characters are `?` here; texts are cut where they are long. */
struct notice {
    char queue_id[NOTICE_ID_SIZE];     /* of the message that could not be delivered */
    char sender[NOTICE_SENDER_SIZE];   /* its sender, to whom it went back */
    char recipients[NOTICE_LIST_SIZE]; /* who do not get it: whole addresses, newlines between */
    char reasons[NOTICE_LIST_SIZE];    /* as many lines: status and diagnostic text */
    size_t recipient_count;            /* all of them */
    size_t listed_count;               /* those that found room in the lists */
};

/*
 * Read a notice as local(8) pipes it, with or without a `From ` line. mail_name is that of the
 * Postfix which has to have made it. own_address is the address that it was sent to: who is told
 * that a message to it failed need not be told again, so that such recipients do not count.
 * *notice_r has a meaning for NOTICE_BOUNCE only.
 */
enum notice_kind notice_read(const char *text, size_t len, const char *mail_name,
                             const char *own_address, struct notice *notice_r) PEG_MUST_USE;

/* Where the message begins: behind the `From ` line, where there is one. */
size_t notice_start(const char *text, size_t len) PEG_MUST_USE;

#endif
