/*
 * vmm/kvm/kvm_irq.c - interrupt lines, messages, and eventfds that send them.
 *
 * KVM has one routing table per VM, replaced as a whole: the pins of the chips
 * first, then one entry for every bound message.
 */
#include "vmm/kvm/kvm_irq.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "devices/irq_sink.h"
#include "mem/mem_map.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/kvm/kvm_abi.h"
#include "vmm/kvm/kvm_vm.h"

enum {
	PIC_PINS = 16,
	CHIP_ROUTES = PIC_PINS + IOAPIC_PINS,
	FIRST_MSI_GSI = 64, /* above every pin */
};

struct binding {
	bool used;
	int fd; /* borrowed from the device */
	struct msi_msg msg;
};

struct kvm_irq {
	struct irq_sink sink;
	int vm_fd;	      /* borrowed from the kvm_vm */
	pthread_mutex_t lock; /* the table below, and KVM's copy of it */
	size_t n;	      /* entries of b[] that were ever used */
	struct binding b[KVM_IRQ_MAX_BINDINGS];
};

static void set_line(struct irq_sink *s, unsigned int gsi, bool level)
{
	struct kvm_irq *irq = container_of(s, struct kvm_irq, sink);
	struct kvm_irq_level l = {.irq = gsi, .level = level};

	if (ioctl(irq->vm_fd, KVM_IRQ_LINE, &l) < 0)
		log_debug("KVM_IRQ_LINE %u: errno %d", gsi, errno);
}

static int send_msi(struct irq_sink *s, const struct msi_msg *msg)
{
	struct kvm_irq *irq = container_of(s, struct kvm_irq, sink);
	struct kvm_msi m = {
		.address_lo = (uint32_t)msg->address,
		.address_hi = (uint32_t)(msg->address >> 32),
		.data = msg->data,
	};

	return ioctl(irq->vm_fd, KVM_SIGNAL_MSI, &m) < 0 ? -errno : 0;
}

/*
 * ISA IRQ 0, the 8254, is IOAPIC pin 2 as on every PC and as our MADT says;
 * KVM_CREATE_IRQCHIP leaves it at pin 0.
 */
static uint32_t add_chip_routes(struct kvm_irq_routing_entry *e)
{
	uint32_t n = 0;

	for (uint32_t pin = 0; pin < PIC_PINS; pin++) {
		e[n].gsi = pin;
		e[n].type = KVM_IRQ_ROUTING_IRQCHIP;
		e[n].u.irqchip.irqchip = pin < 8 ? KVM_IRQCHIP_PIC_MASTER
						 : KVM_IRQCHIP_PIC_SLAVE;
		e[n++].u.irqchip.pin = pin % 8;
	}
	for (uint32_t gsi = 0; gsi < IOAPIC_PINS; gsi++) {
		e[n].gsi = gsi;
		e[n].type = KVM_IRQ_ROUTING_IRQCHIP;
		e[n].u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		e[n++].u.irqchip.pin = gsi == 0 ? 2 : gsi;
	}
	return n;
}

/* Called with the lock held. */
static int load_routes(struct kvm_irq *irq)
{
	AUTO(freep) struct kvm_irq_routing *r = NULL;
	int ret;

	r = calloc(1,
		   sizeof(*r) + (CHIP_ROUTES + irq->n) * sizeof(r->entries[0]));
	if (!r)
		return -ENOMEM;
	r->nr = add_chip_routes(r->entries);
	for (size_t i = 0; i < irq->n; i++) {
		struct kvm_irq_routing_entry *e = &r->entries[r->nr];
		const struct binding *b = &irq->b[i];

		if (!b->used)
			continue;
		e->gsi = FIRST_MSI_GSI + (uint32_t)i;
		e->type = KVM_IRQ_ROUTING_MSI;
		e->u.msi.address_lo = (uint32_t)b->msg.address;
		e->u.msi.address_hi = (uint32_t)(b->msg.address >> 32);
		e->u.msi.data = b->msg.data;
		r->nr++;
	}
	ret = ioctl(irq->vm_fd, KVM_SET_GSI_ROUTING, r);
	return ret < 0 ? -errno : 0;
}

static int irqfd(struct kvm_irq *irq, size_t i, uint32_t flags)
{
	struct kvm_irqfd f = {
		.fd = (uint32_t)irq->b[i].fd,
		.gsi = FIRST_MSI_GSI + (uint32_t)i,
		.flags = flags,
	};

	return ioctl(irq->vm_fd, KVM_IRQFD, &f) < 0 ? -errno : 0;
}

static size_t find_free(const struct kvm_irq *irq)
{
	size_t i = 0;

	while (i < irq->n && irq->b[i].used)
		i++;
	return i;
}

static int bind_fd(struct irq_sink *s, int fd, const struct msi_msg *msg,
		   unsigned int *ret_route)
{
	struct kvm_irq *irq = container_of(s, struct kvm_irq, sink);
	int r = -ENOSPC;
	size_t i;

	pthread_mutex_lock(&irq->lock);
	i = find_free(irq);
	if (i < KVM_IRQ_MAX_BINDINGS) {
		irq->b[i] = (struct binding){true, fd, *msg};
		if (i == irq->n)
			irq->n++;
		r = load_routes(irq);
		if (!r)
			r = irqfd(irq, i, 0);
		if (r < 0)
			irq->b[i].used = false;
	}
	pthread_mutex_unlock(&irq->lock);
	if (r < 0)
		return r;
	*ret_route = (unsigned int)i;
	return 0;
}

static int rebind(struct irq_sink *s, unsigned int route,
		  const struct msi_msg *msg)
{
	struct kvm_irq *irq = container_of(s, struct kvm_irq, sink);
	int r = 0;

	pthread_mutex_lock(&irq->lock);
	if (route >= irq->n || !irq->b[route].used) {
		r = -EINVAL;
	} else if (irq->b[route].msg.address != msg->address ||
		   irq->b[route].msg.data != msg->data) {
		irq->b[route].msg = *msg;
		r = load_routes(irq);
	}
	pthread_mutex_unlock(&irq->lock);
	return r;
}

static void unbind(struct irq_sink *s, unsigned int route)
{
	struct kvm_irq *irq = container_of(s, struct kvm_irq, sink);

	pthread_mutex_lock(&irq->lock);
	if (route < irq->n && irq->b[route].used) {
		irqfd(irq, route, KVM_IRQFD_FLAG_DEASSIGN);
		/* The stale route stays in KVM until the next load: unused. */
		irq->b[route].used = false;
	}
	pthread_mutex_unlock(&irq->lock);
}

static const struct irq_sink_ops ops = {
	.set_line = set_line,
	.send_msi = send_msi,
	.bind = bind_fd,
	.rebind = rebind,
	.unbind = unbind,
};

int kvm_irq_create(struct kvm_vm *vm, struct kvm_irq **ret, struct err *err)
{
	AUTO(kvm_irq_destroyp) struct kvm_irq *irq = calloc(1, sizeof(*irq));
	int r;

	if (!irq)
		return err_set(err, -ENOMEM, "out of memory");
	irq->sink.ops = &ops;
	irq->vm_fd = kvm_vm_fd(vm);
	pthread_mutex_init(&irq->lock, NULL);
	r = load_routes(irq); /* nobody else knows it yet */
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "KVM_SET_GSI_ROUTING: %s",
				    strerror(-r));
	*ret = TAKE(irq);
	return 0;
}

void kvm_irq_destroy(struct kvm_irq *irq)
{
	if (!irq)
		return;
	pthread_mutex_destroy(&irq->lock);
	free(irq);
}

struct irq_sink *kvm_irq_sink(struct kvm_irq *irq)
{
	return &irq->sink;
}
