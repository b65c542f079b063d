/* run - run the bounce command: an argument list, never a shell */
#include "bounce/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"

/* What is open while a command runs. */
struct channel {
    int in_fd;       /* the notice */
    int out_fd[2];   /* a pipe: what it writes */
    int child_fd;    /* tells of the end of a child */
    int error_fd[2]; /* closed by a successful exec, or brings its errno */
};

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool run_find(const char *program, char *path_r, size_t path_size)
{
    const char *folders = strchr(program, '/') == NULL ? RUN_PATH : NULL;

    if (folders == NULL)
        return (size_t)snprintf(path_r, path_size, "%s", program) < path_size && is_program(path_r);
    for (size_t len; *folders != '\0'; folders += len + (folders[len] == ':')) {
        len = strcspn(folders, ":");
        if ((size_t)snprintf(path_r, path_size, "%.*s/%s", (int)len, folders, program) <
                path_size &&
            is_program(path_r))
            return true;
    }
    return false;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void channel_close(struct channel *channel)
{
    close_one(&channel->in_fd);
    close_one(&channel->child_fd);
    for (int i = 0; i < 2; i++) {
        close_one(&channel->out_fd[i]);
        close_one(&channel->error_fd[i]);
    }
}

static bool channel_open(struct channel *channel, const struct run_input *input)
{
    sigset_t child;

    *channel = (struct channel){-1, {-1, -1}, -1, {-1, -1}};
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    channel->in_fd = memfd_create("notice", MFD_CLOEXEC);
    if (channel->in_fd >= 0 && file_write(channel->in_fd, input->notice, input->notice_len) &&
        lseek(channel->in_fd, 0, SEEK_SET) == 0 && pipe2(channel->out_fd, O_CLOEXEC) == 0 &&
        pipe2(channel->error_fd, O_CLOEXEC) == 0 && sigprocmask(SIG_BLOCK, &child, NULL) == 0 &&
        (channel->child_fd = signalfd(-1, &child, SFD_CLOEXEC)) >= 0)
        return true;
    channel_close(channel);
    return false;
}

/* NAME=value for each fact, and PATH. Never returns where memory runs out: this is the child. */
static char **make_environment(const char *const *facts)
{
    char **environment = calloc(FACT_NUMBER + 2, sizeof *environment);

    if (environment == NULL)
        _exit(EXIT_FAILURE);
    for (int i = 0; i < FACT_NUMBER; i++)
        if (asprintf(&environment[i], "%s=%s", command_fact_names[i], facts[i]) < 0)
            _exit(EXIT_FAILURE);
    environment[FACT_NUMBER] = strdup("PATH=" RUN_PATH);
    return environment;
}

/* In the child: never returns. No execvp(3), which would give a file without #! to a shell. */
static void PEG_NORETURN become(const struct channel *channel, const struct run_input *input,
                                const char *path)
{
    sigset_t none;
    ssize_t done;
    int error;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    umask(077);
    if (setsid() >= 0 && chdir("/") == 0 && dup2(channel->in_fd, STDIN_FILENO) >= 0 &&
        dup2(channel->out_fd[1], STDOUT_FILENO) >= 0 &&
        dup2(channel->out_fd[1], STDERR_FILENO) >= 0)
        execve(path, input->words, make_environment(input->facts));
    error = errno;
    done = write(channel->error_fd[1], &error, sizeof error);
    (void)done;
    _exit(EXIT_FAILURE);
}

/* Take some of its output, and drop what has no room. Returns as read(2). */
static ssize_t take_output(int fd, struct run_result *result)
{
    size_t used = strlen(result->output);
    char more[4096];
    ssize_t got = read(fd, more, sizeof more);

    for (ssize_t i = 0; i < got && used < RUN_OUTPUT_SIZE - 1; i++)
        result->output[used++] = more[i] != '\0' ? more[i] : '?';
    result->output[used] = '\0';
    return got;
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid == pid;
}

/* Wait until the command has ended, or has to. */
static enum run_end await_end(const struct channel *channel, pid_t pid, int stop_fd,
                              struct run_result *result)
{
    int64_t end_ms = clock_boot_ms() + RUN_TIME_LIMIT_S * 1000;
    struct pollfd fds[] = {{.fd = channel->child_fd, .events = POLLIN},
                           {.fd = channel->out_fd[0], .events = POLLIN},
                           {.fd = stop_fd, .events = POLLIN}};
    struct signalfd_siginfo signal_info;
    ssize_t done;

    for (int64_t left_ms; (left_ms = end_ms - clock_boot_ms()) > 0;) {
        if (poll(fds, 3, (int)left_ms) <= 0)
            continue;
        if (fds[1].revents != 0 && take_output(channel->out_fd[0], result) == 0)
            fds[1].fd = -1;
        if (fds[0].revents != 0) {
            done = read(channel->child_fd, &signal_info, sizeof signal_info);
            (void)done; /* it may be about another child: has_ended() asks for this one */
        }
        if (has_ended(pid))
            return RUN_EXITED;
        if (fds[2].revents != 0)
            return RUN_STOPPED;
    }
    return RUN_TIMED_OUT;
}

/* Kill all that is left of its session, and only then let its number go. */
static void finish(const struct channel *channel, pid_t pid, struct run_result *result)
{
    int status = 0;

    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    fcntl(channel->out_fd[0], F_SETFL, O_NONBLOCK);
    while (strlen(result->output) < RUN_OUTPUT_SIZE - 1 &&
           take_output(channel->out_fd[0], result) > 0)
        ;
    if (result->end != RUN_EXITED)
        return;
    result->end = WIFSIGNALED(status) ? RUN_SIGNALED : RUN_EXITED;
    result->status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

bool run_command(const struct run_input *input, struct run_result *result_r)
{
    struct run_result result = {.end = RUN_EXITED};
    struct channel channel;
    char path[PATH_MAX];
    int error = 0;
    pid_t pid;

    if (!run_find(input->words[0], path, sizeof path)) {
        errno = ENOENT;
        return false;
    }
    if (!channel_open(&channel, input))
        return false;
    pid = fork();
    if (pid == 0)
        become(&channel, input, path);
    close_one(&channel.out_fd[1]);
    close_one(&channel.error_fd[1]);
    if (pid < 0)
        error = errno;
    else if (read(channel.error_fd[0], &error, sizeof error) == (ssize_t)sizeof error)
        waitpid(pid, NULL, 0);
    else
        error = 0;
    if (error == 0) {
        result.end = await_end(&channel, pid, input->stop_fd, &result);
        finish(&channel, pid, &result);
        *result_r = result;
    }
    channel_close(&channel);
    errno = error;
    return error == 0;
}
