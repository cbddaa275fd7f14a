/* vmm/supervisor/supervisor_disk.c - a disk's image has another length. */
#include <errno.h>

#include "vmm/base/err.h"
#include "vmm/device_files.h"
#include "vmm/supervisor/supervisor_impl.h"

int supervisor_resize_disk(struct supervisor *s, unsigned int lun,
			   uint64_t *ret_bytes, struct err *err)
{
	struct monitor_msg m = {.type = MONITOR_MSG_RESIZE};
	int r;

	if (!s->proc || !s->ready)
		return err_set(err, -EBUSY, "not possible in this state");
	r = device_files_resize(s->files, lun, ret_bytes, err);
	if (r < 0)
		return r;
	m.resize.lun = lun;
	m.resize.bytes = *ret_bytes;
	if (supervisor_ask(s, &m) < 0)
		return err_set(err, -EIO,
			       "the guest's process is not there any more");
	return 0;
}
