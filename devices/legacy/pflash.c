/* devices/legacy/pflash.c - the command set, over a window and a file. */
#include "devices/legacy/pflash.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

/* Intel, "Basic Command Set" (28F004S5 datasheet, table 4 and others). */
enum {
	CMD_PROGRAM_ALT = 0x10,
	CMD_ERASE = 0x20,
	CMD_PROGRAM = 0x40,
	CMD_CLEAR_STATUS = 0x50,
	CMD_READ_STATUS = 0x70,
	CMD_ERASE_CONFIRM = 0xd0,
};

enum mode { READ_ARRAY, READ_STATUS, PROGRAM_DATA, ERASE_SURE };

struct pflash {
	struct bus_dev dev;
	int fd;		 /* borrowed */
	uint8_t *window; /* borrowed: what the guest sees */
	size_t len;

	pthread_mutex_t lock;
	enum mode mode;
	uint8_t status;
	uint8_t *array; /* the contents */
	bool *covered;	/* pages whose window holds a status */
	size_t n_covered;
	uint8_t shown; /* the status in them */
	struct pflash_counters n;
};

/* --- what the guest reads ------------------------------------------------ */

static void show_array(struct pflash *f)
{
	f->mode = READ_ARRAY;
	for (size_t i = 0; f->n_covered; i++) {
		if (!f->covered[i])
			continue;
		memcpy(f->window + i * PFLASH_BLOCK,
		       f->array + i * PFLASH_BLOCK, PFLASH_BLOCK);
		f->covered[i] = false;
		f->n_covered--;
	}
}

static void cover(struct pflash *f, size_t page)
{
	memset(f->window + page * PFLASH_BLOCK, f->status, PFLASH_BLOCK);
	f->n_covered += !f->covered[page];
	f->covered[page] = true;
}

/* The pages of an access answer with the status, as do those before them. */
static void show_status(struct pflash *f, uint64_t off, unsigned int width)
{
	size_t last = (size_t)(off + width - 1) / PFLASH_BLOCK;

	f->mode = READ_STATUS;
	if (f->shown != f->status) {
		f->shown = f->status;
		for (size_t i = 0; i < f->len / PFLASH_BLOCK; i++)
			if (f->covered[i])
				cover(f, i);
	}
	for (size_t i = (size_t)off / PFLASH_BLOCK; i <= last; i++)
		if (!f->covered[i])
			cover(f, i);
}

/* --- what it does -------------------------------------------------------- */

static int store(struct pflash *f, uint64_t off, size_t len)
{
	const uint8_t *p = f->array + off;

	while (len) {
		ssize_t n = pwrite(f->fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static void done(struct pflash *f, int r, uint8_t failed)
{
	f->status |= PFLASH_READY;
	if (r < 0) {
		f->status |= failed;
		f->n.failed++;
	}
}

/* A real chip can only clear bits; QEMU's, which edk2 knows, sets them, too. */
static void program(struct pflash *f, uint64_t off, unsigned int width,
		    uint64_t val)
{
	uint8_t bytes[8];

	store_le64(bytes, val);
	memcpy(f->array + off, bytes, width);
	f->n.programs++;
	done(f, store(f, off, width), PFLASH_PROGRAM_FAILED);
}

static void erase(struct pflash *f, uint64_t off)
{
	off = align_down(off, PFLASH_BLOCK);
	memset(f->array + off, 0xff, PFLASH_BLOCK);
	f->n.erases++;
	done(f, store(f, off, PFLASH_BLOCK), PFLASH_ERASE_FAILED);
}

static void command(struct pflash *f, uint64_t off, unsigned int width,
		    uint8_t cmd)
{
	switch (cmd) {
	case CMD_PROGRAM:
	case CMD_PROGRAM_ALT:
		show_status(f, off, width);
		f->mode = PROGRAM_DATA;
		break;
	case CMD_ERASE:
		show_status(f, off, width);
		f->mode = ERASE_SURE;
		break;
	case CMD_CLEAR_STATUS:
		f->status = 0;
		show_array(f);
		break;
	case CMD_READ_STATUS:
		show_status(f, off, width);
		break;
	default: /* read array, and what this chip does not know */
		show_array(f);
		break;
	}
}

static void written(struct pflash *f, uint64_t off, unsigned int width,
		    uint64_t val)
{
	switch (f->mode) {
	case PROGRAM_DATA:
		program(f, off, width, val);
		show_status(f, off, width);
		break;
	case ERASE_SURE:
		if ((uint8_t)val != CMD_ERASE_CONFIRM) {
			command(f, off, width, (uint8_t)val); /* not so sure */
			break;
		}
		erase(f, off);
		show_status(f, off, width);
		break;
	case READ_ARRAY:
	case READ_STATUS:
		command(f, off, width, (uint8_t)val);
		break;
	}
}

static void pflash_write(struct bus_dev *dev, uint64_t off, unsigned int width,
			 uint64_t val)
{
	struct pflash *f = container_of(dev, struct pflash, dev);

	pthread_mutex_lock(&f->lock);
	written(f, off, width, val);
	pthread_mutex_unlock(&f->lock);
}

/* Only where KVM does not know the window; it answers as the window would. */
static uint64_t pflash_read(struct bus_dev *dev, uint64_t off,
			    unsigned int width)
{
	struct pflash *f = container_of(dev, struct pflash, dev);
	uint8_t bytes[8] = {0};

	pthread_mutex_lock(&f->lock);
	memcpy(bytes, f->window + off, width);
	pthread_mutex_unlock(&f->lock);
	return load_le64(bytes);
}

/* --- life ---------------------------------------------------------------- */

static int load(struct pflash *f, struct err *err)
{
	size_t at = 0;

	while (at < f->len) {
		ssize_t n = pread(f->fd, f->array + at, f->len - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set_kind(
				err, ERR_INPUT, n < 0 ? -errno : -ENODATA,
				"variable store: %s",
				n < 0 ? strerror(errno) : "it became shorter");
		at += (size_t)n;
	}
	memcpy(f->window, f->array, f->len);
	return 0;
}

int pflash_create(int fd, uint8_t *window, size_t len, struct pflash **ret,
		  struct err *err)
{
	static const struct bus_dev_ops ops = {pflash_read, pflash_write};
	AUTO(pflash_destroyp) struct pflash *f = calloc(1, sizeof(*f));
	int r;

	assert(len && is_aligned(len, PFLASH_BLOCK));
	if (!f)
		return err_set(err, -ENOMEM, "flash: out of memory");
	pthread_mutex_init(&f->lock, NULL);
	f->dev.ops = &ops;
	f->fd = fd;
	f->window = window;
	f->len = len;
	f->status = f->shown = PFLASH_READY;
	f->array = malloc(len);
	f->covered = calloc(len / PFLASH_BLOCK, sizeof(*f->covered));
	if (!f->array || !f->covered)
		return err_set(err, -ENOMEM, "flash: out of memory");
	r = load(f, err);
	if (r < 0)
		return r;
	*ret = TAKE(f);
	return 0;
}

void pflash_destroy(struct pflash *f)
{
	if (!f)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f->array);
	free(f->covered);
	free(f);
}

struct bus_dev *pflash_bus_dev(struct pflash *f)
{
	return &f->dev;
}

void pflash_counters(struct pflash *f, struct pflash_counters *ret)
{
	pthread_mutex_lock(&f->lock);
	*ret = f->n;
	pthread_mutex_unlock(&f->lock);
}
