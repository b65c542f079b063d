/*
 * message_name - what a message is called where it is decided upon: by its queue ID, 4XyZ0
 *
 * Two Postfixes may give the same queue ID at the same time, so that of the urgent frontend has the
 * word before it that no queue ID begins with: urgent/4XyZ0. Pure; thread-safe.
 */
#ifndef PEG_LIB_MESSAGE_NAME_H
#define PEG_LIB_MESSAGE_NAME_H

enum { MESSAGE_NAME_SIZE = 256 }; /* what is longer is cut, and is no queue ID of Postfix */

/* The name of a message in the queue of this frontend, PEG_FRONTEND or PEG_URGENT. */
void message_name(int frontend, const char *queue_id, char name_r[MESSAGE_NAME_SIZE]);

#endif
