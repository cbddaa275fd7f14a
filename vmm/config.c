/* vmm/config.c - life cycle of the run configuration, and what it must obey. */
#include "vmm/config.h"

#include <errno.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/config_firmware.h"

void run_config_init(struct run_config *c)
{
	*c = (struct run_config){
		.memory = {.size = MIB(512)},
		.cpus = 1,
		.stop_timeout_ms = 10000,
		.kernel_file = {.fd = -1},
		.initrd_file = {.fd = -1},
		.firmware_file = {.fd = -1},
		.nvram_file = {.fd = -1},
	};
}

void run_config_destroy(struct run_config *c)
{
	option_free(&run_option_table, c);
	input_file_close(&c->kernel_file);
	input_file_close(&c->initrd_file);
	input_file_close(&c->firmware_file);
	input_file_close(&c->nvram_file);
	run_config_init(c);
}

int run_config_finish(struct run_config *c, struct err *err)
{
	int r;

	if (c->bundle_key && !c->bundle)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--bundle-key: is for a BUNDLE");

	r = config_firmware_finish(c, err);
	if (r < 0)
		return r;
	if (c->bundle && c->devices.sev.policy.given &&
	    !option_was_given(&c->given, "sev") &&
	    !protect_is_sev(c->devices.protect))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--protect: is missing: the bundle '%s' "
				    "has a policy, and runs under sev or "
				    "sev-es only",
				    c->bundle);
	if (c->quiet && c->verbose)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--quiet: contradicts --verbose");
	if (protect_is_sev(c->devices.protect) &&
	    c->on_reboot == ON_REBOOT_RESTART)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--on-reboot: restart does not go together "
				    "with SEV: a session is for one "
				    "launch, so start again with a new one");
	if (c->devices.protect && (c->seccomp == SECCOMP_CHOICE_LOG ||
				   c->seccomp == SECCOMP_CHOICE_OFF))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--seccomp: log and off take away a "
				    "protection of this protected guest; "
				    "force-log and force-off do it all the "
				    "same");
	if (c->devices.protect == PROTECT_SEV_ES && c->cpus > 1 &&
	    config_firmware_kind(c) == FIRMWARE_NONE)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--cpus: SEV-ES without firmware runs one "
				    "CPU; Linux cannot start the others");
	r = config_mktme_finish(c, err);
	return r < 0 ? r : config_devices_finish(&c->devices, err);
}

const char *run_config_protection(const struct run_config *c)
{
	switch (c->devices.protect) {
	case PROTECT_SEV:
		return "memory encrypted by AMD SEV, registers not; to be "
		       "trusted when the owner has verified the launch";
	case PROTECT_SEV_ES:
		return "memory and registers encrypted by AMD SEV-ES; to be "
		       "trusted when the owner has verified the launch";
	case PROTECT_MKTME:
		return mktme_protects(&c->devices.mktme);
	default:
		return "none: the host sees all of the guest";
	}
}

int run_config_open(struct run_config *c, struct err *err)
{
	int r = 0;

	if (c->kernel && c->kernel_file.fd < 0)
		r = input_file_open(&c->kernel_file, "kernel", c->kernel, err);
	if (!r && c->initrd && c->initrd_file.fd < 0)
		r = input_file_open(&c->initrd_file, "initrd", c->initrd, err);
	return r < 0 ? r : config_firmware_open(c, err);
}
