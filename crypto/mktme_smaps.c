/* crypto/mktme_smaps.c - the KeyID lines of /proc/PID/smaps. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/mktme_ram.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum { LINE_MAX_BYTES = 512 };

struct scan {
	uint64_t start, end; /* what is asked for */
	uint64_t at;	     /* covered so far, from start */
	bool inside;	     /* the mapping of these lines is part of it */
	uint64_t vma_start, vma_end;
	bool prints; /* some mapping had a KeyID line */
	uint64_t keyid;
};

/* A line that begins a mapping: "55d0c0a00000-55d0c0a21000 rw-p ...". */
static bool take_head(struct scan *s, const char *line)
{
	uint64_t start, end;
	char *p;

	start = strtoull(line, &p, 16);
	if (p == line || *p != '-')
		return false;
	line = p + 1;
	end = strtoull(line, &p, 16);
	if (p == line || *p != ' ')
		return false;
	s->vma_start = start;
	s->vma_end = end;
	s->inside = s->vma_start < s->end && s->vma_end > s->start;
	return true;
}

static int bad_part(const struct scan *s, uint64_t id, struct err *err)
{
	return err_set_kind(err, ERR_HOST, -EKEYREJECTED,
			    "guest memory at 0x%" PRIx64 "-0x%" PRIx64
			    " has KeyID %" PRIu64 "%s: the kernel did not do "
			    "what it was asked for; the guest is not started",
			    s->vma_start, s->vma_end, id,
			    id ? ", another than the rest"
			       : ", that is no key of its own");
}

/* "KeyID:           3" of the mapping that began last. */
static int take_keyid(struct scan *s, const char *line, struct err *err)
{
	static const char name[] = "KeyID:";
	uint64_t id;
	char *p;

	if (strncmp(line, name, strlen(name)) != 0)
		return 0;
	line += strlen(name);
	id = strtoull(line, &p, 10);
	if (p == line)
		return 0;
	s->prints = true;
	if (!s->inside)
		return 0;
	if (!id || (s->keyid && s->keyid != id))
		return bad_part(s, id, err);
	s->keyid = id;
	/* mappings are listed in the order of their addresses */
	if (s->vma_start <= s->at && s->vma_end > s->at)
		s->at = s->vma_end;
	return 0;
}

int mktme_smaps_check(int smaps_fd, uint64_t start, uint64_t end,
		      uint64_t *ret_keyid, struct err *err)
{
	struct scan s = {.start = start, .end = end, .at = start};
	char line[LINE_MAX_BYTES];
	int fd = dup(smaps_fd), r = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f) {
		if (fd >= 0)
			close(fd);
		return err_set_kind(err, ERR_HOST, -EIO,
				    "/proc/self/smaps cannot be read");
	}
	rewind(f);
	while (!r && fgets(line, sizeof(line), f))
		if (!take_head(&s, line))
			r = take_keyid(&s, line, err);
	fclose(f);
	if (r < 0 || !s.prints)
		return r;
	if (s.at < end)
		return err_set_kind(err, ERR_HOST, -EKEYREJECTED,
				    "guest memory at 0x%" PRIx64
				    " has no KeyID: the kernel did not do what "
				    "it was asked for; the guest is not "
				    "started",
				    s.at);
	*ret_keyid = s.keyid;
	return 1;
}
