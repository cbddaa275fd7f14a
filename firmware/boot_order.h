/*
 * firmware/boot_order.h - which disks firmware tries, in which order.
 *
 * The text of QEMU's fw_cfg file "bootorder": one device a line, as an
 * OpenFirmware path, the first one first, with a final zero. OVMF looks at
 * these devices only, and leaves the others to what its variables say.
 */
#ifndef FIRMWARE_BOOT_ORDER_H
#define FIRMWARE_BOOT_ORDER_H

#include <stddef.h>

struct err;

#define BOOT_ORDER_FILE "bootorder"

/*
 * The disks of a virtio-scsi controller on bus 0.
 * @devfn      of the controller: device << 3 | function
 * @luns       @n of them on its target 0, n > 0, in the order of trying
 * *ret        the caller's, to be freed with free()
 * *ret_len    with the final zero, which firmware insists on
 * -ENOMEM
 */
int boot_order_build(unsigned int devfn, const unsigned int *luns, size_t n,
		     char **ret, size_t *ret_len, struct err *err);

#endif
