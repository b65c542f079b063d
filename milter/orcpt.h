/*
 * orcpt - the ESMTP parameters of a recipient that takes another's place
 *
 * RFC 3461 4.2: ORCPT says who was meant by the sender, so it must not follow the new spelling.
 * Pure; thread-safe.
 */
#ifndef PEG_ORCPT_H
#define PEG_ORCPT_H

#include "lib/attr.h"

/*
 * The parameters for smfi_addrcpt_par(): params (blank separated), with an ORCPT where there is
 * none: the one that Postfix would have made, of type rfc822 and the address as it was given
 * (src/smtpd/smtpd.c), since it would make it from the new spelling. An ORCPT of type utf-8 (RFC
 * 6533 3) is put in the form that cleanup reads, which takes each for xtext
 * (src/cleanup/cleanup_milter.c). malloc(); NULL: out of memory.
 */
char *orcpt_params(const char *params, const char *given) PEG_MUST_USE;

#endif
