/*
 * tests/fuzz/fuzz_kernel_image.c - any file as a kernel, from its first byte to
 * guest memory. What is accepted must keep the promises of linux_boot.h.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "firmware/kernel_image.h"
#include "firmware/linux_boot.h"
#include "firmware/ram_place.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

#define RAM MIB(32)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pieces are in RAM, apart from each other; the entry is in one of them. */
static void check(const struct linux_boot_plan *plan,
		  const struct e820_map *map)
{
	bool entry = false;

	assert(plan->n > 0 && plan->n <= LINUX_BOOT_MAX_PIECES);
	for (size_t i = 0; i < plan->n; i++) {
		const struct linux_boot_piece *p = &plan->piece[i];

		assert(ram_contains(map, p->gpa, p->len));
		assert(!p->data == !!p->file.name);
		assert(p->data || p->file.len == p->len);
		if (p->what == LINUX_BOOT_PIECE_KERNEL &&
		    plan->entry.rip >= p->gpa &&
		    plan->entry.rip - p->gpa < p->len)
			entry = true;
		for (size_t k = 0; k < i; k++)
			assert(!range_overlaps(p->gpa, p->len,
					       plan->piece[k].gpa,
					       plan->piece[k].len));
	}
	assert(entry);
}

static void boot(const struct kernel_image *k, struct guest_mem *mem,
		 bool entry32)
{
	static const uint8_t seed[LINUX_BOOT_RNG_SEED];
	AUTO(linux_boot_plan_destroyp) struct linux_boot_plan *plan = NULL;
	struct image_file initrd = k->file;
	struct e820_map map;
	struct linux_boot_args args = {
		.kernel = k,
		.e820 = &map,
		.rsdp = MEM_RSDP,
		.initrd = entry32 ? &initrd : NULL,
		.cmdline = entry32 ? "console=ttyS0" : NULL,
		.entry32 = entry32,
		.rng_seed = entry32 ? NULL : seed,
	};
	struct err err = {0};

	e820_machine(RAM, &map);
	if (linux_boot_plan_create(&args, &plan, &err) < 0) {
		assert(err.code < 0 && err.msg[0] && err.kind != ERR_INTERNAL);
		return;
	}
	check(plan, &map);
	assert(linux_boot_load(plan, mem, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(kernel_image_destroyp) struct kernel_image *k = NULL;
	AUTO(guest_mem_destroyp) struct guest_mem *mem = NULL;
	AUTO(fd_closep) int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct guest_mem_opts opts = {0};
	struct err err = {0};

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (kernel_image_open(fd, "input", &k, &err) < 0) {
		assert(err.kind == ERR_INPUT && err.msg[0]);
		return 0;
	}
	assert(guest_mem_create(&opts, &mem, NULL) == 0);
	assert(guest_mem_add_machine_ram(mem, RAM, NULL) == 0);
	boot(k, mem, false);
	boot(k, mem, true);
	return 0;
}
