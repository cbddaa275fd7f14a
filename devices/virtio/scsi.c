/* devices/virtio/scsi.c - the SCSI host: its parts, its configuration. */
#include "devices/virtio/scsi.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/scsi_backend.h"
#include "devices/virtio/scsi_impl.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

/* struct virtio_scsi_config (virtio 1.2, 5.6.4) */
enum {
	CONFIG_NUM_QUEUES = 0,
	CONFIG_SEG_MAX = 4,
	CONFIG_MAX_SECTORS = 8,
	CONFIG_CMD_PER_LUN = 12,
	CONFIG_EVENT_INFO_SIZE = 16,
	CONFIG_SENSE_SIZE = 20,
	CONFIG_CDB_SIZE = 24,
	CONFIG_MAX_CHANNEL = 28,
	CONFIG_MAX_TARGET = 30,
	CONFIG_MAX_LUN = 32,
	CONFIG_LEN = 36,
};

enum {
	/* the rest of a full ring is request and response */
	SEG_MAX = SCSI_QUEUE_SIZE - 2,
	/* of 512 bytes; what READ(10) can say, too */
	MAX_SECTORS = 0xffff,
	CMD_PER_LUN = 128,
	PCI_CLASS_SCSI = 0x010000,
};

static struct scsi *of(struct virtio_dev *dev)
{
	return container_of(dev, struct scsi, dev);
}

/*
 * virtio 1.2, 5.6.6.1: 1, target, single-level LUN structure; or the REPORT
 * LUNS well-known unit. SAM-5, 4.7.7: two ways to write a LUN in two bytes.
 */
enum scsi_address scsi_address(const struct scsi *s, const uint8_t *lun,
			       unsigned int *ret)
{
	static const uint8_t well_known[SCSI_LUN_BYTES] = {0xc1, 0x01};
	unsigned int number;

	if (!memcmp(lun, well_known, SCSI_LUN_BYTES))
		return SCSI_ADDRESS_WELL_KNOWN;
	if (lun[0] != 1 || lun[1] != 0)
		return SCSI_ADDRESS_BAD;
	/* flat space (01b) or peripheral device on bus 0 (00b) */
	number = load_be16(lun + 2) & 0x3fff;
	*ret = UINT_MAX;
	if (lun[2] & 0x80 || (!(lun[2] & 0x40) && lun[2]) || load_be32(lun + 4))
		return SCSI_ADDRESS_NO_UNIT;
	for (unsigned int i = 0; i < s->n_luns; i++) {
		if (s->luns[i].number != number)
			continue;
		*ret = i;
		return SCSI_ADDRESS_UNIT;
	}
	*ret = number;
	return SCSI_ADDRESS_NO_UNIT;
}

/* --- configuration -------------------------------------------------------- */

static void config_image(struct scsi *s, uint8_t b[static CONFIG_LEN])
{
	store_le32(b + CONFIG_NUM_QUEUES, s->n_queues);
	store_le32(b + CONFIG_SEG_MAX, SEG_MAX);
	store_le32(b + CONFIG_MAX_SECTORS, MAX_SECTORS);
	store_le32(b + CONFIG_CMD_PER_LUN, CMD_PER_LUN);
	store_le32(b + CONFIG_EVENT_INFO_SIZE, 16);
	store_le32(b + CONFIG_SENSE_SIZE, atomic_load(&s->sense_size));
	store_le32(b + CONFIG_CDB_SIZE, atomic_load(&s->cdb_size));
	store_le16(b + CONFIG_MAX_CHANNEL, 0);
	store_le16(b + CONFIG_MAX_TARGET, 0);
	store_le32(b + CONFIG_MAX_LUN, SCSI_LUN_MAX);
}

static void scsi_config_read(struct virtio_dev *dev, uint32_t off, void *buf,
			     size_t len)
{
	uint8_t b[CONFIG_LEN];

	config_image(of(dev), b);
	memcpy(buf, b + off, len);
}

/* Only the two sizes can be written, and only to what we can do. */
static void scsi_config_write(struct virtio_dev *dev, uint32_t off,
			      const void *buf, size_t len)
{
	struct scsi *s = of(dev);
	uint8_t b[CONFIG_LEN];
	uint32_t sense, cdb;

	config_image(s, b);
	memcpy(b + off, buf, len);
	sense = load_le32(b + CONFIG_SENSE_SIZE);
	cdb = load_le32(b + CONFIG_CDB_SIZE);
	if (sense <= SCSI_SENSE_SIZE_MAX)
		atomic_store(&s->sense_size, sense);
	if (cdb <= SCSI_CDB_SIZE_MAX)
		atomic_store(&s->cdb_size, cdb);
}

static void config_reset(struct scsi *s)
{
	atomic_store(&s->sense_size, SCSI_SENSE_SIZE);
	atomic_store(&s->cdb_size, SCSI_CDB_SIZE);
}

/* --- operations of the device --------------------------------------------- */

static void scsi_activate(struct virtio_dev *dev)
{
	struct scsi *s = of(dev);

	s->sense_len = atomic_load(&s->sense_size);
	s->cdb_len = atomic_load(&s->cdb_size);
	s->active = true;
}

static void scsi_reset(struct virtio_dev *dev)
{
	struct scsi *s = of(dev);

	s->active = false;
	scsi_ctl_drop(s);
	scsi_event_drop(s);
	for (unsigned int i = 0; i < s->n_queues; i++) {
		scsi_req_drop(&s->queues[i]);
		s->queues[i].resetting = false;
	}
	for (unsigned int i = 0; i < s->n_luns; i++)
		scsi_disk_reset(s->luns[i].disk, SCSI_POWER_ON);
	config_reset(s);
	s->resetting = s->in_flight > 0;
	if (!s->resetting)
		dev->host->ops->reset_done(dev->host);
}

static void scsi_queue_reset(struct virtio_dev *dev, unsigned int queue)
{
	struct scsi *s = of(dev);
	struct scsi_queue *q;

	if (queue == SCSI_Q_CONTROL) {
		scsi_ctl_drop(s);
	} else if (queue >= SCSI_Q_REQUEST) {
		q = &s->queues[queue - SCSI_Q_REQUEST];
		scsi_req_drop(q);
		q->resetting = q->in_flight > 0;
		if (q->resetting)
			return;
	}
	dev->host->ops->queue_reset_done(dev->host, queue);
}

static int scsi_kick(struct virtio_dev *dev, unsigned int queue)
{
	struct scsi *s = of(dev);

	if (queue == SCSI_Q_CONTROL)
		return scsi_ctl_kick(s);
	if (queue == SCSI_Q_EVENT)
		return scsi_event_kick(s);
	return scsi_req_kick(&s->queues[queue - SCSI_Q_REQUEST]);
}

static const struct virtio_dev_ops dev_ops = {
	.activate = scsi_activate,
	.reset = scsi_reset,
	.queue_reset = scsi_queue_reset,
	.kick = scsi_kick,
	.config_read = scsi_config_read,
	.config_write = scsi_config_write,
};

/* --- creation ------------------------------------------------------------- */

static void kick_again(void *arg)
{
	struct scsi_queue *q = arg;
	struct virtio_host *h = q->s->dev.host;

	if (scsi_req_kick(q) < 0)
		h->ops->needs_reset(h);
}

static void ctl_again(void *arg)
{
	struct scsi *s = arg;

	if (scsi_ctl_kick(s) < 0)
		s->dev.host->ops->needs_reset(s->dev.host);
}

static void batch_done(void *arg)
{
	scsi_req_batch_done(arg);
}

static int add_queues(struct scsi *s, struct err *err)
{
	s->dev.n_queues = SCSI_Q_REQUEST + s->n_queues;
	s->dev.queue_max[SCSI_Q_CONTROL] = SCSI_CTL_QUEUE_SIZE;
	s->dev.queue_max[SCSI_Q_EVENT] = SCSI_CTL_QUEUE_SIZE;
	for (unsigned int i = 0; i < s->n_queues; i++) {
		struct scsi_queue *q = &s->queues[i];

		s->dev.queue_max[SCSI_Q_REQUEST + i] = SCSI_QUEUE_SIZE;
		q->s = s;
		q->index = i;
		q->again = (struct io_call){.fn = kick_again, .arg = q};
		q->slots = calloc(SCSI_QUEUE_SIZE, sizeof(*q->slots));
		if (!q->slots)
			return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

/* In the order of their numbers, as REPORT LUNS shows them. */
static int add_lun(struct scsi *s, const struct scsi_lun_params *p,
		   struct err *err)
{
	AUTO(scsi_disk_destroyp) struct scsi_disk *disk = NULL;
	struct scsi_disk_params dp = *p->disk;
	char serial[SCSI_SERIAL_MAX + 1];
	unsigned int i = s->n_luns;
	int r;

	if (p->lun > SCSI_LUN_MAX)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "%s: lun=%u: at most %d", s->name, p->lun,
				    SCSI_LUN_MAX);
	snprintf(serial, sizeof(serial), "%s-lun%u", s->name, p->lun);
	if (!dp.serial)
		dp.serial = serial;
	r = scsi_disk_create(&dp, &disk, err);
	if (r < 0) {
		err_prefix(err, "%s: lun=%u", s->name, p->lun);
		return r;
	}
	for (; i && s->luns[i - 1].number > p->lun; i--)
		s->luns[i] = s->luns[i - 1];
	s->luns[i] = (struct scsi_lun){.number = p->lun, .disk = TAKE(disk)};
	s->n_luns++;
	if (i && s->luns[i - 1].number == p->lun)
		return err_set_kind(err, ERR_USAGE, -EEXIST,
				    "%s: two disks have lun=%u", s->name,
				    p->lun);
	return 0;
}

static void fill_dev(struct scsi *s, const struct scsi_params *p)
{
	s->dev.ops = &dev_ops;
	s->dev.name = s->name;
	s->dev.type = VIRTIO_ID_SCSI;
	s->dev.pci_class = PCI_CLASS_SCSI;
	/*
	 * Nothing is ever plugged in, but Linux gives us no buffers for events
	 * without HOTPLUG.
	 */
	s->dev.offered =
		BIT64(VIRTIO_SCSI_F_HOTPLUG) | BIT64(VIRTIO_SCSI_F_CHANGE);
	s->dev.config_len = CONFIG_LEN;
	s->dev.thread = p->thread;
	s->engine = p->engine;
	s->ctl_again = (struct io_call){.fn = ctl_again, .arg = s};
	s->resized = (struct io_call){.fn = scsi_event_resized, .arg = s};
	config_reset(s);
	virtq_chain_init(&s->event_chain);
	for (unsigned int i = 0; i < SCSI_TMFS; i++)
		virtq_chain_init(&s->tmfs[i].chain);
}

int scsi_create(const struct scsi_params *p, struct scsi **ret, struct err *err)
{
	AUTO(scsi_destroyp) struct scsi *s = NULL;
	int r;

	if (!p->n_queues || p->n_queues > SCSI_QUEUES_MAX || !p->n_luns ||
	    p->n_luns > SCSI_LUNS_MAX)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "%s: %u queues (1 to %d), %u disks (1 to "
				    "%d)",
				    p->name, p->n_queues, SCSI_QUEUES_MAX,
				    p->n_luns, SCSI_LUNS_MAX);
	s = calloc(1, sizeof(*s) + p->n_queues * sizeof(s->queues[0]));
	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->n_queues = p->n_queues;
	s->name = strdup(p->name);
	if (!s->name)
		return err_set(err, -ENOMEM, "out of memory");
	fill_dev(s, p);
	r = add_queues(s, err);
	for (unsigned int i = 0; !r && i < p->n_luns; i++)
		r = add_lun(s, &p->luns[i], err);
	if (r < 0)
		return r;
	r = s->engine->ops->attach(s->engine, io_thread_loop(p->thread),
				   batch_done, s);
	if (r < 0)
		return err_set(err, r, "%s: event loop: %s", p->name,
			       strerror(-r));
	*ret = TAKE(s);
	return 0;
}

void scsi_destroy(struct scsi *s)
{
	if (!s)
		return;
	for (unsigned int i = 0; i < s->n_queues; i++) {
		struct scsi_queue *q = &s->queues[i];

		for (unsigned int j = 0; q->slots && j < q->fresh; j++) {
			scsi_task_free(&q->slots[j].task);
			virtq_chain_free(&q->slots[j].chain);
		}
		free(q->slots);
	}
	for (unsigned int i = 0; i < s->n_luns; i++)
		scsi_disk_destroy(s->luns[i].disk);
	for (unsigned int i = 0; i < SCSI_TMFS; i++)
		virtq_chain_free(&s->tmfs[i].chain);
	virtq_chain_free(&s->event_chain);
	free(s->name);
	free(s);
}

struct virtio_dev *scsi_virtio_dev(struct scsi *s)
{
	return &s->dev;
}

int scsi_lun_counters(const struct scsi *s, unsigned int lun,
		      struct scsi_disk_counters *ret)
{
	for (unsigned int i = 0; i < s->n_luns; i++) {
		if (s->luns[i].number != lun)
			continue;
		scsi_disk_counters(s->luns[i].disk, ret);
		return 0;
	}
	return -ENOENT;
}

void scsi_counters(const struct scsi *s, struct scsi_counters *ret)
{
	const uint64_t *from = (const uint64_t *)&s->c;
	uint64_t *to = (uint64_t *)ret;

	for (size_t i = 0; i < sizeof(*ret) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}
