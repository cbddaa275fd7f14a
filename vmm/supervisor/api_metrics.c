/*
 * vmm/supervisor/api_metrics.c - a family of samples for each name of a
 * counter, whichever devices have it (OpenMetrics 1.0: the samples of a family
 * stand together).
 */
#include "vmm/supervisor/api_metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/own.h"
#include "vmm/counters.h"
#include "vmm/supervisor/api_vm.h"
#include "vmm/version.h"

/* What can fall as well as rise; everything else only counts. */
static const struct {
	const char *device; /* or NULL: any */
	const char *name;
} gauges[] = {
	{"dma", "shared_bytes"},
	{"dma", "private_bytes"},
	{"dma", "reported"},
	{NULL, "n_conns"},
};

static bool is_gauge(const struct counter *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(gauges); i++)
		if (!strcmp(c->name, gauges[i].name) &&
		    (!gauges[i].device || !strcmp(c->device, gauges[i].device)))
			return true;
	return false;
}

/* The DMA view is the machine's; "refused" of a disk is something else. */
static bool is_dma(const struct counter *c)
{
	return !strcmp(c->device, "dma");
}

static bool same_family(const struct counter *a, const struct counter *b)
{
	return !strcmp(a->name, b->name) && is_dma(a) == is_dma(b);
}

static void put_sample(FILE *f, const struct counter *c)
{
	const char *total = is_gauge(c) ? "" : "_total";

	if (is_dma(c))
		fprintf(f, "coffer_dma_%s%s %" PRIu64 "\n", c->name, total,
			c->value);
	else
		fprintf(f, "coffer_device_%s%s{device=\"%s\"} %" PRIu64 "\n",
			c->name, total, c->device, c->value);
}

/* They come from the process beside the guest, and would end a line. */
static bool is_clean(const struct counter *c)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	static const char label[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";

	return *c->name && !c->name[strspn(c->name, name)] &&
	       !c->device[strspn(c->device, label)];
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return n >= t && !strcmp(s + n - t, tail);
}

static void put_family(FILE *f, const struct counters *c, size_t first)
{
	const struct counter *e = &c->v[first];
	const char *of = is_dma(e) ? "dma" : "device";

	if (!is_clean(e))
		return;
	for (size_t i = 0; i < first; i++)
		if (same_family(e, &c->v[i]) && is_clean(&c->v[i]))
			return; /* it stands there */
	fprintf(f, "# TYPE coffer_%s_%s %s\n", of, e->name,
		is_gauge(e) ? "gauge" : "counter");
	if (ends_with(e->name, "_bytes"))
		fprintf(f, "# UNIT coffer_%s_%s bytes\n", of, e->name);
	for (size_t i = first; i < c->n; i++)
		if (same_family(e, &c->v[i]) && is_clean(&c->v[i]))
			put_sample(f, &c->v[i]);
}

static void put_vm(FILE *f, const struct api_vm_info *i)
{
	fprintf(f,
		"# TYPE coffer_build info\n"
		"coffer_build_info{version=\"%s\",machine=\"%s\"} 1\n"
		"# TYPE coffer_vm_state stateset\n",
		coffer_version(), coffer_machine());
	for (int s = 0; s < API_STATE_COUNT; s++)
		fprintf(f, "coffer_vm_state{coffer_vm_state=\"%s\"} %d\n",
			api_state_name((enum api_state)s), s == (int)i->state);
	fprintf(f,
		"# TYPE coffer_vm_starts counter\n"
		"coffer_vm_starts_total %" PRIu64 "\n"
		"# TYPE coffer_vm_uptime_seconds gauge\n"
		"# UNIT coffer_vm_uptime_seconds seconds\n"
		"coffer_vm_uptime_seconds %" PRIu64 ".%03u\n",
		i->n_starts, i->uptime_ms / 1000,
		(unsigned int)(i->uptime_ms % 1000));
}

static void put_stats(FILE *f, const struct api_stats *s)
{
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{"requests", s->requests},
		{"errors", s->errors},
		{"turned_away", s->turned_away},
		{"events", s->events},
		{"streams_dropped", s->streams_dropped},
	};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		fprintf(f,
			"# TYPE coffer_api_%s counter\n"
			"coffer_api_%s_total %" PRIu64 "\n",
			counts[i].name, counts[i].name, counts[i].value);
	fprintf(f,
		"# TYPE coffer_api_clients gauge\n"
		"coffer_api_clients %" PRIu64 "\n",
		s->clients);
}

char *api_metrics_text(const struct api_vm_info *i, const struct counters *c,
		       const struct api_stats *s)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	put_vm(f, i);
	for (size_t n = 0; c && n < c->n; n++)
		put_family(f, c, n);
	put_stats(f, s);
	fputs("# EOF\n", f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
