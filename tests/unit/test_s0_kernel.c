/* tests/unit/test_s0_kernel.c - setup headers, and room for what they describe.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "firmware/stage0/s0_kernel.h"
#include "firmware/stage0/s0_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

enum { SETUP_LEN = 5 * 512, CODE_LEN = 0x100000 };

struct head {
	uint8_t b[SETUP_LEN];
};

/* Like that of a stock kernel. */
static struct head good(void)
{
	struct head h = {0};

	h.b[0x1f1] = 4;
	store_le32(h.b + 0x1f4, CODE_LEN / 16);
	store_le16(h.b + 0x1fe, 0xaa55);
	h.b[0x201] = 0x6a;
	memcpy(h.b + 0x202, "HdrS", 4);
	store_le16(h.b + 0x206, 0x020f);
	h.b[0x211] = 1;
	store_le32(h.b + 0x22c, 0x7fffffff);
	store_le32(h.b + 0x230, 0x200000);
	h.b[0x234] = 1;
	store_le16(h.b + 0x236, 0x7f);
	store_le32(h.b + 0x238, 2047);
	store_le64(h.b + 0x258, 0x1000000);
	store_le32(h.b + 0x260, 0x2000000);
	return h;
}

static struct bzimage parsed(const struct head *h)
{
	struct bzimage bz;

	assert_int_equal(s0_kernel_parse(h->b, SETUP_LEN, CODE_LEN, &bz),
			 STAGE0_OK);
	return bz;
}

static void a_stock_header_is_taken_as_it_is(void **state)
{
	struct head h = good();
	struct bzimage bz = parsed(&h);

	(void)state;
	assert_int_equal(bz.pref_address, 0x1000000);
	assert_int_equal(bz.init_size, 0x2000000);
	assert_int_equal(bz.alignment, 0x200000);
	assert_int_equal(bz.code_len, CODE_LEN);
	assert_int_equal(bz.cmdline_size, 2047);
	assert_int_equal(bz.hdr_len, 0x26c - 0x1f1);
	assert_memory_equal(bz.hdr, h.b + 0x1f1, bz.hdr_len);
}

static void setup_sects_0_means_4(void **state)
{
	struct head h = good();

	(void)state;
	h.b[0x1f1] = 0;
	parsed(&h);
}

#define REFUSED(want, ...)                                                     \
	do {                                                                   \
		struct head h = good();                                        \
		struct bzimage bz;                                             \
		__VA_ARGS__;                                                   \
		assert_int_equal(                                              \
			s0_kernel_parse(h.b, SETUP_LEN, CODE_LEN, &bz), want); \
	} while (0)

static void what_is_no_64_bit_bzimage_is_refused(void **state)
{
	struct head stock = good();
	struct bzimage out;

	(void)state;
	REFUSED(STAGE0_KERNEL_KIND, memset(h.b, 0, sizeof(h.b)));
	REFUSED(STAGE0_KERNEL_KIND, h.b[0x1fe] = 0);
	REFUSED(STAGE0_KERNEL_KIND, h.b[0x202] = 'h');
	REFUSED(STAGE0_KERNEL_KIND, store_le16(h.b + 0x206, 0x20b));
	REFUSED(STAGE0_KERNEL_KIND, h.b[0x211] = 0);
	REFUSED(STAGE0_KERNEL_KIND, store_le16(h.b + 0x236, 0x7e));
	for (uint32_t len = 0; len < 0x290; len += 16)
		assert_int_equal(s0_kernel_parse(stock.b, len, CODE_LEN, &out),
				 STAGE0_KERNEL_KIND);
}

static void a_header_that_contradicts_itself_is_refused(void **state)
{
	struct head h0 = good();
	struct bzimage out;

	(void)state;
	REFUSED(STAGE0_KERNEL_HEADER, h.b[0x1f1] = 5);
	REFUSED(STAGE0_KERNEL_HEADER, h.b[0x1f1] = 3);
	REFUSED(STAGE0_KERNEL_HEADER, h.b[0x201] = 0x65);
	REFUSED(STAGE0_KERNEL_HEADER, h.b[0x201] = 0xff);
	REFUSED(STAGE0_KERNEL_HEADER, store_le32(h.b + 0x1f4, 0));
	REFUSED(STAGE0_KERNEL_HEADER, store_le32(h.b + 0x1f4, 0x20));
	REFUSED(STAGE0_KERNEL_HEADER,
		store_le32(h.b + 0x1f4, CODE_LEN / 16 + 1));
	REFUSED(STAGE0_KERNEL_HEADER, store_le32(h.b + 0x1f4, UINT32_MAX));
	REFUSED(STAGE0_KERNEL_HEADER, store_le32(h.b + 0x260, CODE_LEN - 1));
	REFUSED(STAGE0_KERNEL_HEADER, store_le32(h.b + 0x238, 0));
	REFUSED(STAGE0_KERNEL_HEADER, store_le32(h.b + 0x230, 0));
	REFUSED(STAGE0_KERNEL_HEADER, store_le32(h.b + 0x230, 0x300000));
	assert_int_equal(s0_kernel_parse(h0.b, SETUP_LEN, CODE_LEN - 1, &out),
			 STAGE0_KERNEL_HEADER);
	/* more than its code is fine: a signature */
	assert_int_equal(s0_kernel_parse(h0.b, SETUP_LEN, CODE_LEN + 5, &out),
			 STAGE0_OK);
}

static enum stage0_reason place(const struct head *h, uint64_t low_end,
				uint64_t initrd_len, struct s0_place *p)
{
	struct s0_ram ram = {.low_end = low_end, .high_end = GIB(4)};
	struct bzimage bz = parsed(h);

	return s0_kernel_place(&bz, &ram, CODE_LEN, initrd_len, p);
}

static void the_kernel_goes_where_it_prefers(void **state)
{
	struct head h = good();
	struct s0_place p;

	(void)state;
	assert_int_equal(place(&h, MIB(512), 12345, &p), STAGE0_OK);
	assert_int_equal(p.kernel, 0x1000000);
	assert_int_equal(p.initrd, MIB(512) - 0x4000);
	assert_int_equal(place(&h, MIB(512), 0, &p), STAGE0_OK);
	assert_int_equal(p.initrd, 0);
}

static void an_initrd_stays_below_its_limit(void **state)
{
	struct head h = good();
	struct s0_place p;

	(void)state;
	store_le32(h.b + 0x22c, 0x7ffffff);
	assert_int_equal(place(&h, GIB(2), 4096, &p), STAGE0_OK);
	assert_int_equal(p.initrd, 0x8000000 - 4096);
	store_le32(h.b + 0x22c, UINT32_MAX);
	assert_int_equal(place(&h, GIB(3), 1, &p), STAGE0_OK);
	assert_int_equal(p.initrd, GIB(3) - 4096);
}

static void in_little_memory_a_relocatable_kernel_goes_lower(void **state)
{
	struct head h = good();
	struct s0_place p;

	(void)state;
	assert_int_equal(place(&h, 0x1000000 + 0x2000000 + 4096, 4096, &p),
			 STAGE0_OK);
	assert_int_equal(p.kernel, 0x1000000);
	assert_int_equal(place(&h, 0x1000000 + 0x2000000 + 4096, 4097, &p),
			 STAGE0_OK);
	assert_int_equal(p.kernel, S0_LOW_END);
	store_le32(h.b + 0x230, 0x800000);
	assert_int_equal(place(&h, 0x1000000 + 0x2000000, 1, &p), STAGE0_OK);
	assert_int_equal(p.kernel, 0x800000);
	h.b[0x234] = 0;
	assert_int_equal(place(&h, 0x1000000 + 0x2000000, 1, &p),
			 STAGE0_NO_ROOM);
}

static void no_room_is_said(void **state)
{
	struct head h = good();
	struct s0_place p;

	(void)state;
	assert_int_equal(place(&h, S0_LOW_END + 0x2000000 - 1, 0, &p),
			 STAGE0_NO_ROOM);
	assert_int_equal(place(&h, MIB(512), MIB(500), &p), STAGE0_NO_ROOM);
	assert_int_equal(place(&h, MIB(512), UINT64_C(1) << 32, &p),
			 STAGE0_NO_ROOM);
	store_le64(h.b + 0x258, UINT64_MAX);
	h.b[0x234] = 0;
	assert_int_equal(place(&h, MIB(512), 0, &p), STAGE0_NO_ROOM);
	store_le64(h.b + 0x258, S0_LOW_END - 1);
	assert_int_equal(place(&h, MIB(512), 0, &p), STAGE0_NO_ROOM);
}

/* What is behind the code is loaded, too, such as a signature. */
static void a_file_longer_than_its_memory_has_room(void **state)
{
	struct s0_ram ram = {.low_end = S0_LOW_END + 0x2000000,
			     .high_end = GIB(4)};
	struct head h = good();
	struct bzimage bz = parsed(&h);
	struct s0_place p;

	(void)state;
	assert_int_equal(s0_kernel_place(&bz, &ram, 0x2000000, 0, &p),
			 STAGE0_OK);
	assert_int_equal(s0_kernel_place(&bz, &ram, 0x2000001, 0, &p),
			 STAGE0_NO_ROOM);
	assert_int_equal(s0_kernel_place(&bz, &ram, UINT32_MAX, 0, &p),
			 STAGE0_NO_ROOM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stock_header_is_taken_as_it_is),
		cmocka_unit_test(setup_sects_0_means_4),
		cmocka_unit_test(what_is_no_64_bit_bzimage_is_refused),
		cmocka_unit_test(a_header_that_contradicts_itself_is_refused),
		cmocka_unit_test(the_kernel_goes_where_it_prefers),
		cmocka_unit_test(an_initrd_stays_below_its_limit),
		cmocka_unit_test(
			in_little_memory_a_relocatable_kernel_goes_lower),
		cmocka_unit_test(no_room_is_said),
		cmocka_unit_test(a_file_longer_than_its_memory_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
