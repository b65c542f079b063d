/* control_batch - commands that run at the same time, and what becomes of them */
#include "ctl/control_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/mem.h"
#include "admin/postconf.h"
#include "lib/beside.h"

/* Postfix's daemons write the reason of a failure into their log only. */
static void report_log(const char *dir)
{
    char *log = postconf_expanded(dir, "maillog_file");

    fprintf(stderr, "(the reason is in the mail log%s%s)\n",
            log != NULL && log[0] != '\0' ? ", " : "", log != NULL ? log : "");
    free(log);
}

static void end_one(struct batch *batch, struct batch_command *command)
{
    char *out;
    char *err;
    int status = process_finish(&command->process, &out, &err);

    if (status != 0) {
        process_report((const char *const *)command->words, status, out, err);
        if (strcmp(command->words[0], "postfix") == 0)
            report_log(command->words[2]);
        batch->failed = true;
    }
    free(out);
    free(err);
    for (size_t i = 0; command->words[i] != NULL; i++)
        free(command->words[i]);
}

bool batch_finish(struct batch *batch)
{
    bool good;

    for (size_t i = 0; i < batch->count; i++)
        end_one(batch, &batch->commands[i]);
    good = !batch->failed;
    batch->count = 0;
    batch->failed = false;
    return good;
}

/* Run a command, whose words the batch takes over. */
static bool add(struct batch *batch, char *const words[], const struct process_share *share)
{
    struct batch_command *command;
    bool good = true;
    size_t i = 0;

    if (batch->count == BATCH_MAX)
        good = batch_finish(batch);
    command = &batch->commands[batch->count];
    for (; words[i] != NULL; i++)
        command->words[i] = words[i];
    command->words[i] = NULL;
    if (process_start(&command->process, (const char *const *)command->words, share)) {
        batch->count++;
        return good;
    }
    for (i = 0; command->words[i] != NULL; i++)
        free(command->words[i]);
    return false;
}

bool batch_command(struct batch *batch, const struct part *part, const char *command)
{
    char *const words[] = {mem_dup("postfix"), mem_dup("-c"), mem_dup(part->dir), mem_dup(command),
                           NULL};
    bool starts = strcmp(command, "start") == 0;

    return add(batch, words, starts ? &part->share : NULL);
}

bool batch_start(struct batch *batch, const struct settings *settings, const struct part *part)
{
    char path[PATH_MAX];
    char *program;

    if (part->dir != NULL)
        return batch_command(batch, part, "start");
    if (!beside_program(part->name, path)) {
        fprintf(stderr, "%s: no such program beside this one\n", part->name);
        return false;
    }
    program = mem_dup(path);
    if (settings->root[0] != '\0') {
        char *const words[] = {program, mem_dup("--root"), mem_dup(settings->root), NULL};

        return add(batch, words, NULL);
    }
    char *const words[] = {program, NULL};

    return add(batch, words, NULL);
}
