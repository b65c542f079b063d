/* test_agentx_end - the end of the AgentX subagent, with an snmpd that hangs */
#include "snmp/agentx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"

enum { BACKLOG = 8, LIMIT_MS = 3000 }; /* the library alone takes four seconds */

static void an_snmpd_that_does_not_answer_is_not_waited_for(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct latest *latest = latest_new();
    int listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char folder[] = "/tmp/agentx.XXXXXX", request[64];
    struct agentx *agentx;
    int64_t began_ms;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/master", folder);
    assert_int_equal(bind(listen_fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listen_fd, BACKLOG), 0);
    assert_non_null(latest);
    agentx = agentx_start(address.sun_path, "", latest);
    assert_non_null(agentx);
    fd = accept(listen_fd, NULL, NULL);
    assert_true(recv(fd, request, sizeof request, 0) > 0); /* and no answer */
    began_ms = clock_boot_ms();
    assert_false(agentx_stop(&agentx));
    assert_in_range(clock_boot_ms() - began_ms, 0, LIMIT_MS);
    assert_null(agentx);
    unlink(address.sun_path);
    rmdir(folder); /* all else is the thread's until the end of the process */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_snmpd_that_does_not_answer_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
