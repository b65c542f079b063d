/*
 * where - the line of main.cf or master.cf that says something, for reports
 *
 * All lines count from 1; 0: not found, or the file cannot be read.
 */
#ifndef PEG_GEN_WHERE_H
#define PEG_GEN_WHERE_H

#include <stddef.h>

#include "lib/attr.h"

/* The line of main.cf in a folder that sets a parameter: the last, which counts. */
unsigned where_parameter(const char *dir, const char *parameter) PEG_MUST_USE;

/* The line of master.cf that sets an option of a service ("smtp/inet"), or where that begins. */
unsigned where_option(const char *dir, const char *service, const char *option) PEG_MUST_USE;

/* The same in text. */
unsigned where_parameter_in(const char *text, const char *parameter) PEG_MUST_USE;
unsigned where_option_in(const char *text, const char *service, const char *option) PEG_MUST_USE;

#endif
