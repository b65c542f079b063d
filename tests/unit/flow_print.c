/*
 * flow_print - what has gone through the queues of a gateway so far, for each line of input: a line
 * for each Postfix, an empty one at the end
 *
 * Usage: flow_print ROOT. The first such block tells that it has begun to count. What it counts is
 * what peg-monitor counts: this is its thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "monitor/flow_thread.h"

static void print(const struct survey_instance *instance)
{
    const struct survey_flow *flow = &instance->flow;
    char name[SETTINGS_NAME_SIZE];

    settings_instance_name(instance->instance, name);
    printf("%s known=%d received=%" PRIu64 ",%" PRIu64 ",%" PRIu64 " left=%" PRIu64 ",%" PRIu64
           ",%" PRIu64 "\n",
           name, flow->is_known, flow->received_messages, flow->received_octets,
           flow->received_recipients, flow->left_messages, flow->left_octets,
           flow->left_recipients);
}

int main(int argc, char **argv)
{
    struct diag diag = diag_to_stderr();
    struct settings *settings = argc == 2 ? settings_load(argv[1], &diag) : NULL;
    static struct survey survey;
    struct flow_thread thread;

    if (settings == NULL)
        return EXIT_FAILURE;
    flow_thread_start(&thread, settings);
    do {
        if (!survey_take(settings, SURVEY_COUNTS, NULL, NULL, &survey))
            return EXIT_FAILURE;
        flow_thread_round(&thread, settings, &survey);
        for (size_t i = 0; i < survey.instance_count; i++)
            print(&survey.instances[i]);
        putchar('\n');
        fflush(stdout);
    } while (getchar() == '\n');
    flow_thread_end(&thread);
    settings_free(&settings);
    return EXIT_SUCCESS;
}
