/*
 * watch_row - numbers, ages and bars of the view of peg-showqueues --watch
 *
 * Pure.
 */
#ifndef PEG_WATCH_ROW_H
#define PEG_WATCH_ROW_H

#include <stdint.h>
#include <stdio.h>

#include "lib/attr.h"
#include "showqueues/watch_view.h"
#include "survey/survey.h"

enum { WATCH_TEXT_SIZE = 32, WATCH_DECADES = 7 /* of a bar: 1 to 1000000 */ };

/* "1234567", "12345k" */
void watch_row_count(uint64_t count, char text_r[WATCH_TEXT_SIZE]);

/* "45s", "12m30s", "5h07m", "3d04h"; "-" for none. */
void watch_row_age(int64_t age_ms, char text_r[WATCH_TEXT_SIZE]);

/* "0", "0.5", "120" */
void watch_row_rate(double per_s, char text_r[WATCH_TEXT_SIZE]);

/* How many of width cells a bar for that many messages has. */
int watch_row_bar_len(uint64_t messages, int width) PEG_MUST_USE;

/* The bar of a Postfix, and blanks up to width cells. */
void watch_row_bar(const struct survey_queue queues[QUEUE_COUNT], int width,
                   const struct watch_look *look, FILE *out);

#endif
