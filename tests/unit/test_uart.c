/*
 * tests/unit/test_uart.c - the serial port as a driver and a host see it. The
 * sequences are those of Linux' 8250 driver, named in each case.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "devices/legacy/uart.h"
#include "tests/fake/fake_legacy.h"

enum {
	GSI = 4,

	THR = 0,
	RBR = 0,
	IER = 1,
	IIR = 2,
	FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7,

	NO_INT = 0x01,
	FIFOS = 0xc0,
};

struct fixture {
	struct fake_lines lines;
	struct uart_host host;
	struct uart *u;
	struct bus_dev *dev;
	char out[2048];
	size_t n_out;
	unsigned int tx_calls, pendings, spaces;
	const char *more; /* what rx_space() offers */
};

static void host_tx(struct uart_host *h, const uint8_t *buf, size_t len)
{
	struct fixture *f = container_of(h, struct fixture, host);

	f->tx_calls++;
	assert_true(len >= 1 && len <= UART_TX_BATCH);
	assert_true(f->n_out + len < sizeof(f->out));
	memcpy(f->out + f->n_out, buf, len);
	f->n_out += len;
	f->out[f->n_out] = 0;
}

static void host_tx_pending(struct uart_host *h)
{
	container_of(h, struct fixture, host)->pendings++;
}

/* Calls back into the uart, as a host may. */
static void host_rx_space(struct uart_host *h)
{
	struct fixture *f = container_of(h, struct fixture, host);

	f->spaces++;
	if (f->more)
		f->more += uart_rx(f->u, (const uint8_t *)f->more,
				   strlen(f->more));
}

static int setup(void **state)
{
	static const struct uart_host_ops ops = {
		.tx = host_tx,
		.tx_pending = host_tx_pending,
		.rx_space = host_rx_space,
	};
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	fake_lines_init(&f->lines);
	f->host.ops = &ops;
	if (uart_create(&f->lines.sink, GSI, &f->host, &f->u, NULL) < 0)
		return -1;
	f->dev = uart_bus_dev(f->u);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	uart_destroy(f->u);
	free(f);
	return 0;
}

static uint8_t inb(const struct fixture *f, unsigned int reg)
{
	return (uint8_t)in(f->dev, reg, 1);
}

static void outb(const struct fixture *f, unsigned int reg, uint8_t val)
{
	out(f->dev, reg, 1, val);
}

static void print(const struct fixture *f, const char *s)
{
	while (*s)
		outb(f, THR, (uint8_t)*s++);
}

static size_t type(const struct fixture *f, const char *s)
{
	return uart_rx(f->u, (const uint8_t *)s, strlen(s));
}

/* FIFOs with trigger level 8, interrupts through the gate: as Linux runs. */
static void start(const struct fixture *f, uint8_t ier)
{
	outb(f, FCR, 0x81);
	outb(f, LCR, 0x03);
	outb(f, MCR, 0x0b);
	inb(f, MSR);
	outb(f, IER, ier);
}

/* --- sending ------------------------------------------------------------- */

static void a_line_goes_out_in_one_call(void **state)
{
	struct fixture *f = *state;

	print(f, "hello\n");
	assert_string_equal(f->out, "hello\n");
	assert_int_equal(f->tx_calls, 1);
}

static void a_prompt_goes_out_when_the_driver_stops_sending(void **state)
{
	struct fixture *f = *state;

	start(f, 0x05);
	outb(f, IER, 0x07); /* serial8250_start_tx */
	print(f, "login: ");
	assert_int_equal(f->n_out, 0);
	outb(f, IER, 0x05); /* serial8250_stop_tx */
	assert_string_equal(f->out, "login: ");
}

static void what_waits_is_announced_once_and_flushed_on_demand(void **state)
{
	struct fixture *f = *state;

	print(f, "abc");
	assert_int_equal(f->pendings, 1);
	assert_int_equal(f->n_out, 0);
	uart_tx_flush(f->u);
	assert_string_equal(f->out, "abc");
	uart_tx_flush(f->u); /* nothing: no call */
	assert_int_equal(f->tx_calls, 1);
	print(f, "d");
	assert_int_equal(f->pendings, 2);
}

static void a_line_feed_alone_is_not_announced(void **state)
{
	struct fixture *f = *state;

	print(f, "\n");
	assert_int_equal(f->pendings, 0);
	assert_string_equal(f->out, "\n");
}

static void a_long_line_goes_out_in_batches(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2 * UART_TX_BATCH + 1; i++)
		outb(f, THR, 'x');
	assert_int_equal(f->n_out, 2 * UART_TX_BATCH);
	assert_int_equal(f->tx_calls, 2);
	uart_tx_flush(f->u);
	assert_int_equal(f->n_out, 2 * UART_TX_BATCH + 1);
}

static void the_transmitter_is_always_empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(inb(f, LSR), 0x60);
	outb(f, THR, 'a');
	assert_int_equal(inb(f, LSR), 0x60);
}

/* --- probing, in the order of Linux' driver ------------------------------ */

static void autoconfig_finds_a_16550a(void **state)
{
	struct fixture *f = *state;

	/* no register behind the four bits of IER */
	outb(f, IER, 0);
	assert_int_equal(inb(f, IER), 0);
	outb(f, IER, 0xff);
	assert_int_equal(inb(f, IER), 0x0f);
	outb(f, IER, 0);
	/* loopback shows RTS and OUT2 as CTS and DCD */
	outb(f, MCR, 0x1a);
	assert_int_equal(inb(f, MSR) & 0xf0, 0x90);
	outb(f, MCR, 0);
	/* no extended registers, and FIFOs that work */
	outb(f, LCR, 0xbf);
	outb(f, 2, 0);
	outb(f, LCR, 0);
	outb(f, FCR, 1);
	assert_int_equal(inb(f, IIR) >> 6, 3);
	/* not zero where an ST16C650 has EFR */
	outb(f, LCR, 0x80);
	assert_int_not_equal(inb(f, 2), 0);
	outb(f, LCR, 0);
}

static void size_fifo_counts_16_bytes(void **state)
{
	struct fixture *f = *state;
	int n = 0;

	outb(f, FCR, 0x07);
	outb(f, MCR, 0x10);
	for (int i = 0; i < 256; i++)
		outb(f, THR, (uint8_t)i);
	assert_int_equal(inb(f, LSR) & 0x03, 0x03); /* data, and overrun */
	while (inb(f, LSR) & 0x01 && n < 256)
		assert_int_equal(inb(f, RBR), n++);
	assert_int_equal(n, 16);
	assert_int_equal(f->n_out, 0); /* nothing left the chip */
	assert_int_equal(f->pendings, 0);
}

static void the_transmitter_interrupt_is_raised_each_time(void **state)
{
	struct fixture *f = *state;

	/* the test for UART_BUG_THRE in serial8250_do_startup() */
	outb(f, IER, 0x02);
	assert_int_equal(inb(f, IIR) & 0x0f, 0x02);
	outb(f, IER, 0);
	outb(f, IER, 0x02);
	assert_int_equal(inb(f, IIR) & 0x0f, 0x02);
	outb(f, IER, 0);
	/* and the one for UART_BUG_TXEN */
	outb(f, IER, 0x02);
	assert_int_equal(inb(f, LSR) & 0x40, 0x40);
	assert_int_equal(inb(f, IIR) & NO_INT, 0);
	/* reading it has cleared it */
	assert_int_equal(inb(f, IIR) & NO_INT, NO_INT);
	outb(f, IER, 0x02); /* no 0 -> 1 */
	assert_int_equal(inb(f, IIR) & NO_INT, NO_INT);
	outb(f, THR, 'a');
	assert_int_equal(inb(f, IIR) & 0x0f, 0x02);
}

static void probing_raises_no_interrupt(void **state)
{
	struct fixture *f = *state;

	outb(f, IER, 0x0f);
	outb(f, THR, 'a');
	type(f, "x");
	outb(f, MCR, 0x1b); /* loopback disconnects OUT2 */
	assert_int_equal(f->lines.calls, 0);
	outb(f, MCR, 0x08);
	assert_int_equal(f->lines.rises[GSI], 1);
}

static void divisor_and_scratch_registers_keep_their_values(void **state)
{
	struct fixture *f = *state;

	outb(f, SCR, 0x5a);
	outb(f, LCR, 0x83);
	outb(f, 0, 0x34);
	outb(f, 1, 0x12);
	assert_int_equal(inb(f, 0), 0x34);
	assert_int_equal(inb(f, 1), 0x12);
	outb(f, LCR, 0x03);
	assert_int_equal(inb(f, IER), 0);
	assert_int_equal(inb(f, LCR), 0x03);
	assert_int_equal(inb(f, SCR), 0x5a);
	assert_int_equal(f->n_out, 0);
	outb(f, MCR, 0xff);
	assert_int_equal(inb(f, MCR), 0x1f);
	outb(f, LSR, 0xff); /* read-only */
	outb(f, MSR, 0xff);
	assert_int_equal(inb(f, LSR), 0x60);
}

static void a_peer_is_always_connected(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(inb(f, MSR), 0xb0);
}

static void modem_changes_are_reported_once(void **state)
{
	struct fixture *f = *state;

	start(f, 0x08);
	outb(f, MCR, 0x1c); /* loopback: OUT1, OUT2; CTS and DSR go away */
	assert_int_equal(inb(f, IIR) & 0x0f, 0x00);
	assert_int_equal(inb(f, MSR), 0xc0 | 0x03);
	assert_int_equal(inb(f, MSR), 0xc0);
	outb(f, MCR, 0x18); /* RI falls */
	assert_int_equal(inb(f, MSR), 0x80 | 0x04);
	outb(f, MCR, 0x10); /* DCD falls */
	assert_int_equal(inb(f, MSR), 0x08);
	assert_int_equal(inb(f, IIR) & 0x0f, NO_INT);
}

/* --- receiving ----------------------------------------------------------- */

static void a_single_byte_arrives_as_a_timeout(void **state)
{
	struct fixture *f = *state;

	start(f, 0x05);
	assert_int_equal(type(f, "a"), 1);
	assert_true(f->lines.level[GSI]);
	assert_int_equal(inb(f, IIR), FIFOS | 0x0c);
	assert_int_equal(inb(f, LSR), 0x61);
	assert_int_equal(inb(f, RBR), 'a');
	assert_int_equal(inb(f, LSR), 0x60);
	assert_int_equal(inb(f, IIR), FIFOS | NO_INT);
	assert_false(f->lines.level[GSI]);
}

static void the_trigger_level_is_kept(void **state)
{
	static const struct {
		uint8_t fcr;
		unsigned int level;
	} t[] = {{0x01, 1}, {0x41, 4}, {0x81, 8}, {0xc1, 14}};
	struct fixture *f = *state;

	start(f, 0x01);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		outb(f, FCR, t[i].fcr | 0x02);
		for (unsigned int n = 1; n <= UART_FIFO; n++) {
			assert_int_equal(type(f, "x"), 1);
			assert_int_equal(
				inb(f, IIR),
				FIFOS | (n >= t[i].level ? 0x04 : 0x0c));
		}
	}
}

static void the_host_is_asked_again_when_the_fifo_is_empty(void **state)
{
	struct fixture *f = *state;
	char got[64] = "";

	start(f, 0x01);
	f->more = "0123456789abcdefghijklmnopqrstuvwxyz";
	f->more += type(f, f->more);
	assert_string_equal(f->more, "ghijklmnopqrstuvwxyz");
	assert_int_equal(f->spaces, 0);
	for (size_t i = 0; inb(f, LSR) & 1; i++)
		got[i] = (char)inb(f, RBR);
	assert_string_equal(got, "0123456789abcdefghijklmnopqrstuvwxyz");
	/* the last question finds nothing left, and is the last */
	assert_int_equal(f->spaces, 2);
}

static void a_host_that_was_not_refused_is_not_asked(void **state)
{
	struct fixture *f = *state;

	start(f, 0x01);
	type(f, "0123456789abcdef");
	while (inb(f, LSR) & 1)
		inb(f, RBR);
	assert_int_equal(f->spaces, 0);
}

static void without_fifos_one_byte_fits(void **state)
{
	struct fixture *f = *state;

	outb(f, IER, 0x01);
	assert_int_equal(type(f, "ab"), 1);
	assert_int_equal(inb(f, IIR), 0x04);
	f->more = "b";
	assert_int_equal(inb(f, RBR), 'a');
	assert_int_equal(f->spaces, 1);
	assert_int_equal(inb(f, RBR), 'b');
	assert_int_equal(inb(f, RBR), 0); /* empty */
}

static void clearing_or_switching_the_fifos_drops_what_is_in_them(void **state)
{
	static const uint8_t fcr[] = {0x03, 0x00, 0x01};
	struct fixture *f = *state;

	outb(f, FCR, 1);
	for (size_t i = 0; i < ARRAY_SIZE(fcr); i++) {
		type(f, "xyz");
		assert_int_equal(inb(f, LSR) & 1, 1);
		outb(f, FCR, fcr[i]);
		assert_int_equal(inb(f, LSR) & 1, 0);
	}
	/* the refused rest is asked for after each */
	type(f, "0123456789abcdefg");
	outb(f, FCR, 0x03);
	assert_true(f->spaces >= 1);
	/* and clearing the transmitter's drops nothing */
	print(f, "a");
	outb(f, FCR, 0x05);
	type(f, "b");
	outb(f, FCR, 0x05);
	assert_int_equal(inb(f, LSR) & 1, 1);
	uart_tx_flush(f->u);
	assert_string_equal(f->out, "a");
}

static void in_loopback_the_host_waits(void **state)
{
	struct fixture *f = *state;

	start(f, 0x01);
	outb(f, MCR, 0x1b);
	f->more = "a";
	assert_int_equal(type(f, "a"), 0);
	outb(f, SCR, 0);
	assert_int_equal(f->spaces, 0);
	outb(f, MCR, 0x0b);
	assert_int_equal(f->spaces, 1);
	assert_int_equal(inb(f, RBR), 'a');
}

/* --- interrupts ---------------------------------------------------------- */

static void interrupts_are_named_by_priority(void **state)
{
	struct fixture *f = *state;

	start(f, 0x0f);
	outb(f, MCR, 0x1b); /* all outputs equal all inputs but RI */
	for (int i = 0; i < UART_FIFO + 1; i++)
		outb(f, THR, 'x');
	outb(f, MCR, 0x18); /* modem change, overrun, data, transmitter */
	assert_int_equal(inb(f, IIR), FIFOS | 0x06);
	assert_int_equal(inb(f, LSR), 0x63);
	assert_int_equal(inb(f, IIR), FIFOS | 0x04);
	while (inb(f, LSR) & 1)
		inb(f, RBR);
	assert_int_equal(inb(f, IIR), FIFOS | 0x02);
	assert_int_equal(inb(f, IIR), FIFOS | 0x00);
	inb(f, MSR);
	assert_int_equal(inb(f, IIR), FIFOS | NO_INT);
}

static void a_burst_of_bytes_moves_the_line_once(void **state)
{
	struct fixture *f = *state;

	start(f, 0x05);
	outb(f, IER, 0x07);
	assert_int_equal(inb(f, IIR) & 0x0f, 0x02); /* the handler starts */
	f->lines.calls = 0;
	for (int i = 0; i < UART_FIFO; i++)
		outb(f, THR, 'x');
	assert_int_equal(f->lines.calls, 1);
	assert_true(f->lines.level[GSI]);
}

static void disabling_an_interrupt_lowers_the_line(void **state)
{
	struct fixture *f = *state;

	start(f, 0x02);
	assert_true(f->lines.level[GSI]);
	outb(f, IER, 0);
	assert_false(f->lines.level[GSI]);
	outb(f, IER, 0x02);
	assert_int_equal(f->lines.rises[GSI], 2);
}

static void a_wide_access_is_one_of_bytes(void **state)
{
	struct fixture *f = *state;

	out(f->dev, LCR, 2, 0x0203); /* LCR, MCR */
	assert_int_equal(inb(f, LCR), 0x03);
	assert_int_equal(inb(f, MCR), 0x02);
	out(f->dev, IER, 1, 0x05);
	assert_int_equal(in(f->dev, LCR, 4), 0xb0600203);
	type(f, "a");
	assert_int_equal(in(f->dev, RBR, 2), 0x0500 | 'a');
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_line_goes_out_in_one_call),
		CASE(a_prompt_goes_out_when_the_driver_stops_sending),
		CASE(what_waits_is_announced_once_and_flushed_on_demand),
		CASE(a_line_feed_alone_is_not_announced),
		CASE(a_long_line_goes_out_in_batches),
		CASE(the_transmitter_is_always_empty),
		CASE(autoconfig_finds_a_16550a),
		CASE(size_fifo_counts_16_bytes),
		CASE(the_transmitter_interrupt_is_raised_each_time),
		CASE(probing_raises_no_interrupt),
		CASE(divisor_and_scratch_registers_keep_their_values),
		CASE(a_peer_is_always_connected),
		CASE(modem_changes_are_reported_once),
		CASE(a_single_byte_arrives_as_a_timeout),
		CASE(the_trigger_level_is_kept),
		CASE(the_host_is_asked_again_when_the_fifo_is_empty),
		CASE(a_host_that_was_not_refused_is_not_asked),
		CASE(without_fifos_one_byte_fits),
		CASE(clearing_or_switching_the_fifos_drops_what_is_in_them),
		CASE(in_loopback_the_host_waits),
		CASE(interrupts_are_named_by_priority),
		CASE(a_burst_of_bytes_moves_the_line_once),
		CASE(disabling_an_interrupt_lowers_the_line),
		CASE(a_wide_access_is_one_of_bytes),
	};

	return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
