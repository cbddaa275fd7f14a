/* tests/unit/vpci_fixture.h - what the tests of the PCI transport share. */
#ifndef TESTS_UNIT_VPCI_FIXTURE_H
#define TESTS_UNIT_VPCI_FIXTURE_H

#include "tests/unit/unit.h"

#include "tests/fake/fake_vpci.h"

static inline int build(void **state, const struct fake_vpci_opts *o)
{
	*state = fake_vpci_create(o);
	return 0;
}

static inline int setup(void **state)
{
	return build(state, NULL);
}

/* A device that offers as little as there may be. */
static inline int setup_least(void **state)
{
	struct fake_vpci_opts o = {
		.no_queue_reset = true,
		.read_only = true,
		.no_doorbells = true,
	};

	return build(state, &o);
}

static inline int teardown(void **state)
{
	fake_vpci_destroy(*state);
	return 0;
}

static inline uint8_t status(struct fake_vpci *f)
{
	return (uint8_t)fake_vpci_get(f, VIRTIO_PCI_COMMON_STATUS);
}

static inline void set_status(struct fake_vpci *f, uint8_t s)
{
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, s);
}

static inline struct virtio_pci_counters counters(struct fake_vpci *f)
{
	struct virtio_pci_counters c;

	virtio_pci_counters(f->t, &c);
	return c;
}

/* A register of the function's configuration space. */
static inline void cfg_set(struct fake_vpci *f, unsigned int off,
			   unsigned int width, uint64_t val)
{
	fake_pci_write(f->pci, FAKE_VPCI_DEVFN, off, width, val);
}

#endif
