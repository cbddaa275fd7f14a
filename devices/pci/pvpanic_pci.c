/* devices/pci/pvpanic_pci.c - one byte that says the guest has panicked. */
#include "devices/pci/pvpanic_pci.h"

#include <errno.h>
#include <stdlib.h>

#include "devices/pci/pci_bus.h"
#include "vmm/base/err.h"

enum { BAR_LEN = 4096 }; /* so that it shares its page with nobody */

struct pvpanic_pci {
	struct pci_func func;
	struct bus_dev dev;
	struct pvpanic_sink *sink; /* borrowed */
};

static uint64_t pvpanic_read(struct bus_dev *dev, uint64_t off,
			     unsigned int width)
{
	(void)dev;
	(void)width;
	return off ? 0 : PVPANIC_PANICKED | PVPANIC_CRASH_LOADED;
}

static void pvpanic_write(struct bus_dev *dev, uint64_t off, unsigned int width,
			  uint64_t val)
{
	struct pvpanic_pci *p = container_of(dev, struct pvpanic_pci, dev);

	(void)width;
	if (off)
		return;
	if (val & PVPANIC_PANICKED)
		p->sink->ops->panicked(p->sink);
	else if (val & PVPANIC_CRASH_LOADED)
		p->sink->ops->crash_loaded(p->sink);
}

static const struct bus_dev_ops pvpanic_ops = {pvpanic_read, pvpanic_write};

int pvpanic_pci_create(struct pci_bus *bus, unsigned int devfn,
		       struct pvpanic_sink *sink, struct pvpanic_pci **ret,
		       struct err *err)
{
	static const struct pci_ids ids = {
		.vendor = 0x1b36,
		.device = 0x0011,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_code = 0x088000, /* system peripheral, other */
		.revision = 1,
	};
	AUTO(pvpanic_pci_destroyp)
	struct pvpanic_pci *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_set(err, -ENOMEM, "out of memory");
	p->dev.ops = &pvpanic_ops;
	p->sink = sink;
	pci_cfg_init(&p->func.cfg, &ids);
	pci_func_add_bar(&p->func, 0, PCI_BAR_MEM32, BAR_LEN, &p->dev);
	r = pci_bus_add(bus, &p->func, devfn, err);
	if (r < 0)
		return r;
	*ret = TAKE(p);
	return 0;
}

void pvpanic_pci_destroy(struct pvpanic_pci *p)
{
	free(p);
}
