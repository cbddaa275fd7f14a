/* tests/unit/test_snp_digest.c - digests of single pages, and of their order.
 */
#include "crypto/snp_digest.h"

#include <stdbool.h>
#include <string.h>

#include "tests/unit/hex.h"
#include "tests/unit/unit.h"

static const uint8_t zeros[SNP_PAGE_LEN];

/* Test vectors of a calculator that is not ours. */
static void a_page_of_zeros_is_content(void **state)
{
	struct snp_digest d = {0};

	(void)state;
	assert_int_equal(snp_digest_add(&d, SNP_PAGE_NORMAL, 0xfffff000, zeros),
			 0);
	assert_hex(d.ld, "46c510442a54cc32344cef32e14dc3d6312fc4a010780dd1"
			 "1fd33204df5550590356b069e6c6ca5bbfca71561f370399");
}

static void a_zero_page_is_not(void **state)
{
	struct snp_digest d = {0};

	(void)state;
	assert_int_equal(snp_digest_add(&d, SNP_PAGE_ZERO, 0x1000, NULL), 0);
	assert_hex(d.ld, "4bd4147976a1e7554c1c778a781affc1c672f1965a727ba1"
			 "6084989b7e356044a28bbe585a2f75dac9356fa5ab78f061");
}

static void same(bool is, const struct snp_digest *a,
		 const struct snp_digest *b)
{
	assert_int_equal(!memcmp(a->ld, b->ld, sizeof(a->ld)), is);
}

static void order_address_kind_and_content_are_bound(void **state)
{
	struct snp_digest ab = {0}, ba = {0}, again = {0}, other = {0};
	uint8_t page[SNP_PAGE_LEN] = {0};

	(void)state;
	snp_digest_add(&ab, SNP_PAGE_NORMAL, 0x1000, page);
	snp_digest_add(&ab, SNP_PAGE_VMSA, SNP_VMSA_GPA, page);
	snp_digest_add(&ba, SNP_PAGE_VMSA, SNP_VMSA_GPA, page);
	snp_digest_add(&ba, SNP_PAGE_NORMAL, 0x1000, page);
	same(false, &ab, &ba);
	snp_digest_add(&again, SNP_PAGE_NORMAL, 0x1000, page);
	snp_digest_add(&again, SNP_PAGE_VMSA, SNP_VMSA_GPA, page);
	same(true, &ab, &again);
	snp_digest_add(&other, SNP_PAGE_NORMAL, 0x2000, page);
	snp_digest_add(&other, SNP_PAGE_VMSA, SNP_VMSA_GPA, page);
	same(false, &ab, &other);
	page[4095] = 1;
	other = (struct snp_digest){0};
	snp_digest_add(&other, SNP_PAGE_NORMAL, 0x1000, page);
	page[4095] = 0;
	snp_digest_add(&other, SNP_PAGE_VMSA, SNP_VMSA_GPA, page);
	same(false, &ab, &other);
}

static void pages_without_content_differ_by_kind(void **state)
{
	struct snp_digest secrets = {0}, cpuid = {0};

	(void)state;
	snp_digest_add(&secrets, SNP_PAGE_SECRETS, 0x1000, NULL);
	snp_digest_add(&cpuid, SNP_PAGE_CPUID, 0x1000, NULL);
	same(false, &secrets, &cpuid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_of_zeros_is_content),
		cmocka_unit_test(a_zero_page_is_not),
		cmocka_unit_test(order_address_kind_and_content_are_bound),
		cmocka_unit_test(pages_without_content_differ_by_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
