/* firmware/image_file.c - opens and reads windows of image files. */
#include "firmware/image_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/checked.h"
#include "vmm/base/err.h"

int image_file_open(int fd, const char *what, const char *name,
		    struct image_file *ret, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		int r = -errno;

		return err_set_kind(err, ERR_INPUT, r, "%s '%s': %s", what,
				    name, strerror(-r));
	}
	if (S_ISDIR(st.st_mode))
		return err_set_kind(err, ERR_INPUT, -EISDIR,
				    "%s '%s' is a directory", what, name);
	if (!S_ISREG(st.st_mode))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "%s '%s' is not a regular file; copy it "
				    "into one",
				    what, name);
	if (st.st_size <= 0)
		return err_set_kind(err, ERR_INPUT, -ENODATA,
				    "%s '%s' is empty", what, name);
	*ret = (struct image_file){
		.fd = fd,
		.name = name,
		.len = (uint64_t)st.st_size,
	};
	return 0;
}

int image_file_read(const struct image_file *f, uint64_t off, void *buf,
		    size_t len, struct err *err)
{
	uint8_t *p = buf;

	if (!range_within(off, len, f->len))
		return err_set_kind(err, ERR_INPUT, -ENODATA,
				    "it ends after %llu bytes, inside its "
				    "headers: it was cut",
				    (unsigned long long)f->len);
	off += f->off;
	while (len) {
		ssize_t n = pread(f->fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int r = -errno;

			return err_set_kind(err, ERR_INPUT, r,
					    "cannot read: %s", strerror(-r));
		}
		if (n == 0)
			return err_set_kind(err, ERR_INPUT, -ENODATA,
					    "it became shorter while it was "
					    "read");
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}
