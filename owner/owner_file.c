/* owner/owner_file.c - reads and writes the small files of an owner. */
#include "owner/owner_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/amd_cert.h"
#include "crypto/base64.h"
#include "crypto/sev_abi.h"
#include "crypto/sev_cert.h"
#include "vmm/base/err.h"

enum { OUTPUTS_MAX = 8 };

void owner_bytes_wipe(struct owner_bytes *b)
{
	if (b->data)
		explicit_bzero(b->data, b->len);
	free(b->data);
	*b = (struct owner_bytes){0};
}

/* Into b->data, which holds OWNER_FILE_MAX + 1 bytes. */
static int read_all(int fd, struct owner_bytes *b)
{
	ssize_t n = 1;

	while (n && b->len <= OWNER_FILE_MAX) {
		n = read(fd, b->data + b->len, OWNER_FILE_MAX + 1 - b->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		b->len += (size_t)n;
	}
	return b->len > OWNER_FILE_MAX ? -EFBIG : 0;
}

int owner_file_read(const char *what, const char *path, struct owner_bytes *ret,
		    struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	AUTO(fd_closep)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return err_set_open(err, what, path, errno);
	b.data = calloc(1, OWNER_FILE_MAX + 2);
	if (!b.data)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	r = read_all(fd, &b);
	if (r == -EFBIG)
		return err_set_kind(err, ERR_INPUT, r,
				    "%s '%s' is larger than 1 MiB: it is not "
				    "what this is for",
				    what, path);
	if (r < 0)
		return err_set_open(err, what, path, -r);
	if (!b.len)
		return err_set_kind(err, ERR_INPUT, -ENODATA,
				    "%s '%s' is empty", what, path);
	*ret = b;
	b.data = NULL;
	return 0;
}

bool owner_bytes_decode(struct owner_bytes *b,
			bool (*fits)(const uint8_t *data, size_t len))
{
	size_t len = 0, size = b->len + 1;
	uint8_t *plain = calloc(1, size);
	bool ok;

	if (!plain)
		return false;
	ok = base64_decode((const char *)b->data, b->len, plain, b->len,
			   &len) >= 0 &&
	     fits(plain, len);
	if (ok) {
		explicit_bzero(b->data, b->len);
		memcpy(b->data, plain, len);
		b->data[len] = 0;
		b->len = len;
	}
	explicit_bzero(plain, size);
	free(plain);
	return ok || fits(b->data, b->len);
}

static bool is_anything(const uint8_t *data, size_t len)
{
	(void)data;
	return len;
}

static const char *guess_raw(const struct owner_bytes *b)
{
	struct sev_cert c;

	if (amd_cert_looks_like(b->data, b->len))
		return "an AMD certificate";
	if (b->len >= SEV_CERT_LEN &&
	    sev_cert_parse(b->data, SEV_CERT_LEN, &c, NULL) >= 0)
		return b->len == SEV_CERT_LEN ? "a SEV certificate"
					      : "a chain of certificates";
	switch (b->len) {
	case SEV_SESSION_LEN:
		return "a session";
	case SEV_SECRET_HDR_LEN:
		return "the header of a secret";
	case SEV_MEASUREMENT_LEN:
		return "a measurement";
	case SEV_KEY_LEN:
		return "a key";
	default:
		return b->data[0] == '{' ? "JSON" : NULL;
	}
}

const char *owner_bytes_guess(const struct owner_bytes *b)
{
	AUTO(owner_bytes_wipe) struct owner_bytes copy = {0};

	copy.data = b->data ? malloc(b->len + 1) : NULL;
	if (!copy.data)
		return NULL;
	memcpy(copy.data, b->data, b->len);
	copy.len = b->len;
	owner_bytes_decode(&copy, is_anything);
	return guess_raw(&copy);
}

int owner_file_read_exactly(const char *what, const char *path, size_t len,
			    struct owner_bytes *ret, struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	AUTO(owner_bytes_wipe) struct owner_bytes plain = {0};
	const char *guess;
	size_t n = 0;
	int r = owner_file_read(what, path, &b, err);

	if (r < 0)
		return r;
	plain.data = calloc(1, b.len + 1);
	if (!plain.data)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	plain.len = b.len;
	r = base64_decode((const char *)b.data, b.len, plain.data, b.len, &n);
	if (r >= 0 && n == len) {
		plain.len = n;
		*ret = plain;
		plain.data = NULL;
		return 0;
	}
	if (b.len == len) {
		*ret = b;
		b.data = NULL;
		return 0;
	}
	guess = owner_bytes_guess(&b);
	return err_set_kind(
		err, ERR_INPUT, -EINVAL,
		"%s '%s': %zu bytes%s, but it has %zu%s%s", what, path,
		r >= 0 ? n : b.len, r >= 0 ? " of base64" : "", len,
		guess ? "; that looks like " : "", guess ? guess : "");
}

static int write_failed(const char *path, int e, struct err *err)
{
	bool perm = e == EACCES || e == EPERM || e == EROFS;

	return err_set_kind(err, perm ? ERR_PERM : ERR_INPUT, -e,
			    "cannot write '%s': %s", path, strerror(e));
}

static int write_temporary(const struct owner_output *o, const char *tmp)
{
	const uint8_t *p = o->data;
	size_t left = o->len;
	AUTO(fd_closep) int fd = -1;

	unlink(tmp); /* of a process that had our number and died */
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  o->mode);
	if (fd < 0)
		return -errno;
	while (left) {
		ssize_t n = write(fd, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		left -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

struct temporaries {
	char *v[OUTPUTS_MAX]; /* NULL: none, or renamed */
};

static void temporaries_remove(struct temporaries *t)
{
	for (size_t i = 0; i < OUTPUTS_MAX; i++) {
		if (t->v[i])
			unlink(t->v[i]);
		free(t->v[i]);
	}
}

static int check_absent(const struct owner_output *v, size_t n, struct err *err)
{
	struct stat st;

	for (size_t i = 0; i < n; i++)
		if (!lstat(v[i].path, &st))
			return err_set_kind(err, ERR_INPUT, -EEXIST,
					    "'%s' is there already: choose "
					    "another name, or --force",
					    v[i].path);
	return 0;
}

/*
 * Give a temporary file its name. Without @force by link(), which does not
 * replace what somebody else has put there meanwhile.
 */
static int publish(const char *tmp, const char *path, bool force)
{
	if (force)
		return rename(tmp, path) < 0 ? -errno : 0;
	if (link(tmp, path) < 0)
		return -errno;
	unlink(tmp);
	return 0;
}

static int check_distinct(const struct owner_output *v, size_t n,
			  struct err *err)
{
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(v[i].path, v[j].path))
				return err_set_kind(err, ERR_USAGE, -EINVAL,
						    "'%s': two files would be "
						    "written there",
						    v[i].path);
	return 0;
}

int owner_files_write(const struct owner_output *v, size_t n, bool force,
		      struct err *err)
{
	AUTO(temporaries_remove) struct temporaries t = {{0}};
	int r;

	if (n > OUTPUTS_MAX)
		return -EINVAL;
	r = check_distinct(v, n, err);
	if (r >= 0 && !force)
		r = check_absent(v, n, err);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		if (asprintf(&t.v[i], "%s.%ld.tmp", v[i].path, (long)getpid()) <
		    0) {
			t.v[i] = NULL;
			return err_set_kind(err, ERR_HOST, -ENOMEM,
					    "out of memory");
		}
		r = write_temporary(&v[i], t.v[i]);
		if (r < 0)
			write_failed(v[i].path, -r, err);
	}
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = publish(t.v[i], v[i].path, force);
		if (r < 0) {
			for (size_t j = 0; !force && j < i; j++)
				unlink(v[j].path);
			return write_failed(v[i].path, -r, err);
		}
		free(t.v[i]);
		t.v[i] = NULL;
	}
	return r;
}
