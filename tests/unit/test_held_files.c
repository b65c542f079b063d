/* test_held_files - locks of others are seen, by everybody, and nobody is disturbed by it */
#include "lib/held_files.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { NOBODY = 65534 };

static enum held held(const char *path)
{
    struct held_file file;

    held_files_note(path, &file);
    held_files_find(&file, 1);
    return file.held;
}

static void a_file_is_held_while_it_is_locked(void **state)
{
    char path[] = "/tmp/test_held_files.XXXXXX", other[] = "/tmp/test_held_files.XXXXXX";
    int fd = mkstemp(path), other_fd = mkstemp(other);
    struct held_file files[3];

    (void)state;
    assert_true(fd >= 0 && other_fd >= 0);
    assert_int_equal(held(path), HELD_NO);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(held(path), HELD_YES);
    held_files_note(other, &files[0]);
    held_files_note(path, &files[1]);
    held_files_note("/nowhere/at/all", &files[2]);
    held_files_find(files, 3);
    assert_int_equal(files[0].held, HELD_NO);
    assert_int_equal(files[1].held, HELD_YES);
    assert_int_equal(files[2].held, HELD_NO);
    assert_int_equal(flock(fd, LOCK_SH), 0); /* so asks part_pid_file_held() */
    assert_int_equal(held(path), HELD_NO);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    close(fd);
    assert_int_equal(held(path), HELD_NO);
    unlink(path);
    unlink(other);
    close(other_fd);
}

/* As master(8)'s: nobody else may read the file, and everybody may search its folder. */
static void everybody_sees_it_where_the_folder_is_open(void **state)
{
    char folder[] = "/tmp/test_held_files.XXXXXX", path[64];
    int fd, status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/master.pid", folder);
    fd = creat(path, 0600);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    for (int is_open = 0; is_open < 2; is_open++) {
        assert_int_equal(chmod(folder, is_open ? 0711 : 0700), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            _exit(setuid(NOBODY) == 0 && access(path, R_OK) != 0 ? (int)held(path) : 99);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), is_open ? HELD_YES : HELD_UNKNOWN);
    }
    close(fd);
    unlink(path);
    rmdir(folder);
}

static void who_looks_does_not_keep_a_process_from_starting(void **state)
{
    char path[] = "/tmp/test_held_files.XXXXXX";
    int fd = mkstemp(path), status;
    pid_t looking = fork();

    (void)state;
    assert_true(fd >= 0 && looking >= 0);
    if (looking == 0) {
        close(fd);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            (void)held(path);
    }
    for (int n = 0; n < 20000; n++) {
        assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
        assert_int_equal(flock(fd, LOCK_UN), 0);
    }
    assert_int_equal(kill(looking, SIGKILL), 0);
    assert_int_equal(waitpid(looking, &status, 0), looking);
    assert_int_equal(WTERMSIG(status), SIGKILL); /* it was looking all the time */
    close(fd);
    unlink(path);
}

/* Lock and unlock many files of its own, as Postfix does with queue files. */
static void make_traffic(void)
{
    enum { FILE_COUNT = 300 };
    int fds[FILE_COUNT];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int n = 0; n < FILE_COUNT; n++)
        fds[n] = memfd_create("traffic", MFD_CLOEXEC);
    for (unsigned n = 0;; n++)
        (void)!flock(fds[n * 7 % FILE_COUNT], n / FILE_COUNT % 2 == 0 ? LOCK_EX : LOCK_UN);
}

static void a_lock_is_seen_however_many_others_come_and_go(void **state)
{
    char path[] = "/tmp/test_held_files.XXXXXX";
    int fd = mkstemp(path), status;
    pid_t traffic;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    traffic = fork();
    if (traffic == 0)
        make_traffic();
    assert_true(traffic > 0);
    for (int n = 0; n < 500; n++)
        assert_int_equal(held(path), HELD_YES);
    assert_int_equal(kill(traffic, SIGKILL), 0);
    assert_int_equal(waitpid(traffic, &status, 0), traffic);
    close(fd);
    unlink(path);
}

static FILE *text(const char *lines)
{
    static char copy[2048];
    FILE *in;

    assert_true((size_t)snprintf(copy, sizeof copy, "%s", lines) < sizeof copy);
    in = fmemopen(copy, strlen(copy), "r");
    assert_non_null(in);
    return in;
}

/* Where stat(2) tells another device than /proc/locks, as on btrfs, the mount's is right. */
static void the_device_is_that_of_the_mount(void **state)
{
    struct held_file files[] = {{.is_sought = true, .mount = 31, .device = makedev(0, 44)},
                                {.is_sought = true, .mount = 32},
                                {.is_sought = false, .mount = 31}};
    FILE *in = text("garbage\n"
                    "29 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
                    "31 29 0:42 /@run /run rw - btrfs /dev/vdb rw,subvol=/@run\n"
                    "310 29 0:43 / /srv rw - tmpfs none rw\n");

    (void)state;
    assert_true(held_files_read_mounts(in, files, LENGTH(files)));
    fclose(in);
    assert_true(files[0].has_device);
    assert_int_equal(files[0].device, makedev(0, 42));
    assert_false(files[1].has_device);
    assert_false(files[2].has_device);
}

static void a_lock_is_one_by_flock_for_writing_that_is_held(void **state)
{
    static const struct {
        const char *line;
        bool is_one;
    } lines[] = {
        {"7: FLOCK  ADVISORY  WRITE 4711 fe:1a:10952785 0 EOF\n", true},
        {"7: FLOCK  ADVISORY  WRITE 0 fe:1a:10952785 0 EOF\n", true},
        {"123456: FLOCK ADVISORY WRITE -1 fe:1a:10952785 0 EOF\n", true},
        {"7: -> FLOCK  ADVISORY  WRITE 4711 fe:1a:10952785 0 EOF\n", false},
        {"7: FLOCK  ADVISORY  READ  4711 fe:1a:10952785 0 EOF\n", false},
        {"7: POSIX  ADVISORY  WRITE 4711 fe:1a:10952785 0 EOF\n", false},
        {"7: OFDLCK ADVISORY  WRITE -1 fe:1a:10952785 0 EOF\n", false},
        {"7: FLOCK  ADVISORY  WRITE 4711 fe:1b:10952785 0 EOF\n", false},
        {"7: FLOCK  ADVISORY  WRITE 4711 fe:1a:10952786 0 EOF\n", false},
        {"7: FLOCK  ADVISORY  WRITE 4711 fe:1a:1095278\n", false},
        {"7: FLOCK  ADVISORY  WRITE 4711 <none>:10952785 0 EOF\n", false},
        {"\n", false},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(lines); n++) {
        struct held_file files[] = {{0},
                                    {.is_sought = true,
                                     .has_device = true,
                                     .device = makedev(0xfe, 0x1a),
                                     .inode = 10952785}};
        FILE *in = text(lines[n].line);

        assert_true(held_files_read_locks(in, files, LENGTH(files)));
        fclose(in);
        assert_int_equal(files[0].held, HELD_UNKNOWN);
        if ((files[1].held == HELD_YES) != lines[n].is_one)
            fail_msg("%s", lines[n].line);
    }
}

static void what_cannot_be_read_tells_nothing(void **state)
{
    struct held_file file = {.is_sought = true, .has_device = true};
    FILE *folder = fopen("/", "r");

    (void)state;
    assert_non_null(folder);
    assert_false(held_files_read_locks(folder, &file, 1));
    assert_int_equal(file.held, HELD_UNKNOWN);
    fclose(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_held_while_it_is_locked),
        cmocka_unit_test(everybody_sees_it_where_the_folder_is_open),
        cmocka_unit_test(who_looks_does_not_keep_a_process_from_starting),
        cmocka_unit_test(a_lock_is_seen_however_many_others_come_and_go),
        cmocka_unit_test(the_device_is_that_of_the_mount),
        cmocka_unit_test(a_lock_is_one_by_flock_for_writing_that_is_held),
        cmocka_unit_test(what_cannot_be_read_tells_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
