/* devices/virtio/scsi_file.c - what kind of disk an open file makes. */
#include "devices/virtio/scsi_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"

enum {
	BLOCK_MIN = 512,
	BLOCK_MAX = 4096,
	/* what a file system writes at once; images are aligned to it */
	FILE_PHYS_BLOCK = 4096,
	LOCK_TRIES = 25,
	LOCK_WAIT_MS = 20,
};

/*
 * A process that has ended may still have the lock for a moment: the kernel
 * takes a ring apart, and gives back its files, some time after exit. So a
 * guest that is started again at once must not fail for that.
 */
static int lock_soon(int fd, struct flock *l)
{
	static const struct timespec wait = {.tv_nsec =
						     LOCK_WAIT_MS * 1000000L};

	for (unsigned int i = 0; i < LOCK_TRIES; i++) {
		if (!fcntl(fd, F_OFD_SETLK, l))
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return -errno;
		nanosleep(&wait, NULL);
	}
	return -EBUSY;
}

static int lock_file(int fd, const char *name, bool read_only, struct err *err)
{
	struct flock l = {
		.l_type = read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};
	int r = lock_soon(fd, &l);

	if (r == -EBUSY)
		return err_set_kind(
			err, ERR_INPUT, r,
			"'%s' is in use: %s; end the other user, or make a "
			"copy of the image",
			name,
			read_only ? "another process has it open for writing"
				  : "another process has it open as a disk");
	if (r < 0)
		return err_set(err, r, "'%s': locking: %s", name, strerror(-r));
	return 0;
}

static int check_mode(int fd, const char *name, bool read_only,
		      struct scsi_file *f, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return err_set(err, -errno, "'%s': %s", name, strerror(errno));
	if (!read_only && (flags & O_ACCMODE) != O_RDWR)
		return err_set_kind(err, ERR_INPUT, -EROFS,
				    "'%s' is open for reading only: make it "
				    "writable, or add ,ro",
				    name);
	f->direct = flags & O_DIRECT;
	/*
	 * O_NONBLOCK means nothing to a file, but with it the io_uring of Linux
	 * 6.1 answers EAGAIN to all that is on a block device which cannot say
	 * that it would block: dm-crypt's, for one.
	 */
	if (flags & O_NONBLOCK && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return err_set(err, -errno, "'%s': %s", name, strerror(errno));
	return 0;
}

/* A hint to the guest: something it can use, whatever the device says. */
static uint32_t sane_block(uint64_t v, uint32_t least)
{
	return v >= least && v <= MIB(1) && is_power_of_two(v) ? (uint32_t)v
							       : least;
}

static int look_at_device(int fd, const char *name, struct scsi_file *f,
			  struct err *err)
{
	int block = 0, ro = 0;
	unsigned int phys = 0;

	if (ioctl(fd, BLKGETSIZE64, &f->bytes) || ioctl(fd, BLKSSZGET, &block))
		return err_set(err, -errno, "'%s': asking for its size: %s",
			       name, strerror(errno));
	if (!f->read_only && !ioctl(fd, BLKROGET, &ro) && ro)
		return err_set_kind(err, ERR_INPUT, -EROFS,
				    "'%s' is a read-only device: add ,ro",
				    name);
	if (block < BLOCK_MIN || block > BLOCK_MAX ||
	    !is_power_of_two((uint64_t)block))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "'%s': blocks of %d bytes; only 512 to "
				    "4096 can be shown to a guest",
				    name, block);
	f->block_size = (uint32_t)block;
	if (ioctl(fd, BLKPBSZGET, &phys))
		phys = 0;
	f->phys_block_size = sane_block(phys, f->block_size);
	f->discard_granularity = f->phys_block_size;
	return 0;
}

static void look_at_file(const struct stat *st, struct scsi_file *f)
{
	f->bytes = (uint64_t)st->st_size;
	f->block_size = BLOCK_MIN;
	f->phys_block_size = FILE_PHYS_BLOCK;
	f->discard_granularity =
		sane_block((uint64_t)st->st_blksize, FILE_PHYS_BLOCK);
}

/* Kernels before 6.1, and some file systems, do not say: what always works. */
static void guess_alignment(struct scsi_file *f)
{
	f->mem_align = f->block_dev ? f->block_size : BLOCK_MAX;
	f->off_align = f->mem_align;
}

static int look_at_alignment(int fd, const char *name, struct scsi_file *f,
			     struct err *err)
{
	struct statx x = {0};

	f->mem_align = f->off_align = 1;
	if (!f->direct)
		return 0;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &x) ||
	    !(x.stx_mask & STATX_DIOALIGN) || !x.stx_dio_mem_align ||
	    !is_power_of_two(x.stx_dio_mem_align) ||
	    !is_power_of_two(x.stx_dio_offset_align))
		guess_alignment(f);
	else {
		f->mem_align = x.stx_dio_mem_align;
		f->off_align = x.stx_dio_offset_align;
	}
	if (f->mem_align > BLOCK_MAX || f->off_align > BLOCK_MAX)
		return err_set_kind(err, ERR_HOST, -EINVAL,
				    "'%s': direct I/O in units of more than "
				    "4096 bytes is not supported: drop "
				    ",direct",
				    name);
	/* the last unit would be written past the end, and grow the file */
	if (f->bytes % f->off_align)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "'%s': direct I/O needs a size that is a "
				    "multiple of %u here: drop ,direct or "
				    "grow the image",
				    name, f->off_align);
	return 0;
}

int scsi_file_check(int fd, const char *name, bool read_only,
		    struct scsi_file *ret, struct err *err)
{
	struct scsi_file f = {.fd = fd, .read_only = read_only};
	struct stat st;
	int r;

	if (fstat(fd, &st))
		return err_set(err, -errno, "'%s': %s", name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set_kind(err, ERR_INPUT, -EISDIR,
				    "'%s' is a directory, not a disk image",
				    name);
	f.block_dev = S_ISBLK(st.st_mode);
	if (!f.block_dev && !S_ISREG(st.st_mode))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "'%s' is neither a file nor a block "
				    "device",
				    name);
	r = check_mode(fd, name, read_only, &f, err);
	if (r < 0)
		return r;
	if (!f.block_dev)
		look_at_file(&st, &f);
	else if ((r = look_at_device(fd, name, &f, err)) < 0)
		return r;
	if (!f.bytes || f.bytes % f.block_size)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "'%s' is %llu bytes long: a disk is a "
				    "multiple of %u, and not empty",
				    name, (unsigned long long)f.bytes,
				    f.block_size);
	r = look_at_alignment(fd, name, &f, err);
	if (r < 0)
		return r;
	r = lock_file(fd, name, read_only, err);
	if (r < 0)
		return r;
	*ret = f;
	return 0;
}

int scsi_file_size(const struct scsi_file *f, uint64_t *ret)
{
	struct stat st;
	uint64_t bytes;

	if (f->block_dev) {
		if (ioctl(f->fd, BLKGETSIZE64, &bytes))
			return -errno;
	} else {
		if (fstat(f->fd, &st))
			return -errno;
		bytes = (uint64_t)st.st_size;
	}
	/* a tail that direct I/O cannot reach is not part of the disk */
	*ret = align_down(bytes, f->off_align > f->block_size ? f->off_align
							      : f->block_size);
	return 0;
}
