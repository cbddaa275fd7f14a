/* devices/pci/pci_bus.c - routes configuration accesses and maps windows. */
#include "devices/pci/pci_bus.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "mem/mem_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

/* PCI Local Bus 3.0, figure 3-2: CONFIG_ADDRESS */
enum {
	ADDRESS_REGISTER = 0x000000fc,
	ADDRESS_DEVFN_SHIFT = 8,
	ADDRESS_BUS_SHIFT = 16,
	ADDRESS_WRITABLE = 0x00fffffc, /* and the enable bit */
	PORTS_LEN = 8,		       /* 0xcf8..0xcff */
	PORTS_DATA = PORT_PCI_DATA - PORT_PCI_ADDRESS,
	PORTS_RESET = PORT_RESET_CTL - PORT_PCI_ADDRESS,
};
#define ADDRESS_ENABLE BIT32(31)

/* PCI Express Base 3.0, table 7-1 */
enum { ECAM_DEVFN_SHIFT = 12, ECAM_BUS_SHIFT = 20 };

struct pci_bus {
	struct bus_dev ports, ecam;
	struct bus_space *space[2]; /* by enum pci_space; borrowed */
	struct bus_dev *reset_ctl;  /* borrowed, or NULL */

	pthread_mutex_t lock; /* everything below, and all f->cfg */
	struct pci_func *func[PCI_N_DEVFN];
	uint32_t address; /* CONFIG_ADDRESS */
};

static uint64_t ones(unsigned int width)
{
	return width >= 8 ? UINT64_MAX : BIT64(8 * width) - 1;
}

/* --- windows ------------------------------------------------------------ */

/* What a BAR wants follows from the configuration space. */
static void update_bars(struct pci_func *f)
{
	for (unsigned int i = 0; i < PCI_N_BARS; i++) {
		struct pci_window *w = &f->window[i];

		if (!w->dev)
			continue;
		w->len = pci_cfg_bar_address(&f->cfg, i, &w->base)
				 ? f->cfg.bar[i].size
				 : 0;
	}
}

static void unmap_window(struct pci_bus *b, struct pci_window *w)
{
	struct bus_space *s = b->space[w->mapped_space];

	if (w->mapped_len)
		s->ops->remove(s, w->mapped_at, w->mapped_dev);
	w->mapped_len = 0;
}

/* True when it is mapped now and was not before. */
static bool map_window(struct pci_bus *b, struct pci_window *w)
{
	struct bus_space *s = b->space[w->space];

	if (w->mapped_len || !w->len ||
	    s->ops->add(s, w->base, w->len, w->dev) < 0)
		return false;
	w->mapped_at = w->base;
	w->mapped_len = w->len;
	w->mapped_space = w->space;
	w->mapped_dev = w->dev;
	return true;
}

static bool moved(const struct pci_window *w)
{
	return w->mapped_len &&
	       (w->mapped_at != w->base || w->mapped_len != w->len ||
		w->mapped_space != w->space || w->mapped_dev != w->dev);
}

/* Is all of @f mapped as it wants? */
static bool settled(const struct pci_func *f)
{
	for (unsigned int i = 0; i < PCI_N_WINDOWS; i++) {
		const struct pci_window *w = &f->window[i];

		if (moved(w) || (w->len && !w->mapped_len))
			return false;
	}
	return true;
}

static void unmap_moved(struct pci_bus *b, struct pci_func *f)
{
	for (unsigned int i = 0; i < PCI_N_WINDOWS; i++) {
		if (!moved(&f->window[i]))
			continue;
		unmap_window(b, &f->window[i]);
		f->changed = true;
	}
}

static void map_missing(struct pci_bus *b, struct pci_func *f)
{
	for (unsigned int i = 0; i < PCI_N_WINDOWS; i++)
		if (map_window(b, &f->window[i]))
			f->changed = true;
}

static void tell(struct pci_func *f)
{
	if (f->changed && f->ops && f->ops->remapped)
		f->ops->remapped(f);
	f->changed = false;
}

/*
 * Bring what is mapped in line with what is wanted, under the lock. All old
 * ranges go before new ones come, so that two functions can swap places; and
 * every unmapped window is tried again, because its obstacle may have gone.
 */
static void sync_windows(struct pci_bus *b)
{
	for (unsigned int d = 0; d < PCI_N_DEVFN; d++)
		if (b->func[d])
			unmap_moved(b, b->func[d]);
	for (unsigned int d = 0; d < PCI_N_DEVFN; d++)
		if (b->func[d])
			map_missing(b, b->func[d]);
	for (unsigned int d = 0; d < PCI_N_DEVFN; d++)
		if (b->func[d])
			tell(b->func[d]);
}

void pci_func_add_bar(struct pci_func *f, unsigned int i,
		      enum pci_bar_kind kind, uint64_t size,
		      struct bus_dev *dev)
{
	pci_cfg_add_bar(&f->cfg, i, kind, size);
	f->window[i] = (struct pci_window){
		.dev = dev,
		.space = kind == PCI_BAR_IO ? PCI_SPACE_PIO : PCI_SPACE_MMIO,
	};
}

void pci_func_set_window(struct pci_func *f, enum pci_space space,
			 uint64_t base, uint64_t len, struct bus_dev *dev)
{
	struct pci_window *w = &f->window[PCI_WINDOW_FIXED];

	w->space = space;
	w->base = base;
	w->len = len;
	w->dev = dev;
}

/* --- configuration accesses --------------------------------------------- */

/* @bus, @devfn and @off are the guest's. */
static uint64_t cfg_read(struct pci_bus *b, unsigned int bus,
			 unsigned int devfn, unsigned int off,
			 unsigned int width)
{
	struct pci_func *f = bus ? NULL : b->func[devfn];

	if (!f || off + width > PCI_CFG_SIZE)
		return ones(width);
	if (f->ops && f->ops->cfg_reading)
		f->ops->cfg_reading(f, off, width);
	return pci_cfg_read(&f->cfg, off, width);
}

static void cfg_write(struct pci_bus *b, unsigned int bus, unsigned int devfn,
		      unsigned int off, unsigned int width, uint64_t val)
{
	struct pci_func *f = bus ? NULL : b->func[devfn];

	if (!f || off + width > PCI_CFG_SIZE)
		return;
	pci_cfg_write(&f->cfg, off, width, val);
	if (f->ops && f->ops->cfg_written)
		f->ops->cfg_written(f, off, width);
	update_bars(f);
	if (!settled(f))
		sync_windows(b);
}

static uint64_t ecam_read(struct bus_dev *dev, uint64_t off, unsigned int width)
{
	struct pci_bus *b = container_of(dev, struct pci_bus, ecam);
	uint64_t val;

	pthread_mutex_lock(&b->lock);
	val = cfg_read(b, (unsigned int)(off >> ECAM_BUS_SHIFT),
		       (off >> ECAM_DEVFN_SHIFT) & 0xff,
		       off & (PCI_CFG_SIZE - 1), width);
	pthread_mutex_unlock(&b->lock);
	return val;
}

static void ecam_write(struct bus_dev *dev, uint64_t off, unsigned int width,
		       uint64_t val)
{
	struct pci_bus *b = container_of(dev, struct pci_bus, ecam);

	pthread_mutex_lock(&b->lock);
	cfg_write(b, (unsigned int)(off >> ECAM_BUS_SHIFT),
		  (off >> ECAM_DEVFN_SHIFT) & 0xff, off & (PCI_CFG_SIZE - 1),
		  width, val);
	pthread_mutex_unlock(&b->lock);
}

static const struct bus_dev_ops ecam_ops = {ecam_read, ecam_write};

/*
 * Where an access to the data ports goes: the register of CONFIG_ADDRESS, and
 * within it the bytes of the port. False: nowhere.
 */
static bool data_target(const struct pci_bus *b, uint64_t off,
			unsigned int width, unsigned int *ret_bus,
			unsigned int *ret_devfn, unsigned int *ret_off)
{
	if (!(b->address & ADDRESS_ENABLE) || off < PORTS_DATA ||
	    off + width > PORTS_LEN)
		return false;
	*ret_bus = (b->address >> ADDRESS_BUS_SHIFT) & 0xff;
	*ret_devfn = (b->address >> ADDRESS_DEVFN_SHIFT) & 0xff;
	*ret_off = (b->address & ADDRESS_REGISTER) +
		   (unsigned int)(off - PORTS_DATA);
	return true;
}

static uint64_t ports_read(struct bus_dev *dev, uint64_t off,
			   unsigned int width)
{
	struct pci_bus *b = container_of(dev, struct pci_bus, ports);
	unsigned int bus, devfn, reg;
	uint64_t val = ones(width);

	if (off == PORTS_RESET && width == 1 && b->reset_ctl)
		return b->reset_ctl->ops->read(b->reset_ctl, 0, 1);
	pthread_mutex_lock(&b->lock);
	if (off == 0 && width == 4)
		val = b->address;
	else if (data_target(b, off, width, &bus, &devfn, &reg))
		val = cfg_read(b, bus, devfn, reg, width);
	pthread_mutex_unlock(&b->lock);
	return val;
}

static void ports_write(struct bus_dev *dev, uint64_t off, unsigned int width,
			uint64_t val)
{
	struct pci_bus *b = container_of(dev, struct pci_bus, ports);
	unsigned int bus, devfn, reg;

	if (off == PORTS_RESET && width == 1) {
		if (b->reset_ctl)
			b->reset_ctl->ops->write(b->reset_ctl, 0, 1, val);
		return;
	}
	pthread_mutex_lock(&b->lock);
	/* only a dword is CONFIG_ADDRESS: PCI Local Bus 3.0, 3.2.2.3.2 */
	if (off == 0 && width == 4)
		b->address =
			(uint32_t)val & (ADDRESS_ENABLE | ADDRESS_WRITABLE);
	else if (data_target(b, off, width, &bus, &devfn, &reg))
		cfg_write(b, bus, devfn, reg, width, val);
	pthread_mutex_unlock(&b->lock);
}

static const struct bus_dev_ops ports_ops = {ports_read, ports_write};

/* --- set-up ------------------------------------------------------------- */

int pci_bus_create(struct bus_space *pio, struct bus_space *mmio,
		   struct bus_dev *reset_ctl, struct pci_bus **ret,
		   struct err *err)
{
	struct pci_bus *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return err_set(err, -ENOMEM, "out of memory");
	b->ports.ops = &ports_ops;
	b->ecam.ops = &ecam_ops;
	b->space[PCI_SPACE_PIO] = pio;
	b->space[PCI_SPACE_MMIO] = mmio;
	b->reset_ctl = reset_ctl;
	r = pio->ops->add(pio, PORT_PCI_ADDRESS, PORTS_LEN, &b->ports);
	if (r < 0) {
		free(b);
		return err_set(err, r,
			       "PCI configuration ports are taken by another "
			       "device");
	}
	pthread_mutex_init(&b->lock, NULL);
	*ret = b;
	return 0;
}

void pci_bus_destroy(struct pci_bus *b)
{
	struct bus_space *pio;

	if (!b)
		return;
	for (unsigned int d = 0; d < PCI_N_DEVFN; d++)
		for (unsigned int i = 0; b->func[d] && i < PCI_N_WINDOWS; i++)
			unmap_window(b, &b->func[d]->window[i]);
	pio = b->space[PCI_SPACE_PIO];
	pio->ops->remove(pio, PORT_PCI_ADDRESS, &b->ports);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

int pci_bus_add(struct pci_bus *b, struct pci_func *f, unsigned int devfn,
		struct err *err)
{
	unsigned int first = devfn & ~7u;

	if (devfn >= PCI_N_DEVFN)
		return err_set(err, -EINVAL, "PCI address 0x%x is above 0xff",
			       devfn);
	if (b->func[devfn])
		return err_set(err, -EEXIST,
			       "two devices at PCI address 00:%02x.%u",
			       devfn >> 3, devfn & 7);
	if (devfn != first && !b->func[first])
		return err_set(err, -EINVAL,
			       "PCI address 00:%02x.%u without a function 0",
			       devfn >> 3, devfn & 7);
	pthread_mutex_lock(&b->lock);
	b->func[devfn] = f;
	if (devfn != first) /* or nobody looks for more than function 0 */
		b->func[first]->cfg.data[PCI_HEADER_TYPE] |=
			PCI_HEADER_TYPE_MULTI;
	update_bars(f);
	sync_windows(b);
	pthread_mutex_unlock(&b->lock);
	return 0;
}

struct bus_dev *pci_bus_ecam(struct pci_bus *b)
{
	return &b->ecam;
}

/* --- addresses of BARs -------------------------------------------------- */

/* Where the next BAR of a window goes. */
struct cursor {
	uint64_t next, end;
};

static int place(struct cursor *c, uint64_t size, uint64_t *ret)
{
	uint64_t at = align_up(c->next, size);

	if (at >= c->end || size > c->end - at)
		return -ENOSPC;
	*ret = at;
	c->next = at + size;
	return 0;
}

static int assign_size(struct pci_bus *b, uint64_t size, bool high,
		       struct cursor cur[static 3])
{
	for (unsigned int d = 0; d < PCI_N_DEVFN; d++) {
		struct pci_func *f = b->func[d];

		for (unsigned int i = 0; f && i < PCI_N_BARS; i++) {
			enum pci_bar_kind kind = f->cfg.bar[i].kind;
			uint64_t addr;

			if (kind == PCI_BAR_NONE || f->cfg.bar[i].size != size)
				continue;
			if (kind == PCI_BAR_MEM64 && !high)
				kind = PCI_BAR_MEM32;
			if (place(&cur[kind - PCI_BAR_IO], size, &addr) < 0)
				return -ENOSPC;
			pci_cfg_set_bar_address(&f->cfg, i, addr);
		}
	}
	return 0;
}

int pci_bus_assign_bars(struct pci_bus *b, bool high, struct err *err)
{
	/* by kind, from PCI_BAR_IO on */
	struct cursor cur[3] = {
		{PORT_PCI_WINDOW, 0x10000},
		{MEM_PCI32_BASE, MEM_PCI32_BASE + MEM_PCI32_SIZE},
		{MEM_PCI64_BASE, MEM_PCI64_BASE + MEM_PCI64_SIZE},
	};
	int r = 0;

	pthread_mutex_lock(&b->lock);
	/* largest first: then alignment leaves no gaps */
	for (uint64_t size = GIB(32); !r && size >= 4; size /= 2)
		r = assign_size(b, size, high, cur);
	pthread_mutex_unlock(&b->lock);
	if (r < 0)
		return err_set(err, r,
			       "too many PCI devices: their registers do not "
			       "fit the PCI window");
	return 0;
}
