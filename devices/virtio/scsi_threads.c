/* devices/virtio/scsi_threads.c - I/O by threads that block. */
#include "devices/virtio/scsi_threads.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "devices/virtio/scsi_backend.h"
#include "devices/virtio/scsi_file.h"
#include "devices/virtio/scsi_io.h"
#include "vmm/base/err.h"
#include "vmm/base/loop.h"
#include "vmm/base/thread_start.h"

struct threads_file {
	struct scsi_backend backend;
	struct scsi_threads *t;
	int fd;
};

struct scsi_threads {
	struct scsi_engine engine;
	struct loop_source *wake;
	void (*batch_done)(void *arg);
	void *arg;
	struct scsi_io_list submitted; /* the device's thread alone */

	pthread_mutex_t lock; /* what follows, up to the threads */
	pthread_cond_t work;
	struct scsi_io_list queue, finished;
	bool quit;

	pthread_t threads[SCSI_THREADS];
	unsigned int n_threads; /* started */
	struct threads_file files[];
};

static struct threads_file *file_of(struct scsi_backend *b)
{
	return container_of(b, struct threads_file, backend);
}

static int transfer(int fd, struct scsi_io *io)
{
	int flags = io->fua && io->op == SCSI_IO_WRITE ? RWF_DSYNC : 0;

	for (;;) {
		int n_iov = (int)io->n_iov;
		off_t off = (off_t)io->off;
		ssize_t n = io->op == SCSI_IO_READ
				    ? preadv2(fd, io->iov, n_iov, off, 0)
				    : pwritev2(fd, io->iov, n_iov, off, flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((uint64_t)n >= io->len)
			return 0;
		if (!n) /* the file has become shorter */
			return -EIO;
		scsi_io_advance(io, (uint64_t)n);
	}
}

static int perform(int fd, struct scsi_io *io)
{
	switch (io->op) {
	case SCSI_IO_READ:
	case SCSI_IO_WRITE:
		return transfer(fd, io);
	case SCSI_IO_FLUSH:
		return fdatasync(fd) ? -errno : 0;
	default:
		return fallocate(fd, scsi_io_falloc_mode(io), (off_t)io->off,
				 (off_t)io->len)
			       ? scsi_io_falloc_result(-errno)
			       : 0;
	}
}

static void *worker(void *arg)
{
	struct scsi_threads *t = arg;
	struct scsi_io *io;
	bool first;

	pthread_setname_np(pthread_self(), "scsi-io");
	thread_start(THREAD_WORKER);
	pthread_mutex_lock(&t->lock);
	for (;;) {
		while (!t->quit && !t->queue.head)
			pthread_cond_wait(&t->work, &t->lock);
		if (t->quit)
			break;
		io = scsi_io_take(&t->queue);
		pthread_mutex_unlock(&t->lock);
		io->result = perform(file_of(io->backend)->fd, io);
		pthread_mutex_lock(&t->lock);
		first = !t->finished.head;
		scsi_io_append(&t->finished, io);
		if (first)
			loop_wake(t->wake);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void threads_submit(struct scsi_backend *b, struct scsi_io *io)
{
	io->backend = b;
	scsi_io_append(&file_of(b)->t->submitted, io);
}

static void threads_commit(struct scsi_engine *e)
{
	struct scsi_threads *t = container_of(e, struct scsi_threads, engine);

	if (!t->submitted.head)
		return;
	pthread_mutex_lock(&t->lock);
	scsi_io_splice(&t->queue, &t->submitted);
	pthread_cond_broadcast(&t->work);
	pthread_mutex_unlock(&t->lock);
}

static void on_finished(void *arg)
{
	struct scsi_threads *t = arg;
	struct scsi_io_list done = {NULL, NULL};
	struct scsi_io *io;

	pthread_mutex_lock(&t->lock);
	scsi_io_splice(&done, &t->finished);
	pthread_mutex_unlock(&t->lock);
	if (!done.head)
		return;
	while ((io = scsi_io_take(&done)))
		io->done(io, io->result);
	t->batch_done(t->arg);
	threads_commit(&t->engine);
}

static int threads_attach(struct scsi_engine *e, struct loop *l,
			  void (*batch_done)(void *arg), void *arg)
{
	struct scsi_threads *t = container_of(e, struct scsi_threads, engine);

	t->batch_done = batch_done;
	t->arg = arg;
	return loop_add_wake(l, on_finished, t, &t->wake);
}

static struct scsi_backend *threads_backend(struct scsi_engine *e,
					    unsigned int i)
{
	struct scsi_threads *t = container_of(e, struct scsi_threads, engine);

	return &t->files[i].backend;
}

/* Each thread ends what it is at; what is queued is dropped. */
static void threads_destroy(struct scsi_engine *e)
{
	struct scsi_threads *t = container_of(e, struct scsi_threads, engine);

	pthread_mutex_lock(&t->lock);
	t->quit = true;
	pthread_cond_broadcast(&t->work);
	pthread_mutex_unlock(&t->lock);
	for (unsigned int i = 0; i < t->n_threads; i++)
		pthread_join(t->threads[i], NULL);
	loop_remove(t->wake);
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static int start_threads(struct scsi_threads *t)
{
	sigset_t all, old;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (; t->n_threads < SCSI_THREADS; t->n_threads++) {
		r = pthread_create(&t->threads[t->n_threads], NULL, worker, t);
		if (r)
			break;
		thread_start_created();
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	/* one is enough to work */
	return t->n_threads ? 0 : -r;
}

static const struct scsi_engine_ops engine_ops = {
	.attach = threads_attach,
	.backend = threads_backend,
	.commit = threads_commit,
	.destroy = threads_destroy,
};

static const struct scsi_backend_ops backend_ops = {.submit = threads_submit};

int scsi_threads_create(const struct scsi_file *files, unsigned int n,
			struct scsi_engine **ret, struct err *err)
{
	AUTO(scsi_engine_destroyp) struct scsi_engine *e = NULL;
	struct scsi_threads *t =
		calloc(1, sizeof(*t) + n * sizeof(t->files[0]));
	int r;

	if (!t)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->work, NULL);
	e = &t->engine;
	e->ops = &engine_ops;
	e->kind = "threads";
	for (unsigned int i = 0; i < n; i++)
		t->files[i] =
			(struct threads_file){{&backend_ops}, t, files[i].fd};
	r = start_threads(t);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "disk threads: %s",
				    strerror(-r));
	*ret = TAKE(e);
	return 0;
}
