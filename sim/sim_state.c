/* sim/sim_state.c - a simulated platform as bytes, and as a file. */
#include "sim/sim_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

static const char magic[] = "COFFER SIMULATED SEV PLATFORM 1\n";
_Static_assert(sizeof(magic) - 1 == SIM_STATE_CHIP_ID, "size of the magic");

enum { SCALAR_LEN = 48, FLAG_EXTERNAL = 1 };

static int seal(struct hash256 *h, uint8_t buf[static SIM_STATE_LEN])
{
	return hash256_of(h, buf, SIM_STATE_DIGEST, buf + SIM_STATE_DIGEST);
}

int sim_state_pack(const struct sim_keys *k, struct hash256 *h,
		   uint8_t buf[static SIM_STATE_LEN])
{
	int r = 0;

	memset(buf, 0, SIM_STATE_LEN);
	memcpy(buf, magic, sizeof(magic) - 1);
	memcpy(buf + SIM_STATE_CHIP_ID, k->chip_id, SIM_CHIP_ID_LEN);
	store_le32(buf + SIM_STATE_FLAGS, k->is_external ? FLAG_EXTERNAL : 0);
	for (size_t i = 0; i < SEV_CHAIN_SEV_COUNT && r >= 0; i++) {
		if (k->pair[i])
			r = sev_key_to_scalar(k->pair[i],
					      buf + SIM_STATE_SCALARS +
						      i * SCALAR_LEN);
		sev_cert_serialise(&k->chain.sev[i],
				   buf + SIM_STATE_CERTS + i * SEV_CERT_LEN);
	}
	memcpy(buf + SIM_STATE_ASK, k->chain.ask.raw, SIM_STATE_AMD_LEN);
	memcpy(buf + SIM_STATE_ARK, k->chain.ark.raw, SIM_STATE_AMD_LEN);
	return r < 0 ? r : seal(h, buf);
}

static int corrupted(struct err *err, const char *why)
{
	return err_set_kind(err, ERR_INPUT, -EINVAL, "it is corrupted: %s",
			    why);
}

/* The pair of certificate @m; both halves must belong together. */
static int load_pair(const uint8_t *scalar, struct sim_keys *k,
		     enum sev_chain_member m, struct err *err)
{
	struct sev_cert c = k->chain.sev[m];
	int r = sev_key_of_scalar(SEV_CURVE_P384, scalar, &k->pair[m]);

	if (r == -EINVAL)
		return corrupted(err, "a private key is out of range");
	if (r >= 0)
		r = sev_key_to_cert(k->pair[m], &c);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, -EIO, "libcrypto failed");
	if (memcmp(c.key, k->chain.sev[m].key, sizeof(c.key)) != 0)
		return corrupted(err, "a private key is not its certificate's");
	return 0;
}

static int load_chain(const uint8_t *p, struct sim_keys *k, struct hash256 *h,
		      struct err *err)
{
	struct sev_chain_root root;
	struct err why = {0};
	int r = sev_chain_add(&k->chain, p + SIM_STATE_CERTS,
			      SIM_STATE_DIGEST - SIM_STATE_CERTS, &why);

	if (r >= 0)
		r = sev_chain_verify(&k->chain, h, &root, &why);
	if (r == -EIO)
		return err_set_kind(err, ERR_HOST, r, "%s", why.msg);
	if (r < 0)
		return corrupted(err, why.msg);
	if (!root.is_simulated)
		return corrupted(err, "its root is not a simulated one");
	return 0;
}

static int load_pairs(const uint8_t *p, struct sim_keys *k, struct err *err)
{
	uint32_t flags = load_le32(p + SIM_STATE_FLAGS);
	int r = 0;

	if (flags & ~(uint32_t)FLAG_EXTERNAL)
		return corrupted(err, "unknown flags");
	k->is_external = flags & FLAG_EXTERNAL;
	for (unsigned int i = 0; i < SEV_CHAIN_SEV_COUNT && r >= 0; i++)
		if (i != SEV_CHAIN_OCA || !k->is_external)
			r = load_pair(p + SIM_STATE_SCALARS +
					      (size_t)i * SCALAR_LEN,
				      k, i, err);
	return r;
}

int sim_state_parse(const void *data, size_t len, struct hash256 *h,
		    struct sim_keys *ret, struct err *err)
{
	AUTO(sim_keys_destroy) struct sim_keys k = {0};
	const uint8_t *p = data;
	uint8_t digest[HASH256_LEN];
	int r;

	if (len < sizeof(magic) - 1 || memcmp(p, magic, sizeof(magic) - 1) != 0)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "it is not the state of a simulated "
				    "platform");
	if (len != SIM_STATE_LEN)
		return corrupted(err, "its length is wrong");
	if (hash256_of(h, p, SIM_STATE_DIGEST, digest) < 0)
		return err_set_kind(err, ERR_HOST, -EIO, "libcrypto failed");
	if (memcmp(digest, p + SIM_STATE_DIGEST, HASH256_LEN) != 0)
		return corrupted(err, "its digest does not match");
	memcpy(k.chip_id, p + SIM_STATE_CHIP_ID, SIM_CHIP_ID_LEN);
	r = load_chain(p, &k, h, err);
	if (r >= 0)
		r = load_pairs(p, &k, err);
	if (r < 0)
		return r;
	*ret = k;
	k = (struct sim_keys){0};
	return 0;
}

/* --- the file ------------------------------------------------------------ */

static int file_error(const char *path, const char *what, struct err *err)
{
	int e = errno;

	return err_set_kind(
		err, e == EACCES || e == EPERM ? ERR_PERM : ERR_INPUT, -e,
		"--state '%s': cannot %s it: %s", path, what, strerror(e));
}

/* One byte more than a state has, so that a longer file is seen. */
static int read_file(const char *path, uint8_t *buf, size_t size,
		     size_t *ret_len, struct err *err)
{
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return file_error(path, "open", err);
	while (len < size && n > 0) {
		n = read(fd, buf + len, size - len);
		if (n < 0)
			return file_error(path, "read", err);
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

static int write_all(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* A whole file beside @path; its name goes to @temp. */
static int write_temp(const char *path, const uint8_t *buf, char *temp,
		      size_t size, struct err *err)
{
	AUTO(fd_closep) int fd = -1;
	int r;

	if (snprintf(temp, size, "%s.XXXXXX", path) >= (int)size)
		return err_set_kind(err, ERR_USAGE, -ENAMETOOLONG,
				    "--state: the path is too long");
	fd = mkostemp(temp, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return file_error(path, "write a file beside", err);
	r = write_all(fd, buf, SIM_STATE_LEN);
	if (r >= 0)
		return 0;
	unlink(temp);
	errno = -r;
	return file_error(path, "write", err);
}

/* @is_new: leave a file that is there alone: -EEXIST. */
static int save(const char *path, const struct sim_keys *k, struct hash256 *h,
		bool is_new, struct err *err)
{
	uint8_t buf[SIM_STATE_LEN];
	char temp[4096];
	int r = sim_state_pack(k, h, buf);

	if (r < 0)
		return err_set_kind(err, ERR_HOST, -EIO, "libcrypto failed");
	r = write_temp(path, buf, temp, sizeof(temp), err);
	explicit_bzero(buf, sizeof(buf));
	if (r < 0)
		return r;
	if (is_new ? link(temp, path) : rename(temp, path))
		r = file_error(path, "replace", err);
	if (is_new || r < 0)
		unlink(temp);
	return r;
}

int sim_state_save(const char *path, const struct sim_keys *k,
		   struct hash256 *h, struct err *err)
{
	return save(path, k, h, false, err);
}

static int load(const char *path, struct hash256 *h, struct sim_keys *ret,
		struct err *err)
{
	uint8_t buf[SIM_STATE_LEN + 1];
	size_t len = 0;
	int r = read_file(path, buf, sizeof(buf), &len, err);

	if (r < 0)
		return r;
	r = sim_state_parse(buf, len, h, ret, err);
	explicit_bzero(buf, sizeof(buf));
	if (r < 0)
		err_prefix(err, "--state '%s'", path);
	return r;
}

static int create(const char *path, const struct sim_api *api,
		  struct hash256 *h, struct sim_keys *ret, struct err *err)
{
	AUTO(sim_keys_destroy) struct sim_keys k = {0};
	int r = sim_keys_create(api, &k, err);

	if (r >= 0)
		r = save(path, &k, h, true, err);
	if (r < 0)
		return r;
	*ret = k;
	k = (struct sim_keys){0};
	return 0;
}

int sim_state_load(const char *path, const struct sim_api *api,
		   struct hash256 *h, struct sim_keys *ret, struct err *err)
{
	int r = load(path, h, ret, err);

	if (r != -ENOENT)
		return r;
	r = create(path, api, h, ret, err);
	/* Somebody else made it meanwhile. */
	return r == -EEXIST ? load(path, h, ret, err) : r;
}
