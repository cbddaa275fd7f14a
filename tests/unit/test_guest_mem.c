/* tests/unit/test_guest_mem.c - mapping guest memory, copying in and out. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem/guest_mem.h"
#include "mem/host_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

static const enum guest_mem_backing backings[] = {GUEST_MEM_ANON,
						  GUEST_MEM_MEMFD};

static struct guest_mem *new_map(enum guest_mem_backing backing, uint64_t huge,
				 bool prefault)
{
	struct guest_mem_opts o = {.backing = backing,
				   .hugepage_size = huge,
				   .prefault = prefault};
	struct guest_mem *m = NULL;

	assert_int_equal(guest_mem_create(&o, &m, NULL), 0);
	return m;
}

static int setup(void **state)
{
	*state = new_map(GUEST_MEM_ANON, 0, false);
	return 0;
}

static int teardown(void **state)
{
	guest_mem_destroy(*state);
	return 0;
}

static void new_ram_is_zero_and_keeps_what_is_written(void **state)
{
	struct guest_mem *m = *state;
	char buf[8];

	assert_int_equal(guest_mem_add_ram(m, 0, MIB(4), NULL), 0);
	assert_int_equal(guest_mem_read(m, 0x1234, buf, 8), 0);
	assert_memory_equal(buf, "\0\0\0\0\0\0\0", 8);
	assert_int_equal(guest_mem_write(m, MIB(4) - 8, "payload", 8), 0);
	assert_int_equal(guest_mem_read(m, MIB(4) - 8, buf, 8), 0);
	assert_string_equal(buf, "payload");
	assert_int_equal(guest_mem_ram_bytes(m), MIB(4));
}

static void a_wrong_shape_is_refused(void **state)
{
	static const struct {
		uint64_t base, len;
	} bad[] = {
		{0, 0},
		{0, 4095},
		{2048, 4096},
		{BIT64(46), 4096},
		{BIT64(46) - 4096, 8192},
		{UINT64_MAX - 4095, 4096},
		{4096, UINT64_MAX - 4095},
	};
	struct guest_mem *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = {0};

		assert_int_equal(
			guest_mem_add_ram(m, bad[i].base, bad[i].len, &e),
			-EINVAL);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_int_equal(
			guest_mem_add_rom(m, bad[i].base, bad[i].len, NULL),
			-EINVAL);
	}
	assert_int_equal(guest_mem_n_regions(m), 0);
}

static void the_last_page_below_2_to_46_is_accepted(void **state)
{
	assert_int_equal(
		guest_mem_add_ram(*state, BIT64(46) - 4096, 4096, NULL), 0);
}

static void an_overlap_is_refused(void **state)
{
	struct guest_mem *m = *state;
	struct err e = {0};

	assert_int_equal(guest_mem_add_ram(m, MIB(2), MIB(2), NULL), 0);
	assert_int_equal(guest_mem_add_ram(m, MIB(4) - 4096, 4096, &e),
			 -EEXIST);
	assert_non_null(strstr(e.msg, "overlaps 0x200000"));
	assert_int_equal(guest_mem_add_rom(m, 0, MIB(8), NULL), -EEXIST);
	assert_int_equal(guest_mem_add_ram(m, MIB(4), 4096, NULL), 0);
	assert_int_equal(guest_mem_add_ram(m, MIB(2) - 4096, 4096, NULL), 0);
}

static void the_seventeenth_region_is_refused(void **state)
{
	struct guest_mem *m = *state;

	for (uint64_t i = 0; i < GUEST_MEM_MAX_REGIONS; i++)
		assert_int_equal(guest_mem_add_ram(m, i * 8192, 4096, NULL), 0);
	assert_int_equal(guest_mem_add_ram(m, MIB(1), 4096, NULL), -ENOSPC);
}

static void regions_are_sorted_and_stay_where_they_are(void **state)
{
	struct guest_mem *m = *state;
	const struct guest_mem_region *r;

	assert_int_equal(guest_mem_add_ram(m, MIB(8), MIB(2), NULL), 0);
	r = guest_mem_region(m, 0);
	assert_int_equal(guest_mem_add_rom(m, MIB(4), MIB(2), NULL), 0);
	assert_int_equal(guest_mem_add_ram(m, 0, MIB(2), NULL), 0);
	assert_int_equal(guest_mem_n_regions(m), 3);
	assert_int_equal(guest_mem_region(m, 0)->base, 0);
	assert_int_equal(guest_mem_region(m, 1)->base, MIB(4));
	assert_int_equal(guest_mem_region(m, 1)->type, GUEST_MEM_ROM);
	assert_ptr_equal(guest_mem_region(m, 2), r);
	assert_int_equal(r->base, MIB(8));
	assert_int_equal(guest_mem_ram_bytes(m), MIB(4));
}

static void a_copy_crosses_adjacent_regions(void **state)
{
	struct guest_mem *m = *state;
	char buf[6] = "";

	assert_int_equal(guest_mem_add_ram(m, 4096, 4096, NULL), 0);
	assert_int_equal(guest_mem_add_ram(m, 0, 4096, NULL), 0);
	assert_int_equal(guest_mem_write(m, 4093, "cross", 6), 0);
	assert_int_equal(guest_mem_read(m, 4093, buf, 6), 0);
	assert_string_equal(buf, "cross");
	/* but it is not one piece of host memory */
	assert_null(guest_mem_ptr(m, 4093, 6));
	assert_non_null(guest_mem_ptr(m, 4096, 4096));
}

static void a_copy_that_leaves_memory_touches_nothing(void **state)
{
	static const struct {
		gpa_t gpa;
		size_t len;
	} bad[] = {
		{8190, 4},	       /* the end is outside */
		{16384, 1},	       /* all of it is */
		{UINT64_MAX, 2},       /* wraps */
		{UINT64_MAX - 1, 100}, /* wraps */
	};
	struct guest_mem *m = *state;

	assert_int_equal(guest_mem_add_ram(m, 0, 8192, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char buf[100];

		memset(buf, 'x', sizeof(buf));
		assert_int_equal(guest_mem_read(m, bad[i].gpa, buf, bad[i].len),
				 -EFAULT);
		assert_int_equal(buf[0], 'x');
		assert_int_equal(
			guest_mem_write(m, bad[i].gpa, buf, bad[i].len),
			-EFAULT);
		assert_int_equal(guest_mem_load(m, bad[i].gpa, buf, bad[i].len),
				 -EFAULT);
		assert_int_equal(
			guest_mem_load_fd(m, bad[i].gpa, -1, 0, bad[i].len),
			-EFAULT);
		assert_null(guest_mem_ptr(m, bad[i].gpa, bad[i].len));
	}
	assert_int_equal(*(char *)guest_mem_ptr(m, 8190, 1), 0);
	assert_int_equal(*(char *)guest_mem_ptr(m, 8191, 1), 0);
}

static void copies_are_limited_and_loads_are_not(void **state)
{
	size_t len = GUEST_MEM_COPY_MAX + 1;
	struct guest_mem *m = *state;
	AUTO(freep) uint8_t *buf = calloc(1, len);

	assert_non_null(buf);
	assert_int_equal(guest_mem_add_ram(m, 0, MIB(4), NULL), 0);
	assert_int_equal(guest_mem_read(m, 0, buf, len), -E2BIG);
	assert_int_equal(guest_mem_write(m, 0, buf, len), -E2BIG);
	assert_int_equal(guest_mem_read(m, 0, buf, len - 1), 0);
	buf[len - 1] = 'z';
	assert_int_equal(guest_mem_load(m, 0, buf, len), 0);
	assert_int_equal(*(char *)guest_mem_ptr(m, len - 1, 1), 'z');
	assert_int_equal(guest_mem_read(m, MIB(4), buf, 0), 0);
}

static void rom_is_loaded_by_the_host_only(void **state)
{
	struct guest_mem *m = *state;
	char c = 0;

	assert_int_equal(guest_mem_add_rom(m, 4096, 4096, NULL), 0);
	assert_int_equal(guest_mem_add_ram(m, 0, 4096, NULL), 0);
	assert_int_equal(guest_mem_write(m, 4096, "w", 1), -EFAULT);
	assert_int_equal(guest_mem_write(m, 4095, "ab", 2), -EFAULT);
	assert_int_equal(*(char *)guest_mem_ptr(m, 4095, 1), 0);
	assert_int_equal(guest_mem_load(m, 4095, "ab", 2), 0);
	assert_int_equal(guest_mem_read(m, 4096, &c, 1), 0);
	assert_int_equal(c, 'b');
	assert_int_equal(guest_mem_ram_bytes(m), 4096);
}

/* An unnamed file that holds @text. */
static int file_with(const char *text)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void a_file_is_loaded_across_regions(void **state)
{
	struct guest_mem *m = *state;
	AUTO(fd_closep) int fd = file_with("..kernel");
	char buf[6];

	assert_int_equal(guest_mem_add_ram(m, 0, 4096, NULL), 0);
	assert_int_equal(guest_mem_add_ram(m, 4096, 4096, NULL), 0);
	assert_int_equal(guest_mem_load_fd(m, 4094, fd, 2, 6), 0);
	assert_int_equal(guest_mem_read(m, 4094, buf, 6), 0);
	assert_memory_equal(buf, "kernel", 6);
}

static void a_file_that_cannot_be_loaded_is_told(void **state)
{
	struct guest_mem *m = *state;
	AUTO(fd_closep) int fd = file_with("short");
	AUTO(fd_closep) int dir = open("/", O_RDONLY | O_CLOEXEC);

	assert_int_equal(guest_mem_add_ram(m, 0, 4096, NULL), 0);
	assert_int_equal(guest_mem_load_fd(m, 0, fd, 0, 6), -ENODATA);
	assert_int_equal(guest_mem_load_fd(m, 0, fd, 5, 1), -ENODATA);
	assert_int_equal(guest_mem_load_fd(m, 0, fd, UINT64_MAX, 1), -ENODATA);
	assert_int_equal(guest_mem_load_fd(m, 0, fd, INT64_MAX, 1), -ENODATA);
	assert_int_equal(guest_mem_load_fd(m, 0, dir, 0, 1), -EISDIR);
	assert_int_equal(guest_mem_load_fd(m, 0, -1, 0, 1), -EBADF);
	assert_int_equal(guest_mem_load_fd(m, 0, fd, 0, 5), 0);
}

/* 0, or the errno of letting the kernel read one byte at @p. */
static int probe(const void *p)
{
	int fds[2], r = 0;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	if (syscall(SYS_write, fds[1], p, 1) < 0)
		r = errno;
	close(fds[0]);
	close(fds[1]);
	return r;
}

static void guard_pages_lie_on_both_sides(void **state)
{
	struct guest_mem *m = *state;

	assert_int_equal(guest_mem_add_ram(m, MIB(2), MIB(4), NULL), 0);
	assert_int_equal(guest_mem_add_rom(m, MIB(32), 4096, NULL), 0);
	for (size_t i = 0; i < 2; i++) {
		const struct guest_mem_region *r = guest_mem_region(m, i);
		const uint8_t *p = r->hva;

		assert_int_equal(probe(p), 0);
		assert_int_equal(probe(p + r->len - 1), 0);
		assert_int_equal(probe(p - 1), EFAULT);
		assert_int_equal(probe(p - 4096), EFAULT);
		assert_int_equal(probe(p + r->len), EFAULT);
		assert_int_equal(probe(p + r->len + 4095), EFAULT);
	}
}

static void host_and_guest_addresses_agree_modulo_2_mib(void **state)
{
	static const gpa_t base[] = {0, MIB(6), MIB(64) + 4096, GIB(4)};
	struct guest_mem *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(base); i++)
		assert_int_equal(guest_mem_add_ram(m, base[i], MIB(5), NULL),
				 0);
	for (size_t i = 0; i < ARRAY_SIZE(base); i++) {
		uintptr_t hva = (uintptr_t)guest_mem_region(m, i)->hva;

		assert_int_equal((hva - base[i]) % MIB(2), 0);
	}
}

/* The VmFlags of the mapping that starts at @hva. */
static void vm_flags(const void *hva, char *ret, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	bool found = false;
	char line[512];

	assert_non_null(f);
	ret[0] = 0;
	while (fgets(line, sizeof(line), f)) {
		char *end;
		uintptr_t start = strtoul(line, &end, 16);

		if (end != line && *end == '-') /* the first line of one */
			found = start == (uintptr_t)hva;
		if (found && !strncmp(line, "VmFlags:", 8))
			snprintf(ret, size, "%s", line + 8);
	}
	fclose(f);
}

static void guest_ram_is_left_out_of_core_dumps(void **state)
{
	struct guest_mem *m = *state;
	char flags[512];

	assert_int_equal(guest_mem_add_ram(m, 0, MIB(4), NULL), 0);
	vm_flags(guest_mem_region(m, 0)->hva, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
	if (!access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK))
		assert_non_null(strstr(flags, " hg"));
}

static void memfd_ram_is_shared_and_cannot_change_size(void **state)
{
	struct guest_mem *m = new_map(GUEST_MEM_MEMFD, 0, false);
	const struct guest_mem_region *r;
	int seals;
	char c = 0;

	(void)state;
	assert_int_equal(guest_mem_add_ram(m, 0, MIB(4), NULL), 0);
	r = guest_mem_region(m, 0);
	assert_true(r->fd >= 0);
	assert_true(fcntl(r->fd, F_GETFD) & FD_CLOEXEC);
	seals = fcntl(r->fd, F_GET_SEALS);
	assert_int_equal(seals & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
			 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	assert_int_equal(ftruncate(r->fd, 0), -1);
	assert_int_equal(guest_mem_write(m, 4096, "q", 1), 0);
	assert_int_equal(pread(r->fd, &c, 1, (off_t)r->fd_off + 4096), 1);
	assert_int_equal(c, 'q');
	/* ROM is not shared with anybody */
	assert_int_equal(guest_mem_add_rom(m, MIB(8), 4096, NULL), 0);
	assert_int_equal(guest_mem_region(m, 1)->fd, -1);
	guest_mem_destroy(m);
}

static size_t resident_pages(const struct guest_mem_region *r)
{
	size_t n = r->len / 4096, count = 0;
	AUTO(freep) unsigned char *vec = calloc(1, n);

	assert_non_null(vec);
	assert_int_equal(mincore(r->hva, r->len, vec), 0);
	for (size_t i = 0; i < n; i++)
		count += vec[i] & 1;
	return count;
}

static void prefault_backs_every_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(backings); i++) {
		struct guest_mem *m = new_map(backings[i], 0, true);

		assert_int_equal(guest_mem_add_ram(m, 0, MIB(4), NULL), 0);
		assert_int_equal(resident_pages(guest_mem_region(m, 0)), 1024);
		guest_mem_destroy(m);
	}
}

/* From now on this process is on a kernel without MADV_POPULATE_WRITE. */
static int forget_populate(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MADV_POPULATE_WRITE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {ARRAY_SIZE(f), f};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) < 0 ? -errno : 0;
}

static void prefault_works_on_an_older_kernel(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (!pid) {
		struct guest_mem_opts o = {.prefault = true};
		struct guest_mem *m = NULL;

		if (forget_populate() < 0 || guest_mem_create(&o, &m, NULL) ||
		    guest_mem_add_ram(m, 0, MIB(4), NULL))
			_exit(1);
		_exit(resident_pages(guest_mem_region(m, 0)) == 1024 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void more_than_the_host_has_is_refused(void **state)
{
	struct guest_mem *m = *state;
	struct host_mem host;
	struct err e = {0};
	uint64_t all;

	assert_int_equal(host_mem_read(&host), 0);
	all = align_down(host.ram_bytes + host.swap_bytes, 4096);
	assert_int_equal(guest_mem_add_ram(m, MIB(64), all + 4096, &e),
			 -ENOMEM);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.msg, "do not fit this host"));
	assert_non_null(strstr(e.msg, "--memory"));
	/* what was added before counts, too */
	assert_int_equal(guest_mem_add_ram(m, 0, MIB(1), NULL), 0);
	assert_int_equal(guest_mem_add_ram(m, MIB(64), all, NULL), -ENOMEM);
	assert_int_equal(guest_mem_ram_bytes(m), MIB(1));
}

static void more_than_is_available_is_not_prefaulted(void **state)
{
	struct guest_mem *m = new_map(GUEST_MEM_ANON, 0, true);
	struct host_mem host;
	struct err e = {0};

	(void)state;
	assert_int_equal(host_mem_read(&host), 0);
	assert_true(host_mem_available() < host.ram_bytes);
	/* all there is: it fits the host, but the kernel has some of it */
	assert_int_equal(
		guest_mem_add_ram(
			m, 0,
			align_down(host.ram_bytes + host.swap_bytes, 4096), &e),
		-ENOMEM);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.msg, "prefault"));
	guest_mem_destroy(m);
}

static void a_shortage_of_huge_pages_is_a_message(void **state)
{
	static const uint64_t size[] = {MIB(2), GIB(1)};
	struct host_mem host;

	(void)state;
	assert_int_equal(host_mem_read(&host), 0);
	for (size_t i = 0; i < ARRAY_SIZE(size); i++)
		for (size_t j = 0; j < ARRAY_SIZE(backings); j++) {
			struct guest_mem *m =
				new_map(backings[j], size[i], false);
			/* more than can be had, whatever the pool is set to */
			uint64_t len = align_up(
				host.ram_bytes + host.swap_bytes, GIB(1));
			struct err e = {0};

			assert_int_equal(
				guest_mem_add_ram(m, 0, len + GIB(1), &e),
				-ENOMEM);
			assert_int_equal(e.kind, ERR_HOST);
			assert_non_null(strstr(e.msg, "huge pages of"));
			assert_int_equal(guest_mem_n_regions(m), 0);
			guest_mem_destroy(m);
		}
}

static void huge_pages_need_regions_of_their_size(void **state)
{
	struct guest_mem *m = new_map(GUEST_MEM_ANON, MIB(2), false);
	struct err e = {0};

	(void)state;
	assert_int_equal(guest_mem_add_ram(m, 0, MIB(3), &e), -EINVAL);
	assert_non_null(strstr(e.msg, "2 MiB"));
	assert_int_equal(guest_mem_add_machine_ram(m, MIB(3), &e), -EINVAL);
	assert_non_null(strstr(e.msg, "multiple of 2 MiB"));
	/* ROM is in base pages all the same */
	assert_int_equal(guest_mem_add_rom(m, 0, 4096, NULL), 0);
	guest_mem_destroy(m);
}

static void other_huge_page_sizes_are_refused(void **state)
{
	struct guest_mem_opts o = {.hugepage_size = MIB(4)};
	struct guest_mem *m = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(guest_mem_create(&o, &m, &e), -EINVAL);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_null(m);
}

static void machine_ram_leaves_the_hole_below_4_gib(void **state)
{
	struct guest_mem *m = *state;

	assert_int_equal(guest_mem_add_machine_ram(m, GIB(2) + MIB(1), NULL),
			 0);
	assert_int_equal(guest_mem_n_regions(m), 2);
	assert_int_equal(guest_mem_region(m, 0)->base, 0);
	assert_int_equal(guest_mem_region(m, 0)->len, GIB(2));
	assert_int_equal(guest_mem_region(m, 1)->base, GIB(4));
	assert_int_equal(guest_mem_region(m, 1)->len, MIB(1));
}

static void small_machine_ram_is_one_region(void **state)
{
	assert_int_equal(guest_mem_add_machine_ram(*state, MIB(2), NULL), 0);
	assert_int_equal(guest_mem_n_regions(*state), 1);
}

static void machine_ram_of_a_wrong_size_is_refused(void **state)
{
	static const uint64_t bad[] = {0, MIB(1), MIB(2) + 1, UINT64_MAX,
				       MEM_RAM_MAX + 4096};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = {0};

		assert_int_equal(guest_mem_add_machine_ram(*state, bad[i], &e),
				 -EINVAL);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_non_null(strstr(e.msg, "must be"));
	}
	assert_int_equal(guest_mem_n_regions(*state), 0);
}

static void destroying_nothing_is_fine(void **state)
{
	(void)state;
	guest_mem_destroy(NULL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(new_ram_is_zero_and_keeps_what_is_written),
		CASE(a_wrong_shape_is_refused),
		CASE(the_last_page_below_2_to_46_is_accepted),
		CASE(an_overlap_is_refused),
		CASE(the_seventeenth_region_is_refused),
		CASE(regions_are_sorted_and_stay_where_they_are),
		CASE(a_copy_crosses_adjacent_regions),
		CASE(a_copy_that_leaves_memory_touches_nothing),
		CASE(copies_are_limited_and_loads_are_not),
		CASE(rom_is_loaded_by_the_host_only),
		CASE(a_file_is_loaded_across_regions),
		CASE(a_file_that_cannot_be_loaded_is_told),
		CASE(guard_pages_lie_on_both_sides),
		CASE(host_and_guest_addresses_agree_modulo_2_mib),
		CASE(guest_ram_is_left_out_of_core_dumps),
		cmocka_unit_test(memfd_ram_is_shared_and_cannot_change_size),
		cmocka_unit_test(prefault_backs_every_page),
		cmocka_unit_test(prefault_works_on_an_older_kernel),
		CASE(more_than_the_host_has_is_refused),
		cmocka_unit_test(more_than_is_available_is_not_prefaulted),
		cmocka_unit_test(a_shortage_of_huge_pages_is_a_message),
		cmocka_unit_test(huge_pages_need_regions_of_their_size),
		cmocka_unit_test(other_huge_page_sizes_are_refused),
		CASE(machine_ram_leaves_the_hole_below_4_gib),
		CASE(small_machine_ram_is_one_region),
		CASE(machine_ram_of_a_wrong_size_is_refused),
		cmocka_unit_test(destroying_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
