/*
 * vmm/config_firmware.h - --firmware and --nvram: which image runs before the
 * kernel, and where its variables are kept.
 */
#ifndef VMM_CONFIG_FIRMWARE_H
#define VMM_CONFIG_FIRMWARE_H

struct err;
struct run_config;

enum firmware_kind {
	FIRMWARE_NONE = 0, /* the kernel is entered directly */
	FIRMWARE_STAGE0,   /* coffer's own */
	FIRMWARE_FILE,
};

/* What was asked for; else stage0 under SEV, and none for any other guest. */
enum firmware_kind config_firmware_kind(const struct run_config *c);
/* "none", "stage0", or the path. */
const char *config_firmware_name(const struct run_config *c);

enum { CONFIG_STAGE0_PATH_MAX = 4096 + 32 };
/*
 * Where coffer's own image is: in the program's directory, as in a build, or
 * where it was installed. -ENOENT with ERR_HOST: in neither place.
 */
int config_firmware_stage0(char path[static CONFIG_STAGE0_PATH_MAX],
			   struct err *err);

/* What goes together. -EINVAL with ERR_USAGE. */
int config_firmware_finish(const struct run_config *c, struct err *err);

/*
 * Open what is needed, and check that it is a firmware image and a store of
 * variables that go together; the store is locked for as long as a descriptor
 * of it is open.
 * -EBUSY       the store is in use (ERR_INPUT)
 * -EROFS, -EACCES: it cannot be written
 * -ENOENT      coffer's own image is not where it was installed (ERR_HOST)
 * and the errors of input_file.h and flash_image.h.
 */
int config_firmware_open(struct run_config *c, struct err *err);

#endif
