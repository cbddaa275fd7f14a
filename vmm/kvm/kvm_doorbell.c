/* vmm/kvm/kvm_doorbell.c - ioeventfds on memory, of any access width. */
#include "vmm/kvm/kvm_doorbell.h"

#include <errno.h>
#include <stdlib.h>

#include "devices/virtio/virtio_pci.h"
#include "vmm/base/err.h"
#include "vmm/kvm/kvm_vm.h"

struct kvm_doorbell {
	struct doorbell_sink sink;
	struct kvm_vm *vm;
};

enum { ANY_WIDTH = 0 };

static int add(struct doorbell_sink *s, gpa_t gpa, int fd)
{
	struct kvm_doorbell *d = container_of(s, struct kvm_doorbell, sink);

	return kvm_vm_ioeventfd(d->vm, fd, gpa, ANY_WIDTH, false, true);
}

static void remove_fd(struct doorbell_sink *s, gpa_t gpa, int fd)
{
	struct kvm_doorbell *d = container_of(s, struct kvm_doorbell, sink);

	kvm_vm_ioeventfd(d->vm, fd, gpa, ANY_WIDTH, false, false);
}

static const struct doorbell_sink_ops ops = {.add = add, .remove = remove_fd};

int kvm_doorbell_create(struct kvm_vm *vm, struct kvm_doorbell **ret,
			struct err *err)
{
	struct kvm_doorbell *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(err, -ENOMEM, "out of memory");
	d->sink.ops = &ops;
	d->vm = vm;
	*ret = d;
	return 0;
}

void kvm_doorbell_destroy(struct kvm_doorbell *d)
{
	free(d);
}

struct doorbell_sink *kvm_doorbell_sink(struct kvm_doorbell *d)
{
	return &d->sink;
}
