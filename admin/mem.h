/*
 * mem - memory for tools that run once: a failed allocation ends the program
 *
 * Every call returns memory that the caller frees with free(), and never NULL: there is nothing
 * that peg-gen or peg-ctl could still do without it.
 */
#ifndef PEG_ADMIN_MEM_H
#define PEG_ADMIN_MEM_H

#include <stddef.h>
#include <stdio.h>

#include "lib/attr.h"

/* Grow or make an array of count items of size bytes each, as reallocarray(3). */
void *mem_resize(void *old, size_t count, size_t size) PEG_MUST_USE;

char *mem_dup(const char *text) PEG_MUST_USE;
char *mem_dup_len(const char *text, size_t len) PEG_MUST_USE;
char *mem_printf(const char *fmt, ...) PEG_PRINTF(1, 2) PEG_MUST_USE;

/* A stream that writes to memory, as open_memstream(3); the text is there after mem_stream_end().
 */
FILE *mem_stream(char **text, size_t *len) PEG_MUST_USE;
void mem_stream_end(FILE *stream);

#endif
