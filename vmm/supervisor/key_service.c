/* vmm/supervisor/key_service.c - the kernel's key service, by libkeyutils. */
#include "vmm/supervisor/key_service.h"

#include <errno.h>
#include <fcntl.h>
#include <keyutils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto/mktme_key.h"
#include "vmm/base/own.h"

/*
 * No kernel takes it: a payload is parsed before a KeyID is reserved, and this
 * type has a value that none knows.
 */
static const char probe_payload[] = "type=?";

/* A serial that no key has: the kernel makes them at random, from 3 on. */
enum { NO_SERIAL = 0x7fffffff };

enum { LOCK_STEP_MS = 10, LOCK_PATIENCE_MS = 10000 };

static int result(long r)
{
	return r < 0 ? -errno : 0;
}

static int32_t add(struct key_service *s, const char *description,
		   const void *payload, size_t len)
{
	key_serial_t k = add_key(MKTME_KEY_TYPE, description, payload, len,
				 KEY_SPEC_PROCESS_KEYRING);

	(void)s;
	return k < 0 ? -errno : k;
}

static int probe_type(struct key_service *s)
{
	int32_t r = add(s, "coffer:probe", probe_payload,
			sizeof(probe_payload) - 1);

	if (r <= 0)
		return r == -EINVAL ? 0 : r;
	keyctl_invalidate(r); /* a kernel of another kind took it */
	return 0;
}

static int probe_call(struct key_service *s, uint64_t nr)
{
	long page = sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r;

	(void)s;
	if (p == MAP_FAILED)
		return -ENOMEM;
	r = result(
		syscall((long)nr, p, page, PROT_READ | PROT_WRITE, NO_SERIAL));
	munmap(p, (size_t)page);
	return r;
}

static int describe(struct key_service *s, int32_t serial, struct key_info *ret)
{
	AUTO(freep) char *text = NULL;
	int n = keyctl_describe_alloc(serial, &text);

	(void)s;
	if (n < 0)
		return -errno;
	if (!key_info_parse_describe(text, ret))
		return -EPROTO;
	ret->serial = serial;
	return 0;
}

static int set_perm(struct key_service *s, int32_t serial, uint32_t perm)
{
	(void)s;
	return result(keyctl_setperm(serial, perm));
}

static int set_group(struct key_service *s, int32_t serial, gid_t gid)
{
	(void)s;
	return result(keyctl_chown(serial, (uid_t)-1, gid));
}

static int set_timeout(struct key_service *s, int32_t serial,
		       unsigned int seconds)
{
	(void)s;
	return result(keyctl_set_timeout(serial, seconds));
}

static int invalidate(struct key_service *s, int32_t serial)
{
	(void)s;
	return result(keyctl_invalidate(serial));
}

static int link_key(struct key_service *s, int32_t serial)
{
	(void)s;
	return result(keyctl_link(serial, KEY_SPEC_PROCESS_KEYRING));
}

static int unlink_key(struct key_service *s, int32_t serial)
{
	(void)s;
	return result(keyctl_unlink(serial, KEY_SPEC_PROCESS_KEYRING));
}

static int list(struct key_service *s,
		int (*fn)(void *arg, const struct key_info *k), void *arg)
{
	FILE *f = fopen("/proc/keys", "re");
	char line[512];
	int r = 0;

	(void)s;
	if (!f)
		return -errno;
	while (!r && fgets(line, sizeof(line), f)) {
		struct key_info k;

		if (key_info_parse_line(line, &k))
			r = fn(arg, &k);
	}
	fclose(f);
	return 0;
}

/*
 * A directory that no other user can open, or they could hold the lock: root's
 * /run/coffer, else what the session has.
 */
static int open_private_dir(void)
{
	const char *dir = "/run/coffer";
	struct stat st;
	AUTO(fd_closep) int fd = -1;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		dir = getenv("XDG_RUNTIME_DIR");
	if (!dir)
		return -ENOENT;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return -EPERM;
	return TAKE_FD(fd);
}

static int lock(struct key_service *s)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
	int fd = open_private_dir();

	(void)s;
	if (fd < 0)
		return fd;
	for (int ms = 0; ms < LOCK_PATIENCE_MS; ms += LOCK_STEP_MS) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return fd;
		nanosleep(&step, NULL);
	}
	close(fd);
	return -ETIMEDOUT;
}

static const struct key_service_ops kernel_ops = {
	.add = add,
	.probe_type = probe_type,
	.probe_call = probe_call,
	.describe = describe,
	.set_perm = set_perm,
	.set_group = set_group,
	.set_timeout = set_timeout,
	.invalidate = invalidate,
	.link = link_key,
	.unlink = unlink_key,
	.list = list,
	.lock = lock,
};

struct key_service *key_service_kernel(void)
{
	static struct key_service kernel = {&kernel_ops};

	return &kernel;
}
