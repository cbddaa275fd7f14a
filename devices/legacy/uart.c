/*
 * devices/legacy/uart.c - the registers of a 16550A.
 *
 * Register and bit names are those of the PC16550D datasheet (National
 * Semiconductor, 1995). Where a driver depends on a detail, the comment names
 * Linux' function.
 */
#include "devices/legacy/uart.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "devices/irq_sink.h"
#include "devices/legacy/byte_ports.h"
#include "vmm/base/err.h"

enum {
	RBR_THR_DLL = 0,
	IER_DLM = 1,
	IIR_FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7,

	IER_ERBFI = 1 << 0, /* received data */
	IER_ETBEI = 1 << 1, /* transmitter empty */
	IER_ELSI = 1 << 2,  /* line status */
	IER_EDSSI = 1 << 3, /* modem status */
	IER_MASK = 0x0f,

	IIR_NONE = 0x01,
	IIR_MODEM = 0x00,
	IIR_THRE = 0x02,
	IIR_DATA = 0x04,
	IIR_TIMEOUT = 0x0c,
	IIR_LINE = 0x06,
	IIR_FIFOS = 0xc0,

	FCR_ENABLE = 1 << 0,
	FCR_CLEAR_RX = 1 << 1,
	FCR_TRIGGER_SHIFT = 6,

	LCR_DLAB = 1 << 7,

	MCR_DTR = 1 << 0,
	MCR_RTS = 1 << 1,
	MCR_OUT1 = 1 << 2,
	MCR_OUT2 = 1 << 3,
	MCR_LOOP = 1 << 4,
	MCR_MASK = 0x1f,

	LSR_DR = 1 << 0,
	LSR_OE = 1 << 1,
	LSR_THRE_TEMT = 3 << 5,

	MSR_DCTS = 1 << 0,
	MSR_DDSR = 1 << 1,
	MSR_TERI = 1 << 2,
	MSR_DDCD = 1 << 3,
	MSR_CTS = 1 << 4,
	MSR_DSR = 1 << 5,
	MSR_RI = 1 << 6,
	MSR_DCD = 1 << 7,

	DLL_9600 = 12, /* what firmware leaves behind */
};

struct uart {
	struct bus_dev dev;
	struct irq_sink *irq;	/* borrowed */
	struct uart_host *host; /* borrowed */
	unsigned int gsi;

	pthread_mutex_t lock; /* everything below */
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t overrun;    /* LSR_OE or 0 */
	uint8_t msr_change; /* the four "delta" bits */
	bool thre_pending;  /* the transmitter interrupt, not yet identified */
	bool line;	    /* level of the interrupt line */
	bool rx_refused;    /* the host has more */
	uint8_t rx[UART_FIFO];
	unsigned int rx_head, n_rx;
	uint8_t tx[UART_TX_BATCH];
	size_t n_tx;
};

static unsigned int rx_capacity(const struct uart *u)
{
	return u->fcr & FCR_ENABLE ? UART_FIFO : 1;
}

static unsigned int rx_trigger(const struct uart *u)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	return u->fcr & FCR_ENABLE ? levels[u->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/*
 * The identification of the most urgent enabled interrupt. Data below the
 * trigger level is due after four idle character times; on a line without
 * delay that is now.
 */
static uint8_t pending(const struct uart *u)
{
	if (u->ier & IER_ELSI && u->overrun)
		return IIR_LINE;
	if (u->ier & IER_ERBFI && u->n_rx)
		return u->n_rx >= rx_trigger(u) ? IIR_DATA : IIR_TIMEOUT;
	if (u->ier & IER_ETBEI && u->thre_pending)
		return IIR_THRE;
	if (u->ier & IER_EDSSI && u->msr_change)
		return IIR_MODEM;
	return IIR_NONE;
}

/*
 * On a PC the interrupt passes a gate that OUT2 opens (and loopback closes,
 * since it disconnects OUT2). Linux opens it when it is ready for interrupts,
 * after the probing that would raise useless ones.
 */
static void update_line(struct uart *u)
{
	bool gate = (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
	bool level = gate && pending(u) != IIR_NONE;

	if (level == u->line)
		return;
	u->line = level;
	u->irq->ops->set_line(u->irq, u->gsi, level);
}

static void flush(struct uart *u)
{
	size_t n = u->n_tx;

	u->n_tx = 0;
	if (n)
		u->host->ops->tx(u->host, u->tx, n);
}

static void rx_push(struct uart *u, uint8_t byte)
{
	if (u->n_rx >= rx_capacity(u)) {
		u->overrun = LSR_OE;
		return;
	}
	u->rx[(u->rx_head + u->n_rx++) % UART_FIFO] = byte;
}

static uint8_t rx_pop(struct uart *u)
{
	uint8_t byte;

	if (!u->n_rx)
		return 0;
	byte = u->rx[u->rx_head];
	u->rx_head = (u->rx_head + 1) % UART_FIFO;
	u->n_rx--;
	return byte;
}

/* The modem inputs: a peer that is ready, or our own outputs in loopback. */
static uint8_t modem_status(uint8_t mcr)
{
	uint8_t msr = 0;

	if (!(mcr & MCR_LOOP))
		return MSR_DCD | MSR_DSR | MSR_CTS;
	if (mcr & MCR_RTS)
		msr |= MSR_CTS;
	if (mcr & MCR_DTR)
		msr |= MSR_DSR;
	if (mcr & MCR_OUT1)
		msr |= MSR_RI;
	if (mcr & MCR_OUT2)
		msr |= MSR_DCD;
	return msr;
}

static void write_mcr(struct uart *u, uint8_t val)
{
	uint8_t before = modem_status(u->mcr);
	uint8_t after = modem_status(val & MCR_MASK);
	uint8_t changed = before ^ after;

	u->mcr = val & MCR_MASK;
	if (changed & MSR_CTS)
		u->msr_change |= MSR_DCTS;
	if (changed & MSR_DSR)
		u->msr_change |= MSR_DDSR;
	if (before & ~after & MSR_RI) /* its trailing edge only */
		u->msr_change |= MSR_TERI;
	if (changed & MSR_DCD)
		u->msr_change |= MSR_DDCD;
}

static void write_thr(struct uart *u, uint8_t byte)
{
	u->thre_pending = true; /* sent already, and empty again */
	if (u->mcr & MCR_LOOP) {
		rx_push(u, byte);
		return;
	}
	u->tx[u->n_tx++] = byte;
	if (byte == '\n' || u->n_tx == UART_TX_BATCH)
		flush(u);
	else if (u->n_tx == 1)
		u->host->ops->tx_pending(u->host);
}

/*
 * Enabling the transmitter interrupt while the transmitter is empty raises it
 * each time: serial8250_do_startup() takes a chip that does not for broken,
 * and then polls.
 */
static void write_ier(struct uart *u, uint8_t val)
{
	if (val & ~u->ier & IER_ETBEI)
		u->thre_pending = true;
	u->ier = val & IER_MASK;
	flush(u);
}

static void write_fcr(struct uart *u, uint8_t val)
{
	if (!(val & FCR_ENABLE))
		val = 0; /* the other bits need it */
	if ((val ^ u->fcr) & FCR_ENABLE || val & FCR_CLEAR_RX)
		u->n_rx = 0;
	u->fcr = val;
}

static uint8_t read_iir(struct uart *u)
{
	uint8_t id = pending(u);

	if (id == IIR_THRE)
		u->thre_pending = false;
	return id | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct uart *u)
{
	uint8_t lsr = LSR_THRE_TEMT | u->overrun | (u->n_rx ? LSR_DR : 0);

	u->overrun = 0;
	return lsr;
}

static uint8_t read_msr(struct uart *u)
{
	uint8_t msr = modem_status(u->mcr) | u->msr_change;

	u->msr_change = 0;
	return msr;
}

static uint8_t read_reg(void *dev, uint64_t off)
{
	struct uart *u = dev;

	switch (off) {
	case RBR_THR_DLL:
		return u->lcr & LCR_DLAB ? u->dll : rx_pop(u);
	case IER_DLM:
		return u->lcr & LCR_DLAB ? u->dlm : u->ier;
	case IIR_FCR:
		return read_iir(u);
	case LCR:
		return u->lcr;
	case MCR:
		return u->mcr;
	case LSR:
		return read_lsr(u);
	case MSR:
		return read_msr(u);
	case SCR:
		return u->scr;
	default:
		return 0xff;
	}
}

static void write_reg(void *dev, uint64_t off, uint8_t val)
{
	struct uart *u = dev;

	switch (off) {
	case RBR_THR_DLL:
		if (u->lcr & LCR_DLAB)
			u->dll = val;
		else
			write_thr(u, val);
		break;
	case IER_DLM:
		if (u->lcr & LCR_DLAB)
			u->dlm = val;
		else
			write_ier(u, val);
		break;
	case IIR_FCR:
		write_fcr(u, val);
		break;
	case LCR:
		u->lcr = val;
		break;
	case MCR:
		write_mcr(u, val);
		break;
	case SCR:
		u->scr = val;
		break;
	default: /* LSR and MSR cannot be written */
		break;
	}
}

/*
 * Is it time to ask the host for what it could not place? When the FIFO is
 * empty: a full batch for each question.
 */
static bool take_rx_space(struct uart *u)
{
	if (!u->rx_refused || u->n_rx || u->mcr & MCR_LOOP)
		return false;
	u->rx_refused = false;
	return true;
}

static uint64_t uart_read(struct bus_dev *dev, uint64_t off, unsigned int width)
{
	struct uart *u = container_of(dev, struct uart, dev);
	uint64_t val;
	bool space;

	pthread_mutex_lock(&u->lock);
	val = byte_ports_read(u, read_reg, off, width);
	update_line(u);
	space = take_rx_space(u);
	pthread_mutex_unlock(&u->lock);
	if (space)
		u->host->ops->rx_space(u->host);
	return val;
}

static void uart_write(struct bus_dev *dev, uint64_t off, unsigned int width,
		       uint64_t val)
{
	struct uart *u = container_of(dev, struct uart, dev);
	bool space;

	pthread_mutex_lock(&u->lock);
	byte_ports_write(u, write_reg, off, width, val);
	update_line(u);
	space = take_rx_space(u);
	pthread_mutex_unlock(&u->lock);
	if (space)
		u->host->ops->rx_space(u->host);
}

static const struct bus_dev_ops uart_bus_ops = {
	.read = uart_read,
	.write = uart_write,
};

int uart_create(struct irq_sink *irq, unsigned int gsi, struct uart_host *host,
		struct uart **ret, struct err *err)
{
	struct uart *u = calloc(1, sizeof(*u));

	if (!u)
		return err_set(err, -ENOMEM, "serial port: out of memory");
	pthread_mutex_init(&u->lock, NULL);
	u->dev.ops = &uart_bus_ops;
	u->irq = irq;
	u->gsi = gsi;
	u->host = host;
	u->dll = DLL_9600;
	*ret = u;
	return 0;
}

void uart_destroy(struct uart *u)
{
	if (!u)
		return;
	pthread_mutex_destroy(&u->lock);
	free(u);
}

struct bus_dev *uart_bus_dev(struct uart *u)
{
	return &u->dev;
}

size_t uart_rx(struct uart *u, const uint8_t *buf, size_t n)
{
	size_t taken = 0;

	pthread_mutex_lock(&u->lock);
	if (!(u->mcr & MCR_LOOP)) /* the input is disconnected */
		while (taken < n && u->n_rx < rx_capacity(u))
			rx_push(u, buf[taken++]);
	if (taken < n)
		u->rx_refused = true;
	update_line(u);
	pthread_mutex_unlock(&u->lock);
	return taken;
}

void uart_tx_flush(struct uart *u)
{
	pthread_mutex_lock(&u->lock);
	flush(u);
	pthread_mutex_unlock(&u->lock);
}
