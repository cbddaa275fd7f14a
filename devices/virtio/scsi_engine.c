/* devices/virtio/scsi_engine.c - the engine this host allows, and its layers.
 */
#include <errno.h>
#include <stdlib.h>

#include "devices/virtio/scsi_align.h"
#include "devices/virtio/scsi_backend.h"
#include "devices/virtio/scsi_file.h"
#include "devices/virtio/scsi_threads.h"
#include "devices/virtio/scsi_uring.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"

struct layered {
	struct scsi_engine engine;
	struct scsi_engine *inner;
	unsigned int n;
	struct scsi_align *align[]; /* NULL: that file needs none */
};

static int layered_attach(struct scsi_engine *e, struct loop *l,
			  void (*batch_done)(void *arg), void *arg)
{
	struct layered *y = container_of(e, struct layered, engine);

	return y->inner->ops->attach(y->inner, l, batch_done, arg);
}

static struct scsi_backend *layered_backend(struct scsi_engine *e,
					    unsigned int i)
{
	struct layered *y = container_of(e, struct layered, engine);

	return y->align[i] ? scsi_align_backend(y->align[i])
			   : y->inner->ops->backend(y->inner, i);
}

static void layered_commit(struct scsi_engine *e)
{
	struct layered *y = container_of(e, struct layered, engine);

	y->inner->ops->commit(y->inner);
}

static void layered_destroy(struct scsi_engine *e)
{
	struct layered *y = container_of(e, struct layered, engine);

	scsi_engine_destroy(y->inner);
	for (unsigned int i = 0; i < y->n; i++)
		scsi_align_destroy(y->align[i]);
	free(y);
}

static const struct scsi_engine_ops layered_ops = {
	.attach = layered_attach,
	.backend = layered_backend,
	.commit = layered_commit,
	.destroy = layered_destroy,
};

static int create_inner(const struct scsi_file *files, unsigned int n,
			enum scsi_engine_kind kind, struct scsi_engine **ret,
			struct err *err)
{
	struct err why = {0};
	int r;

	if (kind == SCSI_ENGINE_THREADS)
		return scsi_threads_create(files, n, ret, err);
	r = scsi_uring_create(files, n, ret, &why);
	if (r < 0 && kind == SCSI_ENGINE_AUTO) {
		log_debug("disks: %s; using threads", why.msg);
		return scsi_threads_create(files, n, ret, err);
	}
	if (r < 0)
		return err_set_kind(err, why.kind, r, "%s", why.msg);
	return 0;
}

int scsi_engine_create(const struct scsi_file *files, unsigned int n,
		       enum scsi_engine_kind kind, struct scsi_engine **ret,
		       struct err *err)
{
	AUTO(scsi_engine_destroyp) struct scsi_engine *inner = NULL;
	AUTO(scsi_engine_destroyp) struct scsi_engine *outer = NULL;
	struct layered *y;
	int r = create_inner(files, n, kind, &inner, err);

	if (r < 0)
		return r;
	y = calloc(1, sizeof(*y) + n * sizeof(struct scsi_align *));
	if (!y)
		return err_set(err, -ENOMEM, "out of memory");
	outer = &y->engine;
	y->engine.ops = &layered_ops;
	y->engine.kind = inner->kind;
	y->n = n;
	y->inner = TAKE(inner);
	for (unsigned int i = 0; i < n; i++) {
		if (!scsi_align_needed(&files[i]))
			continue;
		r = scsi_align_create(&files[i],
				      y->inner->ops->backend(y->inner, i),
				      &y->align[i], err);
		if (r < 0)
			return r;
	}
	*ret = TAKE(outer);
	return 0;
}
