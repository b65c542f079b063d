/* message_name - what a message is called where it is decided upon */
#include "lib/message_name.h"

#include <stdio.h>

#include "lib/settings.h"

void message_name(int frontend, const char *queue_id, char name_r[MESSAGE_NAME_SIZE])
{
    const char *prefix = frontend == PEG_URGENT ? "urgent/" : "";

    snprintf(name_r, MESSAGE_NAME_SIZE, "%s%s", prefix, queue_id);
}
