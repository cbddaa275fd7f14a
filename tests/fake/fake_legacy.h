/*
 * tests/fake/fake_legacy.h - what the devices of devices/legacy/ ask for: a
 * clock that moves when told, a power sink that counts, interrupt lines that
 * remember. Set .ops by the fake_x() functions.
 */
#ifndef TESTS_FAKE_FAKE_LEGACY_H
#define TESTS_FAKE_FAKE_LEGACY_H

#include <stdint.h>

#include "devices/bus_dev.h"
#include "devices/clock_src.h"
#include "devices/irq_sink.h"
#include "devices/power_sink.h"
#include "vmm/base/own.h"

struct fake_clock {
	struct clock_src src;
	uint64_t ns;
};

static inline uint64_t fake_clock_now(struct clock_src *c)
{
	return container_of(c, struct fake_clock, src)->ns;
}

static inline void fake_clock_init(struct fake_clock *c, uint64_t ns)
{
	static const struct clock_src_ops ops = {.now_ns = fake_clock_now};

	c->src.ops = &ops;
	c->ns = ns;
}

struct fake_power {
	struct power_sink sink;
	unsigned int power_offs, resets, panics, exits;
	uint32_t exit_value; /* the last */
};

static inline void fake_power_off(struct power_sink *s)
{
	container_of(s, struct fake_power, sink)->power_offs++;
}

static inline void fake_power_reset(struct power_sink *s)
{
	container_of(s, struct fake_power, sink)->resets++;
}

static inline void fake_power_panicked(struct power_sink *s, uint8_t events)
{
	(void)events;
	container_of(s, struct fake_power, sink)->panics++;
}

static inline void fake_power_exit(struct power_sink *s, uint32_t value)
{
	struct fake_power *p = container_of(s, struct fake_power, sink);

	p->exits++;
	p->exit_value = value;
}

static inline void fake_power_init(struct fake_power *p)
{
	static const struct power_sink_ops ops = {
		.power_off = fake_power_off,
		.reset = fake_power_reset,
		.panicked = fake_power_panicked,
		.debug_exit = fake_power_exit,
	};

	*p = (struct fake_power){.sink.ops = &ops};
}

/* Lines only: no device here sends messages. */
struct fake_lines {
	struct irq_sink sink;
	bool level[24];
	unsigned int rises[24]; /* edges from low to high */
	unsigned int calls;	/* each is a system call in a real VM */
};

static inline void fake_lines_set(struct irq_sink *s, unsigned int gsi,
				  bool level)
{
	struct fake_lines *l = container_of(s, struct fake_lines, sink);

	l->calls++;
	if (level && !l->level[gsi])
		l->rises[gsi]++;
	l->level[gsi] = level;
}

static inline void fake_lines_init(struct fake_lines *l)
{
	static const struct irq_sink_ops ops = {.set_line = fake_lines_set};

	*l = (struct fake_lines){.sink.ops = &ops};
}

/* The guest's side of a bus: inb, outb, and wider. */
static inline uint64_t in(struct bus_dev *d, uint64_t off, unsigned int width)
{
	return d->ops->read(d, off, width);
}

static inline void out(struct bus_dev *d, uint64_t off, unsigned int width,
		       uint64_t val)
{
	d->ops->write(d, off, width, val);
}

#endif
