/*
 * firmware/linux_boot.h - starting a kernel without firmware.
 *
 * First linux_boot_plan_create() decides what goes where and builds the small
 * pieces; nothing is loaded. Then linux_boot_load() puts the pieces into guest
 * memory, the big ones straight from their files. A launch that must be
 * measured walks the same list.
 *
 * Guest memory below 1 MiB, all RAM that the guest may use once it has read it:
 *
 * 0x00000 .. 0x00fff  nothing: real-mode vectors and BIOS data, all zero
 * 0x01000 .. 0x01fff  GDT
 * 0x02000 .. 0x07fff  page tables (64-bit entry): PML4, PDPT, 4 x PD
 * 0x08000 .. 0x08fff  boot_params, the "zero page" (bzImage)
 * 0x09000 .. 0x09fff  hvm_start_info, its module and memory map (PVH)
 * 0x0a000 .. 0x0afff  setup_data (bzImage)
 * 0x0b000 .. 0x0bfff  stack
 * 0x10000 .. 0x1ffff  command line
 *
 * Linux puts its own trampolines at the top of the base memory, far above.
 *
 * A kernel is loaded at the address it prefers, or at the lowest one above it.
 * Below would be wrong even for a "relocatable" one: Linux moves itself up to
 * its preferred address in any case, RAM or not (arch/x86/boot/compressed/
 * head_64.S). The initrd goes as high as the kernel permits.
 */
#ifndef FIRMWARE_LINUX_BOOT_H
#define FIRMWARE_LINUX_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/boot_entry.h"
#include "firmware/e820.h"
#include "firmware/elf_image.h"
#include "firmware/image_file.h"
#include "mem/mem_map.h"
#include "vmm/base/own.h"

struct err;
struct guest_mem;
struct kernel_image;

#define LINUX_BOOT_GDT UINT64_C(0x1000)
#define LINUX_BOOT_PAGE_TABLES UINT64_C(0x2000)
#define LINUX_BOOT_PARAMS UINT64_C(0x8000)
#define LINUX_BOOT_START_INFO UINT64_C(0x9000)
#define LINUX_BOOT_SETUP_DATA UINT64_C(0xa000)
#define LINUX_BOOT_STACK_TOP UINT64_C(0xc000)
#define LINUX_BOOT_CMDLINE UINT64_C(0x10000)
#define LINUX_BOOT_CMDLINE_SIZE UINT64_C(0x10000) /* with the final zero */
#define LINUX_BOOT_LOW_END UINT64_C(0x20000)

struct linux_boot_args {
	const struct kernel_image *kernel; /* borrowed, also by the plan */
	/* Memory map (e820_machine()); its RAM is where things may go. */
	const struct e820_map *e820;
	gpa_t rsdp; /* ACPI root pointer; 0: none */
	/*
	 * NULL or len 0: none. Given, it replaces the .initrd of a unified
	 * kernel image.
	 */
	const struct image_file *initrd;
	/*
	 * NULL or "": none. Given, it replaces the .cmdline of a unified
	 * kernel image, as systemd-stub(7) does without Secure Boot.
	 */
	const char *cmdline;
	/*
	 * Enter a bzImage at its 32-bit entry, without page tables. A PVH
	 * kernel is always entered in 32-bit mode.
	 */
	bool entry32;
	/*
	 * Bytes of an area for secrets, a multiple of 4096: zeros, behind the
	 * initrd and covered by the size of it that the kernel is told. Linux
	 * skips zeros between two archives of an initramfs, and unpacks an
	 * archive that is decrypted into the area. 0: none.
	 */
	uint64_t secret_len;
	/*
	 * 32 random bytes for the kernel's generator (SETUP_RNG_SEED, read by
	 * Linux 6.0 and later), or NULL. Never in a launch that is measured:
	 * the host would choose them and the digest would change every time.
	 */
	const uint8_t *rng_seed;
};

enum { LINUX_BOOT_RNG_SEED = 32 }; /* bytes */

enum linux_boot_what {
	LINUX_BOOT_PIECE_GDT,
	LINUX_BOOT_PIECE_PAGE_TABLES,
	LINUX_BOOT_PIECE_BOOT_PARAMS,
	LINUX_BOOT_PIECE_START_INFO,
	LINUX_BOOT_PIECE_SETUP_DATA,
	LINUX_BOOT_PIECE_CMDLINE,
	LINUX_BOOT_PIECE_KERNEL,
	LINUX_BOOT_PIECE_INITRD,
	LINUX_BOOT_PIECE_SECRET, /* zeros: neither data nor file */
};

/* One thing to put into memory; no two overlap. */
struct linux_boot_piece {
	enum linux_boot_what what;
	gpa_t gpa;
	uint64_t len;		/* bytes; > 0 */
	const void *data;	/* owned by the plan, or NULL: */
	struct image_file file; /* all @len bytes of this window */
};

enum { LINUX_BOOT_MAX_PIECES = ELF_IMAGE_MAX_SEGMENTS + 8 };

struct linux_boot_plan {
	struct boot_entry entry;
	size_t n;
	struct linux_boot_piece piece[LINUX_BOOT_MAX_PIECES];
	void *store; /* what data points into; holds the seed: wiped on free */
};

/*
 * Decide. *ret is owned by the caller and freed with linux_boot_plan_destroy().
 * Memory that belongs to no piece must be zero (the rest of an ELF segment):
 * fresh guest RAM is.
 * -ENOSPC      kernel or initrd do not fit into RAM: more of it would do, and
 *              the message says how much (ERR_USAGE), or no amount would
 *              (ERR_INPUT)
 * -EBADMSG     an ELF kernel wants the memory below LINUX_BOOT_LOW_END
 *              (ERR_INPUT)
 * -E2BIG       command line too long (ERR_USAGE; ERR_INPUT when it is the
 *              unified kernel image's)
 * -ENOMEM      on the host
 */
int linux_boot_plan_create(const struct linux_boot_args *args,
			   struct linux_boot_plan **ret, struct err *err);
/* NULL is fine. */
void linux_boot_plan_destroy(struct linux_boot_plan *plan);
DEFINE_CLEANUP(struct linux_boot_plan, linux_boot_plan_destroy)

/*
 * Put every piece into @mem.
 * -ENODATA     a file has become shorter since it was opened (ERR_INPUT)
 * -EFAULT      @mem is not what args->e820 said (ERR_INTERNAL)
 * or the errno of pread(2).
 */
int linux_boot_load(const struct linux_boot_plan *plan, struct guest_mem *mem,
		    struct err *err);

#endif
