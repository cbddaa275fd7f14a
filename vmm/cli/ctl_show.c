/* vmm/cli/ctl_show.c - the state of a guest in a few lines. */
#include "vmm/cli/ctl_show.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "vmm/quantity.h"

const char *ctl_word(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "?";
}

static uint64_t number(const json_t *j, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(j, key));

	return v < 0 ? 0 : (uint64_t)v;
}

static void show_exit(const json_t *vm, FILE *f)
{
	const json_t *e = json_object_get(vm, "exit");

	if (json_is_object(e))
		fprintf(f, "%-10s %s: %s\n", "exit", ctl_word(e, "how"),
			ctl_word(e, "why"));
}

static void show_config(const json_t *c, FILE *f)
{
	const json_t *m = json_object_get(c, "memory");
	char size[QUANTITY_TEXT_MAX];

	if (!json_is_object(c))
		return;
	fprintf(f, "%-10s %s\n", "kernel", ctl_word(c, "kernel"));
	if (json_is_string(json_object_get(c, "initrd")))
		fprintf(f, "%-10s %s\n", "initrd", ctl_word(c, "initrd"));
	fprintf(f, "%-10s %" PRIu64 "\n%-10s %s\n", "cpus", number(c, "cpus"),
		"memory", quantity_format_size(number(m, "size"), size));
}

/* Counters that have counted something; a name for each device. */
static void show_counters(const json_t *all, FILE *f)
{
	json_t *dev, *value;
	const char *name, *key;

	json_object_foreach((json_t *)all, name, dev)
	{
		fprintf(f, "%-10.16s", name);
		json_object_foreach(dev, key,
				    value) if (json_integer_value(value))
			fprintf(f, " %.24s=%" JSON_INTEGER_FORMAT, key,
				json_integer_value(value));
		fputc('\n', f);
	}
}

void ctl_show_vm(const json_t *vm, FILE *f)
{
	const json_t *pid = json_object_get(vm, "monitor_pid");
	uint64_t ms = number(vm, "uptime_ms");

	fprintf(f, "%-10s %s\n", "state", ctl_word(vm, "state"));
	show_exit(vm, f);
	fprintf(f, "%-10s %" PRIu64 ".%03u s, starts %" PRIu64 "\n", "uptime",
		ms / 1000, (unsigned int)(ms % 1000), number(vm, "starts"));
	fprintf(f, "%-10s coffer %s, machine %s, pid %" PRIu64, "process",
		ctl_word(vm, "version"), ctl_word(vm, "machine"),
		number(vm, "pid"));
	if (json_is_integer(pid))
		fprintf(f, ", monitor %" PRIu64, number(vm, "monitor_pid"));
	fputc('\n', f);
	if (json_is_string(json_object_get(vm, "protection")))
		fprintf(f, "%-10s %s\n", "protection",
			ctl_word(vm, "protection"));
	show_config(json_object_get(vm, "config"), f);
	show_counters(json_object_get(vm, "counters"), f);
}
