/*
 * folder - make or change one configuration folder of Postfix, whole or not at all
 *
 * All edits are made in a copy beside the folder, DIR.peg-gen, which then takes its place: a new
 * folder by one rename(2), a changed one file by file, so that neither Postfix nor a later peg-gen
 * ever sees a file that is half changed. What a killed peg-gen left behind is made anew.
 */
#ifndef PEG_GEN_FOLDER_H
#define PEG_GEN_FOLDER_H

#include <stdbool.h>

#include "gen/difference.h"
#include "lib/attr.h"

/*
 * Carry out what a difference says about the files of its folder; template_dir is what a new one is
 * made from. Queue and data folders, owners and the registration are not touched. False after an
 * error on stderr: the folder is then as it was, or each of its files is old or new.
 */
bool folder_change(const char *template_dir, const struct difference *difference) PEG_MUST_USE;

/* Remove what a killed run has left beside a folder. */
void folder_clean(const char *dir);

#endif
