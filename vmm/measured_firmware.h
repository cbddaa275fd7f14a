/*
 * vmm/measured_firmware.h - the launch plan of a guest that starts with
 * firmware: private to measured_boot.c, which it is a part of.
 */
#ifndef VMM_MEASURED_FIRMWARE_H
#define VMM_MEASURED_FIRMWARE_H

struct err;
struct measured_boot;
struct measured_boot_args;

/* What measured_boot_check() says of @a with firmware. */
int measured_firmware_check(const struct measured_boot_args *a,
			    struct err *err);

/*
 * Fill @b, whose plan is empty: the image, the table of hashes when there is a
 * kernel, the registers of every CPU with SEV-ES.
 */
int measured_firmware_fill(const struct measured_boot_args *a,
			   struct measured_boot *b, struct err *err);

#endif
