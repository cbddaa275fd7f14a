/* vmm/machine_q35.c - which device sits at which port. */
#include "vmm/machine_q35.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/legacy/acpi_pm.h"
#include "devices/legacy/debug_exit.h"
#include "devices/legacy/debugcon.h"
#include "devices/legacy/host_clock.h"
#include "devices/legacy/reset_port.h"
#include "devices/legacy/rtc.h"
#include "devices/legacy/uart.h"
#include "devices/pci/lpc.h"
#include "devices/pci/pci_bus.h"
#include "devices/pci/pvpanic_pci.h"
#include "devices/pci/q35_host.h"
#include "devices/power_sink.h"
#include "mem/mem_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/loop.h"
#include "vmm/bus.h"
#include "vmm/console.h"

enum { PIO_SIZE = 0x10000 };
#define MMIO_SIZE BIT64(52) /* the architecture's largest physical address */

struct machine {
	struct machine_params p;
	struct bus *pio, *mmio;
	struct uart_host uart_host;
	struct console_port console_port;
	struct rtc_host rtc_host;
	struct pvpanic_sink pvpanic_sink;

	struct loop_source *rtc_timer;
	struct reset_port *reset;
	struct acpi_pm *pm;
	struct rtc *rtc;
	struct uart *uart;
	struct debugcon *debugcon;
	struct debug_exit *debug_exit;
	struct pci_bus *pci;
	struct q35_host *host;
	struct lpc *lpc;
	struct pvpanic_pci *pvpanic;
};

/* --- glue between devices and the rest of the VMM ------------------------ */

static void uart_tx(struct uart_host *h, const uint8_t *buf, size_t len)
{
	struct machine *m = container_of(h, struct machine, uart_host);

	console_output(m->p.console, buf, len);
}

static void uart_tx_pending(struct uart_host *h)
{
	struct machine *m = container_of(h, struct machine, uart_host);

	console_output_pending(m->p.console);
}

static void uart_rx_space(struct uart_host *h)
{
	struct machine *m = container_of(h, struct machine, uart_host);

	console_input_ready(m->p.console);
}

static const struct uart_host_ops uart_host_ops = {
	.tx = uart_tx,
	.tx_pending = uart_tx_pending,
	.rx_space = uart_rx_space,
};

static size_t port_input(struct console_port *p, const uint8_t *buf, size_t len)
{
	struct machine *m = container_of(p, struct machine, console_port);

	return uart_rx(m->uart, buf, len);
}

static void port_flush(struct console_port *p)
{
	struct machine *m = container_of(p, struct machine, console_port);

	uart_tx_flush(m->uart);
}

static const struct console_port_ops console_port_ops = {
	.input = port_input,
	.flush = port_flush,
};

static void rtc_arm(struct rtc_host *h, uint64_t delay_ns)
{
	struct machine *m = container_of(h, struct machine, rtc_host);

	/* A timer of 0 ms would be none at all. */
	loop_set_timer(m->rtc_timer,
		       delay_ns == UINT64_MAX ? 0 : delay_ns / 1000000 + 1);
}

static const struct rtc_host_ops rtc_host_ops = {.arm = rtc_arm};

static void on_rtc_timer(void *arg)
{
	struct machine *m = arg;

	rtc_tick(m->rtc);
}

static void pvpanic_panicked(struct pvpanic_sink *s)
{
	struct machine *m = container_of(s, struct machine, pvpanic_sink);

	m->p.power->ops->panicked(m->p.power, POWER_PANICKED);
}

static void pvpanic_crash_loaded(struct pvpanic_sink *s)
{
	struct machine *m = container_of(s, struct machine, pvpanic_sink);

	m->p.power->ops->panicked(m->p.power, POWER_CRASH_LOADED);
}

static const struct pvpanic_sink_ops pvpanic_sink_ops = {
	.panicked = pvpanic_panicked,
	.crash_loaded = pvpanic_crash_loaded,
};

/* --- assembly ------------------------------------------------------------ */

static int create_buses(struct machine *m, struct err *err)
{
	int r = bus_create(PIO_SIZE, &m->pio, err);

	return r < 0 ? r : bus_create(MMIO_SIZE, &m->mmio, err);
}

static int create_legacy(struct machine *m, struct err *err)
{
	struct rtc_config rtc = {
		.ram_low = m->p.ram_bytes < MEM_RAM_LOW_MAX ? m->p.ram_bytes
							    : MEM_RAM_LOW_MAX,
		.clock = host_clock_realtime(),
		.irq = m->p.irq,
		.gsi = GSI_RTC,
		.host = &m->rtc_host,
	};
	int r;

	rtc.ram_high = m->p.ram_bytes - rtc.ram_low;
	r = loop_add_timer(m->p.loop, on_rtc_timer, m, &m->rtc_timer);
	if (r < 0)
		return err_set(err, r, "timer: %s", strerror(-r));
	r = reset_port_create(m->p.power, &m->reset, err);
	if (!r)
		r = acpi_pm_create(m->p.irq, m->p.power, host_clock_monotonic(),
				   &m->pm, err);
	if (!r)
		r = rtc_create(&rtc, &m->rtc, err);
	if (!r)
		r = uart_create(m->p.irq, GSI_UART0, &m->uart_host, &m->uart,
				err);
	if (!r)
		r = debugcon_create(m->p.debugcon, &m->debugcon, err);
	if (!r && m->p.debug_exit)
		r = debug_exit_create(m->p.power, &m->debug_exit, err);
	return r;
}

static int create_pci(struct machine *m, struct err *err)
{
	int r;

	r = pci_bus_create(bus_as_space(m->pio), bus_as_space(m->mmio),
			   reset_port_cf9(m->reset), &m->pci, err);
	if (!r)
		r = q35_host_create(m->pci, &m->host, err);
	if (!r)
		r = pvpanic_pci_create(m->pci, PCI_DEVFN_PVPANIC,
				       &m->pvpanic_sink, &m->pvpanic, err);
	if (!r)
		r = lpc_create(m->pci, acpi_pm_bus_dev(m->pm), &m->lpc, err);
	return r;
}

/* The ports that never move; PCI places the others. */
static int map_ports(struct machine *m, struct err *err)
{
	const struct {
		uint64_t base, len;
		struct bus_dev *dev;
	} ports[] = {
		{PORT_KBD_DATA, 1, reset_port_kbd_data(m->reset)},
		{PORT_KBD_CMD, 1, reset_port_kbd_cmd(m->reset)},
		{PORT_RTC_INDEX, RTC_PORTS, rtc_bus_dev(m->rtc)},
		{PORT_SYSCTL_A, 1, reset_port_sysctl_a(m->reset)},
		{PORT_UART0, UART_PORTS, uart_bus_dev(m->uart)},
		{PORT_DEBUGCON, DEBUGCON_PORTS, debugcon_bus_dev(m->debugcon)},
		{PORT_DEBUG_EXIT, DEBUG_EXIT_PORTS,
		 m->debug_exit ? debug_exit_bus_dev(m->debug_exit) : NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		int r;

		if (!ports[i].dev)
			continue;
		r = bus_add(m->pio, ports[i].base, ports[i].len, ports[i].dev);
		if (r < 0)
			return err_set_kind(err, ERR_INTERNAL, r,
					    "port 0x%llx is taken",
					    (unsigned long long)ports[i].base);
	}
	return 0;
}

int machine_create(const struct machine_params *p, struct machine **ret,
		   struct err *err)
{
	AUTO(machine_destroyp) struct machine *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return err_set(err, -ENOMEM, "out of memory");
	m->p = *p;
	m->uart_host.ops = &uart_host_ops;
	m->console_port.ops = &console_port_ops;
	m->rtc_host.ops = &rtc_host_ops;
	m->pvpanic_sink.ops = &pvpanic_sink_ops;
	r = create_buses(m, err);
	if (!r)
		r = create_legacy(m, err);
	if (!r)
		r = create_pci(m, err);
	if (!r)
		r = map_ports(m, err);
	if (r < 0)
		return r;
	*ret = TAKE(m);
	return 0;
}

void machine_destroy(struct machine *m)
{
	if (!m)
		return;
	/* the bus first: it unmaps what its functions decode */
	pci_bus_destroy(m->pci);
	pvpanic_pci_destroy(m->pvpanic);
	lpc_destroy(m->lpc);
	q35_host_destroy(m->host);
	debug_exit_destroy(m->debug_exit);
	debugcon_destroy(m->debugcon);
	uart_destroy(m->uart);
	rtc_destroy(m->rtc);
	acpi_pm_destroy(m->pm);
	reset_port_destroy(m->reset);
	loop_remove(m->rtc_timer);
	bus_destroy(m->mmio);
	bus_destroy(m->pio);
	free(m);
}

int machine_finish(struct machine *m, unsigned int phys_bits, struct err *err)
{
	bool high = phys_bits >= 64 ||
		    BIT64(phys_bits) >= MEM_PCI64_BASE + MEM_PCI64_SIZE;

	return pci_bus_assign_bars(m->pci, high, err);
}

struct bus *machine_pio(struct machine *m)
{
	return m->pio;
}

struct bus *machine_mmio(struct machine *m)
{
	return m->mmio;
}

struct pci_bus *machine_pci(struct machine *m)
{
	return m->pci;
}

struct console_port *machine_console_port(struct machine *m)
{
	return &m->console_port;
}

uint64_t machine_ecam(const struct machine *m)
{
	return q35_host_ecam(m->host);
}

void machine_power_button(struct machine *m)
{
	acpi_pm_power_button(m->pm);
}
