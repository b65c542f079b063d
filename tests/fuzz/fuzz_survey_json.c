/*
 * fuzz_survey_json - any bytes as a survey in JSON
 *
 * Checks what must hold for every input: a reason where it is refused; what is taken is written and
 * read again as the same.
 */
#include "survey/survey_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct survey survey;
    char why[SURVEY_JSON_WHY_SIZE] = "";

    if (!survey_json_read((const char *)data, size, &survey, why)) {
        check(why[0] != '\0' && strlen(why) < sizeof why);
        return 0;
    }

    char *text = survey_json_write(&survey);

    check(text != NULL);
    check(survey_json_read(text, strlen(text), &survey, why));

    char *again = survey_json_write(&survey);

    check(again != NULL && strcmp(again, text) == 0);
    free(text);
    free(again);
    return 0;
}
