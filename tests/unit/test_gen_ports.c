/* test_gen_ports - which services would share a port, and whether one is taken */
#include "ctl/ports.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/report.h"
#include "tests/unit/unit.h"

static void services_clash_where_port_and_address_may_be_the_same(void **state)
{
    static const struct {
        const char *service;
        const char *other;
        bool clash;
    } cases[] = {
        {"25", "25", true},
        {"25", "smtp", true},
        {"smtp", "127.0.0.1:25", true},
        {"127.0.0.1:25", "127.0.0.1:25", true},
        {"[::1]:25", "[::1]:smtp", true},
        {"A.example:25", "a.example:smtp", true},
        {"127.0.0.1:25", "127.0.0.2:25", false},
        {"[::1]:25", "[0:0:0:0:0:0:0:1]:25", true},
        {"127.0.0.1:25", "localhost:25", true},
        {"127.0.0.1:25", "0.0.0.0:25", true},
        {"[::1]:25", "[::]:25", true},
        {"127.0.0.1:25", "[::]:25", false}, /* Postfix binds it to IPv6 alone */
        {"25", "26", false},
        {"25", "submission", false},
        {"smtp", "submission", false},
        {"no-such-service", "no-such-service", false}, /* Postfix will not start with it */
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        assert_int_equal(ports_clash(cases[i].service, cases[i].other), cases[i].clash);
        assert_int_equal(ports_clash(cases[i].other, cases[i].service), cases[i].clash);
    }
}

/* A socket that listens as Postfix's do, on a port that the kernel chooses. */
static int listen_somewhere(int *port_r)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port_r = ntohs(address.sin_port);
    return fd;
}

static void a_port_is_taken_while_another_listens_even_a_sharing_one(void **state)
{
    struct report report;
    struct part part;
    char text[128];
    int port;
    int fd = listen_somewhere(&port);

    (void)state;
    snprintf(text, sizeof text, "INSTANCE_PORT_BASE=%d PRIORITY_COUNT=2", port);
    report_init(&report);
    struct settings *settings = settings_parse("/r", text, strlen(text), "f", &report.diag);

    assert_non_null(settings);
    part_init_instance(&part, settings, 0);
    assert_false(ports_are_free(settings, &part));
    close(fd);
    assert_true(ports_are_free(settings, &part));
    part_deinit(&part);
    settings_free(&settings);
}

/* A postconf that knows one protocol, first in PATH; to be removed. */
static void put_postconf(char folder_r[64], char path_r[96])
{
    char path[PATH_MAX];
    FILE *file;

    strcpy(folder_r, "/tmp/peg-ports-XXXXXX");
    assert_non_null(mkdtemp(folder_r));
    snprintf(path_r, 96, "%s/postconf", folder_r);
    file = fopen(path_r, "we");
    assert_non_null(file);
    assert_true(fputs("#!/bin/sh\necho ipv4\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path_r, 0755), 0);
    snprintf(path, sizeof path, "%s:%s", folder_r, getenv("PATH"));
    assert_int_equal(setenv("PATH", path, 1), 0);
}

static void each_frontend_has_the_ports_of_its_own_listeners(void **state)
{
    struct report report;
    struct part urgent, frontend;
    char text[128], folder[64], postconf[96];
    int port;
    int fd = listen_somewhere(&port);

    (void)state;
    put_postconf(folder, postconf);
    snprintf(text, sizeof text, "URGENT_LISTEN=127.0.0.1:%d FRONTEND_LISTEN=127.0.0.1:%d", port,
             port > 30000 ? port - 1000 : port + 1000);
    report_init(&report);
    struct settings *settings = settings_parse("/r", text, strlen(text), "f", &report.diag);

    assert_non_null(settings);
    part_init_instance(&urgent, settings, PEG_URGENT);
    part_init_instance(&frontend, settings, PEG_FRONTEND);
    ports_check(settings, &urgent, NULL, NULL, &report.diag);
    snprintf(text, sizeof text, "postfix-urgent: another program listens on port %d of 127.0.0.1",
             port);
    assert_int_equal(strncmp(report.text, text, strlen(text)), 0);
    report_init(&report);
    ports_check(settings, &frontend, NULL, NULL, &report.diag);
    assert_string_equal(report.text, "");
    close(fd);
    unlink(postconf);
    rmdir(folder);
    part_deinit(&urgent);
    part_deinit(&frontend);
    settings_free(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_clash_where_port_and_address_may_be_the_same),
        cmocka_unit_test(a_port_is_taken_while_another_listens_even_a_sharing_one),
        cmocka_unit_test(each_frontend_has_the_ports_of_its_own_listeners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
