/* vmm/config_firmware.c - finds, opens and locks images of firmware. */
#include "vmm/config_firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "firmware/flash_image.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/config.h"

enum {
	LOCK_TRIES = 25,
	LOCK_WAIT_MS = 20,
	/* bytes: from the program's folder to stage0 */
	NEAR_MAX = 32 + sizeof("/" COFFER_DATA_FROM_BIN "/stage0.bin"),
};

enum firmware_kind config_firmware_kind(const struct run_config *c)
{
	/* Measuring a whole kernel takes seconds; stage0 takes its place. */
	if (!c->firmware)
		return protect_is_sev(c->devices.protect) ? FIRMWARE_STAGE0
							  : FIRMWARE_NONE;
	if (!strcmp(c->firmware, "none"))
		return FIRMWARE_NONE;
	return !strcmp(c->firmware, "stage0") ? FIRMWARE_STAGE0 : FIRMWARE_FILE;
}

const char *config_firmware_name(const struct run_config *c)
{
	switch (config_firmware_kind(c)) {
	case FIRMWARE_NONE:
		return "none";
	case FIRMWARE_STAGE0:
		return "stage0";
	case FIRMWARE_FILE:
		break;
	}
	return c->firmware;
}

int config_firmware_finish(const struct run_config *c, struct err *err)
{
	enum firmware_kind kind = config_firmware_kind(c);

	if (!c->kernel && kind != FIRMWARE_FILE)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--kernel: is needed (a Linux bzImage, "
				    "vmlinux or unified kernel image); only "
				    "--firmware FILE can do without");
	if (!c->kernel && c->initrd)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--initrd: is for a --kernel");
	if (!c->kernel && c->append)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--append: is for a --kernel");
	if (c->nvram && kind != FIRMWARE_FILE)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--nvram: is for --firmware FILE; %s keeps "
				    "no variables",
				    kind == FIRMWARE_NONE ? "a direct boot"
							  : "stage0");
	return 0;
}

int config_firmware_stage0(char path[static CONFIG_STAGE0_PATH_MAX],
			   struct err *err)
{
	static const char installed[] = COFFER_DATADIR "/stage0.bin";
	static const char *const near[] = {
		"/firmware/stage0.bin",			/* where it was built */
		"/" COFFER_DATA_FROM_BIN "/stage0.bin", /* installed */
	};
	ssize_t n = readlink("/proc/self/exe", path,
			     CONFIG_STAGE0_PATH_MAX - NEAR_MAX);
	char *slash;

	path[n < 0 ? 0 : n] = 0;
	slash = strrchr(path, '/');
	for (size_t i = 0; slash && i < ARRAY_SIZE(near); i++) {
		snprintf(slash, NEAR_MAX, "%s", near[i]);
		if (!access(path, F_OK))
			return 0;
	}
	if (access(installed, F_OK))
		return err_set_kind(err, ERR_HOST, -ENOENT,
				    "--firmware stage0, the default of a "
				    "protected guest: it is neither %s nor %s; "
				    "install coffer anew, or boot directly "
				    "with --firmware none",
				    path, installed);
	memcpy(path, installed, sizeof(installed));
	return 0;
}

static int open_stage0(struct run_config *c, struct err *err)
{
	char path[CONFIG_STAGE0_PATH_MAX];
	int r = config_firmware_stage0(path, err);

	return r < 0 ? r
		     : input_file_open(&c->firmware_file, "firmware", path,
				       err);
}

/* The monitor of a guest that has just ended may have it for a moment. */
static int lock(int fd)
{
	static const struct timespec wait = {.tv_nsec =
						     LOCK_WAIT_MS * 1000000L};
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	for (unsigned int i = 0; i < LOCK_TRIES; i++) {
		if (!fcntl(fd, F_OFD_SETLK, &l))
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return -errno;
		nanosleep(&wait, NULL);
	}
	return -EBUSY;
}

static int nvram_failed(const char *path, int code, struct err *err)
{
	if (code == -ENOENT)
		return err_set_kind(err, ERR_INPUT, code,
				    "--nvram: '%s' does not exist; copy the "
				    "firmware's empty store there, such as "
				    "OVMF_VARS_4M.fd, one for each guest",
				    path);
	if (code == -EBUSY)
		return err_set_kind(err, ERR_INPUT, code,
				    "--nvram: '%s' is in use by another guest; "
				    "each needs a copy of its own",
				    path);
	err_set(err, code, "--nvram: '%s': %s%s", path, strerror(-code),
		code == -EACCES || code == -EROFS || code == -EPERM
			? "; the guest's variables are written there"
			: "");
	err_default_kind(err, ERR_INPUT);
	return code;
}

static int open_nvram(struct run_config *c, const struct flash_image *f,
		      struct err *err)
{
	/* O_NONBLOCK: a FIFO must not make us wait for a reader. */
	AUTO(fd_closep)
	int fd = open(c->nvram, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct image_file v;
	int r;

	if (fd < 0)
		return nvram_failed(c->nvram, -errno, err);
	r = flash_vars_open(fd, c->nvram, f, &v, err);
	if (r < 0)
		return r;
	r = lock(fd);
	if (r < 0)
		return nvram_failed(c->nvram, r, err);
	c->nvram_file = (struct input_file){.fd = TAKE_FD(fd), .size = v.len};
	return 0;
}

int config_firmware_open(struct run_config *c, struct err *err)
{
	enum firmware_kind kind = config_firmware_kind(c);
	struct flash_image f;
	int r;

	if (kind == FIRMWARE_NONE)
		return 0;
	r = c->firmware_file.fd >= 0 ? 0 /* it came in a bundle */
	    : kind == FIRMWARE_STAGE0
		    ? open_stage0(c, err)
		    : input_file_open(&c->firmware_file, "firmware",
				      c->firmware, err);
	if (!r)
		r = flash_image_open(c->firmware_file.fd,
				     config_firmware_name(c), &f, err);
	return r < 0 || !c->nvram ? r : open_nvram(c, &f, err);
}
