/* mib_rows - the values in the rows of the tables of snmp/mib.h; for its files alone */
#ifndef PEG_MIB_ROWS_H
#define PEG_MIB_ROWS_H

#include "snmp/mib.h"
#include "survey/monitored.h"

/*
 * The value in a column of the row of number (and queue, where the table has it); false where there
 * is no such row, or the value is not known.
 */
bool mib_rows_appl(const struct mib_source *source, uint32_t column, int number, enum queue queue,
                   struct mib_value *value_r) PEG_MUST_USE;
bool mib_rows_mta(const struct mib_source *source, uint32_t column, int number, enum queue queue,
                  struct mib_value *value_r) PEG_MUST_USE;
bool mib_rows_group(const struct mib_source *source, uint32_t column, int number, enum queue queue,
                    struct mib_value *value_r) PEG_MUST_USE;

#endif
