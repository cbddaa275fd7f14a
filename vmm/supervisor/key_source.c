/* vmm/supervisor/key_source.c - reads a key, and wipes what it read. */
#include "vmm/supervisor/key_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/locked.h"
#include "vmm/base/log.h"
#include "vmm/base/now.h"
#include "vmm/base/own.h"

enum { BUF_LEN = MKTME_SECRET_FILE_MAX + 1 };

void key_source_free(struct mktme_secret *s)
{
	locked_free(s, sizeof(*s));
}

/* Up to BUF_LEN bytes until the end of @fd. Their number, or an errno. */
static ssize_t read_all(int fd, uint8_t *buf, uint64_t until_ms)
{
	size_t n = 0;

	while (n < BUF_LEN) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = now_ms();
		ssize_t got;

		if (now >= until_ms || !poll(&p, 1, (int)(until_ms - now)))
			return -ETIMEDOUT;
		got = read(fd, buf + n, BUF_LEN - n);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static int parse(const uint8_t *buf, ssize_t n, struct mktme_secret *ret,
		 struct err *err)
{
	if (n == -ETIMEDOUT)
		return err_set_kind(err, ERR_INPUT, -ETIMEDOUT,
				    "no key came in time");
	if (n < 0)
		return err_set_kind(err, ERR_INPUT, (int)n, "%s",
				    strerror((int)-n));
	return mktme_secret_parse(buf, (size_t)n, ret, err);
}

static void warn_if_open(int fd, const char *path)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & 077))
		log_warn("--mktme: key-file=%s: others than its owner may read "
			 "it; chmod 600",
			 path);
}

static int from_file(const struct key_source *src, uint8_t *buf,
		     uint64_t until_ms, struct mktme_secret *ret,
		     struct err *err)
{
	/* O_NONBLOCK: a FIFO's writer has so long as a command has. */
	AUTO(fd_closep)
	int fd = open(src->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0)
		return err_set_kind(err, errno == EACCES ? ERR_PERM : ERR_INPUT,
				    -errno, "--mktme: key-file=%s: %s",
				    src->file, strerror(errno));
	warn_if_open(fd, src->file);
	r = parse(buf, read_all(fd, buf, until_ms), ret, err);
	if (r < 0)
		err_prefix(err, "--mktme: key-file=%s", src->file);
	return r;
}

/* --- key-command --------------------------------------------------------- */

static void __attribute__((noreturn)) run_command(const char *command, int out)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0)
		_exit(127);
	closefrom(3);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int command_failed(int status, struct err *err)
{
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFSIGNALED(status))
		return err_set_kind(err, ERR_INPUT, -ECHILD,
				    "the command was ended by signal %d",
				    WTERMSIG(status));
	return err_set_kind(err, ERR_INPUT, -ECHILD,
			    "the command failed with status %d",
			    WEXITSTATUS(status));
}

static int reap(pid_t pid, bool end, struct err *err)
{
	int status = 0;

	if (end)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return end ? 0 : command_failed(status, err);
}

static int from_command(const struct key_source *src, uint8_t *buf,
			uint64_t until_ms, struct mktme_secret *ret,
			struct err *err)
{
	int ends[2], r;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set_kind(err, ERR_HOST, -errno, "pipe: %s",
				    strerror(errno));
	pid = fork();
	if (!pid)
		run_command(src->command, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		r = err_set_kind(err, ERR_HOST, -errno, "fork: %s",
				 strerror(errno));
		close(ends[0]);
		return r;
	}
	setpgid(pid, pid); /* whoever comes first */
	n = read_all(ends[0], buf, until_ms);
	close(ends[0]);
	/* A status other than 0 says more than the lack of a key. */
	r = reap(pid, n < 0 || n == BUF_LEN, err);
	if (!r)
		r = parse(buf, n, ret, err);
	if (r < 0)
		err_prefix(err, "--mktme: key-command");
	return r;
}

/* --- the interface ------------------------------------------------------- */

static int from_fd(const struct key_source *src, uint8_t *buf,
		   uint64_t until_ms, struct mktme_secret *ret, struct err *err)
{
	int r = parse(buf, read_all(src->fd, buf, until_ms), ret, err);

	if (r < 0)
		err_prefix(err, "--mktme: fd=%d", src->fd);
	return r;
}

int key_source_read(const struct key_source *src, struct mktme_secret **ret,
		    struct err *err)
{
	unsigned int seconds = src->command_seconds ? src->command_seconds
						    : KEY_COMMAND_SECONDS;
	uint64_t until_ms = now_ms() + (uint64_t)seconds * 1000;
	void *secret = NULL, *buf = NULL;
	int r = locked_alloc(sizeof(struct mktme_secret), &secret, err);

	if (!r)
		r = locked_alloc(BUF_LEN, &buf, err);
	if (!r && src->file)
		r = from_file(src, buf, until_ms, secret, err);
	else if (!r && src->command)
		r = from_command(src, buf, until_ms, secret, err);
	else if (!r)
		r = from_fd(src, buf, until_ms, secret, err);
	locked_free(buf, BUF_LEN);
	if (r < 0) {
		key_source_free(secret);
		return r;
	}
	*ret = secret;
	return 0;
}
