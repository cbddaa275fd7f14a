/*
 * firmware/uki.h - the sections of a unified kernel image.
 *
 * A PE file (a UEFI program) that carries kernel, initrd and command line as
 * sections. We take them out and start the kernel ourselves; the program, the
 * signature and the other sections are not looked at.
 * Sources: UAPI.5 Unified Kernel Image; Microsoft PE Format; systemd-stub(7).
 */
#ifndef FIRMWARE_UKI_H
#define FIRMWARE_UKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/image_file.h"

struct err;

/* Our limits; PE allows 96 sections, UKIs with profiles use up to 30 or so. */
enum { UKI_MAX_SECTIONS = 96, UKI_CMDLINE_MAX = 65535 };

struct uki {
	struct image_file linux_file;
	struct image_file initrd;  /* len 0: no .initrd */
	struct image_file cmdline; /* len 0: no .cmdline */
};

/* Does a file that starts with @head look like a DOS or PE program? */
bool uki_probe(const uint8_t *head, size_t len);

/*
 * Find the sections of @f, for which uki_probe() said yes. Of an image with
 * several profiles (.profile sections) this is the first, as systemd-stub
 * takes when nobody chooses.
 * -ENOEXEC     not a unified kernel image: no PE header, not for x86-64, or no
 *              .linux section
 * -EBADMSG     headers that contradict themselves, a section twice, or the
 *              file ends too early
 * and those of image_file_read(). The kind is ERR_INPUT.
 */
int uki_parse(const struct image_file *f, struct uki *ret, struct err *err);

/*
 * Read the .cmdline section into *ret, which the caller frees: up to the first
 * zero byte, with control characters (it usually ends in a newline) made
 * spaces, and without spaces at both ends; this is what systemd-stub does.
 * -EBADMSG     longer than UKI_CMDLINE_MAX
 * -ENOMEM      on the host
 * and those of image_file_read().
 */
int uki_read_cmdline(const struct uki *u, char **ret, struct err *err);

#endif
