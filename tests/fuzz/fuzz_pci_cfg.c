/*
 * tests/fuzz/fuzz_pci_cfg.c - register sequences of a hostile guest over a
 * whole PCI bus: ports and ECAM, BARs that move onto each other, MSI-X, and
 * interrupts in between.
 *
 * The input is a list of records: one byte says what and how wide, four where
 * (little-endian), then the value. A write is followed by what must hold
 * whatever the guest does.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "devices/pci/lpc.h"
#include "devices/pci/msix.h"
#include "devices/pci/pvpanic_pci.h"
#include "devices/pci/q35_host.h"
#include "mem/mem_map.h"
#include "tests/fake/fake_irq.h"
#include "tests/fake/fake_pci.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MAX_RECORDS = 512,
	N_VECTORS = 5,
	DEVFN = PCI_DEVFN_FIRST_FREE,
	/* what a record does: bits 7:4 of its first byte */
	DO_ECAM = 0,
	DO_PORT = 1,
	DO_BAR = 2,
	DO_NOTIFY = 3,
	DO_ANY_MMIO = 4,
};

/* A function with a BAR of every kind and MSI-X in one of them. */
struct victim {
	struct pci_func func;
	struct bus_dev bar;
	struct msix *msix;
};

struct machine {
	struct fake_pci *pci;
	struct fake_irq *irq;
	struct q35_host *host;
	struct lpc *lpc;
	struct pvpanic_pci *pvpanic;
	struct pvpanic_sink sink;
	struct bus_dev pm;
	struct victim v;
};

struct input {
	const uint8_t *p;
	size_t left;
};

static uint64_t take(struct input *in, size_t n)
{
	uint8_t buf[8] = {0};

	if (n > in->left)
		n = in->left;
	memcpy(buf, in->p, n);
	in->p += n;
	in->left -= n;
	return load_le64(buf);
}

/* The contract of bus_dev: an access never leaves the range. */
static uint64_t any_read(struct bus_dev *d, uint64_t off, unsigned int width)
{
	(void)d;
	assert(off + width <= MIB(1));
	return off;
}

static void any_write(struct bus_dev *d, uint64_t off, unsigned int width,
		      uint64_t val)
{
	(void)d;
	(void)val;
	assert(off + width <= MIB(1));
}

static const struct bus_dev_ops any_ops = {any_read, any_write};

static void nothing(struct pvpanic_sink *s)
{
	(void)s;
}

static const struct pvpanic_sink_ops sink_ops = {nothing, nothing};

static void victim_written(struct pci_func *f, unsigned int off,
			   unsigned int width)
{
	struct victim *v = container_of(f, struct victim, func);

	msix_cfg_written(v->msix, off, width);
}

static const struct pci_func_ops victim_ops = {.cfg_written = victim_written};

static void build(struct machine *m)
{
	static const struct pci_ids ids = {.vendor = 0x1af4, .device = 0x1041};
	struct pci_func *f = &m->v.func;
	int r;

	m->pci = fake_pci_create();
	m->irq = fake_irq_create();
	fake_irq_limit_bindings(m->irq, N_VECTORS - 1);
	m->pm.ops = &any_ops;
	m->v.bar.ops = &any_ops;
	m->sink.ops = &sink_ops;
	f->ops = &victim_ops;
	pci_cfg_init(&f->cfg, &ids);
	r = msix_create(&f->cfg, fake_irq_sink(m->irq), N_VECTORS, 1, 0,
			&m->v.msix, NULL);
	assert(!r);
	pci_func_add_bar(f, 0, PCI_BAR_IO, 64, &m->v.bar);
	pci_func_add_bar(f, 1, PCI_BAR_MEM32, 128, msix_dev(m->v.msix));
	pci_func_add_bar(f, 2, PCI_BAR_MEM64, MIB(1), &m->v.bar);
	pci_func_add_bar(f, 4, PCI_BAR_MEM32, KIB(4), &m->v.bar);
	r = q35_host_create(m->pci->bus, &m->host, NULL);
	assert(!r);
	r = pvpanic_pci_create(m->pci->bus, PCI_DEVFN_PVPANIC, &m->sink,
			       &m->pvpanic, NULL);
	assert(!r);
	r = lpc_create(m->pci->bus, &m->pm, &m->lpc, NULL);
	assert(!r);
	r = pci_bus_add(m->pci->bus, f, DEVFN, NULL);
	assert(!r);
	r = pci_bus_assign_bars(m->pci->bus, true, NULL);
	assert(!r);
}

static void tear_down(struct machine *m)
{
	/* the fakes assert that nothing is left mapped or bound */
	fake_pci_destroy_bus(m->pci);
	msix_destroy(m->v.msix);
	q35_host_destroy(m->host);
	lpc_destroy(m->lpc);
	pvpanic_pci_destroy(m->pvpanic);
	fake_pci_destroy(m->pci);
	fake_irq_destroy(m->irq);
}

/*
 * Identity and read-only parts stay as they are, and no more is mapped than
 * there are windows.
 */
static void check(struct machine *m)
{
	const struct pci_cfg *c = &m->v.func.cfg;

	assert(pci_cfg_get32(c, PCI_VENDOR_ID) == 0x10411af4);
	assert(pci_cfg_get8(c, PCI_HEADER_TYPE) == 0);
	assert((pci_cfg_get32(c, PCI_BAR0) & 0x3f) == 1);
	assert((pci_cfg_get32(c, PCI_BAR0 + 8) & 0xfffff) == 0xc);
	assert(pci_cfg_get8(c, PCI_CAPABILITY_LIST) == 0x40);
	assert(fake_bus_n_ranges(m->pci->pio) <= 3);
	assert(fake_bus_n_ranges(m->pci->mmio) <= 5);
}

/* An address in a BAR of the victim, wherever the guest has put it. */
static uint64_t bar_address(struct machine *m, uint32_t where)
{
	uint64_t addr;

	if (!pci_cfg_bar_address(&m->v.func.cfg, where >> 24 & 7 ? 1 : 2,
				 &addr))
		return where;
	return addr + (where & 0xff);
}

static void access_one(struct fake_bus_space *s, uint64_t addr,
		       unsigned int width, bool write, struct input *in)
{
	if (write)
		fake_bus_write(s, addr, width, take(in, width));
	else
		fake_bus_read(s, addr, width);
}

static void run_record(struct machine *m, struct input *in)
{
	uint8_t what = (uint8_t)take(in, 1);
	uint32_t where = (uint32_t)take(in, 4);
	unsigned int width = 1 + (what & 7);
	bool write = what & 8;

	switch (what >> 4) {
	case DO_ECAM:
		access_one(m->pci->mmio, MEM_ECAM_BASE + (where & 0xfffffff),
			   width, write, in);
		break;
	case DO_PORT:
		/* 1, 2 or 4 bytes, as the processor has it */
		width = width > 2 ? 4 : width;
		access_one(m->pci->pio, where & 0xffff, width, write, in);
		break;
	case DO_BAR:
		access_one(m->pci->mmio, bar_address(m, where), width, write,
			   in);
		break;
	case DO_NOTIFY:
		(void)msix_notify(m->v.msix, where & 7);
		(void)fake_irq_n_sent(m->irq);
		break;
	case DO_ANY_MMIO:
		access_one(m->pci->mmio, (uint64_t)where << (what & 7), width,
			   write, in);
		break;
	default:
		break;
	}
	check(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct input in = {data, size};

	assert(m);
	build(m);
	for (int i = 0; in.left && i < MAX_RECORDS; i++)
		run_record(m, &in);
	tear_down(m);
	free(m);
	return 0;
}
