/*
 * devices/virtio/scsi_uring.h - an engine on io_uring.
 *
 * A ring can open files and sockets behind the back of any seccomp filter, so
 * this one is created disabled, restricted to READV, WRITEV, FSYNC and
 * FALLOCATE on its registered files, and enabled then; that cannot be undone.
 * The process that uses it needs no call but io_uring_enter(2).
 */
#ifndef DEVICES_VIRTIO_SCSI_URING_H
#define DEVICES_VIRTIO_SCSI_URING_H

struct err;
struct scsi_engine;
struct scsi_file;

enum {
	SCSI_URING_DEPTH = 256, /* requests with the kernel; more wait here */
	/*
	 * Threads the kernel makes for what would block (fsync, fallocate,
	 * writes that allocate). RLIMIT_NPROC must leave room for them, or
	 * those requests fail with -ECANCELED.
	 */
	SCSI_URING_WORKERS = 4,
};

/*
 * As scsi_engine_create(), without its layer for alignment.
 * -ENOSYS, -EPERM: there is no io_uring here, or it is not allowed
 * -EINVAL: this kernel cannot restrict a ring (before 5.10)
 */
int scsi_uring_create(const struct scsi_file *files, unsigned int n,
		      struct scsi_engine **ret, struct err *err);

#endif
