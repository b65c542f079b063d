/* loop - a round every minute, and signals between the rounds and in them */
#include "monitor/loop.h"

/* The next time after now_ms that is whole intervals after due_ms. */
static int64_t next_due(int64_t due_ms, int64_t now_ms)
{
    return due_ms + ((now_ms - due_ms) / LOOP_INTERVAL_MS + 1) * LOOP_INTERVAL_MS;
}

void loop_run(const struct loop *loop)
{
    int64_t due_ms = loop->now_ms(loop->arg);

    for (;;) {
        int64_t now_ms = loop->now_ms(loop->arg);

        if (now_ms >= due_ms) {
            loop->round(loop->arg);
            now_ms = loop->now_ms(loop->arg);
            due_ms = next_due(due_ms, now_ms);
        }
        switch (loop->wait(loop->arg, due_ms - now_ms)) {
        case LOOP_END:
            return;
        case LOOP_RELOAD:
            loop->reload(loop->arg);
            due_ms = loop->now_ms(loop->arg); /* what was reloaded shows at once */
            break;
        case LOOP_NOTHING:
            break;
        }
    }
}
