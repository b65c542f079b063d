/* settings_of - settings from the text of a configuration, or what is said about it */
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
    assert_non_null(settings);
    return settings;
}

/* All that is reported about a wrong text. */
static inline void settings_expect_reports(const char *text, const char *reports)
{
    struct report report;

    report_init(&report);
    struct settings *settings = settings_parse("", text, strlen(text), "f", &report.diag);

    assert_null(settings);
    assert_string_equal(report.text, reports);
}

#endif
