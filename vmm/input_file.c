/* vmm/input_file.c - opens an input file, with a message that helps. */
#include "vmm/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

static int check_shape(const struct stat *st, const char *what,
		       const char *path, struct err *err)
{
	if (S_ISDIR(st->st_mode))
		return err_set_kind(err, ERR_INPUT, -EISDIR,
				    "%s '%s' is a directory; name a file in it",
				    what, path);
	if (!S_ISREG(st->st_mode))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "%s '%s' is not a regular file; copy it to "
				    "one first",
				    what, path);
	if (!st->st_size)
		return err_set_kind(err, ERR_INPUT, -ENODATA,
				    "%s '%s' is empty", what, path);
	return 0;
}

int input_file_open(struct input_file *ret, const char *what, const char *path,
		    struct err *err)
{
	AUTO(fd_closep) int fd = -1;
	struct stat st;
	int r;

	if (!*path)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "%s: the path is empty", what);
	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set_open(err, what, path, errno);
	r = check_shape(&st, what, path, err);
	if (r < 0)
		return r;
	ret->size = (uint64_t)st.st_size;
	ret->fd = TAKE_FD(fd);
	return 0;
}

void input_file_close(struct input_file *f)
{
	fd_closep(&f->fd);
	*f = (struct input_file){.fd = -1};
}
