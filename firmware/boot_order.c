/* firmware/boot_order.c - disks by their OpenFirmware paths. */
#include "firmware/boot_order.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

/* "/pci@i0cf8/scsi@1f,7/channel@0/disk@0,ffffffff", a newline or zero, room */
enum { PATH_MAX_LEN = 64 };

/* As QEMU has it: hw/pci/pci.c and hw/scsi/scsi-bus.c, get_fw_dev_path(). */
static int put_disk(char *p, unsigned int devfn, unsigned int lun)
{
	unsigned int slot = devfn >> 3, function = devfn & 7;
	char unit[16];

	if (function)
		snprintf(unit, sizeof(unit), "%x,%x", slot & 0x1f, function);
	else
		snprintf(unit, sizeof(unit), "%x", slot & 0x1f);
	return snprintf(p, PATH_MAX_LEN,
			"/pci@i0cf8/scsi@%s/channel@0/disk@0,%x", unit, lun);
}

int boot_order_build(unsigned int devfn, const unsigned int *luns, size_t n,
		     char **ret, size_t *ret_len, struct err *err)
{
	AUTO(freep) char *text = NULL;
	size_t len = 0;

	assert(n);
	text = calloc(n, PATH_MAX_LEN);
	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		len += (size_t)put_disk(text + len, devfn, luns[i]);
		text[len++] = i + 1 < n ? '\n' : 0;
	}
	*ret = TAKE(text);
	*ret_len = len;
	return 0;
}
