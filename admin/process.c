/* process - run other programs: an argument list, never a shell */
#include "admin/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/mem.h"

enum { STATUS_NOT_STARTED = 127, STATUS_SIGNAL = 128 };

void process_begin(void)
{
    int fd;

    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        ;
    if (fd >= 0)
        close(fd);
    umask(022);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
}

/*
 * A terminal's Ctrl-C is for us alone, who know what must not be left half done; and what we run
 * does not go on without us.
 */
static bool leave_terminal(pid_t parent)
{
    static const int held[] = {SIGHUP, SIGINT, SIGTERM};
    sigset_t none;

    if (setpgid(0, 0) != 0)
        return false;
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
        signal(held[i], SIG_IGN); /* what has come since fork() was meant for us as well */
        signal(held[i], SIG_DFL);
    }
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
           getppid() == parent;
}

/*
 * The policy can be refused to anybody, by seccomp(2): what is started serves without it,
 * and peg-gen doctor tells of it.
 */
static bool take_share(const struct process_share *share)
{
    const struct sched_param none = {0};
    int policy = share->batch ? SCHED_BATCH : SCHED_OTHER;

    if (setpriority(PRIO_PROCESS, 0, share->nice_level) != 0) {
        dprintf(STDERR_FILENO, "cannot set nice level %d: %m\n", share->nice_level);
        return false;
    }
    if (sched_getscheduler(0) != policy)
        (void)sched_setscheduler(0, policy, &none);
    return true;
}

/* In the child: never returns. */
static void PEG_NORETURN become(const struct process *process, char *const argv[],
                                const struct process_share *share, int input_fd, pid_t parent)
{
    if (!leave_terminal(parent) || input_fd < 0 || dup2(input_fd, STDIN_FILENO) < 0 ||
        dup2(process->out_fd, STDOUT_FILENO) < 0 || dup2(process->err_fd, STDERR_FILENO) < 0)
        _exit(STATUS_NOT_STARTED);
    if (share != NULL && !take_share(share))
        _exit(STATUS_NOT_STARTED);
    execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "%s: %m\n", argv[0]);
    _exit(STATUS_NOT_STARTED);
}

bool process_start(struct process *process, const char *const argv[],
                   const struct process_share *share)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool started = process_start_from(process, argv, share, null_fd);

    if (null_fd >= 0)
        close(null_fd);
    return started;
}

bool process_start_from(struct process *process, const char *const argv[],
                        const struct process_share *share, int input_fd)
{
    char **words = NULL;
    size_t count = 0;
    pid_t parent = getpid();

    process->out_fd = memfd_create("stdout", MFD_CLOEXEC);
    process->err_fd = memfd_create("stderr", MFD_CLOEXEC);
    for (; argv[count] != NULL; count++) {
        words = mem_resize(words, count + 2, sizeof *words);
        words[count] = mem_dup(argv[count]); /* execvp() wants them writable */
        words[count + 1] = NULL;
    }
    fflush(NULL);
    process->pid = process->out_fd < 0 || process->err_fd < 0 ? -1 : fork();
    if (process->pid == 0)
        become(process, words, share, input_fd, parent);
    if (process->pid < 0) {
        fprintf(stderr, "%s: cannot be started: %m\n", argv[0]);
        close(process->out_fd);
        close(process->err_fd);
    }
    for (size_t i = 0; i < count; i++)
        free(words[i]);
    free(words);
    return process->pid > 0;
}

/* All that stands in fd, which is closed; text_r may be NULL. */
static void collect(int fd, char **text_r)
{
    struct stat st;
    size_t size = fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;

    if (text_r != NULL) {
        char *text = mem_resize(NULL, size + 1, 1);
        ssize_t got = pread(fd, text, size, 0);

        text[got > 0 ? got : 0] = '\0';
        *text_r = text;
    }
    close(fd);
}

int process_finish(struct process *process, char **out_r, char **err_r)
{
    int status = 0;

    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
        ;
    collect(process->out_fd, out_r);
    collect(process->err_fd, err_r);
    return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status);
}

void process_report(const char *const argv[], int status, const char *out, const char *err)
{
    for (size_t i = 0; argv[i] != NULL; i++)
        fprintf(stderr, "%s%s", i > 0 ? " " : "", argv[i]);
    fprintf(stderr, ": failed with status %d\n%s%s", status, out, err);
}

char *process_output(const char *const argv[])
{
    struct process process;
    char *out;
    char *err;

    if (!process_start(&process, argv, NULL))
        return NULL;
    int status = process_finish(&process, &out, &err);

    if (status != 0) {
        process_report(argv, status, "", err);
        free(out);
        out = NULL;
    }
    free(err);
    return out;
}

bool process_run(const char *const argv[])
{
    char *out = process_output(argv);
    bool good = out != NULL;

    free(out);
    return good;
}
