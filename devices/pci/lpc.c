/* devices/pci/lpc.c - PMBASE and ACPI_CNTL move the ACPI block. */
#include "devices/pci/lpc.h"

#include <errno.h>
#include <stdlib.h>

#include "devices/pci/pci_bus.h"
#include "mem/mem_map.h"
#include "vmm/base/err.h"

/* Intel ICH9 datasheet, 13.1 */
enum {
	PMBASE = 0x40,
	PMBASE_ADDRESS = 0xff80,
	PMBASE_RTE = 0x1, /* hardwired: it is an I/O range */
	ACPI_CNTL = 0x44,
	ACPI_CNTL_EN = 0x80,
	ACPI_CNTL_SCI = 0x07, /* 0: the SCI is IRQ 9 */
	PIRQA_ROUT = 0x60,    /* A-D; E-H are at 0x68 */
	PIRQE_ROUT = 0x68,
	PIRQ_ROUT_MASK = 0x8f,
	PIRQ_ROUT_OFF = 0x80,
	RCBA = 0xf0,
	RCBA_EN = 0x1,
};
#define RCBA_ADDRESS UINT32_C(0xffffc000)

struct lpc {
	struct pci_func func;
	struct bus_dev *pm; /* borrowed */
};

static void update_pm(struct lpc *l)
{
	const struct pci_cfg *c = &l->func.cfg;
	uint16_t base = pci_cfg_get16(c, PMBASE) & PMBASE_ADDRESS;
	bool on = pci_cfg_get8(c, ACPI_CNTL) & ACPI_CNTL_EN;

	/* 0 is where the DMA controller used to be: nothing was assigned */
	pci_func_set_window(&l->func, PCI_SPACE_PIO, base,
			    on && base ? PM_BLOCK_LEN : 0, l->pm);
}

static void lpc_written(struct pci_func *f, unsigned int off,
			unsigned int width)
{
	if (off <= ACPI_CNTL && off + width > PMBASE)
		update_pm(container_of(f, struct lpc, func));
}

static const struct pci_func_ops lpc_ops = {.cfg_written = lpc_written};

static void init_cfg(struct pci_cfg *c)
{
	static const struct pci_ids ids = {
		.vendor = 0x8086,
		.device = 0x2918,
		.class_code = 0x060100, /* ISA bridge */
		.revision = 2,
	};

	pci_cfg_init(c, &ids);
	pci_cfg_mask16(c, PCI_COMMAND, PCI_COMMAND_SERR);
	pci_cfg_set16(c, PCI_COMMAND,
		      PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_cfg_set32(c, PMBASE, PORT_PM_BASE | PMBASE_RTE);
	pci_cfg_mask32(c, PMBASE, PMBASE_ADDRESS);
	pci_cfg_set8(c, ACPI_CNTL, ACPI_CNTL_EN);
	pci_cfg_mask8(c, ACPI_CNTL, ACPI_CNTL_EN | ACPI_CNTL_SCI);
	for (unsigned int i = 0; i < 4; i++) {
		pci_cfg_set8(c, PIRQA_ROUT + i, PIRQ_ROUT_OFF);
		pci_cfg_set8(c, PIRQE_ROUT + i, PIRQ_ROUT_OFF);
		pci_cfg_mask8(c, PIRQA_ROUT + i, PIRQ_ROUT_MASK);
		pci_cfg_mask8(c, PIRQE_ROUT + i, PIRQ_ROUT_MASK);
	}
	pci_cfg_mask32(c, RCBA, RCBA_ADDRESS | RCBA_EN);
}

int lpc_create(struct pci_bus *bus, struct bus_dev *pm, struct lpc **ret,
	       struct err *err)
{
	AUTO(lpc_destroyp) struct lpc *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_set(err, -ENOMEM, "out of memory");
	l->func.ops = &lpc_ops;
	l->pm = pm;
	init_cfg(&l->func.cfg);
	update_pm(l);
	r = pci_bus_add(bus, &l->func, PCI_DEVFN_LPC, err);
	if (r < 0)
		return r;
	*ret = TAKE(l);
	return 0;
}

void lpc_destroy(struct lpc *l)
{
	free(l);
}
