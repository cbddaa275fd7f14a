/* firmware/linux_boot.c - makes the list of what goes into guest memory. */
#include "firmware/linux_boot.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/boot_params.h"
#include "firmware/boot_tables.h"
#include "firmware/kernel_image.h"
#include "firmware/pvh_info.h"
#include "firmware/ram_place.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

enum { PAGE = 4096, INFO_LEN = 4096 };

static_assert((int)BOOT_PARAMS_LEN == INFO_LEN && (int)PVH_INFO_LEN == INFO_LEN,
	      "one page tells the kernel everything");
static_assert(LINUX_BOOT_PAGE_TABLES + BOOT_PAGE_TABLES_LEN ==
		      LINUX_BOOT_PARAMS,
	      "page tables end where boot_params starts");

/* What the small pieces are built in. */
struct store {
	uint8_t gdt[BOOT_GDT_LEN];
	uint8_t page_tables[BOOT_PAGE_TABLES_LEN];
	uint8_t info[INFO_LEN]; /* boot_params or hvm_start_info */
	uint8_t setup_data[SETUP_DATA_HEADER_LEN + LINUX_BOOT_RNG_SEED];
	char cmdline[LINUX_BOOT_CMDLINE_SIZE];
};

/* Between the steps of linux_boot_plan_create(). */
struct work {
	const struct linux_boot_args *args;
	const struct kernel_image *kernel;
	struct linux_boot_plan *plan;
	struct store *store;
	struct image_file initrd; /* len 0: none */
	gpa_t initrd_gpa;
	uint64_t initrd_len; /* with the area for secrets */
	gpa_t kernel_gpa;    /* bzImage */
	gpa_t kernel_end;
	size_t n_taken;
	struct ram_range taken[ELF_IMAGE_MAX_SEGMENTS + 1];
};

static struct linux_boot_piece *
add_piece(struct work *w, enum linux_boot_what what, gpa_t gpa, uint64_t len)
{
	struct linux_boot_piece *p = &w->plan->piece[w->plan->n++];

	assert(w->plan->n <= LINUX_BOOT_MAX_PIECES && len);
	*p = (struct linux_boot_piece){.what = what, .gpa = gpa, .len = len};
	return p;
}

static void add_data(struct work *w, enum linux_boot_what what, gpa_t gpa,
		     const void *data, uint64_t len)
{
	add_piece(w, what, gpa, len)->data = data;
}

/* @len bytes at @off of @f, which has them. */
static void add_file(struct work *w, enum linux_boot_what what, gpa_t gpa,
		     const struct image_file *f, uint64_t off, uint64_t len)
{
	struct linux_boot_piece *p = add_piece(w, what, gpa, len);

	p->file = *f;
	p->file.off += off;
	p->file.len = len;
}

static void take(struct work *w, gpa_t base, uint64_t len)
{
	w->taken[w->n_taken++] = (struct ram_range){base, len};
	if (w->kernel_end < base + len)
		w->kernel_end = base + len;
}

static unsigned long long mib_up(uint64_t bytes)
{
	return (bytes >> 20) + !!(bytes & (MIB(1) - 1));
}

/* The memory size that gives this map, unless its end is reserved. */
static uint64_t ram_bytes(const struct e820_map *map)
{
	gpa_t top = 0;

	for (size_t i = 0; i < map->n; i++)
		if (map->entry[i].type == E820_RAM)
			top = map->entry[i].base + map->entry[i].len;
	if (top > MEM_RAM_HIGH_BASE)
		top -= MEM_RAM_HIGH_BASE - MEM_RAM_LOW_MAX;
	return top;
}

/* @what needs a guest with @bytes of memory. */
static int needs_memory(const struct work *w, const char *what,
			const char *name, uint64_t bytes, struct err *err)
{
	uint64_t have = ram_bytes(w->args->e820);

	if (bytes <= have)
		return err_set_kind(err, ERR_INPUT, -ENOSPC,
				    "%s '%s' does not fit between the reserved "
				    "areas of memory",
				    what, name);
	return err_set_kind(err, ERR_USAGE, -ENOSPC,
			    "%s '%s' does not fit: it needs at least %llu MiB "
			    "of memory, and the guest has %llu (--memory)",
			    what, name, mib_up(bytes),
			    (unsigned long long)(have >> 20));
}

/* The kernel wants @len bytes of RAM at @at, and that is not there. */
static int no_room(const struct work *w, gpa_t at, uint64_t len,
		   struct err *err)
{
	const char *name = w->kernel->file.name;
	gpa_t end;

	/* More memory helps only from 1 MiB on and up to the gap. */
	if (at < MIB(1) || !checked_add(at, len, &end) || end > MEM_RAM_LOW_MAX)
		return err_set_kind(err, ERR_INPUT, -ENOSPC,
				    "kernel '%s' wants %llu KiB of memory at "
				    "0x%llx, where no guest has that much RAM",
				    name, (unsigned long long)(len >> 10),
				    (unsigned long long)at);
	return needs_memory(w, "kernel", name, end, err);
}

static int place_bzimage(struct work *w, struct err *err)
{
	const struct kernel_image *k = w->kernel;
	const struct bzimage *bz = &k->bz;
	/* code32_start and the page tables: below 4 GiB */
	uint64_t limit = GIB(4);
	gpa_t at = bz->pref_address;
	bool fits;

	if (bz->relocatable && at < MIB(1))
		at = MIB(1);
	if (!at)
		at = MIB(1); /* where boot.rst puts a bzImage */
	if (bz->relocatable && at < limit)
		fits = ram_place_lowest(w->args->e820, at, limit, bz->init_size,
					bz->alignment, &at);
	else
		fits = at >= LINUX_BOOT_LOW_END && at < limit &&
		       ram_contains(w->args->e820, at, bz->init_size);
	if (!fits)
		return no_room(w, at < limit ? align_up(at, bz->alignment) : at,
			       bz->init_size, err);
	w->kernel_gpa = at;
	take(w, at, bz->init_size);
	add_file(w, LINUX_BOOT_PIECE_KERNEL, at, &k->file, bz->code_off,
		 bz->code_len);
	return 0;
}

static int place_segment(struct work *w, const struct elf_segment *s,
			 struct err *err)
{
	const struct kernel_image *k = w->kernel;

	if (s->gpa < LINUX_BOOT_LOW_END)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "kernel '%s': its segment at 0x%llx would "
				    "overwrite boot data below 0x%llx",
				    k->file.name, (unsigned long long)s->gpa,
				    (unsigned long long)LINUX_BOOT_LOW_END);
	if (!ram_contains(w->args->e820, s->gpa, s->mem_len))
		return no_room(w, s->gpa, s->mem_len, err);
	take(w, s->gpa, s->mem_len);
	if (s->file_len)
		add_file(w, LINUX_BOOT_PIECE_KERNEL, s->gpa, &k->file,
			 s->file_off, s->file_len);
	return 0;
}

static int place_kernel(struct work *w, struct err *err)
{
	const struct elf_image *elf = &w->kernel->elf;

	if (w->kernel->kind == KERNEL_IMAGE_BZIMAGE)
		return place_bzimage(w, err);
	for (size_t i = 0; i < elf->n_segments; i++) {
		int r = place_segment(w, &elf->segments[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* One past the highest byte the initrd may have in low RAM. */
static gpa_t initrd_limit(const struct kernel_image *k)
{
	/* A PVH Linux keeps its address in 32 bits; all low RAM qualifies. */
	gpa_t limit = MEM_RAM_LOW_MAX;

	if (k->kind == KERNEL_IMAGE_BZIMAGE && k->bz.initrd_addr_max < limit)
		limit = (gpa_t)k->bz.initrd_addr_max + 1;
	return limit;
}

static int initrd_too_large(const struct work *w, gpa_t limit, bool high,
			    struct err *err)
{
	uint64_t len = align_up(w->initrd_len, PAGE);
	const char *name = w->initrd.len ? w->initrd.name : "(secrets)";
	gpa_t start = align_up(w->kernel_end, PAGE);

	if (start <= limit && len <= limit - start)
		return needs_memory(w, "initrd", name, start + len, err);
	/* Behind all of low RAM, then. */
	if (high && len <= MEM_RAM_MAX - MEM_RAM_LOW_MAX)
		return needs_memory(w, "initrd", name, MEM_RAM_LOW_MAX + len,
				    err);
	return err_set_kind(
		err, ERR_INPUT, -ENOSPC,
		"initrd '%s' has %llu MiB; kernel '%s' takes at "
		"most %llu MiB, which must lie between itself and "
		"0x%llx",
		name, mib_up(w->initrd_len), w->kernel->file.name,
		(start < limit ? (unsigned long long)(limit - start) : 0) >> 20,
		(unsigned long long)limit);
}

static int place_initrd(struct work *w, struct err *err)
{
	const struct e820_map *map = w->args->e820;
	const struct kernel_image *k = w->kernel;
	uint64_t secret_len = w->args->secret_len;
	gpa_t limit = initrd_limit(k);
	bool high = k->kind == KERNEL_IMAGE_BZIMAGE &&
		    (k->bz.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G);

	w->initrd = k->initrd;
	if (w->args->initrd && w->args->initrd->len)
		w->initrd = *w->args->initrd;
	w->initrd_len = w->initrd.len;
	if (secret_len)
		w->initrd_len = align_up(w->initrd.len, PAGE) + secret_len;
	if (!w->initrd_len)
		return 0;
	/* Below 4 GiB first: every kernel finds it there. */
	if (!ram_place_highest(map, MIB(1), limit, w->initrd_len, PAGE,
			       w->taken, w->n_taken, &w->initrd_gpa) &&
	    !(high &&
	      ram_place_highest(map, MEM_RAM_HIGH_BASE, UINT64_MAX,
				w->initrd_len, PAGE, NULL, 0, &w->initrd_gpa)))
		return initrd_too_large(w, limit, high, err);
	if (w->initrd.len)
		add_file(w, LINUX_BOOT_PIECE_INITRD, w->initrd_gpa, &w->initrd,
			 0, w->initrd.len);
	if (secret_len)
		add_piece(w, LINUX_BOOT_PIECE_SECRET,
			  w->initrd_gpa + w->initrd_len - secret_len,
			  secret_len);
	return 0;
}

static int place_cmdline(struct work *w, struct err *err)
{
	const struct kernel_image *k = w->kernel;
	const char *s = w->args->cmdline;
	bool own = s && *s;
	uint64_t max = LINUX_BOOT_CMDLINE_SIZE - 1;
	size_t len;

	s = kernel_image_cmdline(k, s);
	if (max > k->cmdline_max)
		max = k->cmdline_max;
	len = strlen(s);
	if (len > max)
		return err_set_kind(err, own ? ERR_USAGE : ERR_INPUT, -E2BIG,
				    "command line %shas %zu characters; "
				    "kernel '%s' takes at most %llu",
				    own ? "" : "in the unified kernel image ",
				    len, k->file.name, (unsigned long long)max);
	memcpy(w->store->cmdline, s, len + 1);
	add_data(w, LINUX_BOOT_PIECE_CMDLINE, LINUX_BOOT_CMDLINE,
		 w->store->cmdline, len + 1);
	return 0;
}

static void build_boot_params(struct work *w)
{
	const struct linux_boot_args *a = w->args;
	struct boot_params p = {
		.bz = &w->kernel->bz,
		.e820 = a->e820,
		.load = (uint32_t)w->kernel_gpa,
		.cmdline = LINUX_BOOT_CMDLINE,
		.initrd = w->initrd_gpa,
		.initrd_len = w->initrd_len,
		.rsdp = a->rsdp,
	};

	if (a->rng_seed) {
		setup_data_build(SETUP_RNG_SEED, a->rng_seed,
				 LINUX_BOOT_RNG_SEED, w->store->setup_data);
		add_data(w, LINUX_BOOT_PIECE_SETUP_DATA, LINUX_BOOT_SETUP_DATA,
			 w->store->setup_data, sizeof(w->store->setup_data));
		p.setup_data = LINUX_BOOT_SETUP_DATA;
	}
	boot_params_build(&p, w->store->info);
	add_data(w, LINUX_BOOT_PIECE_BOOT_PARAMS, LINUX_BOOT_PARAMS,
		 w->store->info, INFO_LEN);
}

static void build_start_info(struct work *w)
{
	const struct pvh_info p = {
		.e820 = w->args->e820,
		.cmdline = LINUX_BOOT_CMDLINE,
		.initrd = w->initrd_gpa,
		.initrd_len = w->initrd_len,
		.rsdp = w->args->rsdp,
	};

	pvh_info_build(&p, LINUX_BOOT_START_INFO, w->store->info);
	add_data(w, LINUX_BOOT_PIECE_START_INFO, LINUX_BOOT_START_INFO,
		 w->store->info, INFO_LEN);
}

static void build_entry(struct work *w)
{
	const struct kernel_image *k = w->kernel;
	struct boot_entry *e = &w->plan->entry;

	*e = (struct boot_entry){
		.mode = BOOT_PROT32,
		.rsp = LINUX_BOOT_STACK_TOP,
		.gdt_base = LINUX_BOOT_GDT,
		.gdt_limit = BOOT_GDT_LEN - 1,
	};
	if (k->kind == KERNEL_IMAGE_ELF_PVH) {
		e->rip = k->elf.pvh_entry;
		e->rbx = LINUX_BOOT_START_INFO;
	} else {
		e->rip = w->kernel_gpa;
		e->rsi = LINUX_BOOT_PARAMS;
	}
	if (k->kind == KERNEL_IMAGE_BZIMAGE && !w->args->entry32) {
		e->mode = BOOT_LONG64;
		e->rip += BZIMAGE_ENTRY64;
		e->cr3 = LINUX_BOOT_PAGE_TABLES;
		boot_page_tables_build(e->cr3, w->store->page_tables);
		add_data(w, LINUX_BOOT_PIECE_PAGE_TABLES,
			 LINUX_BOOT_PAGE_TABLES, w->store->page_tables,
			 BOOT_PAGE_TABLES_LEN);
	}
	boot_gdt_build(e->mode, w->store->gdt);
	add_data(w, LINUX_BOOT_PIECE_GDT, LINUX_BOOT_GDT, w->store->gdt,
		 BOOT_GDT_LEN);
}

static int make_plan(const struct linux_boot_args *args,
		     struct linux_boot_plan *plan, struct err *err)
{
	struct work w = {
		.args = args,
		.kernel = args->kernel,
		.plan = plan,
		.store = plan->store,
	};
	int r;

	r = place_kernel(&w, err);
	if (r == 0)
		r = place_initrd(&w, err);
	if (r == 0)
		r = place_cmdline(&w, err);
	if (r < 0)
		return r;
	if (w.kernel->kind == KERNEL_IMAGE_BZIMAGE)
		build_boot_params(&w);
	else
		build_start_info(&w);
	build_entry(&w);
	return 0;
}

int linux_boot_plan_create(const struct linux_boot_args *args,
			   struct linux_boot_plan **ret, struct err *err)
{
	struct linux_boot_plan *plan = calloc(1, sizeof(*plan));
	int r = -ENOMEM;

	if (plan)
		plan->store = calloc(1, sizeof(struct store));
	if (plan && plan->store)
		r = make_plan(args, plan, err);
	else
		err_set(err, r, "out of memory");
	if (r < 0)
		linux_boot_plan_destroy(plan);
	else
		*ret = plan;
	return r;
}

void linux_boot_plan_destroy(struct linux_boot_plan *plan)
{
	if (!plan)
		return;
	if (plan->store)
		explicit_bzero(plan->store, sizeof(struct store));
	free(plan->store);
	free(plan);
}

static int load_error(const struct linux_boot_piece *p, int r, struct err *err)
{
	if (r == -ENODATA)
		return err_set_kind(err, ERR_INPUT, r,
				    "'%s' became shorter while it was loaded",
				    p->file.name);
	if (r == -EFAULT)
		return err_set_kind(
			err, ERR_INTERNAL, r,
			"boot data at 0x%llx is not in guest memory",
			(unsigned long long)p->gpa);
	return err_set_kind(err, ERR_INPUT, r, "cannot read '%s': %s",
			    p->file.name, strerror(-r));
}

int linux_boot_load(const struct linux_boot_plan *plan, struct guest_mem *mem,
		    struct err *err)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct linux_boot_piece *p = &plan->piece[i];
		int r;

		if (p->data)
			r = guest_mem_load(mem, p->gpa, p->data, p->len);
		else if (p->what == LINUX_BOOT_PIECE_SECRET)
			r = 0; /* zeros, which fresh memory is */
		else
			r = guest_mem_load_fd(mem, p->gpa, p->file.fd,
					      p->file.off, p->len);
		if (r < 0)
			return load_error(p, r, err);
	}
	return 0;
}
