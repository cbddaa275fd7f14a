/* devices/legacy/fw_cfg.c - items, and the two ways to read them. */
#include "devices/legacy/fw_cfg.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mem/dma_view.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

enum {
	OFF_SELECT = 0,
	OFF_DATA = 1,
	OFF_DMA_HIGH = 4,
	OFF_DMA_LOW = 8,
	/* Bits of a key that say how it is used, not which (fw_cfg.rst). */
	KEY_WRITE_CHANNEL = 0x4000,
	ID_TRADITIONAL = 1 << 0,
	ID_DMA = 1 << 1,
	DIR_ENTRY = 64, /* size (4), key (2), reserved (2), name */
	DIR_LEN = 4 + FW_CFG_FILES_MAX * DIR_ENTRY,
	CHUNK = 1 << 20,
	IOV_MAX_PIECES = 64, /* of a chunk */
};

static const uint8_t dma_signature[8] = "QEMU CFG";

struct item {
	uint32_t len;
	uint8_t *data; /* owned, or NULL: */
	int fd;	       /* borrowed; -1: none */
	uint64_t off;
	void (*refresh)(void *arg, uint8_t *data, size_t len); /* or NULL */
	void *refresh_arg;
};

struct fw_cfg {
	struct bus_dev dev;
	struct dma_view *view; /* borrowed */
	struct item item[FW_CFG_KEYS];
	unsigned int n_files;

	pthread_mutex_t lock;  /* the rest */
	const struct item *at; /* selected; NULL: none that is there */
	uint32_t pos;
	uint32_t dma_high;
	struct fw_cfg_counters n;
};

/* --- items --------------------------------------------------------------- */

static void select_item(struct fw_cfg *f, uint16_t key)
{
	key &= (uint16_t)~KEY_WRITE_CHANNEL;
	f->at = key < FW_CFG_KEYS ? &f->item[key] : NULL;
	f->pos = 0;
	if (f->at && f->at->refresh)
		f->at->refresh(f->at->refresh_arg, f->at->data, f->at->len);
}

static int read_fd(int fd, uint8_t *buf, size_t len, uint64_t off)
{
	while (len) {
		ssize_t n = pread(fd, buf, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		buf += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* @len bytes from f->pos on, of which the item has at least so many. */
static int read_item(const struct fw_cfg *f, uint8_t *buf, size_t len)
{
	if (!f->at->data)
		return read_fd(f->at->fd, buf, len, f->at->off + f->pos);
	memcpy(buf, f->at->data + f->pos, len);
	return 0;
}

static uint32_t left(const struct fw_cfg *f)
{
	return f->at && f->pos < f->at->len ? f->at->len - f->pos : 0;
}

static uint8_t next_byte(struct fw_cfg *f)
{
	uint8_t b = 0;

	if (!left(f))
		return 0;
	if (read_item(f, &b, 1) < 0)
		b = 0;
	f->pos++;
	return b;
}

/* --- DMA ----------------------------------------------------------------- */

/* @len bytes of the item, or of zeros, to @gpa: all of it within CHUNK. */
static int to_guest(struct fw_cfg *f, uint64_t gpa, uint32_t len, bool zeros)
{
	struct iovec iov[IOV_MAX_PIECES];
	size_t n = 0;
	int r = dma_view_map(f->view, gpa, len, true, iov, IOV_MAX_PIECES, &n);

	for (size_t i = 0; i < n && !r; i++) {
		if (zeros)
			memset(iov[i].iov_base, 0, iov[i].iov_len);
		else
			r = read_item(f, iov[i].iov_base, iov[i].iov_len);
		if (!zeros)
			f->pos += (uint32_t)iov[i].iov_len;
	}
	return r;
}

/* The item as far as it goes, and zeros behind it. */
static int dma_read(struct fw_cfg *f, uint64_t gpa, uint32_t len)
{
	while (len) {
		uint32_t have = left(f), n = have ? have : len;
		int r;

		if (n > len)
			n = len;
		if (n > CHUNK)
			n = CHUNK;
		r = to_guest(f, gpa, n, !have);
		if (r < 0)
			return r;
		/* An address that wraps is refused by the view. */
		gpa += n;
		len -= n;
	}
	return 0;
}

static void dma_skip(struct fw_cfg *f, uint32_t len)
{
	f->pos += len < left(f) ? len : left(f);
}

static int dma_carry_out(struct fw_cfg *f, const uint8_t req[FW_CFG_DMA_LEN])
{
	uint32_t control = load_be32(req), len = load_be32(req + 4);

	if (control & FW_CFG_DMA_SELECT)
		select_item(f, (uint16_t)(control >> 16));
	if (control & FW_CFG_DMA_READ)
		return dma_read(f, load_be64(req + 8), len);
	if (control & FW_CFG_DMA_WRITE)
		return len ? -EPERM : 0;
	if (control & FW_CFG_DMA_SKIP)
		dma_skip(f, len);
	return 0;
}

/* The guest's other CPUs may change the request: it is read once. */
static void dma(struct fw_cfg *f, uint64_t gpa)
{
	uint8_t req[FW_CFG_DMA_LEN], answer[4];
	int r;

	f->n.dma++;
	r = dma_view_read(f->view, gpa, req, sizeof(req));
	if (!r) {
		r = dma_carry_out(f, req);
		store_be32(answer, r < 0 ? (uint32_t)FW_CFG_DMA_ERROR : 0);
		dma_view_write(f->view, gpa, answer, sizeof(answer));
	}
	f->n.refused += r < 0;
}

/* --- ports --------------------------------------------------------------- */

static uint64_t fw_cfg_read(struct bus_dev *dev, uint64_t off,
			    unsigned int width)
{
	struct fw_cfg *f = container_of(dev, struct fw_cfg, dev);
	uint64_t val = 0;

	if (off >= OFF_DMA_HIGH) {
		for (unsigned int i = 0; i < width; i++)
			val |= (uint64_t)dma_signature[off - OFF_DMA_HIGH + i]
			       << (8 * i);
		return val;
	}
	/* Either port reads the item's next byte, as on QEMU. */
	if (off > OFF_DATA || width != 1)
		return UINT64_MAX;
	pthread_mutex_lock(&f->lock);
	val = next_byte(f);
	pthread_mutex_unlock(&f->lock);
	return val;
}

static void fw_cfg_write(struct bus_dev *dev, uint64_t off, unsigned int width,
			 uint64_t val)
{
	struct fw_cfg *f = container_of(dev, struct fw_cfg, dev);

	pthread_mutex_lock(&f->lock);
	if (off == OFF_SELECT && width == 2) {
		select_item(f, (uint16_t)val);
	} else if (off == OFF_DMA_HIGH && width == 4) {
		f->dma_high = be32toh((uint32_t)val);
	} else if (off == OFF_DMA_LOW && width == 4) {
		uint64_t high = f->dma_high;

		f->dma_high = 0;
		dma(f, high << 32 | be32toh((uint32_t)val));
	}
	pthread_mutex_unlock(&f->lock);
}

/* --- set-up -------------------------------------------------------------- */

int fw_cfg_create(struct dma_view *view, struct fw_cfg **ret, struct err *err)
{
	static const struct bus_dev_ops ops = {fw_cfg_read, fw_cfg_write};
	static const uint8_t no_files[DIR_LEN];
	AUTO(fw_cfg_destroyp) struct fw_cfg *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return err_set(err, -ENOMEM, "fw_cfg: out of memory");
	f->dev.ops = &ops;
	f->view = view;
	for (size_t i = 0; i < FW_CFG_KEYS; i++)
		f->item[i].fd = -1;
	pthread_mutex_init(&f->lock, NULL);
	r = fw_cfg_add(f, FW_CFG_SIGNATURE, "QEMU", 4, err);
	if (!r)
		r = fw_cfg_add_le32(f, FW_CFG_ID, ID_TRADITIONAL | ID_DMA, err);
	if (!r)
		r = fw_cfg_add(f, FW_CFG_FILE_DIR, no_files, DIR_LEN, err);
	if (r < 0)
		return r;
	select_item(f, FW_CFG_SIGNATURE);
	*ret = TAKE(f);
	return 0;
}

void fw_cfg_destroy(struct fw_cfg *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < FW_CFG_KEYS; i++)
		free(f->item[i].data);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

struct bus_dev *fw_cfg_bus_dev(struct fw_cfg *f)
{
	return &f->dev;
}

static int set_item(struct fw_cfg *f, unsigned int key, const void *data,
		    size_t len, struct err *err)
{
	struct item *i = &f->item[key];

	assert(key < FW_CFG_KEYS && !i->data && i->fd < 0);
	assert(len <= UINT32_MAX);
	i->data = malloc(len ? len : 1);
	if (!i->data)
		return err_set(err, -ENOMEM, "fw_cfg: out of memory");
	if (len)
		memcpy(i->data, data, len);
	i->len = (uint32_t)len;
	return 0;
}

int fw_cfg_add(struct fw_cfg *f, enum fw_cfg_key key, const void *data,
	       size_t len, struct err *err)
{
	return set_item(f, key, data, len, err);
}

int fw_cfg_add_le16(struct fw_cfg *f, enum fw_cfg_key key, uint16_t val,
		    struct err *err)
{
	val = htole16(val);
	return set_item(f, key, &val, sizeof(val), err);
}

int fw_cfg_add_le32(struct fw_cfg *f, enum fw_cfg_key key, uint32_t val,
		    struct err *err)
{
	val = htole32(val);
	return set_item(f, key, &val, sizeof(val), err);
}

int fw_cfg_add_le64(struct fw_cfg *f, enum fw_cfg_key key, uint64_t val,
		    struct err *err)
{
	val = htole64(val);
	return set_item(f, key, &val, sizeof(val), err);
}

void fw_cfg_add_fd(struct fw_cfg *f, enum fw_cfg_key key, int fd, uint64_t off,
		   uint32_t len)
{
	struct item *i = &f->item[key];

	assert(!i->data && i->fd < 0 && fd >= 0);
	i->fd = fd;
	i->off = off;
	i->len = len;
}

int fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data,
		    size_t len, struct err *err)
{
	unsigned int key = FW_CFG_FILE_FIRST + f->n_files;
	uint8_t *dir = f->item[FW_CFG_FILE_DIR].data;
	uint8_t *e = dir + 4 + (size_t)f->n_files * DIR_ENTRY;
	int r;

	if (f->n_files == FW_CFG_FILES_MAX || strlen(name) >= FW_CFG_NAME_MAX)
		return err_set_kind(err, ERR_INTERNAL, -ENOSPC,
				    "fw_cfg: no room for '%s'", name);
	r = set_item(f, key, data, len, err);
	if (r < 0)
		return r;
	store_be32(e, (uint32_t)len);
	store_be16(e + 4, (uint16_t)key);
	memcpy(e + 8, name, strlen(name) + 1);
	f->n_files++;
	store_be32(dir, f->n_files);
	return 0;
}

void fw_cfg_refresh_file(struct fw_cfg *f,
			 void (*fn)(void *arg, uint8_t *data, size_t len),
			 void *arg)
{
	struct item *i;

	assert(f->n_files);
	i = &f->item[FW_CFG_FILE_FIRST + f->n_files - 1];
	i->refresh = fn;
	i->refresh_arg = arg;
}

void fw_cfg_counters(struct fw_cfg *f, struct fw_cfg_counters *ret)
{
	pthread_mutex_lock(&f->lock);
	*ret = f->n;
	pthread_mutex_unlock(&f->lock);
}
