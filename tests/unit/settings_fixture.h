/* settings_fixture - settings from lines of a configuration that must be right */
#ifndef PEG_SETTINGS_FIXTURE_H
#define PEG_SETTINGS_FIXTURE_H

#include <string.h>

#include "lib/settings.h"
#include "tests/unit/report.h"
#include "tests/unit/unit.h"

static inline struct settings *settings_with(const char *root, const char *lines)
{
    struct report report;

    report_init(&report);
    struct settings *settings = settings_parse(root, lines, strlen(lines), "f", &report.diag);

    assert_string_equal(report.text, "");
    assert_non_null(settings);
    return settings;
}

#endif
