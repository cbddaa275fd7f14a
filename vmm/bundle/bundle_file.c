/* vmm/bundle/bundle_file.c - reads a bundle once, and checks what it read. */
#include "vmm/bundle/bundle_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/bundle/bundle_key.h"
#include "vmm/input_file.h"

enum {
	CHUNK = 1 << 18, /* bytes hashed and copied at a time; fits the cache */
	PAGE = 4096,
};

struct bundle_file {
	char *path;
	uint8_t *data; /* anonymous memory */
	size_t len;
	struct bundle content;
};

static int read_all(const struct input_file *in, struct bundle_file *f,
		    struct err *err)
{
	size_t done = 0;

	while (done < f->len) {
		ssize_t n = pread(in->fd, f->data + done, f->len - done,
				  (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_kind(err, ERR_INPUT, -errno,
					    "cannot read: %s", strerror(errno));
		if (!n)
			return err_set_kind(err, ERR_INPUT, -EBADMSG,
					    "it became shorter while it was "
					    "read");
		done += (size_t)n;
	}
	return 0;
}

static int load(struct bundle_file *f, struct err *err)
{
	AUTO(input_file_close) struct input_file in = {.fd = -1};
	int r = input_file_open(&in, "bundle", f->path, err);
	void *p;

	if (r < 0)
		return r;
	if (in.size > BUNDLE_MAX)
		return err_set_kind(err, ERR_INPUT, -EFBIG,
				    "bundle '%s' is larger than 2 GiB",
				    f->path);
	p = mmap(NULL, in.size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return err_set_kind(err, ERR_HOST, -ENOMEM,
				    "bundle '%s': no memory for its %llu bytes",
				    f->path, (unsigned long long)in.size);
	f->data = p;
	f->len = in.size;
	r = read_all(&in, f, err);
	if (r >= 0)
		r = bundle_parse(f->data, f->len, &f->content, err);
	if (r < 0)
		err_prefix(err, "bundle '%s'", f->path);
	return r;
}

int bundle_file_open(const char *path, struct bundle_file **ret,
		     struct err *err)
{
	AUTO(bundle_file_closep)
	struct bundle_file *f = calloc(1, sizeof(*f));
	int r;

	if (f)
		f->path = strdup(path);
	if (!f || !f->path)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	r = load(f, err);
	if (r < 0)
		return r;
	*ret = TAKE(f);
	return 0;
}

void bundle_file_close(struct bundle_file *f)
{
	if (!f)
		return;
	if (f->data)
		munmap(f->data, f->len);
	free(f->path);
	free(f);
}

const struct bundle *bundle_file_content(const struct bundle_file *f)
{
	return &f->content;
}

static int write_all(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The whole pages of [p, p + len) are not needed any more. */
static void give_back(const uint8_t *p, size_t len)
{
	uintptr_t from = align_up((uintptr_t)p, PAGE);
	uintptr_t to = (uintptr_t)(p + len) & ~(uintptr_t)(PAGE - 1);

	if (from < to)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

static int copy_failed(enum bundle_part part, int r, struct err *err)
{
	return err_set_kind(err, ERR_HOST, r, "cannot copy its %s: %s",
			    bundle_part_name(part), strerror(-r));
}

/* Hash an image, and copy it into @fd on the way, if that is not -1. */
static int check_image(const struct bundle *b, enum bundle_part part, int fd,
		       struct hash256 *h, struct err *err)
{
	const struct bundle_image *image = &b->image[part];
	const uint8_t *p = image->data;
	uint8_t digest[HASH256_LEN];
	size_t left = image->len;

	while (left) {
		size_t n = left < CHUNK ? left : CHUNK;
		int r = fd < 0 ? 0 : write_all(fd, p, n);

		hash256_update(h, p, n);
		if (r < 0) {
			hash256_finish(h, digest);
			return copy_failed(part, r, err);
		}
		if (fd >= 0)
			give_back(p, n);
		p += n;
		left -= n;
	}
	if (hash256_finish(h, digest) < 0)
		return err_set_kind(err, ERR_HOST, -EIO,
				    "cannot compute SHA-256");
	if (memcmp(digest, image->sha256, sizeof(digest)) != 0)
		return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
				    "its %s does not have the hash that is "
				    "written beside it: it was damaged or "
				    "changed",
				    bundle_part_name(part));
	return 0;
}

static int take_image(const struct bundle *b, enum bundle_part part,
		      struct hash256 *h, int *ret, struct err *err)
{
	AUTO(fd_closep)
	int fd = memfd_create(bundle_part_name(part),
			      MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return copy_failed(part, -errno, err);
	r = check_image(b, part, fd, h, err);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return copy_failed(part, -errno, err);
	*ret = TAKE_FD(fd);
	return 0;
}

static int check_signature(const struct bundle_file *f,
			   const struct bundle_key *key, struct hash256 *h,
			   struct err *err)
{
	return key ? bundle_key_check(key, &f->content, h, err) : 0;
}

int bundle_file_verify(struct bundle_file *f, const struct bundle_key *key,
		       struct hash256 *h, struct err *err)
{
	int r = check_signature(f, key, h, err);

	for (enum bundle_part i = 0; r >= 0 && i < BUNDLE_PARTS; i++)
		if (f->content.image[i].len)
			r = check_image(&f->content, i, -1, h, err);
	if (r < 0)
		err_prefix(err, "bundle '%s'", f->path);
	return r;
}

int bundle_file_take(struct bundle_file *f, const struct bundle_key *key,
		     struct hash256 *h, int ret_fd[static BUNDLE_PARTS],
		     struct err *err)
{
	int fd[BUNDLE_PARTS] = {-1, -1, -1};
	int r = check_signature(f, key, h, err);

	for (enum bundle_part i = 0; r >= 0 && i < BUNDLE_PARTS; i++)
		if (f->content.image[i].len)
			r = take_image(&f->content, i, h, &fd[i], err);
	if (r >= 0) {
		memcpy(ret_fd, fd, sizeof(fd));
		return 0;
	}
	for (enum bundle_part i = 0; i < BUNDLE_PARTS; i++)
		fd_closep(&fd[i]);
	err_prefix(err, "bundle '%s'", f->path);
	return r;
}
