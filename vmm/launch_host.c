/* vmm/launch_host.c - the host's side of a launch, before there is a VM. */
#include "vmm/launch_host.h"

#include <errno.h>
#include <string.h>

#include "crypto/sev_policy.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/config.h"
#include "vmm/config_boot.h"
#include "vmm/memlock.h"

static void warn(const struct run_config *c, const struct launch_host *h)
{
	const char *what = launch_kind_name(h->params.kind);

	if (!h->dev.is_device)
		log_warn("SIMULATED: /dev/sev is not the driver's device; this "
			 "guest is not protected by %s",
			 what);
	if (c->devices.sev.emulate_cbit)
		log_warn("EMULATED C-bit: a test; this guest is not encrypted");
	if (!h->files.attested)
		log_warn("unattested launch: without --sev dh-cert= and "
			 "session= nobody can verify this guest or give it "
			 "secrets");
	if (!(h->params.policy & SEV_POLICY_NODBG))
		log_warn("policy 0x%x lacks nodbg: the host may read all of "
			 "this guest's memory",
			 h->params.policy);
}

static void warn_of_size(const struct run_config *c,
			 const struct config_images *i)
{
	struct measured_boot_args a;
	uint64_t slabs; /* of 2 KiB */

	config_boot_args(c, i, &a);
	slabs = measured_boot_swiotlb(a.ram_bytes, a.n_cpus);
	if (measured_boot_lacks_swiotlb(&a))
		log_warn("memory: Linux takes 64 of these %llu MiB for bounce "
			 "buffers; with swiotlb=%llu in --append it takes %llu",
			 (unsigned long long)(a.ram_bytes >> 20),
			 (unsigned long long)slabs,
			 (unsigned long long)(slabs >> 9));
}

static int check_platform(const struct launch_host *h, struct err *err)
{
	const struct sev_platform_status *p = &h->platform;

	log_debug("SEV platform: API %u.%u build %u, %s, %s, %u guests",
		  p->api_major, p->api_minor, p->build,
		  sev_platform_state_name(p->state),
		  p->owned ? "owned" : "self-owned", p->guests);
	/* The driver may still have to initialise it, in its own way. */
	if (h->params.kind == LAUNCH_SEV_ES &&
	    p->state != SEV_PLATFORM_UNINIT && !p->es)
		return err_set_kind(err, ERR_HOST, -EOPNOTSUPP,
				    "/dev/sev: the platform was initialised "
				    "without SEV-ES; load kvm_amd with "
				    "sev_es=1, and see coffer doctor");
	return 0;
}

/* The image and the store of variables: both are in the guest's memory. */
static uint64_t rom_bytes(const struct run_config *c)
{
	return c->firmware_file.size + c->nvram_file.size;
}

/* By what the images say of themselves, before anything is asked of the host.
 */
static int check_images(struct run_config *c, struct config_images *i,
			struct err *err)
{
	struct measured_boot_args a;
	int r = config_images_open(i, c, err);

	if (r < 0)
		return r;
	config_boot_args(c, i, &a);
	return measured_boot_check(&a, err);
}

static int open_platform(const struct run_config *c, struct launch_host *h,
			 struct err *err)
{
	const struct devices_config *d = &c->devices;
	int r = launch_files_load(d, &h->files, err);

	if (!r)
		r = sev_dev_open("/dev/sev", &h->dev, err);
	/* A limit to raise is no news for a host without SEV. */
	if (!r)
		r = memlock_raise(memlock_need(c->memory.size, rom_bytes(c)),
				  err);
	if (!r)
		r = sev_dev_status(&h->dev, &h->platform, err);
	if (r < 0)
		return r;
	h->params = (struct launch_params){
		.kind = d->protect == PROTECT_SEV_ES ? LAUNCH_SEV_ES
						     : LAUNCH_SEV,
		.policy = d->sev.policy.value,
		.dh_cert = h->files.attested ? h->files.dh_cert : NULL,
		.session = h->files.attested ? h->files.session : NULL,
		.api_major = h->platform.api_major,
		.api_minor = h->platform.api_minor,
		.build = h->platform.build,
		.expect = h->files.expects ? h->files.expect : NULL,
	};
	return check_platform(h, err);
}

int launch_host_open(struct run_config *c, struct launch_host *ret,
		     struct err *err)
{
	AUTO(config_images_close) struct config_images images = {0};
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->dev.fd = -1;
	if (!protect_is_sev(c->devices.protect))
		return 0;
	r = check_images(c, &images, err);
	if (!r)
		r = open_platform(c, ret, err);
	if (!r)
		r = launch_hashes_find(c, &images, &ret->hashes, err);
	if (r < 0)
		return r;
	warn(c, ret);
	warn_of_size(c, &images);
	return 0;
}

void launch_host_close(struct launch_host *h)
{
	sev_dev_close(&h->dev);
	explicit_bzero(&h->files, sizeof(h->files));
}
