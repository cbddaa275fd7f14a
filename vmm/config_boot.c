/* vmm/config_boot.c - which options are measured. */
#include "vmm/config_boot.h"

#include <errno.h>
#include <string.h>

#include "firmware/kernel_image.h"
#include "vmm/base/err.h"
#include "vmm/config_firmware.h"
#include "vmm/cpuid.h"

int config_images_open(struct config_images *i, struct run_config *c,
		       struct err *err)
{
	int r = 0;

	if (i->open)
		return 0;
	if (!c->kernel && config_firmware_kind(c) != FIRMWARE_FILE)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--kernel is missing: %s starts with it",
				    config_firmware_kind(c) == FIRMWARE_NONE
					    ? "a direct boot (--firmware none)"
					    : "stage0");
	if (c->kernel_file.fd < 0 && c->firmware_file.fd < 0)
		r = run_config_open(c, err);
	if (r >= 0 && c->initrd)
		r = image_file_open(c->initrd_file.fd, "initrd", c->initrd,
				    &i->initrd, err);
	if (r >= 0 && c->firmware_file.fd >= 0)
		r = flash_image_open(c->firmware_file.fd,
				     config_firmware_name(c), &i->firmware,
				     err);
	if (r >= 0 && c->kernel)
		r = kernel_image_open(c->kernel_file.fd, c->kernel, &i->kernel,
				      err);
	i->open = r >= 0;
	return r;
}

void config_images_close(struct config_images *i)
{
	kernel_image_destroy(i->kernel);
	*i = (struct config_images){0};
}

void config_boot_args(const struct run_config *c, const struct config_images *i,
		      struct measured_boot_args *ret)
{
	*ret = (struct measured_boot_args){
		.firmware = i->firmware.file.len ? &i->firmware : NULL,
		.kernel = i->kernel,
		.initrd = i->initrd,
		.cmdline = c->append,
		.ram_bytes = c->memory.size,
		.n_cpus = (unsigned int)c->cpus,
		.oem_strings = (const char *const *)c->oem_strings.v,
		.n_oem_strings = c->oem_strings.n,
		.is_es = c->devices.protect == PROTECT_SEV_ES,
		.cpu_signature = cpuid_host_signature(),
	};
	if (c->uuid.given)
		memcpy(ret->uuid, c->uuid.bytes, sizeof(ret->uuid));
}
