/* tests/fake/fake_vpci.c - see fake_vpci.h. */
#include "tests/fake/fake_vpci.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/bits.h"
#include "vmm/base/loop.h"

enum {
	MSG_DATA = 0x40,
	ECHO_MAX = 64,
	MSIX_ENABLE = 0x8000,
};

/* --- the device --------------------------------------------------------- */

static void dev_activate(struct virtio_dev *dev)
{
	struct fake_vpci *f = container_of(dev, struct fake_vpci, dev);

	f->n_activate++;
	f->features = dev->features;
	if (f->to_kernel >= 0)
		f->kernel_result = dev->host->ops->queue_to_kernel(
			dev->host, (unsigned int)f->to_kernel, &f->kernel);
}

static void dev_delayed(void *arg)
{
	struct fake_vpci *f = arg;

	if (f->delay-- > 1)
		io_thread_post(f->thread, &f->delayed);
	else
		f->dev.host->ops->reset_done(f->dev.host);
}

static void dev_reset(struct virtio_dev *dev)
{
	struct fake_vpci *f = container_of(dev, struct fake_vpci, dev);

	f->n_reset++;
	if (f->delay)
		io_thread_post(f->thread, &f->delayed);
	else if (!f->hold_reset)
		dev->host->ops->reset_done(dev->host);
}

static void dev_queue_reset(struct virtio_dev *dev, unsigned int queue)
{
	struct fake_vpci *f = container_of(dev, struct fake_vpci, dev);

	f->n_queue_reset++;
	if (!f->hold_queue_reset)
		dev->host->ops->queue_reset_done(dev->host, queue);
}

static int dev_kick(struct virtio_dev *dev, unsigned int queue)
{
	struct fake_vpci *f = container_of(dev, struct fake_vpci, dev);
	struct virtq *q = dev->q[queue];
	uint8_t buf[ECHO_MAX];
	struct virtq_chain c;
	int r;

	assert(queue < FAKE_VPCI_QUEUES);
	f->n_kick[queue]++;
	if (f->kick_error)
		return f->kick_error;
	virtq_chain_init(&c);
	while ((r = virtq_pop(q, &c)) > 0) {
		uint64_t n = c.out_len < c.in_len ? c.out_len : c.in_len;

		if (n > sizeof(buf))
			n = sizeof(buf);
		r = virtq_chain_read(&c, 0, buf, n);
		assert(!r);
		r = virtq_chain_write(&c, 0, buf, n);
		assert(!r);
		virtq_push(q, &c, (uint32_t)n);
	}
	virtq_flush(q);
	virtq_chain_free(&c);
	return r;
}

static void dev_config_read(struct virtio_dev *dev, uint32_t off, void *buf,
			    size_t len)
{
	struct fake_vpci *f = container_of(dev, struct fake_vpci, dev);

	assert(off + len <= dev->config_len);
	memcpy(buf, f->config + off, len);
}

static void dev_config_write(struct virtio_dev *dev, uint32_t off,
			     const void *buf, size_t len)
{
	struct fake_vpci *f = container_of(dev, struct fake_vpci, dev);

	assert(off + len <= dev->config_len);
	memcpy(f->config + off, buf, len);
	f->n_config_write++;
}

static const struct virtio_dev_ops dev_ops[2][2] = {
	{{dev_activate, dev_reset, NULL, dev_kick, dev_config_read, NULL},
	 {dev_activate, dev_reset, NULL, dev_kick, dev_config_read,
	  dev_config_write}},
	{{dev_activate, dev_reset, dev_queue_reset, dev_kick, dev_config_read,
	  NULL},
	 {dev_activate, dev_reset, dev_queue_reset, dev_kick, dev_config_read,
	  dev_config_write}},
};

/* --- doorbells ---------------------------------------------------------- */

static int bell_add(struct doorbell_sink *s, gpa_t gpa, int fd)
{
	struct fake_vpci *f = container_of(s, struct fake_vpci, doorbells);

	if (f->refuse_bells)
		return -ENOSPC;
	for (size_t i = 0; i < f->n_bells; i++)
		assert(f->bell[i].gpa != gpa);
	assert(f->n_bells < FAKE_VPCI_DOORBELLS);
	f->bell[f->n_bells++] = (struct fake_doorbell){gpa, fd};
	f->n_bell_changes++;
	return 0;
}

static void bell_remove(struct doorbell_sink *s, gpa_t gpa, int fd)
{
	struct fake_vpci *f = container_of(s, struct fake_vpci, doorbells);
	size_t i = 0;

	while (i < f->n_bells && (f->bell[i].gpa != gpa || f->bell[i].fd != fd))
		i++;
	assert(i < f->n_bells); /* nobody removes what is not there */
	f->bell[i] = f->bell[--f->n_bells];
	f->n_bell_changes++;
}

static const struct doorbell_sink_ops bell_ops = {bell_add, bell_remove};

/* --- capabilities ------------------------------------------------------- */

static unsigned int next_cap(struct fake_vpci *f, unsigned int at, uint8_t id)
{
	at = (unsigned int)fake_pci_read(
		f->pci, FAKE_VPCI_DEVFN,
		at ? at + VIRTIO_PCI_CAP_NEXT : PCI_CAPABILITY_LIST, 1);
	while (at && fake_pci_read(f->pci, FAKE_VPCI_DEVFN, at, 1) != id)
		at = (unsigned int)fake_pci_read(f->pci, FAKE_VPCI_DEVFN,
						 at + VIRTIO_PCI_CAP_NEXT, 1);
	return at;
}

unsigned int fake_vpci_find_cap(struct fake_vpci *f, uint8_t type)
{
	unsigned int at = 0;

	while ((at = next_cap(f, at, PCI_CAP_ID_VENDOR)))
		if (fake_pci_read(f->pci, FAKE_VPCI_DEVFN,
				  at + VIRTIO_PCI_CAP_CFG_TYPE, 1) == type)
			break;
	return at;
}

static uint32_t cap_field(struct fake_vpci *f, uint8_t type, unsigned int off)
{
	unsigned int at = fake_vpci_find_cap(f, type);

	assert(at);
	return (uint32_t)fake_pci_read(f->pci, FAKE_VPCI_DEVFN, at + off, 4);
}

static void find_caps(struct fake_vpci *f)
{
	unsigned int off = VIRTIO_PCI_CAP_OFFSET, len = VIRTIO_PCI_CAP_LENGTH;

	f->common = cap_field(f, VIRTIO_PCI_CAP_COMMON_CFG, off);
	f->isr = cap_field(f, VIRTIO_PCI_CAP_ISR_CFG, off);
	f->notify = cap_field(f, VIRTIO_PCI_CAP_NOTIFY_CFG, off);
	f->notify_len = cap_field(f, VIRTIO_PCI_CAP_NOTIFY_CFG, len);
	f->multiplier = cap_field(f, VIRTIO_PCI_CAP_NOTIFY_CFG,
				  VIRTIO_PCI_NOTIFY_CAP_MULT);
	if (f->dev.config_len) {
		f->config_at = cap_field(f, VIRTIO_PCI_CAP_DEVICE_CFG, off);
		f->config_len = cap_field(f, VIRTIO_PCI_CAP_DEVICE_CFG, len);
	}
	f->pci_cfg = fake_vpci_find_cap(f, VIRTIO_PCI_CAP_PCI_CFG);
	f->msix = next_cap(f, 0, PCI_CAP_ID_MSIX);
	f->msix_table = (uint32_t)fake_pci_read(f->pci, FAKE_VPCI_DEVFN,
						f->msix + 4, 4);
	f->msix_pba = (uint32_t)fake_pci_read(f->pci, FAKE_VPCI_DEVFN,
					      f->msix + 8, 4);
}

/* --- life --------------------------------------------------------------- */

static void make_device(struct fake_vpci *f, const struct fake_vpci_opts *o)
{
	f->to_kernel = -1;
	f->delayed = (struct io_call){.fn = dev_delayed, .arg = f};
	f->dev = (struct virtio_dev){
		.ops = &dev_ops[!o->no_queue_reset][!o->read_only],
		.name = "echo0",
		.type = VIRTIO_ID_RNG,
		.pci_class = 0x00ff00,
		.offered = BIT64(FAKE_VPCI_FEATURE),
		.config_len = o->no_config ? 0 : FAKE_VPCI_CONFIG_LEN,
		.n_queues = FAKE_VPCI_QUEUES,
		.thread = f->thread,
	};
	for (unsigned int i = 0; i < FAKE_VPCI_QUEUES; i++)
		f->dev.queue_max[i] = FAKE_VPCI_QUEUE_MAX;
	for (unsigned int i = 0; i < FAKE_VPCI_CONFIG_LEN; i++)
		f->config[i] = (uint8_t)(0x10 + i);
}

struct fake_vpci *fake_vpci_create(const struct fake_vpci_opts *o)
{
	static const struct fake_vpci_opts defaults;
	struct fake_vpci *f = calloc(1, sizeof(*f));
	struct virtio_pci_params p = {.devfn = FAKE_VPCI_DEVFN};
	int r;

	assert(f);
	if (!o)
		o = &defaults;
	f->doorbells.ops = &bell_ops;
	f->pci = fake_pci_create();
	f->irq = fake_irq_create();
	f->ram = fake_ram_create(8 << 20, o->confidential);
	r = io_thread_create("echo0", &f->thread, NULL);
	assert(!r);
	make_device(f, o);
	p.bus = f->pci->bus;
	p.irq = fake_irq_sink(f->irq);
	p.doorbells = o->no_doorbells ? NULL : &f->doorbells;
	p.view = fake_ram_view(f->ram);
	r = virtio_pci_create(&p, &f->dev, &f->t, NULL);
	assert(!r);
	fake_pci_write(f->pci, FAKE_VPCI_DEVFN, PCI_BAR0, 4, FAKE_VPCI_BAR);
	fake_pci_write(f->pci, FAKE_VPCI_DEVFN, PCI_COMMAND, 2,
		       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	find_caps(f);
	return f;
}

void fake_vpci_destroy(struct fake_vpci *f)
{
	if (!f)
		return;
	fake_pci_destroy_bus(f->pci);
	virtio_pci_destroy(f->t);
	assert(!f->n_bells);
	io_thread_destroy(f->thread);
	for (unsigned int i = 0; i < FAKE_VPCI_QUEUES; i++)
		fake_ring_destroy(f->ring[i]);
	fake_ram_destroy(f->ram);
	fake_irq_destroy(f->irq);
	fake_pci_destroy(f->pci);
	free(f);
}

void fake_vpci_run(struct fake_vpci *f)
{
	while (loop_step(io_thread_loop(f->thread), 0) > 0)
		;
}

/* --- registers ---------------------------------------------------------- */

uint64_t fake_vpci_read(struct fake_vpci *f, uint64_t off, unsigned int width)
{
	return fake_bus_read(f->pci->mmio, FAKE_VPCI_BAR + off, width);
}

void fake_vpci_write(struct fake_vpci *f, uint64_t off, unsigned int width,
		     uint64_t val)
{
	fake_bus_write(f->pci->mmio, FAKE_VPCI_BAR + off, width, val);
}

unsigned int fake_vpci_reg_width(unsigned int reg)
{
	switch (reg) {
	case VIRTIO_PCI_COMMON_STATUS:
	case VIRTIO_PCI_COMMON_CFGGENERATION:
		return 1;
	case VIRTIO_PCI_COMMON_MSIX:
	case VIRTIO_PCI_COMMON_NUMQ:
	case VIRTIO_PCI_COMMON_Q_SELECT:
	case VIRTIO_PCI_COMMON_Q_SIZE:
	case VIRTIO_PCI_COMMON_Q_MSIX:
	case VIRTIO_PCI_COMMON_Q_ENABLE:
	case VIRTIO_PCI_COMMON_Q_NOFF:
	case VIRTIO_PCI_COMMON_Q_NDATA:
	case VIRTIO_PCI_COMMON_Q_RESET:
		return 2;
	default:
		return 4;
	}
}

uint64_t fake_vpci_get(struct fake_vpci *f, unsigned int reg)
{
	return fake_vpci_read(f, f->common + reg, fake_vpci_reg_width(reg));
}

void fake_vpci_set(struct fake_vpci *f, unsigned int reg, uint64_t val)
{
	fake_vpci_write(f, f->common + reg, fake_vpci_reg_width(reg), val);
}

uint64_t fake_vpci_get_queue(struct fake_vpci *f, unsigned int q,
			     unsigned int reg)
{
	fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_SELECT, q);
	return fake_vpci_get(f, reg);
}

void fake_vpci_set_queue(struct fake_vpci *f, unsigned int q, unsigned int reg,
			 uint64_t val)
{
	fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_SELECT, q);
	fake_vpci_set(f, reg, val);
}

/* --- the driver --------------------------------------------------------- */

uint64_t fake_vpci_offered(struct fake_vpci *f)
{
	uint64_t v;

	fake_vpci_set(f, VIRTIO_PCI_COMMON_DFSELECT, 1);
	v = fake_vpci_get(f, VIRTIO_PCI_COMMON_DF) << 32;
	fake_vpci_set(f, VIRTIO_PCI_COMMON_DFSELECT, 0);
	return v | fake_vpci_get(f, VIRTIO_PCI_COMMON_DF);
}

uint8_t fake_vpci_negotiate(struct fake_vpci *f, uint64_t features)
{
	uint8_t s = FAKE_VPCI_ACKNOWLEDGE;

	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, s);
	s |= FAKE_VPCI_DRIVER;
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, s);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_GFSELECT, 0);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_GF, (uint32_t)features);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_GFSELECT, 1);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_GF, features >> 32);
	s |= FAKE_VPCI_FEATURES_OK;
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, s);
	return (uint8_t)fake_vpci_get(f, VIRTIO_PCI_COMMON_STATUS);
}

uint8_t fake_vpci_negotiate_all(struct fake_vpci *f)
{
	return fake_vpci_negotiate(f, fake_vpci_offered(f));
}

static void set_address(struct fake_vpci *f, unsigned int q, unsigned int reg,
			gpa_t gpa)
{
	fake_vpci_set_queue(f, q, reg, (uint32_t)gpa);
	fake_vpci_set_queue(f, q, reg + 4, gpa >> 32);
}

void fake_vpci_enable(struct fake_vpci *f, unsigned int q)
{
	const struct virtq_layout *l;

	if (f->ring[q])
		fake_ring_reset(f->ring[q]);
	else
		f->ring[q] = fake_ring_create(f->ram, FAKE_VPCI_QUEUE_MAX / 2,
					      true, true);
	l = fake_ring_layout(f->ring[q]);
	fake_vpci_set_queue(f, q, VIRTIO_PCI_COMMON_Q_SIZE, l->size);
	set_address(f, q, VIRTIO_PCI_COMMON_Q_DESCLO, l->desc);
	set_address(f, q, VIRTIO_PCI_COMMON_Q_AVAILLO, l->driver);
	set_address(f, q, VIRTIO_PCI_COMMON_Q_USEDLO, l->device);
	fake_vpci_set_queue(f, q, VIRTIO_PCI_COMMON_Q_MSIX, q + 1);
	fake_vpci_set_queue(f, q, VIRTIO_PCI_COMMON_Q_ENABLE, 1);
}

void fake_vpci_enable_msix(struct fake_vpci *f)
{
	for (unsigned int i = 0; i < FAKE_VPCI_VECTORS; i++) {
		uint64_t e = f->msix_table + i * 16;

		fake_vpci_write(f, e, 4, 0xfee00000);
		fake_vpci_write(f, e + 4, 4, 0);
		fake_vpci_write(f, e + 8, 4, MSG_DATA + i);
		fake_vpci_write(f, e + 12, 4, 0);
	}
	fake_pci_write(f->pci, FAKE_VPCI_DEVFN, f->msix + 2, 2, MSIX_ENABLE);
}

void fake_vpci_up(struct fake_vpci *f)
{
	uint8_t s = fake_vpci_negotiate_all(f);

	fake_vpci_enable_msix(f);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_MSIX, 0);
	for (unsigned int i = 0; i < FAKE_VPCI_QUEUES; i++)
		fake_vpci_enable(f, i);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, s | FAKE_VPCI_DRIVER_OK);
	fake_vpci_run(f);
}

void fake_vpci_reset(struct fake_vpci *f)
{
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, 0);
	fake_vpci_run(f);
}

void fake_vpci_kick(struct fake_vpci *f, unsigned int q)
{
	uint64_t at = f->notify + q * f->multiplier, one = 1;
	ssize_t n;

	for (size_t i = 0; i < f->n_bells; i++)
		if (f->bell[i].gpa == FAKE_VPCI_BAR + at) {
			n = write(f->bell[i].fd, &one, sizeof(one));
			assert(n == sizeof(one));
			return;
		}
	fake_vpci_write(f, at, 2, q);
}

void fake_vpci_echo(struct fake_vpci *f, unsigned int q)
{
	struct fake_buf b[2] = {FAKE_OUT("echo", 4), FAKE_IN(8)};
	struct fake_used u;
	char in[8] = "";
	int head = fake_ring_offer(f->ring[q], b, 2, false);
	bool r;

	assert(head >= 0);
	fake_vpci_kick(f, q);
	fake_vpci_run(f);
	r = fake_ring_take(f->ring[q], &u, in, sizeof(in));
	assert(r && u.written == 4 && !memcmp(in, "echo", 4));
	/* one that is not looked at would be one with the next */
	(void)fake_irq_n_sent(f->irq);
}

size_t fake_vpci_interrupts(struct fake_vpci *f, unsigned int vector)
{
	size_t n = fake_irq_n_sent(f->irq), count = 0;

	for (size_t i = 0; i < n; i++)
		count += fake_irq_sent(f->irq, i).data == MSG_DATA + vector;
	return count;
}
