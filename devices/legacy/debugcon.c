/* devices/legacy/debugcon.c - hands every byte on. */
#include "devices/legacy/debugcon.h"

#include <errno.h>
#include <stdlib.h>

#include "devices/legacy/byte_ports.h"
#include "vmm/base/err.h"

struct debugcon {
	struct bus_dev dev;
	struct debugcon_sink *sink; /* borrowed; may be NULL */
};

static uint8_t read_port(void *dev, uint64_t off)
{
	(void)dev;
	(void)off;
	return DEBUGCON_READBACK;
}

static void write_port(void *dev, uint64_t off, uint8_t val)
{
	struct debugcon *d = dev;

	(void)off;
	if (d->sink)
		d->sink->ops->put(d->sink, val);
}

static uint64_t debugcon_read(struct bus_dev *dev, uint64_t off,
			      unsigned int width)
{
	return byte_ports_read(container_of(dev, struct debugcon, dev),
			       read_port, off, width);
}

static void debugcon_write(struct bus_dev *dev, uint64_t off,
			   unsigned int width, uint64_t val)
{
	byte_ports_write(container_of(dev, struct debugcon, dev), write_port,
			 off, width, val);
}

int debugcon_create(struct debugcon_sink *sink, struct debugcon **ret,
		    struct err *err)
{
	static const struct bus_dev_ops ops = {debugcon_read, debugcon_write};
	struct debugcon *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(err, -ENOMEM, "debug console: out of memory");
	d->dev.ops = &ops;
	d->sink = sink;
	*ret = d;
	return 0;
}

void debugcon_destroy(struct debugcon *d)
{
	free(d);
}

struct bus_dev *debugcon_bus_dev(struct debugcon *d)
{
	return &d->dev;
}
