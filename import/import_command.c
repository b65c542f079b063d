/* import_command - the command peg-gen import-rules */
#include "import/import_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "lib/file.h"
#include "lib/options.h"
#include "lib/settings.h"

static void emit_nothing(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

/* 0 where there is no configuration, or none that is good: it is not what is converted here. */
static int priority_count(const char *root)
{
    struct diag diag = {.emit = emit_nothing};
    struct settings *settings = settings_load(root, &diag);
    int count = settings != NULL ? settings->priority_count : 0;

    settings_free(&settings);
    return count;
}

int import_command_run(const char *root, const char *file)
{
    struct diag errors = diag_to_stderr(), warnings = diag_to_stderr();
    size_t text_len;
    char *text = file_read(file, IMPORT_FILE_MAX, &text_len), *result;

    if (text == NULL) {
        diag_error(&errors, file, 0, errno == EFBIG ? "%s; at most 1 MiB is read" : "%s",
                   strerror(errno));
        return EXIT_FAILED;
    }
    result = import_rules(&(struct import_source){.text = text,
                                                  .text_len = text_len,
                                                  .file = file,
                                                  .priority_count = priority_count(root)},
                          &errors, &warnings);
    free(text);
    if (result != NULL && (fputs(result, stdout) == EOF || fflush(stdout) != 0))
        diag_error(&errors, "standard output", 0, "%s", strerror(errno));
    free(result);
    return errors.errors == 0 ? EXIT_DONE : EXIT_FAILED;
}
