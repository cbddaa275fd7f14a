/* sim/sim_mktme.c - KeyIDs and the memory that has them. */
#include "sim/sim_mktme.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sim_mktme {
	unsigned int n_keyids;
	int32_t key[SIM_MKTME_KEYIDS_MAX + 1]; /* by KeyID; 0: no key lives */
	struct sim_mktme_range range[SIM_MKTME_RANGES_MAX];
	size_t n_ranges;
};

struct sim_mktme *sim_mktme_create(unsigned int n_keyids)
{
	struct sim_mktme *m = calloc(1, sizeof(*m));

	if (m)
		m->n_keyids = n_keyids;
	return m;
}

void sim_mktme_destroy(struct sim_mktme *m)
{
	free(m);
}

/* --- payloads ------------------------------------------------------------ */

enum token { TYPE, ALGORITHM, KEY, TWEAK, N_TOKENS };

static const char *const token_names[N_TOKENS] = {
	"type=", "algorithm=", "key=", "tweak="};

struct payload {
	const char *value[N_TOKENS]; /* NULL: not there */
	size_t len[N_TOKENS];
};

static bool is(const struct payload *p, enum token t, const char *value)
{
	return p->value[t] && p->len[t] == strlen(value) &&
	       !memcmp(p->value[t], value, p->len[t]);
}

/* The kernel reads the first 32 digits and does not look further. */
static bool is_hex(const struct payload *p, enum token t)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	if (!p->value[t] || p->len[t] < 32)
		return false;
	for (size_t i = 0; i < 32; i++)
		if (!p->value[t][i] || !strchr(digits, p->value[t][i]))
			return false;
	return true;
}

static bool take_token(struct payload *p, const char *text, size_t len)
{
	for (size_t t = 0; t < N_TOKENS; t++) {
		size_t n = strlen(token_names[t]);

		if (len < n || memcmp(text, token_names[t], n) != 0)
			continue;
		if (p->value[t])
			return false; /* twice */
		p->value[t] = text + n;
		p->len[t] = len - n;
		return true;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool split(const char *text, size_t len, struct payload *ret)
{
	size_t i = 0;

	while (i < len) {
		size_t start;

		if (is_blank(text[i])) {
			i++;
			continue;
		}
		for (start = i; i < len && !is_blank(text[i]);)
			i++;
		if (!take_token(ret, text + start, i - start))
			return false;
	}
	return true;
}

int sim_mktme_payload(enum sim_mktme_profile profile, const char *text,
		      size_t len)
{
	struct payload p = {0};
	bool user_keys = profile != SIM_MKTME_2019_07;
	bool algorithm, ok;

	if (!len || len > SIM_MKTME_PAYLOAD_MAX || !split(text, len, &p))
		return -EINVAL;
	if ((p.value[KEY] || p.value[TWEAK]) && !user_keys)
		return -EINVAL;
	if ((p.value[KEY] && !is_hex(&p, KEY)) ||
	    (p.value[TWEAK] && !is_hex(&p, TWEAK)))
		return -EINVAL;
	if (p.value[ALGORITHM] && !is(&p, ALGORITHM, "aes-xts-128"))
		return -EINVAL;
	algorithm = p.value[ALGORITHM];
	if (is(&p, TYPE, "cpu"))
		ok = algorithm;
	else if (is(&p, TYPE, "user"))
		ok = user_keys && algorithm && p.value[KEY] && p.value[TWEAK];
	else if (is(&p, TYPE, "clear"))
		ok = profile == SIM_MKTME_2018_12;
	else
		ok = is(&p, TYPE, "no-encrypt");
	return ok ? 0 : -EINVAL;
}

/* --- KeyIDs -------------------------------------------------------------- */

bool sim_mktme_has_memory(const struct sim_mktme *m, unsigned int keyid)
{
	for (size_t i = 0; i < m->n_ranges; i++)
		if (m->range[i].keyid == keyid)
			return true;
	return false;
}

int sim_mktme_assign(struct sim_mktme *m, int32_t serial)
{
	for (unsigned int id = 1; id <= m->n_keyids; id++)
		if (!m->key[id] && !sim_mktme_has_memory(m, id)) {
			m->key[id] = serial;
			return (int)id;
		}
	return -ENOKEY;
}

unsigned int sim_mktme_keyid(const struct sim_mktme *m, int32_t serial)
{
	for (unsigned int id = 1; id <= m->n_keyids; id++)
		if (m->key[id] == serial)
			return id;
	return 0;
}

void sim_mktme_kill_key(struct sim_mktme *m, int32_t serial)
{
	unsigned int id = sim_mktme_keyid(m, serial);

	if (id)
		m->key[id] = 0;
}

int32_t sim_mktme_key_at(const struct sim_mktme *m, size_t i)
{
	for (unsigned int id = 1; id <= m->n_keyids; id++)
		if (m->key[id] && !i--)
			return m->key[id];
	return 0;
}

unsigned int sim_mktme_used(const struct sim_mktme *m)
{
	unsigned int n = 0;

	for (unsigned int id = 1; id <= m->n_keyids; id++)
		n += m->key[id] || sim_mktme_has_memory(m, id);
	return n;
}

/* --- memory -------------------------------------------------------------- */

bool sim_mktme_keeps(const struct sim_mktme *m, pid_t pid, uint64_t start,
		     uint64_t end, unsigned int keyid, int prot)
{
	for (size_t i = 0; i < m->n_ranges; i++) {
		const struct sim_mktme_range *r = &m->range[i];

		if (r->pid == pid && r->start <= start && r->end >= end)
			return r->keyid == keyid && r->prot == prot;
	}
	return false;
}

static int add(struct sim_mktme *m, const struct sim_mktme_range *r)
{
	if (r->start == r->end)
		return 0;
	if (m->n_ranges == SIM_MKTME_RANGES_MAX)
		return -ENOMEM;
	m->range[m->n_ranges++] = *r;
	return 0;
}

static void drop(struct sim_mktme *m, size_t i)
{
	m->range[i] = m->range[--m->n_ranges];
}

int sim_mktme_cover(struct sim_mktme *m, pid_t pid, uint64_t start,
		    uint64_t end, unsigned int keyid, int prot)
{
	const struct sim_mktme_range now = {pid, start, end, keyid, prot};
	int r = 0;

	for (size_t i = m->n_ranges; i-- > 0;) {
		struct sim_mktme_range old = m->range[i], left = old,
				       right = old;

		if (old.pid != pid || old.end <= start || old.start >= end)
			continue;
		drop(m, i);
		left.end = old.start < start ? start : old.start;
		right.start = old.end > end ? end : old.end;
		if (!r)
			r = add(m, &left);
		if (!r)
			r = add(m, &right);
	}
	return r ? r : add(m, &now);
}

void sim_mktme_forget(struct sim_mktme *m, pid_t pid)
{
	for (size_t i = m->n_ranges; i-- > 0;)
		if (m->range[i].pid == pid)
			drop(m, i);
}
