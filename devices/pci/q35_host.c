/* devices/pci/q35_host.c - PCIEXBAR moves the ECAM window. */
#include "devices/pci/q35_host.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "devices/pci/pci_bus.h"
#include "mem/mem_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

/* Intel 3 Series Express Chipset datasheet, 5.1.16 "PCIEXBAR", 5.1.20 "PAM0" */
enum {
	PCIEXBAR = 0x60, /* 8 bytes */
	PCIEXBAREN = 0x1,
	PCIEXBAR_LENGTH_SHIFT = 1,
	PCIEXBAR_LENGTH_MASK = 0x3,
	PAM0 = 0x90, /* only its upper half: 0xf0000..0xfffff */
	PAM1 = 0x91, /* 0xc0000.. in steps of 16 KiB, two a register */
	PAM_N = 7,
};
/* address bits 35:28, and those that shorter windows add */
#define PCIEXBAR_ADDRESS UINT64_C(0xff0000000)
#define PCIEXBAR_ADDRESS_128M UINT64_C(0x008000000)
#define PCIEXBAR_ADDRESS_64M UINT64_C(0x004000000)

struct q35_host {
	struct pci_func func;
	struct bus_dev *ecam;  /* borrowed from the bus */
	_Atomic uint64_t base; /* of it; 0: it is not enabled */
};

static void update_ecam(struct q35_host *h)
{
	const struct pci_cfg *c = &h->func.cfg;
	uint64_t reg = pci_cfg_get32(c, PCIEXBAR) |
		       (uint64_t)pci_cfg_get32(c, PCIEXBAR + 4) << 32;
	uint64_t mask = PCIEXBAR_ADDRESS, len = 0;

	switch (reg >> PCIEXBAR_LENGTH_SHIFT & PCIEXBAR_LENGTH_MASK) {
	case 0:
		len = MIB(256);
		break;
	case 1:
		len = MIB(128);
		mask |= PCIEXBAR_ADDRESS_128M;
		break;
	case 2:
		len = MIB(64);
		mask |= PCIEXBAR_ADDRESS_128M | PCIEXBAR_ADDRESS_64M;
		break;
	default: /* reserved: no window */
		break;
	}
	if (!(reg & PCIEXBAREN))
		len = 0;
	pci_func_set_window(&h->func, PCI_SPACE_MMIO, reg & mask, len, h->ecam);
	atomic_store(&h->base, len ? reg & mask : 0);
}

static void host_written(struct pci_func *f, unsigned int off,
			 unsigned int width)
{
	if (off < PCIEXBAR + 8 && off + width > PCIEXBAR)
		update_ecam(container_of(f, struct q35_host, func));
}

static const struct pci_func_ops host_ops = {.cfg_written = host_written};

static void init_cfg(struct pci_cfg *c)
{
	static const struct pci_ids ids = {
		.vendor = 0x8086,
		.device = 0x29c0,
		.class_code = 0x060000, /* host bridge */
	};

	pci_cfg_init(c, &ids);
	/* the bridge always decodes and masters */
	pci_cfg_mask16(c, PCI_COMMAND, PCI_COMMAND_SERR);
	pci_cfg_set16(c, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_cfg_set32(c, PCIEXBAR, (uint32_t)MEM_ECAM_BASE | PCIEXBAREN);
	pci_cfg_mask32(c, PCIEXBAR,
		       (uint32_t)(PCIEXBAR_ADDRESS | PCIEXBAR_ADDRESS_128M |
				  PCIEXBAR_ADDRESS_64M) |
			       PCIEXBAR_LENGTH_MASK << PCIEXBAR_LENGTH_SHIFT |
			       PCIEXBAREN);
	pci_cfg_mask32(c, PCIEXBAR + 4, (uint32_t)(PCIEXBAR_ADDRESS >> 32));
	pci_cfg_mask8(c, PAM0, 0x30);
	for (unsigned int i = PAM1; i < PAM0 + PAM_N; i++)
		pci_cfg_mask8(c, i, 0x33);
}

int q35_host_create(struct pci_bus *bus, struct q35_host **ret, struct err *err)
{
	AUTO(q35_host_destroyp) struct q35_host *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return err_set(err, -ENOMEM, "out of memory");
	h->func.ops = &host_ops;
	h->ecam = pci_bus_ecam(bus);
	init_cfg(&h->func.cfg);
	update_ecam(h);
	r = pci_bus_add(bus, &h->func, PCI_DEVFN_HOST, err);
	if (r < 0)
		return r;
	*ret = TAKE(h);
	return 0;
}

void q35_host_destroy(struct q35_host *h)
{
	free(h);
}

uint64_t q35_host_ecam(const struct q35_host *h)
{
	return atomic_load(&h->base);
}
