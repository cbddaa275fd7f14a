/* vmm/hash_cache.c - one small file in a private directory. */
#include "vmm/hash_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "crypto/hash256_nettle.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"

enum { NEW_FILE_STALE_S = 60 };

static const char file_name[] = "hashes", new_name[] = "hashes.new";

struct hash_cache {
	int dir; /* -1: there is none */
	struct hash256 *h;
	bool changed;
	struct hash_store store;
	uint8_t buf[HASH_STORE_BYTES + 1]; /* one more: to see what is longer */
};

/* Ours, and nobody else may write there. */
static bool is_private(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* A descriptor, or a negative errno. */
static int open_dir(const char *path)
{
	AUTO(fd_closep) int fd = -1;
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return is_private(&st) ? TAKE_FD(fd) : -EPERM;
}

/* $XDG_CACHE_HOME is used when it is absolute (XDG Base Directory, 0.8). */
static int open_auto(void)
{
	AUTO(freep) char *base = NULL;
	AUTO(freep) char *path = NULL;
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	int n;

	if (geteuid() == 0)
		n = asprintf(&base, "/var/cache");
	else if (cache && cache[0] == '/')
		n = asprintf(&base, "%s", cache);
	else if (home && home[0] == '/')
		n = asprintf(&base, "%s/.cache", home);
	else
		return -ENOENT;
	if (n < 0) {
		base = NULL; /* undefined after a failure */
		return -ENOMEM;
	}
	if (asprintf(&path, "%s/coffer", base) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	mkdir(base, 0700); /* it is usually there */
	return open_dir(path);
}

static int cannot(const char *where, int code, struct err *err)
{
	return err_set_kind(err, code == -EACCES ? ERR_PERM : ERR_INPUT, code,
			    "--hash-cache: '%s': %s", where,
			    code == -EPERM ? "it belongs to another user, or "
					     "others may write there"
					   : strerror(-code));
}

static void read_store(struct hash_cache *c)
{
	/* O_NONBLOCK: a FIFO must not make us wait for a writer. */
	AUTO(fd_closep)
	int fd = openat(c->dir, file_name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !is_private(&st))
		return;
	n = read(fd, c->buf, sizeof(c->buf));
	if (n < 0 || hash_store_parse(c->buf, (size_t)n, c->h, &c->store) < 0)
		log_debug("hash cache: its file is damaged, and ignored");
}

int hash_cache_open(const char *where, struct hash_cache **ret, struct err *err)
{
	AUTO(hash_cache_closep) struct hash_cache *c = calloc(1, sizeof(*c));
	bool is_auto = !where || !strcmp(where, "auto");

	if (!c)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	c->dir = -1;
	c->h = hash256_nettle_create();
	if (!c->h)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	if (is_auto)
		c->dir = open_auto();
	else if (strcmp(where, "none") != 0)
		c->dir = open_dir(where);
	if (c->dir >= 0)
		read_store(c);
	else if (is_auto)
		log_debug("hash cache: none: %s", strerror(-c->dir));
	else if (strcmp(where, "none") != 0)
		return cannot(where, c->dir, err);
	*ret = TAKE(c);
	return 0;
}

/* Of another coffer that writes now, or of one that was killed? */
static bool is_stale(int dir)
{
	struct stat st;

	return !fstatat(dir, new_name, &st, AT_SYMLINK_NOFOLLOW) &&
	       (st.st_mtim.tv_sec + NEW_FILE_STALE_S < time(NULL) ||
		st.st_mtim.tv_sec > time(NULL));
}

static int open_new(int dir)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, new_name, flags, 0600);

	if (fd < 0 && errno == EEXIST && is_stale(dir)) {
		unlinkat(dir, new_name, 0);
		fd = openat(dir, new_name, flags, 0600);
	}
	return fd;
}

/*
 * Who comes at the same time is left out, and so may be what another coffer
 * has added since we read the file: it is hashed once more.
 */
static void write_store(struct hash_cache *c)
{
	size_t len = hash_store_format(&c->store, c->h, c->buf);
	int fd = len ? open_new(c->dir) : -1;
	bool ok;

	if (fd < 0)
		return;
	ok = write(fd, c->buf, len) == (ssize_t)len;
	ok = close(fd) == 0 && ok;
	if (!ok || renameat(c->dir, new_name, c->dir, file_name) < 0)
		unlinkat(c->dir, new_name, 0);
}

void hash_cache_close(struct hash_cache *c)
{
	if (!c)
		return;
	if (c->dir >= 0 && c->changed)
		write_store(c);
	fd_closep(&c->dir);
	hash256_destroy(c->h);
	free(c);
}

/* Old enough that a further change would have another time. */
static bool is_settled(const struct hash_key *key)
{
	const uint64_t settle = HASH_CACHE_SETTLE_S * UINT64_C(1000000000);
	struct timespec t;
	uint64_t now;

	clock_gettime(CLOCK_REALTIME, &t);
	now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	return now > settle && key->mtime_ns < now - settle &&
	       key->ctime_ns < now - settle;
}

/*
 * Are the file's times what this kernel has seen of changes? Not in an image
 * that somebody else has written, where they are what its maker wants, not
 * where a process or the format answers for them, and not where a file that is
 * written through a mapping keeps its times.
 */
static bool has_own_times(int fd)
{
	static const unsigned int without[] = {
		SQUASHFS_MAGIC, EROFS_SUPER_MAGIC_V1, ISOFS_SUPER_MAGIC,
		CRAMFS_MAGIC,	FUSE_SUPER_MAGIC,     MSDOS_SUPER_MAGIC,
		TMPFS_MAGIC,	RAMFS_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(without); i++)
		if ((unsigned int)fs.f_type == without[i])
			return false;
	return true;
}

static bool look(const struct hash_cache *c, int fd, struct hash_key *ret)
{
	struct stat st;

	if (c->dir < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size < HASH_CACHE_FILE_MIN || !has_own_times(fd))
		return false;
	hash_key_of(&st, ret);
	return true;
}

bool hash_cache_find(struct hash_cache *c, int fd,
		     uint8_t ret_sha256[static HASH256_LEN],
		     struct hash_cache_seen *ret_seen)
{
	const uint8_t *known;

	*ret_seen = (struct hash_cache_seen){0};
	if (!look(c, fd, &ret_seen->key))
		return false;
	ret_seen->settled = is_settled(&ret_seen->key);
	known = hash_store_find(&c->store, &ret_seen->key);
	if (!known)
		return false;
	memcpy(ret_sha256, known, HASH256_LEN);
	return true;
}

void hash_cache_add(struct hash_cache *c, int fd,
		    const struct hash_cache_seen *seen,
		    const uint8_t sha256[static HASH256_LEN])
{
	struct hash_key now;

	if (!seen->settled || !look(c, fd, &now) ||
	    memcmp(&now, &seen->key, sizeof(now)) != 0)
		return;
	hash_store_add(&c->store, &now, sha256);
	c->changed = true;
}

void hash_cache_forget(struct hash_cache *c, int fd)
{
	struct hash_key key;

	if (look(c, fd, &key) && hash_store_remove(&c->store, &key))
		c->changed = true;
}
