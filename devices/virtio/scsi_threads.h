/*
 * devices/virtio/scsi_threads.h - an engine on plain system calls and a few
 * threads: for hosts where io_uring is not allowed.
 */
#ifndef DEVICES_VIRTIO_SCSI_THREADS_H
#define DEVICES_VIRTIO_SCSI_THREADS_H

struct err;
struct scsi_engine;
struct scsi_file;

enum { SCSI_THREADS = 4 }; /* requests in progress; more wait */

/*
 * As scsi_engine_create(), without its layer for alignment. The threads start
 * here, with all signals blocked; they use preadv2, pwritev2, fdatasync,
 * fallocate, futex, and write (to wake the loop).
 */
int scsi_threads_create(const struct scsi_file *files, unsigned int n,
			struct scsi_engine **ret, struct err *err);

#endif
