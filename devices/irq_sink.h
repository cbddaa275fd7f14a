/* devices/irq_sink.h - what a device needs in order to interrupt the guest. */
#ifndef DEVICES_IRQ_SINK_H
#define DEVICES_IRQ_SINK_H

#include <stdbool.h>
#include <stdint.h>

struct irq_sink;

/* PCI Local Bus 3.0, 6.8.1 "MSI Capability Structure": address and data. */
struct msi_msg {
	uint64_t address;
	uint32_t data;
};

struct irq_sink_ops {
	/* Drive IOAPIC pin @gsi (0..23) high or low. Any thread. */
	void (*set_line)(struct irq_sink *s, unsigned int gsi, bool level);
	/* Send one message now. Any thread. Negative errno when KVM refuses. */
	int (*send_msi)(struct irq_sink *s, const struct msi_msg *msg);
	/*
	 * From now on a write to eventfd @fd sends @msg, and so does one that
	 * is pending in it; *ret_route names the binding. -ENOSPC when there
	 * are no routes left. Not from a device's hot path.
	 */
	int (*bind)(struct irq_sink *s, int fd, const struct msi_msg *msg,
		    unsigned int *ret_route);
	/* Change the message of a binding. */
	int (*rebind)(struct irq_sink *s, unsigned int route,
		      const struct msi_msg *msg);
	/*
	 * End a binding. The eventfd stays open; what was written to it before
	 * has been sent, what is written from now on stays in it.
	 */
	void (*unbind)(struct irq_sink *s, unsigned int route);
};

/* Embedded in the implementation (vmm/kvm/kvm_irq.c, tests/fake/fake_irq.c). */
struct irq_sink {
	const struct irq_sink_ops *ops;
};

#endif
