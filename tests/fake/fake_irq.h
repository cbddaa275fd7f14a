/*
 * tests/fake/fake_irq.h - an irq_sink that remembers what it was told.
 *
 * It treats eventfds as KVM does: what is written to a bound one is consumed
 * and becomes a message, what is pending when it is bound is sent, too, and
 * unbinding loses nothing. KVM does so at once; the fake when it is looked at.
 */
#ifndef TESTS_FAKE_FAKE_IRQ_H
#define TESTS_FAKE_FAKE_IRQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/irq_sink.h"

struct fake_irq; /* opaque */

enum { FAKE_IRQ_MAX_BINDINGS = 256, FAKE_IRQ_MAX_SENT = 4096 };

/* Aborts the test when memory is gone. */
struct fake_irq *fake_irq_create(void);
/* Asserts that nothing is bound any more. NULL is fine. */
void fake_irq_destroy(struct fake_irq *f);
struct irq_sink *fake_irq_sink(struct fake_irq *f);

/* From now on no more than @n bindings at a time (-ENOSPC). */
void fake_irq_limit_bindings(struct fake_irq *f, size_t n);
/* From now on send_msi() and rebind() answer @error (0: work again). */
void fake_irq_fail(struct fake_irq *f, int error);

/* Messages sent so far, at most FAKE_IRQ_MAX_SENT are kept, and the @i-th. */
size_t fake_irq_n_sent(struct fake_irq *f);
struct msi_msg fake_irq_sent(struct fake_irq *f, size_t i);
/* How often bind(), rebind() and unbind() changed something. */
size_t fake_irq_n_changes(struct fake_irq *f);
size_t fake_irq_n_bound(struct fake_irq *f);

/* The level of a pin, and how often it went from low to high. */
bool fake_irq_level(struct fake_irq *f, unsigned int gsi);
size_t fake_irq_n_raised(struct fake_irq *f, unsigned int gsi);

#endif
