/* test_gen_retry - which process is the queue manager of a Postfix */
#include "ctl/retry.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* A process of this name in a group (0: one of its own), ready when this returns. */
static pid_t start(const char *name, pid_t group)
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (setpgid(0, group) == 0 && prctl(PR_SET_NAME, name) == 0 && write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void the_queue_manager_of_a_postfix_is_found(void **state)
{
    pid_t master = start("master", 0), other = start("master", 0);
    pid_t agent = start("smtp", master), foreign = start("qmgr", other);
    pid_t manager;

    (void)state;
    assert_int_equal(retry_queue_manager(master), 0);
    manager = start("qmgr", master);
    assert_int_equal(retry_queue_manager(master), manager);
    assert_int_equal(retry_queue_manager(other), foreign);
    end(manager);
    assert_int_equal(retry_queue_manager(master), 0);
    end(foreign);
    end(agent);
    end(other);
    end(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_manager_of_a_postfix_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
