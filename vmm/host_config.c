/* vmm/host_config.c - a file of a few lines that root writes. */
#include "vmm/host_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/mktme_syscall.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum { LINE_BYTES = 256 };

static const char blanks[] = " \t\r";

/* Without blanks at both ends. */
static char *trim(char *s)
{
	size_t n;

	s += strspn(s, blanks);
	for (n = strlen(s); n && strchr(blanks, s[n - 1]); n--)
		s[n - 1] = 0;
	return s;
}

static int set_syscall(const char *value, struct host_config *c,
		       struct err *err)
{
	char *end;
	unsigned long long nr;

	errno = 0;
	nr = strtoull(value, &end, 10);
	if (!*value || *end || errno || strchr(value, '-'))
		return err_set(err, -EINVAL,
			       "mktme-syscall: '%.32s' is not a number", value);
	c->mktme_syscall = nr;
	return mktme_syscall_check(nr, err);
}

static int take_line(char *line, struct host_config *c, struct err *err)
{
	char *value, *name;

	line[strcspn(line, "#")] = 0;
	name = trim(line);
	if (!*name)
		return 0;
	value = strchr(name, '=');
	if (!value)
		return err_set(err, -EINVAL, "'%.64s' is not name = value",
			       name);
	*value++ = 0;
	name = trim(name);
	if (strcmp(name, "mktme-syscall") != 0)
		return err_set(err, -EINVAL,
			       "'%.64s' is not known; there is mktme-syscall",
			       name);
	if (c->mktme_syscall)
		return err_set(err, -EINVAL, "%s is there twice", name);
	return set_syscall(trim(value), c, err);
}

int host_config_parse(const char *text, size_t len, struct host_config *ret,
		      struct err *err)
{
	struct host_config c = {0};
	struct err why = {0};

	for (unsigned int n = 1; len; n++) {
		const char *nl = memchr(text, '\n', len);
		size_t line_len = nl ? (size_t)(nl - text) : len;
		char line[LINE_BYTES] = "";
		int r;

		if (line_len >= sizeof(line) || memchr(text, 0, line_len))
			r = err_set(&why, -EINVAL, "not a line of text");
		else {
			memcpy(line, text, line_len);
			r = take_line(line, &c, &why);
		}
		if (r < 0)
			return err_set_kind(err, ERR_INPUT, r,
					    "line %u: %.400s", n, why.msg);
		text += line_len + !!nl;
		len -= line_len + !!nl;
	}
	*ret = c;
	return 0;
}

int host_config_read(const char *path, struct host_config *ret, struct err *err)
{
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	AUTO(freep) char *text = malloc(HOST_CONFIG_MAX + 1);
	ssize_t n;
	int r;

	*ret = (struct host_config){0};
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	n = fd < 0 ? -1 : read(fd, text, HOST_CONFIG_MAX + 1);
	if (n < 0)
		return err_set_kind(err, errno == EACCES ? ERR_PERM : ERR_INPUT,
				    -errno, "%s: %s", path, strerror(errno));
	if (n > HOST_CONFIG_MAX)
		return err_set_kind(err, ERR_INPUT, -EFBIG,
				    "%s: more than %d bytes", path,
				    HOST_CONFIG_MAX);
	r = host_config_parse(text, (size_t)n, ret, err);
	if (r < 0)
		err_prefix(err, "%s", path);
	return r;
}
