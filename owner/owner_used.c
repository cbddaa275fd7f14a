/* owner/owner_used.c - the mark beside a TIK that was used. */
#include "owner/owner_used.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "crypto/hmac256.h"
#include "owner/owner_file.h"
#include "vmm/base/err.h"
#include "vmm/base/hex.h"

/*
 * "used HEX HEX\n": a name of the key, so that a new TIK under the old name is
 * not taken for the used one, and the measurement.
 */
enum {
	NAME_HEX = 2 * HASH256_LEN,
	MEASUREMENT_HEX = 2 * SEV_MEASUREMENT_LEN,
	MARK_LEN = 5 + NAME_HEX + 1 + MEASUREMENT_HEX + 1,
};

struct mark {
	char path[4096];
	char text[MARK_LEN + 1];
};

/* What the mark of @u is, and where. */
static int mark_of(struct hash256 *h, const struct owner_use *u,
		   struct mark *ret, struct err *err)
{
	static const char label[] = "coffer: a TIK's name in its mark";
	uint8_t name[HASH256_LEN];
	char name_hex[NAME_HEX + 1], hex[MEASUREMENT_HEX + 1];

	if (snprintf(ret->path, sizeof(ret->path), "%s.used", u->tik_path) >=
	    (int)sizeof(ret->path))
		return err_set_kind(err, ERR_USAGE, -ENAMETOOLONG,
				    "--tik: too long");
	if (hmac256_of(h, u->tik, SEV_KEY_LEN, label, sizeof(label), name) < 0)
		return err_set_kind(err, ERR_HOST, -EIO,
				    "cannot compute SHA-256");
	snprintf(ret->text, sizeof(ret->text), "used %s %s\n",
		 hex_format(name, sizeof(name), name_hex),
		 hex_format(u->measurement, SEV_MEASUREMENT_LEN, hex));
	return 0;
}

enum state { UNUSED, USED_HERE, USED_ELSEWHERE };

static int read_state(const struct mark *m, enum state *ret, struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	struct err why = {0};
	int r = owner_file_read("mark", m->path, &b, &why);

	*ret = UNUSED;
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		if (err)
			*err = why;
		return r;
	}
	if (b.len != MARK_LEN || memcmp(b.data, "used ", 5) != 0 ||
	    b.data[MARK_LEN - 1] != '\n')
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "mark '%s' is damaged: it cannot be told "
				    "whether the keys were used; make a new "
				    "session",
				    m->path);
	if (memcmp(b.data + 5, m->text + 5, NAME_HEX) != 0)
		return 0; /* of the key that was here before */
	*ret = memcmp(b.data, m->text, MARK_LEN) ? USED_ELSEWHERE : USED_HERE;
	return 0;
}

static int used_elsewhere(const struct owner_use *u, struct err *err)
{
	return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
			    "'%s' was used for another launch: a host that "
			    "sees keys twice can replay secrets; make a new "
			    "session",
			    u->tik_path);
}

/* Two verifications at once must not both find the key unused. */
static int lock_key(const struct owner_use *u, int *ret, struct err *err)
{
	*ret = open(u->tik_path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*ret < 0 || flock(*ret, LOCK_EX) < 0)
		return err_set_kind(err, ERR_INPUT, -errno,
				    "cannot lock '%s': %s", u->tik_path,
				    strerror(errno));
	return 0;
}

int owner_used_claim(struct hash256 *h, const struct owner_use *u,
		     struct err *err)
{
	AUTO(fd_closep) int lock = -1;
	enum state s;
	struct mark m;
	int r = mark_of(h, u, &m, err);

	if (r >= 0)
		r = lock_key(u, &lock, err);
	if (r >= 0)
		r = read_state(&m, &s, err);
	if (r < 0)
		return r;
	if (s == USED_ELSEWHERE)
		return used_elsewhere(u, err);
	if (s == USED_HERE)
		return 0;
	return owner_files_write(
		&(struct owner_output){m.path, m.text, MARK_LEN, 0600}, 1, true,
		err);
}

int owner_used_check(struct hash256 *h, const struct owner_use *u,
		     struct err *err)
{
	enum state s;
	struct mark m;
	int r = mark_of(h, u, &m, err);

	if (r >= 0)
		r = read_state(&m, &s, err);
	if (r < 0)
		return r;
	if (s == USED_ELSEWHERE)
		return used_elsewhere(u, err);
	if (s == UNUSED)
		return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
				    "this launch was not verified: coffer "
				    "owner verify comes first (or "
				    "--unverified)");
	return 0;
}
