/* devices/legacy/debug_exit.c - one register that ends the guest. */
#include "devices/legacy/debug_exit.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "devices/power_sink.h"
#include "vmm/base/err.h"

struct debug_exit {
	struct bus_dev dev;
	struct power_sink *power; /* borrowed */
};

static uint64_t debug_exit_read(struct bus_dev *dev, uint64_t off,
				unsigned int width)
{
	(void)dev;
	(void)off;
	(void)width;
	return 0;
}

static void debug_exit_write(struct bus_dev *dev, uint64_t off,
			     unsigned int width, uint64_t val)
{
	struct debug_exit *d = container_of(dev, struct debug_exit, dev);
	uint32_t mask =
		width >= 4 ? UINT32_MAX : (UINT32_C(1) << (8 * width)) - 1;

	if (off == 0)
		d->power->ops->debug_exit(d->power, (uint32_t)val & mask);
}

int debug_exit_create(struct power_sink *power, struct debug_exit **ret,
		      struct err *err)
{
	static const struct bus_dev_ops ops = {debug_exit_read,
					       debug_exit_write};
	struct debug_exit *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(err, -ENOMEM, "debug exit: out of memory");
	d->dev.ops = &ops;
	d->power = power;
	*ret = d;
	return 0;
}

void debug_exit_destroy(struct debug_exit *d)
{
	free(d);
}

struct bus_dev *debug_exit_bus_dev(struct debug_exit *d)
{
	return &d->dev;
}
