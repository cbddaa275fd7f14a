/*
 * devices/virtio/virtio_pci_regs.c - the common configuration structure
 * (virtio 1.2, 4.1.4.3), as vCPUs read and write it.
 */
#include "devices/virtio/virtio_pci_impl.h"

#include "devices/pci/msix.h"
#include "vmm/base/bits.h"

enum {
	DEVICE_FEATURE_SELECT = 0x00,
	DEVICE_FEATURE = 0x04,
	DRIVER_FEATURE_SELECT = 0x08,
	DRIVER_FEATURE = 0x0c,
	CONFIG_MSIX_VECTOR = 0x10,
	NUM_QUEUES = 0x12,
	DEVICE_STATUS = 0x14,
	CONFIG_GENERATION = 0x15,
	QUEUE_SELECT = 0x16,
	QUEUE_SIZE = 0x18,
	QUEUE_MSIX_VECTOR = 0x1a,
	QUEUE_ENABLE = 0x1c,
	QUEUE_NOTIFY_OFF = 0x1e,
	QUEUE_DESC = 0x20,
	QUEUE_DRIVER = 0x28,
	QUEUE_DEVICE = 0x30,
	QUEUE_NOTIF_CONFIG_DATA = 0x38,
	QUEUE_RESET = 0x3a,

	STATUS_BY_DRIVER = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
			   VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_FAILED,
};

static struct vpci_queue *selected(struct virtio_pci *v)
{
	return v->queue_select < v->dev->n_queues ? &v->q[v->queue_select]
						  : NULL;
}

static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

/* --- resets ------------------------------------------------------------- */

void vpci_reset_queue_registers(struct vpci_queue *q)
{
	q->l = (struct virtq_layout){
		.size = q->v->dev->queue_max[q->index],
	};
	q->enabled = q->resetting = false;
	q->want_start = q->want_stop = false;
	atomic_store(&q->vector, VIRTIO_MSI_NO_VECTOR);
}

void vpci_reset_registers(struct virtio_pci *v)
{
	v->status = 0;
	v->resetting = false;
	v->device_select = v->driver_select = 0;
	v->driver_features = 0;
	v->bad_features = false;
	v->config_vector = VIRTIO_MSI_NO_VECTOR;
	v->queue_select = 0;
	atomic_store(&v->isr, 0);
	for (unsigned int i = 0; i < v->dev->n_queues; i++)
		vpci_reset_queue_registers(&v->q[i]);
}

/* Before anything else that was asked and has not begun. */
static void begin_reset(struct virtio_pci *v)
{
	if (!v->status) {
		/* nothing of it has reached the device */
		vpci_reset_registers(v);
		return;
	}
	v->resetting = true;
	v->want_reset = true;
	vpci_update_doorbells(v);
	io_thread_post(v->dev->thread, &v->work);
}

static void begin_queue_reset(struct virtio_pci *v, struct vpci_queue *q)
{
	if (!(v->driver_features & BIT64(VIRTIO_F_RING_RESET)) ||
	    !(v->status & VIRTIO_STATUS_DRIVER_OK) || !q->enabled ||
	    q->resetting)
		return;
	q->resetting = true;
	q->want_stop = true;
	vpci_update_doorbells(v);
	io_thread_post(v->dev->thread, &v->work);
}

/*
 * PCI Local Bus 3.0, 6.2.2 "Device Control": from now on memory is not ours to
 * touch. Linux takes it away before it starts another kernel in its place
 * (kexec), which finds the device as it was, and resets it much later.
 */
void vpci_lose_master(struct virtio_pci *v)
{
	pthread_mutex_lock(&v->lock);
	if (v->status & VIRTIO_STATUS_DRIVER_OK && !v->resetting) {
		v->status |= VIRTIO_STATUS_NEEDS_RESET;
		v->want_halt = true;
		io_thread_post(v->dev->thread, &v->work);
	}
	pthread_mutex_unlock(&v->lock);
}

/* --- the way up --------------------------------------------------------- */

static bool features_ok(const struct virtio_pci *v)
{
	uint64_t required =
		BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_ACCESS_PLATFORM);

	return !v->bad_features && !(v->driver_features & ~v->offered) &&
	       (v->driver_features & required) == required;
}

static void write_status(struct virtio_pci *v, uint8_t val)
{
	bool was_ok = v->status & VIRTIO_STATUS_DRIVER_OK;

	if (!val) {
		begin_reset(v);
		return;
	}
	/* bits are only added: 2.1.1 forbids a driver to clear one */
	if (val & VIRTIO_STATUS_FEATURES_OK && features_ok(v))
		v->status |= VIRTIO_STATUS_FEATURES_OK;
	if (!(v->status & VIRTIO_STATUS_FEATURES_OK))
		val &= (uint8_t)~VIRTIO_STATUS_DRIVER_OK;
	v->status |= val & STATUS_BY_DRIVER;
	if (was_ok || !(v->status & VIRTIO_STATUS_DRIVER_OK))
		return;
	v->want_activate = true;
	for (unsigned int i = 0; i < v->dev->n_queues; i++)
		v->q[i].want_start = v->q[i].enabled;
	vpci_update_doorbells(v);
	io_thread_post(v->dev->thread, &v->work);
}

static void write_driver_features(struct virtio_pci *v, uint32_t val)
{
	unsigned int shift = 32 * (v->driver_select & 1);

	if (v->status & VIRTIO_STATUS_FEATURES_OK)
		return;
	if (v->driver_select > 1) {
		v->bad_features |= val != 0;
		return;
	}
	v->driver_features &= ~((uint64_t)UINT32_MAX << shift);
	v->driver_features |= (uint64_t)val << shift;
}

/* A vector that does not exist reads back as none (4.1.5.1.2.1). */
static uint16_t checked_vector(const struct virtio_pci *v, uint64_t val)
{
	return val <= v->dev->n_queues ? (uint16_t)val : VIRTIO_MSI_NO_VECTOR;
}

static void enable_queue(struct virtio_pci *v, struct vpci_queue *q)
{
	if (!(v->status & VIRTIO_STATUS_FEATURES_OK))
		return;
	q->l.indirect = v->driver_features & BIT64(VIRTIO_F_INDIRECT_DESC);
	q->l.event_idx = v->driver_features & BIT64(VIRTIO_F_EVENT_IDX);
	q->enabled = true;
	/* later than DRIVER_OK: after a reset of the queue */
	if (v->status & VIRTIO_STATUS_DRIVER_OK) {
		q->want_start = true;
		vpci_update_doorbells(v);
		io_thread_post(v->dev->thread, &v->work);
	}
}

/* --- registers ---------------------------------------------------------- */

/* The address that has the dword at @off; which half is for half_shift(). */
static gpa_t *address_of(struct vpci_queue *q, uint64_t off)
{
	switch (off & ~UINT64_C(4)) {
	case QUEUE_DESC:
		return &q->l.desc;
	case QUEUE_DRIVER:
		return &q->l.driver;
	default:
		return &q->l.device;
	}
}

static unsigned int half_shift(uint64_t off)
{
	return off & 4 ? 32 : 0;
}

static uint64_t read_queue(struct virtio_pci *v, uint64_t off)
{
	struct vpci_queue *q = selected(v);

	if (!q)
		return off == QUEUE_MSIX_VECTOR ? VIRTIO_MSI_NO_VECTOR : 0;
	switch (off) {
	case QUEUE_SIZE:
		return q->l.size;
	case QUEUE_MSIX_VECTOR:
		return atomic_load(&q->vector);
	case QUEUE_ENABLE:
		return q->enabled;
	case QUEUE_NOTIFY_OFF:
		return q->index;
	case QUEUE_NOTIF_CONFIG_DATA:
		return 0; /* NOTIF_CONFIG_DATA is not offered */
	case QUEUE_RESET:
		return q->resetting;
	default:
		return (uint32_t)(*address_of(q, off) >> half_shift(off));
	}
}

static void write_queue(struct virtio_pci *v, uint64_t off, uint64_t val)
{
	struct vpci_queue *q = selected(v);
	unsigned int shift = half_shift(off);
	gpa_t *addr;

	if (!q)
		return;
	switch (off) {
	case QUEUE_MSIX_VECTOR:
		atomic_store(&q->vector, checked_vector(v, val));
		return;
	case QUEUE_RESET:
		if (val == 1)
			begin_queue_reset(v, q);
		return;
	}
	if (q->enabled)
		return; /* and it stays so until a reset */
	switch (off) {
	case QUEUE_SIZE:
		if (is_power_of_two(val) && val <= v->dev->queue_max[q->index])
			q->l.size = (uint16_t)val;
		return;
	case QUEUE_ENABLE:
		if (val == 1)
			enable_queue(v, q);
		return;
	case QUEUE_NOTIFY_OFF:
	case QUEUE_NOTIF_CONFIG_DATA:
		return; /* read-only */
	}
	addr = address_of(q, off);
	*addr &= ~((gpa_t)UINT32_MAX << shift);
	*addr |= val << shift;
}

static uint64_t read_field(struct virtio_pci *v, uint64_t off)
{
	switch (off) {
	case DEVICE_FEATURE_SELECT:
		return v->device_select;
	case DEVICE_FEATURE:
		return feature_word(v->offered, v->device_select);
	case DRIVER_FEATURE_SELECT:
		return v->driver_select;
	case DRIVER_FEATURE:
		return feature_word(v->driver_features, v->driver_select);
	case CONFIG_MSIX_VECTOR:
		return v->config_vector;
	case NUM_QUEUES:
		return v->dev->n_queues;
	case DEVICE_STATUS:
		return v->status;
	case CONFIG_GENERATION:
		return v->generation;
	case QUEUE_SELECT:
		return v->queue_select;
	default:
		return read_queue(v, off);
	}
}

static void write_field(struct virtio_pci *v, uint64_t off, uint64_t val)
{
	switch (off) {
	case DEVICE_FEATURE_SELECT:
		v->device_select = (uint32_t)val;
		break;
	case DRIVER_FEATURE_SELECT:
		v->driver_select = (uint32_t)val;
		break;
	case DRIVER_FEATURE:
		write_driver_features(v, (uint32_t)val);
		break;
	case CONFIG_MSIX_VECTOR:
		v->config_vector = checked_vector(v, val);
		break;
	case DEVICE_STATUS:
		write_status(v, (uint8_t)val);
		break;
	case QUEUE_SELECT:
		v->queue_select = (uint16_t)val;
		break;
	case DEVICE_FEATURE:
	case NUM_QUEUES:
	case CONFIG_GENERATION:
		break; /* read-only */
	default:
		write_queue(v, off, val);
	}
}

/*
 * The width of the field that starts at @off, 0 when none does. A driver must
 * use it, and for an address two dwords (4.1.3.1).
 */
static unsigned int field_width(uint64_t off)
{
	if (off >= VIRTIO_COMMON_LEN)
		return 0;
	if (off == DEVICE_STATUS || off == CONFIG_GENERATION)
		return 1;
	if (off < CONFIG_MSIX_VECTOR ||
	    (off >= QUEUE_DESC && off < QUEUE_NOTIF_CONFIG_DATA))
		return off % 4 ? 0 : 4;
	return off % 2 ? 0 : 2;
}

/* Is it an address, in one piece? Some firmware does that. */
static bool is_address(uint64_t off, unsigned int width)
{
	return width == 8 && off % 8 == 0 && off >= QUEUE_DESC &&
	       off <= QUEUE_DEVICE;
}

uint64_t vpci_common_read(struct virtio_pci *v, uint64_t off,
			  unsigned int width)
{
	uint64_t val = 0;

	pthread_mutex_lock(&v->lock);
	if (is_address(off, width))
		val = read_field(v, off) | read_field(v, off + 4) << 32;
	else if (width == field_width(off))
		val = read_field(v, off);
	pthread_mutex_unlock(&v->lock);
	return val;
}

void vpci_common_write(struct virtio_pci *v, uint64_t off, unsigned int width,
		       uint64_t val)
{
	pthread_mutex_lock(&v->lock);
	if (v->resetting) {
		/* nothing sticks until it is done */
	} else if (is_address(off, width)) {
		write_field(v, off, (uint32_t)val);
		write_field(v, off + 4, val >> 32);
	} else if (width == field_width(off)) {
		if (width < 8)
			val &= BIT64(8 * width) - 1;
		write_field(v, off, val);
	}
	pthread_mutex_unlock(&v->lock);
}
