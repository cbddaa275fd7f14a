/*
 * devices/legacy/uart.h - a 16550A serial port with a host behind it.
 *
 * The line is infinitely fast: a byte the guest writes is sent at once, so the
 * transmitter is empty whenever the guest looks. Reception is limited by the
 * guest: the host hands over what fits into the 16-byte FIFO and is told when
 * there is room again.
 *
 * What goes to the host is collected, because a guest that prints makes one
 * exit or two per byte and a system call on top of each would double the cost.
 * The bytes are handed over
 * - after a line feed, and when UART_TX_BATCH are waiting;
 * - when the guest writes the interrupt enable register: Linux does that at
 *   the end of every burst, both in printk (serial8250_console_write restores
 *   IER) and in a tty (serial8250_stop_tx), which covers prompts;
 * - at uart_tx_flush(), which covers everything else: see tx_pending().
 */
#ifndef DEVICES_LEGACY_UART_H
#define DEVICES_LEGACY_UART_H

#include <stddef.h>
#include <stdint.h>

#include "devices/bus_dev.h"
#include "vmm/base/own.h"

struct err;
struct irq_sink;
struct uart; /* opaque */
struct uart_host;

enum {
	UART_PORTS = 8,	     /* length of the port range */
	UART_FIFO = 16,	     /* bytes, each way */
	UART_TX_BATCH = 256, /* most bytes of one tx() call */
};

struct uart_host_ops {
	/*
	 * The guest sent @len bytes (1..UART_TX_BATCH), any values. Called
	 * under the uart's lock, in order, from a vCPU thread or from the
	 * thread in uart_tx_flush(); must not call the uart. Blocking here
	 * blocks the guest's port: that is how a slow reader slows the guest.
	 */
	void (*tx)(struct uart_host *h, const uint8_t *buf, size_t len);
	/*
	 * The first byte since the last tx() is waiting. The host sees to it
	 * that uart_tx_flush() is called some milliseconds later (an armed
	 * timer is enough, however often this is called). Context as tx().
	 */
	void (*tx_pending)(struct uart_host *h);
	/*
	 * uart_rx() did not take everything earlier and now has room. From a
	 * vCPU thread, without the uart's lock: may call uart_rx().
	 */
	void (*rx_space)(struct uart_host *h);
};

/* Embedded in the implementation; every operation is present. */
struct uart_host {
	const struct uart_host_ops *ops;
};

/*
 * @irq, @host  borrowed, outlive the uart
 * @gsi         the IOAPIC pin it drives, edge-triggered
 * -ENOMEM
 */
int uart_create(struct irq_sink *irq, unsigned int gsi, struct uart_host *host,
		struct uart **ret, struct err *err);
/* Bytes not flushed are lost. NULL is fine. */
void uart_destroy(struct uart *u);
DEFINE_CLEANUP(struct uart, uart_destroy)

/* The UART_PORTS ports. Valid as long as the uart. */
struct bus_dev *uart_bus_dev(struct uart *u);

/*
 * Offer @n bytes to the guest; returns how many were taken, 0..n. After an
 * answer less than @n, rx_space() follows when it is worth trying again. Any
 * thread.
 */
size_t uart_rx(struct uart *u, const uint8_t *buf, size_t n);

/* Hand what is waiting to tx(). Any thread; also before the VM ends. */
void uart_tx_flush(struct uart *u);

#endif
