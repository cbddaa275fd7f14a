/* tests/fake/fake_pci.c - see fake_pci.h. */
#include "tests/fake/fake_pci.h"

#include <assert.h>
#include <stdlib.h>

#include "mem/mem_map.h"

struct fake_pci *fake_pci_create(void)
{
	struct fake_pci *f = calloc(1, sizeof(*f));
	int r;

	assert(f);
	f->pio = fake_bus_space_create();
	f->mmio = fake_bus_space_create();
	r = pci_bus_create(fake_bus_space(f->pio), fake_bus_space(f->mmio),
			   NULL, &f->bus, NULL);
	assert(!r);
	return f;
}

void fake_pci_destroy_bus(struct fake_pci *f)
{
	pci_bus_destroy(f->bus);
	f->bus = NULL;
}

void fake_pci_destroy(struct fake_pci *f)
{
	if (!f)
		return;
	pci_bus_destroy(f->bus);
	/* both assert that the bus took everything with it */
	fake_bus_space_destroy(f->pio);
	fake_bus_space_destroy(f->mmio);
	free(f);
}

static void select_register(struct fake_pci *f, unsigned int devfn,
			    unsigned int off)
{
	fake_bus_write(f->pio, PORT_PCI_ADDRESS, 4,
		       UINT32_C(0x80000000) | devfn << 8 | (off & ~3u));
}

uint64_t fake_pci_read(struct fake_pci *f, unsigned int devfn, unsigned int off,
		       unsigned int width)
{
	select_register(f, devfn, off);
	return fake_bus_read(f->pio, PORT_PCI_DATA + (off & 3), width);
}

void fake_pci_write(struct fake_pci *f, unsigned int devfn, unsigned int off,
		    unsigned int width, uint64_t val)
{
	select_register(f, devfn, off);
	fake_bus_write(f->pio, PORT_PCI_DATA + (off & 3), width, val);
}
