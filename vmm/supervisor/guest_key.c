/* vmm/supervisor/guest_key.c - configuration, host and secret, put together. */
#include "vmm/supervisor/guest_key.h"

#include "vmm/config.h"
#include "vmm/host_config.h"
#include "vmm/supervisor/key_source.h"

static int find_syscall(const struct mktme_config *m, const char *path,
			uint64_t *ret, struct err *err)
{
	struct host_config h;
	int r;

	*ret = m->syscall;
	if (m->syscall)
		return 0;
	r = host_config_read(path, &h, err);
	*ret = h.mktme_syscall;
	return r;
}

static bool wants_secret(const struct mktme_config *m)
{
	return !m->handle && m->type == MKTME_TYPE_USER;
}

static int read_secret(const struct mktme_config *m, struct mktme_secret **ret,
		       struct err *err)
{
	const struct key_source src = {
		.file = m->key_file,
		.fd = m->fd == UINT64_MAX ? -1 : (int)m->fd,
		.command = m->key_command,
	};

	return key_source_read(&src, ret, err);
}

int guest_key_create(const struct run_config *c, const char *host_config,
		     gid_t viewers, struct key_service *service,
		     struct guest_key *ret, struct err *err)
{
	const struct mktme_config *m = &c->devices.mktme;
	struct mktme_secret *secret = NULL;
	struct key_request req = {
		.type = (enum mktme_type)m->type,
		.id = m->id,
		.share = m->share,
		.handle = (int32_t)m->handle,
		.viewers = viewers,
	};
	int r;

	*ret = (struct guest_key){0};
	if (c->devices.protect != PROTECT_MKTME)
		return 0;
	r = find_syscall(m, host_config, &req.syscall, err);
	/* Before the user's key is fetched: is there anybody to give it to? */
	if (!r && wants_secret(m))
		r = key_broker_check(service, req.syscall, err);
	if (!r && wants_secret(m))
		r = read_secret(m, &secret, err);
	req.secret = secret;
	if (!r)
		r = key_broker_create(service, &req, &ret->broker, err);
	key_source_free(secret);
	ret->syscall = (uint32_t)req.syscall;
	return r;
}

void guest_key_destroy(struct guest_key *k)
{
	key_broker_destroy(k->broker);
	*k = (struct guest_key){0};
}
