/* settings_of - settings from the text of a configuration in which nothing is wrong */
#ifndef PEG_UNIT_SETTINGS_OF_H
#define PEG_UNIT_SETTINGS_OF_H

#include <string.h>

#include "lib/settings.h"
#include "tests/unit/report.h"
#include "tests/unit/unit.h"

/* To be freed with settings_free(). */
static inline struct settings *settings_of(const char *root, const char *text)
{
    struct report report;

    report_init(&report);
    struct settings *settings = settings_parse(root, text, strlen(text), "f", &report.diag);

    assert_string_equal(report.text, "");
    return settings;
}

#endif
