/* tests/fake/fake_s0_io.c - devices that do what the test says. */
#include "tests/fake/fake_s0_io.h"

#include <string.h>

#include "mem/mem_map.h"
#include "vmm/base/bytes.h"

enum {
	FW_CFG_DATA = PORT_FW_CFG + 1,
	FW_CFG_DMA = PORT_FW_CFG + 4,
	RTC_DATA = PORT_RTC_INDEX + 1,
	READ = 1 << 1,
	SELECT = 1 << 3,
};

static struct fake_s0_io *fake(const struct s0_io *io)
{
	return (struct fake_s0_io *)(uintptr_t)io;
}

static const struct fake_s0_item *item(const struct fake_s0_io *f)
{
	for (size_t i = 0; i < f->n_items; i++)
		if (f->items[i].key == f->key)
			return &f->items[i];
	return NULL;
}

/* Behind the end of an item, and of one that is not there: zeros. */
static void read_item(struct fake_s0_io *f, uint8_t *to, uint32_t len)
{
	const struct fake_s0_item *i = item(f);
	size_t left = i && f->offset < i->len ? i->len - f->offset : 0;
	size_t n = len < left ? len : left;

	if (n)
		memcpy(to, (const uint8_t *)i->data + f->offset, n);
	memset(to + n, 0, len - n);
	f->offset += len;
}

static void dma(struct fake_s0_io *f, uint8_t *desc)
{
	uint32_t control = load_be32(desc), len = load_be32(desc + 4);
	uint64_t address = load_be64(desc + 8);

	f->dma++;
	if (f->never_done)
		return;
	if (f->dma == f->fail_dma) {
		store_be32(desc, 1);
		return;
	}
	if (control & SELECT) {
		f->key = (uint16_t)(control >> 16);
		f->offset = 0;
	}
	if (!f->dma_lowest || address < f->dma_lowest)
		f->dma_lowest = address;
	if (address + len > f->dma_highest)
		f->dma_highest = address + len;
	if (control & READ)
		read_item(f, (uint8_t *)address, len);
	store_be32(desc, 0);
	if (f->after_dma)
		f->after_dma(f, (uint8_t *)address, len);
}

static void append(char *text, uint8_t c)
{
	size_t n = strlen(text);

	if (n + 1 < FAKE_S0_TEXT)
		text[n] = (char)c;
}

static uint8_t in8(const struct s0_io *io, uint16_t port)
{
	struct fake_s0_io *f = fake(io);
	static const uint8_t signature[] = "QEMU";
	uint8_t v = 0xff;

	if (port == RTC_DATA)
		return f->cmos[f->cmos_index & 127];
	if (port != FW_CFG_DATA || f->no_fw_cfg)
		return v;
	v = 0;
	if (f->key == 0 && f->offset < 4)
		v = signature[f->offset];
	else if (f->key == 1 && !f->offset)
		v = f->no_dma ? 1 : 3;
	else
		read_item(f, &v, 1);
	f->offset++;
	return v;
}

static void note(struct fake_s0_io *f, uint16_t port, unsigned int width,
		 uint32_t val)
{
	uint32_t address = 0;

	if (port >= PORT_PCI_DATA && port < PORT_PCI_DATA + 4) {
		address = f->pci_address + (port - PORT_PCI_DATA);
		port = PORT_PCI_DATA;
	}
	if (f->n_writes < FAKE_S0_WRITES)
		f->writes[f->n_writes++] =
			(struct fake_s0_write){port, address, width, val};
}

static void out8(const struct s0_io *io, uint16_t port, uint8_t val)
{
	struct fake_s0_io *f = fake(io);

	if (port == PORT_RTC_INDEX)
		f->cmos_index = val;
	else if (port == PORT_DEBUGCON)
		append(f->debugcon, val);
	else if (port == PORT_UART0)
		append(f->serial, val);
	else
		note(f, port, 8, val);
}

static void out16(const struct s0_io *io, uint16_t port, uint16_t val)
{
	struct fake_s0_io *f = fake(io);

	if (port != PORT_FW_CFG) {
		note(f, port, 16, val);
		return;
	}
	f->key = val;
	f->offset = 0;
}

static void out32(const struct s0_io *io, uint16_t port, uint32_t val)
{
	struct fake_s0_io *f = fake(io);

	if (port == PORT_PCI_ADDRESS)
		f->pci_address = val;
	else if (port == FW_CFG_DMA)
		f->dma_high = be32toh(val);
	else if (port == FW_CFG_DMA + 4)
		dma(f, (uint8_t *)((uint64_t)f->dma_high << 32 | be32toh(val)));
	else
		note(f, port, 32, val);
}

void fake_s0_io_init(struct fake_s0_io *f)
{
	*f = (struct fake_s0_io){
		.io = {.in8 = in8,
		       .out8 = out8,
		       .out16 = out16,
		       .out32 = out32},
	};
}

void fake_s0_io_item(struct fake_s0_io *f, uint16_t key, const void *data,
		     size_t len)
{
	if (f->n_items < FAKE_S0_ITEMS)
		f->items[f->n_items++] = (struct fake_s0_item){key, data, len};
}
