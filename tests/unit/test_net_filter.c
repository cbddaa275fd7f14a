/* tests/unit/test_net_filter.c - which frames the guest wants. */
#include "tests/unit/unit.h"

#include <string.h>

#include "devices/virtio/net_filter.h"

static const uint8_t own[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t other[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1};
static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Who passes: own, other, group, broadcast, as four characters. */
static void assert_passes(const struct net_filter *f, const char *want)
{
	const uint8_t *dst[] = {own, other, group, broadcast};
	char got[5] = "";

	for (size_t i = 0; i < 4; i++)
		got[i] = net_filter_pass(f, dst[i]) ? 'y' : '-';
	assert_string_equal(got, want);
}

static struct net_filter quiet(void)
{
	struct net_filter f;

	net_filter_reset(&f, own);
	f.mode[NET_FILTER_PROMISC] = false;
	return f;
}

static void after_a_reset_everything_passes(void **state)
{
	struct net_filter f;

	(void)state;
	memset(&f, 0xff, sizeof(f));
	net_filter_reset(&f, own);
	assert_passes(&f, "yyyy");
}

static void without_tables_only_own_and_broadcast_pass(void **state)
{
	struct net_filter f = quiet();

	(void)state;
	assert_passes(&f, "y--y");
}

static void every_mode_does_what_its_name_says(void **state)
{
	static const struct {
		enum net_filter_mode mode;
		const char *want;
	} modes[] = {
		{NET_FILTER_PROMISC, "yyyy"}, {NET_FILTER_ALLMULTI, "y-yy"},
		{NET_FILTER_ALLUNI, "yy-y"},  {NET_FILTER_NOMULTI, "y--y"},
		{NET_FILTER_NOUNI, "---y"},   {NET_FILTER_NOBCAST, "y---"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct net_filter f = quiet();

		f.mode[modes[i].mode] = true;
		assert_passes(&f, modes[i].want);
	}
}

static void tables_let_their_addresses_pass(void **state)
{
	struct net_filter f = quiet();

	(void)state;
	f.uni.n = f.multi.n = NET_FILTER_MACS;
	memcpy(f.uni.mac[NET_FILTER_MACS - 1], other, 6);
	assert_passes(&f, "yy-y");
	memcpy(f.multi.mac[0], group, 6);
	assert_passes(&f, "yyyy");
	f.mode[NET_FILTER_NOMULTI] = true;
	assert_passes(&f, "yy-y");
	f.mode[NET_FILTER_NOUNI] = true;
	assert_passes(&f, "---y");
	f.uni.n = f.multi.n = 0;
	f.mode[NET_FILTER_NOMULTI] = f.mode[NET_FILTER_NOUNI] = false;
	assert_passes(&f, "y--y");
}

static void tables_that_were_too_long_let_all_pass(void **state)
{
	struct net_filter f = quiet();

	(void)state;
	f.uni.all = true;
	assert_passes(&f, "yy-y");
	f.multi.all = true;
	assert_passes(&f, "yyyy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_reset_everything_passes),
		cmocka_unit_test(without_tables_only_own_and_broadcast_pass),
		cmocka_unit_test(every_mode_does_what_its_name_says),
		cmocka_unit_test(tables_let_their_addresses_pass),
		cmocka_unit_test(tables_that_were_too_long_let_all_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
