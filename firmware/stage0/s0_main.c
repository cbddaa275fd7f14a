/*
 * firmware/stage0/s0_main.c - from 64-bit mode to Linux: the order of things.
 *
 * Everything that the host says is checked before it is used, and kernel,
 * initial RAM disk and command line only run or count when they are those that
 * were measured. Whatever is wrong ends in s0_stop().
 */
#include <stdbool.h>
#include <string.h>

#include "firmware/acpi_layout.h"
#include "firmware/boot_params.h"
#include "firmware/stage0/s0_console.h"
#include "firmware/stage0/s0_cpu.h"
#include "firmware/stage0/s0_fw_cfg.h"
#include "firmware/stage0/s0_hashes.h"
#include "firmware/stage0/s0_kernel.h"
#include "firmware/stage0/s0_map.h"
#include "firmware/stage0/s0_platform.h"
#include "firmware/stage0/s0_ram.h"
#include "firmware/stage0/s0_secret.h"
#include "firmware/stage0/s0_share.h"
#include "firmware/stage0/s0_stop.h"
#include "firmware/stage0/s0_trap.h"
#include "firmware/stage0/s0_vc.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

enum {
	MSR_MTRR_DEF_TYPE = 0x2ff,
	MTRR_ON_WRITE_BACK = 0x806,
	VGA_BASE = 0xa0000,
	ROMS_BASE = 0xc0000,
	PAGE = 4096,
};

struct boot {
	struct s0_fw_cfg fw_cfg;
	bool sev, es;
	bool verify; /* there is a table of hashes */
	struct s0_hashes hashes;
	s0_sha256_blocks *blocks;
	struct s0_ram ram;
	unsigned int n_cpus;
	struct bzimage bz;
	struct s0_place place;
	uint32_t setup_len, code_len, initrd_file_len, cmdline_len;
	size_t secrets_len;  /* archive at S0_SCRATCH; 0: none */
	uint64_t initrd_len; /* with the archive */
};

void s0_main(void);
__attribute__((noreturn)) void s0_enter_linux(uint64_t entry,
					      uint64_t zero_page);

static struct boot the_boot;
static struct e820_map e820;

static void must(enum stage0_reason r)
{
	if (r != STAGE0_OK)
		s0_stop(r);
}

/* RAM as bytes. The compiler must not see that there is something at 0. */
static uint8_t *at(uint64_t gpa)
{
	__asm__("" : "+r"(gpa));
	return (uint8_t *)gpa;
}

/* A host that lies makes it slower, or an exception stops it. */
static s0_sha256_blocks *choose_sha256(void)
{
	struct s0_cpuid one = s0_cpuid(1);
	uint32_t seven = s0_cpuid(0).eax >= 7 ? s0_cpuid(7).ebx : 0;

	if (!(one.ecx & BIT32(9) /* SSSE3 */))
		return s0_sha256_blocks_sse2;
	if (seven & BIT32(29) /* SHA */ && one.ecx & BIT32(19) /* SSE4.1 */)
		return s0_sha256_blocks_ni;
	return seven & BIT32(8) /* BMI2 */ ? s0_sha256_blocks_bmi2
					   : s0_sha256_blocks_sse2;
}

/*
 * A host that leaves MTRRs off makes Linux do without PAT, which SEV needs; all
 * memory is cacheable, as under every hypervisor with paging in hardware.
 */
static void enable_mtrrs(void)
{
	if (s0_cpuid(1).edx & BIT32(12))
		s0_wrmsr_safe(MSR_MTRR_DEF_TYPE, MTRR_ON_WRITE_BACK);
}

static void read_hashes(struct boot *b)
{
	uint8_t table[S0_HASHES_TABLE_LEN];
	enum stage0_reason r;

	memcpy(table, at(S0_HASHES), sizeof(table));
	r = s0_hashes_parse(table, &b->hashes);
	if (r == STAGE0_HASHES_MISSING && !b->sev)
		return;
	must(r);
	b->verify = true;
}

static void read_machine(struct boot *b)
{
	uint8_t file[S0_RAM_FILE_MAX], n[2];
	struct s0_ram cmos;
	uint32_t len;
	uint16_t key;

	must(s0_ram_cmos(&s0_ports, &cmos));
	must(s0_fw_cfg_find(&b->fw_cfg, "etc/e820", &key, &len));
	if (key && len > sizeof(file))
		s0_stop(STAGE0_RAM_MAP);
	if (key) {
		must(s0_fw_cfg_read(&b->fw_cfg, key, file, len));
		must(s0_ram_parse(file, len, &b->ram));
	} else {
		b->ram = cmos;
	}
	/* CMOS counts from 16 MiB on, in units of 64 KiB. */
	if (b->ram.low_end >= MIB(16) &&
	    (align_down(b->ram.low_end, KIB(64)) != cmos.low_end ||
	     align_down(b->ram.high_end, KIB(64)) != cmos.high_end))
		s0_stop(STAGE0_RAM_MAP);
	if (b->ram.low_end < S0_LOW_END)
		s0_stop(STAGE0_RAM_SMALL);
	must(s0_fw_cfg_read(&b->fw_cfg, S0_FW_CFG_NB_CPUS, n, sizeof(n)));
	b->n_cpus = load_le16(n);
	if (!b->n_cpus || b->n_cpus > ACPI_LAYOUT_CPUS_MAX)
		s0_stop(STAGE0_CPU_COUNT);
}

static void read_sizes(struct boot *b)
{
	struct s0_fw_cfg *f = &b->fw_cfg;

	must(s0_fw_cfg_read_le32(f, S0_FW_CFG_SETUP_SIZE, &b->setup_len));
	must(s0_fw_cfg_read_le32(f, S0_FW_CFG_KERNEL_SIZE, &b->code_len));
	must(s0_fw_cfg_read_le32(f, S0_FW_CFG_INITRD_SIZE,
				 &b->initrd_file_len));
	must(s0_fw_cfg_read_le32(f, S0_FW_CFG_CMDLINE_SIZE, &b->cmdline_len));
	if (!b->setup_len || !b->code_len)
		s0_stop(STAGE0_NO_KERNEL);
	if (b->setup_len > S0_SETUP_MAX)
		s0_stop(STAGE0_KERNEL_HEADER);
	if (b->cmdline_len > S0_CMDLINE_MAX)
		s0_stop(STAGE0_CMDLINE);
}

static struct s0_sha256 *start(struct boot *b, struct s0_sha256 *h)
{
	s0_sha256_start(h, b->blocks);
	return b->verify ? h : NULL;
}

static void compare(struct boot *b, struct s0_sha256 *h, const uint8_t *want,
		    enum stage0_reason reason)
{
	uint8_t is[S0_SHA256_LEN];

	if (!b->verify)
		return;
	s0_sha256_finish(h, is);
	if (memcmp(is, want, sizeof(is)) != 0)
		s0_stop(reason);
}

/* Its hash is of the file: setup part and the rest. */
static void load_kernel(struct boot *b)
{
	uint64_t initrd_max = align_up(b->initrd_file_len, 4) + b->secrets_len;
	struct s0_sha256 state, *h = start(b, &state);

	must(s0_fw_cfg_load(&b->fw_cfg, S0_FW_CFG_SETUP_DATA, at(S0_SETUP),
			    b->setup_len, h));
	must(s0_kernel_parse(at(S0_SETUP), b->setup_len, b->code_len, &b->bz));
	must(s0_kernel_place(&b->bz, &b->ram, b->code_len, initrd_max,
			     &b->place));
	must(s0_fw_cfg_load(&b->fw_cfg, S0_FW_CFG_KERNEL_DATA,
			    at(b->place.kernel), b->code_len, h));
	compare(b, &state, b->hashes.kernel, STAGE0_KERNEL_HASH);
}

static void load_initrd(struct boot *b)
{
	struct s0_sha256 state, *h = start(b, &state);

	if (b->initrd_file_len)
		must(s0_fw_cfg_load(&b->fw_cfg, S0_FW_CFG_INITRD_DATA,
				    at(b->place.initrd), b->initrd_file_len,
				    h));
	compare(b, &state, b->hashes.initrd, STAGE0_INITRD_HASH);
	b->initrd_len = b->initrd_file_len;
}

/* None at all is an empty one: that is what was hashed then. */
static void load_cmdline(struct boot *b)
{
	struct s0_sha256 state, *h = start(b, &state);
	uint8_t *text = at(S0_CMDLINE);

	if (b->cmdline_len) {
		must(s0_fw_cfg_load(&b->fw_cfg, S0_FW_CFG_CMDLINE_DATA, text,
				    b->cmdline_len, h));
	} else {
		b->cmdline_len = 1;
		s0_sha256_copy(&state, text, "", 1);
	}
	compare(b, &state, b->hashes.cmdline, STAGE0_CMDLINE_HASH);
	if (text[b->cmdline_len - 1] || b->cmdline_len - 1 > b->bz.cmdline_size)
		s0_stop(STAGE0_CMDLINE);
}

/* The owner's table is turned into an archive, and is gone. */
static void take_secrets(struct boot *b)
{
	must(s0_secret_to_cpio(at(S0_SECRETS), S0_SECRETS_LEN, at(S0_SCRATCH),
			       &b->secrets_len));
	memset(at(S0_SECRETS), 0, S0_SECRETS_LEN);
}

/* Behind the initrd, where Linux looks for more archives. */
static void place_secrets(struct boot *b)
{
	uint64_t begin = b->place.initrd + b->initrd_len;

	if (b->secrets_len) {
		b->initrd_len = align_up(b->initrd_len, 4);
		memset(at(begin), 0, b->place.initrd + b->initrd_len - begin);
		memcpy(at(b->place.initrd + b->initrd_len), at(S0_SCRATCH),
		       b->secrets_len);
		b->initrd_len += b->secrets_len;
	}
	memset(at(S0_SCRATCH), 0, S0_SECRET_CPIO_MAX);
}

/* What Linux looks at below 1 MiB before it wrote it: memory that is noise. */
static void clear_low_memory(void)
{
	memset(at(0), 0, PAGE);
	memset(at(MEM_EBDA_BASE), 0, VGA_BASE - MEM_EBDA_BASE);
	memset(at(ROMS_BASE), 0, MIB(1) - ROMS_BASE);
}

static void describe(struct boot *b)
{
	struct boot_params p = {
		.bz = &b->bz,
		.e820 = &e820,
		.load = (uint32_t)b->place.kernel,
		.cmdline = S0_CMDLINE,
		.initrd = b->place.initrd,
		.initrd_len = b->initrd_len,
		.rsdp = MEM_RSDP,
	};

	clear_low_memory();
	acpi_layout(b->n_cpus, at(MEM_RSDP));
	e820_machine_split(b->ram.low_end, b->ram.high_end, &e820);
	if (b->es && e820_add(&e820, S0_JUMP_TABLE, PAGE, E820_RESERVED) < 0)
		s0_stop(STAGE0_INTERNAL);
	boot_params_build(&p, at(S0_ZERO_PAGE));
}

static void set_jump_table(void)
{
	memset(at(S0_JUMP_TABLE), 0, PAGE);
	store_le32(at(S0_JUMP_TABLE + JUMP_TABLE_READY_OFF), JUMP_TABLE_READY);
	must(s0_vc_set_jump_table(s0_trap_vc(), S0_JUMP_TABLE));
}

static void report(const struct boot *b)
{
	const struct s0_io *io = &s0_ports;

	s0_console_puts(io, b->es    ? "stage0: SEV-ES is active; "
			    : b->sev ? "stage0: SEV is active; "
				     : "stage0: memory is not encrypted; ");
	s0_console_puts(io, b->verify
				    ? "kernel, initrd and command line are "
				      "those that were measured\n"
				    : "kernel, initrd and command line are NOT "
				      "VERIFIED: no hashes were measured\n");
}

void s0_main(void)
{
	struct boot *b = &the_boot;

	b->sev = s0_sev_status & SEV_STATUS_SEV;
	b->es = s0_sev_status & SEV_STATUS_ES;
	must(s0_trap_init());
	must(s0_share_begin(b->sev));
	s0_platform_init(&s0_ports);
	enable_mtrrs();
	b->blocks = choose_sha256();
	must(s0_fw_cfg_init(&b->fw_cfg, &s0_ports, at(S0_SHARED), b->sev));
	read_hashes(b);
	read_machine(b);
	read_sizes(b);
	take_secrets(b);
	load_kernel(b);
	load_initrd(b);
	load_cmdline(b);
	place_secrets(b);
	describe(b);
	report(b);
	if (b->es)
		set_jump_table();
	must(s0_share_end(b->sev));
	s0_enter_linux(b->place.kernel + BZIMAGE_ENTRY64, S0_ZERO_PAGE);
}
