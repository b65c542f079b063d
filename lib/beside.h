/* beside - where our other programs are */
#ifndef PEG_BESIDE_H
#define PEG_BESIDE_H

#include <limits.h>
#include <stdbool.h>

#include "lib/attr.h"

/*
 * The path of another program of ours: beside the one that runs, as in build/ and when installed,
 * or in ../sbin from there. false where there is none. Thread-safe.
 */
bool beside_program(const char *name, char path_r[PATH_MAX]) PEG_MUST_USE;

#endif
