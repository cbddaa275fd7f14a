/* vmm/status_file.c - writes the status file so that it is never half there. */
#include "vmm/status_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/base/own.h"
#include "vmm/json_value.h"
#include "vmm/version.h"

static int failed(const char *path, enum err_kind otherwise, int e,
		  struct err *err)
{
	bool perm = e == EACCES || e == EPERM || e == EROFS;

	return err_set_kind(err, perm ? ERR_PERM : otherwise, -e,
			    "--status-file: cannot write '%s': %s", path,
			    strerror(e));
}

/* The directory part of @path, "." when there is none. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/")
			     : strndup(path, (size_t)(slash - path));
}

int status_file_check(const char *path, struct err *err)
{
	AUTO(freep) char *dir = directory_of(path);
	struct stat st;

	if (!dir)
		return failed(path, ERR_HOST, ENOMEM, err);
	if (!stat(path, &st)) {
		if (S_ISDIR(st.st_mode))
			return failed(path, ERR_INPUT, EISDIR, err);
		if (!S_ISREG(st.st_mode))
			return access(path, W_OK)
				       ? failed(path, ERR_INPUT, errno, err)
				       : 0;
	} else if (errno != ENOENT) {
		return failed(path, ERR_INPUT, errno, err);
	}
	/* A regular file is replaced: the directory is what counts. */
	if (access(dir, W_OK | X_OK))
		return failed(path, ERR_INPUT, errno, err);
	return 0;
}

static char *make_text(const struct run_result *res, int exit_status)
{
	json_t *j = json_pack("{s:s, s:o, s:I, s:i, s:s}", "how",
			      run_how_name(res->how), "why",
			      json_value_text(res->why), "value",
			      (json_int_t)res->value, "exit_status",
			      exit_status, "coffer_version", coffer_version());
	char *text;

	if (j && res->protection)
		json_object_set_new(j, "protection",
				    json_string(res->protection));
	if (j && res->counters.n)
		json_object_set_new(j, "counters",
				    json_value_counters(&res->counters));
	text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;

	json_decref(j);
	return text;
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_directly(const char *path, const char *text)
{
	AUTO(fd_closep)
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : write_all(fd, text);
}

static int write_and_rename(const char *path, const char *text)
{
	AUTO(fd_closep) int fd = -1;
	AUTO(freep) char *tmp = NULL;
	int r;

	if (asprintf(&tmp, "%s.%ld.tmp", path, (long)getpid()) < 0) {
		tmp = NULL;
		return -ENOMEM;
	}
	unlink(tmp); /* of a process that had our number and died */
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (r >= 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(tmp);
	return r;
}

int status_file_write(const char *path, const struct run_result *res,
		      int exit_status, struct err *err)
{
	AUTO(freep) char *text = make_text(res, exit_status);
	AUTO(freep) char *real = realpath(path, NULL); /* through a symlink */
	AUTO(freep) char *line = NULL;
	struct stat st;
	int r;

	if (!text || asprintf(&line, "%s\n", text) < 0) {
		line = NULL;
		return failed(path, ERR_HOST, ENOMEM, err);
	}
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		r = write_directly(path, line);
	else
		r = write_and_rename(real ? real : path, line);
	return r < 0 ? failed(path, ERR_HOST, -r, err) : 0;
}
