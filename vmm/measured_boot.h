/*
 * vmm/measured_boot.h - the launch plan of a direct boot, or of one with
 * firmware (below). A direct boot is that of a Linux bzImage
 * without firmware, of which every byte that the guest reads before it wrote it
 * is launched and measured.
 *
 * The one place where a plan is made of options: the monitor launches it,
 * --print-plan prints it, and the guest's owner calculates its digest. It
 * depends on what is in struct measured_boot_args and on the machine version,
 * and on nothing else: not on disks, network cards, the host or the release.
 *
 * The order of the machine q35-coffer-1, whole pages all of them, zeros behind
 * what is there:
 *
 * bda          0x00000   4 KiB   zeros: real-mode vectors, BIOS data
 * gdt          0x01000   4 KiB
 * boot_params  0x08000   4 KiB
 * cmdline      0x10000   64 KiB
 * ebda         0x9f000   4 KiB   zeros: Linux looks for an MP table
 * roms         0xc0000   128 KiB zeros: Linux looks for option ROMs
 * acpi         0xe0000   64 KiB
 * smbios       0xf0000   64 KiB
 * kernel       where it wants to be
 * initrd       as high as the kernel permits, below 4 GiB if it fits
 * secret       the page behind it: zeros, covered by the ramdisk's size
 * vmsa         SEV-ES: the registers of the boot CPU
 *
 * With firmware, the plan is: firmware, its file, right below 4 GiB; hashes,
 * 176 bytes (crypto/sev_measure.h) where the image announces them, if there is
 * a kernel; vmsa, for SEV-ES, of each CPU as after its reset. The command line
 * is measured as it was given.
 *
 * 0xa0000 .. 0xbffff is not launched: no Linux reads it without a VGA. The
 * guest enters at the 32-bit entry (Linux, boot.rst) with paging off, so that
 * all it sees is private; Linux finds the C-bit and makes page tables itself.
 */
#ifndef VMM_MEASURED_BOOT_H
#define VMM_MEASURED_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/launch_plan.h"
#include "crypto/sev_vmsa.h"
#include "firmware/boot_entry.h"
#include "firmware/image_file.h"
#include "vmm/base/own.h"

struct err;
struct flash_image;
struct kernel_image;

/* All pointers are borrowed until measured_boot_destroy(). */
struct measured_boot_args {
	/* What starts first; NULL: a direct boot. */
	const struct flash_image *firmware;
	const struct kernel_image *kernel; /* NULL only with firmware */
	struct image_file initrd; /* len 0: none, or that of the kernel image */
	const char *cmdline;	  /* NULL: that of the kernel image, or none */
	uint64_t ram_bytes;
	unsigned int n_cpus;
	uint8_t uuid[16]; /* SMBIOS: both are measured */
	const char *const *oem_strings;
	size_t n_oem_strings;
	bool is_es;
	enum sev_vmsa_profile vmsa_profile; /* with is_es */
	uint32_t cpu_signature; /* firmware with is_es: CPUID 1 EAX */
	/*
	 * Firmware: SHA-256 of the whole files, HASH256_LEN bytes; NULL: not
	 * known yet, and the file is read.
	 */
	const uint8_t *kernel_sha256, *initrd_sha256;
};

struct measured_boot {
	struct launch_plan *plan; /* owned */
	struct boot_entry entry;  /* of the boot CPU */
	char *cmdline;		  /* owned: as it is measured */
	/*
	 * Bounce buffers of the guest, in slabs of 2 KiB, that were added to
	 * the command line as swiotlb=; 0: it had the parameter already.
	 */
	uint64_t swiotlb_slabs;
};

/*
 * Can that be launched at all? Before anything is asked of the host.
 * -ENOTSUP, -ERANGE    as measured_boot_create()
 */
int measured_boot_check(const struct measured_boot_args *a, struct err *err);

/*
 * SHA-256 of a whole file, as firmware will see it; that of nothing when it has
 * length 0. Errors of image_file_read(), -ENOMEM.
 */
int measured_boot_hash(const struct image_file *f,
		       uint8_t ret[static HASH256_LEN], struct err *err);

/*
 * -ENOTSUP     a kernel without the 32-bit entry of the Linux boot protocol
 *              (ERR_INPUT), or more than one CPU with SEV-ES, which Linux
 *              cannot start without firmware (ERR_USAGE); firmware that does
 *              not announce what this launch needs (ERR_INPUT)
 * -ERANGE      firmware that wants hashes or secrets outside of RAM (ERR_INPUT)
 * and the errors of linux_boot_plan_create(), acpi_tables_build() and
 * smbios_build().
 */
int measured_boot_create(const struct measured_boot_args *a,
			 struct measured_boot **ret, struct err *err);
/* NULL is fine. */
void measured_boot_destroy(struct measured_boot *b);
DEFINE_CLEANUP(struct measured_boot, measured_boot_destroy)

/*
 * Bounce buffers for a guest of that size, in slabs of 2 KiB: a sixteenth of
 * RAM, as a power of two (Linux rounds up to one), within 16 MiB (of small
 * guests at most an eighth) and 512 MiB, and at least 512 KiB per CPU.
 */
uint64_t measured_boot_swiotlb(uint64_t ram_bytes, unsigned int n_cpus);

/*
 * Is this guest too small for the 64 MiB that Linux takes for bounce buffers
 * when the command line, which is measured as it is with firmware, does not
 * say?
 */
bool measured_boot_lacks_swiotlb(const struct measured_boot_args *a);

#endif
