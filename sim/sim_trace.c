/* sim/sim_trace.c - writes events as JSON lines, one write each. */
#include "sim/sim_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/sev_abi.h"
#include "crypto/sev_status.h"
#include "vmm/base/err.h"
#include "vmm/base/hex.h"

struct sim_trace {
	FILE *f; /* owned unless standard error; line buffered */
	struct timespec start;
};

int sim_trace_open(const char *path, struct sim_trace **ret, struct err *err)
{
	AUTO(freep) struct sim_trace *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, -ENOMEM, "out of memory");
	if (path)
		t->f = strcmp(path, "-") ? fopen(path, "we") : stderr;
	if (path && !t->f) {
		int e = errno;

		return err_set_kind(err, e == EACCES ? ERR_PERM : ERR_INPUT, -e,
				    "--trace '%s': %s", path, strerror(e));
	}
	if (t->f)
		setvbuf(t->f, NULL, _IOLBF, 0);
	clock_gettime(CLOCK_MONOTONIC, &t->start);
	*ret = TAKE(t);
	return 0;
}

void sim_trace_close(struct sim_trace *t)
{
	if (!t)
		return;
	if (t->f && t->f != stderr)
		fclose(t->f);
	free(t);
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* All strings are ours: names and fixed paths, nothing to be escaped. */
static void put_text(FILE *f, const char *key, const char *value)
{
	if (value)
		fprintf(f, ", \"%s\": \"%s\"", key, value);
}

static void put_number(FILE *f, const char *key, uint64_t value)
{
	if (value)
		fprintf(f, ", \"%s\": %" PRIu64, key, value);
}

static void put_outcome(FILE *f, const struct sim_event *e)
{
	if (e->continued)
		fprintf(f, ", \"result\": \"continued\"");
	else
		fprintf(f, ", \"result\": %d", e->result);
	if (!e->continued && e->result < 0)
		put_text(f, "errno", strerrorname_np(-e->result));
	if (!e->has_status)
		return;
	fprintf(f, ", \"status\": %" PRIu32, e->status);
	put_text(f, "status_name", sev_status_name(e->status));
}

void sim_trace_event(struct sim_trace *t, const struct sim_event *e)
{
	char hex[2 * SEV_DIGEST_LEN + 1];
	FILE *f = t->f;

	if (!f)
		return;
	fprintf(f, "{\"time\": %.6f, \"tid\": %d", seconds_since(&t->start),
		(int)e->tid);
	put_text(f, "call", e->call);
	put_text(f, "command", e->command);
	put_text(f, "path", e->path);
	put_outcome(f, e);
	put_number(f, "vm", e->vm);
	put_number(f, "handle", e->handle);
	put_number(f, "asid", e->asid);
	if (e->has_vcpu)
		fprintf(f, ", \"vcpu\": %" PRIu32, e->vcpu);
	if (e->addr)
		fprintf(f, ", \"addr\": \"0x%" PRIx64 "\"", e->addr);
	put_number(f, "len", e->len);
	put_number(f, "touched_pages", e->touched);
	if (e->serial > 0)
		put_number(f, "serial", (uint64_t)e->serial);
	put_number(f, "keyid", e->keyid);
	if (e->keyid || e->in_use)
		fprintf(f, ", \"keyids_in_use\": %u", e->in_use);
	if (e->digest)
		put_text(f, "digest",
			 hex_format(e->digest, SEV_DIGEST_LEN, hex));
	put_text(f, "note", e->note);
	fprintf(f, "}\n");
}
