/*
 * smtp - the client's side of the little SMTP that peg-gen doctor speaks (RFC 5321)
 *
 * Functions that return bool leave the reason in the talk's why: what happened to the connection,
 * or the reply that was not the wanted one.
 */
#ifndef PEG_DOCTOR_SMTP_H
#define PEG_DOCTOR_SMTP_H

#include "doctor/talk.h"

/* Read a whole reply, of which the last line stays in reply_r, and want its code to begin so. */
bool smtp_reply(struct talk *talk, const char *code, char reply_r[TALK_LINE_SIZE]) PEG_MUST_USE;

/* The greeting of a server that has just been connected, and EHLO. */
bool smtp_greet(struct talk *talk) PEG_MUST_USE;

/*
 * Send one message from nobody (<>) to one recipient. content: lines that end in CRLF. id_r is the
 * queue ID by which Postfix has taken it, "" where the reply names none.
 */
enum { SMTP_ID_SIZE = 32 };
bool smtp_send(struct talk *talk, const char *recipient, const char *content,
               char id_r[SMTP_ID_SIZE]) PEG_MUST_USE;

/* Say QUIT and close. */
void smtp_quit(struct talk *talk);

#endif
