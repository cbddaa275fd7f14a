/*
 * devices/virtio/scsi_file.h - is an open file fit to be a disk, and what must
 * one know to use it?
 *
 * For the code that opens paths, before the process is locked down. There is
 * no format to detect: a file is a raw disk, byte for byte. (Probing formats
 * lets a guest turn its disk into an image that names host files.)
 */
#ifndef DEVICES_VIRTIO_SCSI_FILE_H
#define DEVICES_VIRTIO_SCSI_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct err;

/* What is known of an open file. */
struct scsi_file {
	int fd; /* borrowed */
	bool read_only;
	bool direct;	/* O_DIRECT is set */
	bool block_dev; /* else a regular file */
	uint64_t bytes; /* > 0, a multiple of block_size */
	/* Logical block for the guest: 512, or the block device's own. */
	uint32_t block_size;
	uint32_t phys_block_size; /* what the host writes at once; a hint */
	/* What O_DIRECT needs of addresses, and of offsets and lengths; else 1.
	 */
	uint32_t mem_align, off_align;
	uint32_t discard_granularity; /* a hint, at least block_size */
};

/*
 * Look at @fd (borrowed), called @name in messages, and lock it: exclusively,
 * or with @read_only shared among readers. The lock belongs to the open file
 * description (F_OFD_SETLK): it goes where the descriptor goes, and ends with
 * its last duplicate. O_NONBLOCK is cleared.
 * -EISDIR      a directory
 * -EINVAL      neither regular file nor block device; size 0 or not a multiple
 *              of the block size
 * -EROFS       not open for writing, or a read-only device, without @read_only
 * -EBUSY       somebody else has it open, and one of both writes (it is tried
 *              for half a second: an engine that has ended gives up its files
 *              a little later)
 * or the errno of fstat(2), fcntl(2), ioctl(2)
 */
int scsi_file_check(int fd, const char *name, bool read_only,
		    struct scsi_file *ret, struct err *err);

/* The size now, in bytes, rounded down to whole blocks. Negative errno. */
int scsi_file_size(const struct scsi_file *f, uint64_t *ret);

#endif
