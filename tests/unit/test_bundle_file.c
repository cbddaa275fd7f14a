/*
 * tests/unit/test_bundle_file.c - a bundle from its file into sealed memfds,
 * and into a configuration.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/bundle_fixture.h"
#include "tests/unit/owner_fixture.h"
#include "vmm/base/bits.h"
#include "vmm/base/own.h"
#include "vmm/bundle/bundle_file.h"
#include "vmm/config.h"
#include "vmm/config_bundle.h"

struct fixture {
	struct owner_dir d;
	struct hash256 *h;
	struct bundle b;
	struct bundle_file *file;
	struct run_config c;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	owner_dir_create(&f->d);
	f->h = hash256_nettle_create();
	f->b = good_bundle();
	run_config_init(&f->c);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bundle_file_close(f->file);
	run_config_destroy(&f->c);
	owner_dir_destroy(&f->d);
	hash256_destroy(f->h);
	free(f);
	return 0;
}

static const char *put(struct fixture *f)
{
	size_t len = 0;
	void *data = file_of(&f->b, &len);
	const char *path = owner_put(&f->d, "app.itb", data, len);

	free(data);
	return path;
}

static void open_it(struct fixture *f)
{
	bundle_file_close(f->file);
	f->file = NULL;
	assert_int_equal(bundle_file_open(put(f), &f->file, &f->d.err), 0);
}

static void assert_content(int fd, const void *want, size_t len)
{
	char buf[4096];

	assert_true(len < sizeof(buf));
	assert_int_equal(pread(fd, buf, sizeof(buf), 0), len);
	assert_memory_equal(buf, want, len);
}

static void images_become_sealed_memfds(void **state)
{
	struct fixture *f = *state;
	int fd[BUNDLE_PARTS];

	open_it(f);
	assert_int_equal(bundle_file_verify(f->file, NULL, f->h, &f->d.err), 0);
	assert_int_equal(bundle_file_take(f->file, NULL, f->h, fd, &f->d.err),
			 0);
	assert_int_equal(fd[BUNDLE_FIRMWARE], -1);
	assert_content(fd[BUNDLE_KERNEL], kernel_bytes, sizeof(kernel_bytes));
	assert_content(fd[BUNDLE_RAMDISK], ramdisk_bytes,
		       sizeof(ramdisk_bytes));
	for (int i = BUNDLE_KERNEL; i <= BUNDLE_RAMDISK; i++) {
		assert_int_equal(fcntl(fd[i], F_GET_SEALS),
				 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
					 F_SEAL_WRITE);
		assert_int_equal(pwrite(fd[i], "x", 1, 0), -1);
		assert_int_equal(ftruncate(fd[i], 0), -1);
		assert_true(fcntl(fd[i], F_GETFD) & FD_CLOEXEC);
		close(fd[i]);
	}
}

/* Larger than a chunk, at an odd place: pages are given back on the way. */
static void large_images_come_whole(void **state)
{
	enum { LEN = (1 << 20) + 12345 };
	struct fixture *f = *state;
	uint8_t *big = malloc(LEN), *back = malloc(LEN);
	int fd[BUNDLE_PARTS];

	assert_true(big && back);
	for (size_t i = 0; i < LEN; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	f->b.image[BUNDLE_KERNEL] =
		(struct bundle_image){.data = big, .len = LEN};
	hash256_of(f->h, big, LEN, f->b.image[BUNDLE_KERNEL].sha256);
	open_it(f);
	assert_int_equal(bundle_file_take(f->file, NULL, f->h, fd, &f->d.err),
			 0);
	assert_int_equal(pread(fd[BUNDLE_KERNEL], back, LEN, 0), LEN);
	assert_memory_equal(back, big, LEN);
	assert_content(fd[BUNDLE_RAMDISK], ramdisk_bytes,
		       sizeof(ramdisk_bytes));
	assert_string_equal(bundle_file_content(f->file)->cmdline,
			    f->b.cmdline);
	close(fd[BUNDLE_KERNEL]);
	close(fd[BUNDLE_RAMDISK]);
	free(big);
	free(back);
}

static void a_wrong_hash_is_refused(void **state)
{
	static const char *const says[] = {"its kernel does not have the hash",
					   "its ramdisk does not have the "
					   "hash"};
	struct fixture *f = *state;
	int fd[BUNDLE_PARTS];

	for (int i = BUNDLE_KERNEL; i <= BUNDLE_RAMDISK; i++) {
		f->b.image[i].sha256[HASH256_LEN - 1] ^= 1;
		open_it(f);
		owner_assert_err(
			&f->d,
			bundle_file_verify(f->file, NULL, f->h, &f->d.err),
			-EKEYREJECTED, ERR_INPUT, says[i]);
		owner_assert_err(
			&f->d,
			bundle_file_take(f->file, NULL, f->h, fd, &f->d.err),
			-EKEYREJECTED, ERR_INPUT, says[i]);
		f->b.image[i].sha256[HASH256_LEN - 1] ^= 1;
	}
}

static void what_becomes_of_the_file_does_not_matter(void **state)
{
	struct fixture *f = *state;
	int fd[BUNDLE_PARTS];

	open_it(f);
	assert_int_equal(truncate(owner_path(&f->d, "app.itb"), 0), 0);
	assert_int_equal(bundle_file_take(f->file, NULL, f->h, fd, &f->d.err),
			 0);
	assert_content(fd[BUNDLE_KERNEL], kernel_bytes, sizeof(kernel_bytes));
	close(fd[BUNDLE_KERNEL]);
	close(fd[BUNDLE_RAMDISK]);
}

static void errors_name_the_file(void **state)
{
	struct fixture *f = *state;
	const char *path = owner_put_text(&f->d, "no.itb", "this is no bundle");

	owner_assert_err(&f->d, bundle_file_open(path, &f->file, &f->d.err),
			 -ENOEXEC, ERR_INPUT, "no.itb': not a launch bundle");
	owner_assert_err(&f->d,
			 bundle_file_open(owner_path(&f->d, "gone"), &f->file,
					  &f->d.err),
			 -ENOENT, ERR_INPUT, "gone' does not exist");
	owner_assert_err(&f->d,
			 bundle_file_open(f->d.path, &f->file, &f->d.err),
			 -EISDIR, ERR_INPUT, "is a directory");
}

/* -- in the place of options -- */

static int configure(struct fixture *f, char *const *argv)
{
	enum option_outcome outcome;
	int argc = 0, r;

	while (argv[argc])
		argc++;
	run_config_destroy(&f->c);
	r = option_parse_args(&run_option_table, argc, argv, &f->c, &outcome,
			      &f->d.err);
	if (r >= 0)
		r = config_bundle_apply(&f->c, &f->d.err);
	return r < 0 ? r : run_config_finish(&f->c, &f->d.err);
}

#define CONFIGURE(f, ...)                                                      \
	configure((f), (char *[]){(char *)"run", __VA_ARGS__, NULL})

static void a_bundle_sets_what_it_has(void **state)
{
	struct fixture *f = *state;
	struct run_config *c = &f->c;

	assert_int_equal(CONFIGURE(f, (char *)put(f)), 0);
	assert_content(c->kernel_file.fd, kernel_bytes, sizeof(kernel_bytes));
	assert_content(c->initrd_file.fd, ramdisk_bytes, sizeof(ramdisk_bytes));
	assert_int_equal(c->kernel_file.size, sizeof(kernel_bytes));
	assert_int_equal(c->firmware_file.fd, -1);
	assert_string_equal(c->firmware, "none");
	assert_string_equal(c->append, f->b.cmdline);
	assert_int_equal(c->cpus, 2);
	assert_true(c->memory.size == GIB(6));
	assert_int_equal(c->devices.protect, PROTECT_SEV);
	assert_int_equal(c->devices.sev.policy.value, 1);
	assert_non_null(strstr(c->kernel, "app.itb:kernel"));
	/* What is open is not opened by that name. */
	assert_int_equal(run_config_open(c, &f->d.err), 0);
	assert_content(c->kernel_file.fd, kernel_bytes, sizeof(kernel_bytes));
}

static void what_it_does_not_say_is_left_to_options(void **state)
{
	struct fixture *f = *state;
	char *path;

	f->b.cpus = 0;
	f->b.memory = 0;
	f->b.protect = f->b.cmdline = NULL;
	f->b.have_policy = false;
	path = (char *)put(f);
	assert_int_equal(CONFIGURE(f, path), 0);
	assert_int_equal(f->c.cpus, 1);
	assert_true(f->c.memory.size == MIB(512));
	assert_int_equal(f->c.devices.protect, PROTECT_NONE);
	assert_null(f->c.append);
	assert_int_equal(CONFIGURE(f, path, (char *)"-c", (char *)"3",
				   (char *)"-m", (char *)"64M",
				   (char *)"--protect", (char *)"sev"),
			 0);
	assert_int_equal(f->c.cpus, 3);
	assert_true(f->c.memory.size == MIB(64));
}

static void what_it_fixes_is_refused_beside_it(void **state)
{
	static const struct {
		const char *option, *value, *says;
	} t[] = {
		{"-k", "x", "--kernel: the bundle"},
		{"-i", "x", "--initrd: the bundle"},
		{"-a", "", "--append: the bundle"},
		{"--firmware", "none", "--firmware: the bundle"},
		{"-c", "2", "--cpus: the bundle"},
		{"--protect", "sev", "--protect: the bundle"},
		{"--sev", "policy=1", "--sev policy=: the bundle"},
		{"-m", "5G", "--memory: the bundle"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		int r = CONFIGURE(f, (char *)put(f), (char *)t[i].option,
				  (char *)t[i].value);

		owner_assert_err(&f->d, r, -EINVAL, ERR_USAGE, t[i].says);
	}
	assert_int_equal(
		CONFIGURE(f, (char *)put(f), (char *)"-m", (char *)"6G,shared"),
		0);
	assert_true(f->c.memory.shared);
}

static void values_that_no_run_takes_are_the_bundles_fault(void **state)
{
	struct fixture *f = *state;

	f->b.cpus = 65;
	owner_assert_err(&f->d, CONFIGURE(f, (char *)put(f)), -EINVAL,
			 ERR_INPUT, "app.itb': --cpus: '65' is too large");
	f->b.cpus = 1;
	f->b.memory = 4097;
	owner_assert_err(&f->d, CONFIGURE(f, (char *)put(f)), -EINVAL,
			 ERR_INPUT, "--memory: ");
	f->b.memory = MIB(64);
	f->b.protect = "wishes";
	owner_assert_err(&f->d, CONFIGURE(f, (char *)put(f)), -EINVAL,
			 ERR_INPUT, "--protect: 'wishes' is not one of");
	f->b.protect = "sev";
	f->b.machine = "q35-coffer-0";
	owner_assert_err(&f->d, CONFIGURE(f, (char *)put(f)), -ENOTSUP,
			 ERR_INPUT, "for the machine 'q35-coffer-0'");
}

static void a_policy_is_not_for_an_unprotected_guest(void **state)
{
	struct fixture *f = *state;

	f->b.protect = NULL;
	owner_assert_err(&f->d, CONFIGURE(f, (char *)put(f)), -EINVAL,
			 ERR_USAGE, "--protect: is missing");
	f->b.protect = "none";
	owner_assert_err(&f->d, CONFIGURE(f, (char *)put(f)), -EINVAL,
			 ERR_USAGE, "--protect: is missing");
}

static void a_key_needs_a_bundle_and_a_bundle_a_signature(void **state)
{
	static const char pub[] =
		"-----BEGIN PUBLIC KEY-----\n"
		"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
		"-----END PUBLIC KEY-----\n"; /* RFC 8032, 7.1, test 1 */
	struct fixture *f = *state;
	char *key = (char *)owner_put_text(&f->d, "pub.pem", pub);

	owner_assert_err(&f->d,
			 CONFIGURE(f, (char *)"-k", (char *)"x",
				   (char *)"--bundle-key", key),
			 -EINVAL, ERR_USAGE, "--bundle-key: is for a BUNDLE");
	owner_assert_err(
		&f->d,
		CONFIGURE(f, (char *)put(f), (char *)"--bundle-key", key),
		-EKEYREJECTED, ERR_INPUT, "app.itb': it is not signed");
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(images_become_sealed_memfds),
		CASE(large_images_come_whole),
		CASE(a_wrong_hash_is_refused),
		CASE(what_becomes_of_the_file_does_not_matter),
		CASE(errors_name_the_file),
		CASE(a_bundle_sets_what_it_has),
		CASE(what_it_does_not_say_is_left_to_options),
		CASE(what_it_fixes_is_refused_beside_it),
		CASE(values_that_no_run_takes_are_the_bundles_fault),
		CASE(a_policy_is_not_for_an_unprotected_guest),
		CASE(a_key_needs_a_bundle_and_a_bundle_a_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
