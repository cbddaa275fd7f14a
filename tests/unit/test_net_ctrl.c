/* tests/unit/test_net_ctrl.c - commands of the control queue as bytes. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/net_ctrl.h"
#include "devices/virtio/net_hdr.h"
#include "devices/virtio/virtq.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

#define EVERYTHING UINT64_MAX

/* From exactly @len bytes, in one buffer, so that ASan sees a read behind. */
static int parse_with(const void *bytes, size_t len, uint64_t features,
		      struct net_ctrl *ret)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct iovec iov = {copy, len};
	struct virtq_chain c = {.n_out = 1, .out_len = len, .iov = &iov};
	int r;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	r = net_ctrl_parse(&c, features, ret);
	free(copy);
	return r;
}

static struct net_ctrl parsed;

static int parse(const void *bytes, size_t len)
{
	return parse_with(bytes, len, EVERYTHING, &parsed);
}

/* One byte less and one byte more are not the command. */
static void assert_only_length(const uint8_t *bytes, size_t len)
{
	uint8_t longer[2048];

	assert_true(len < sizeof(longer));
	memcpy(longer, bytes, len);
	longer[len] = 0;
	assert_int_equal(parse(bytes, len), 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(parse(bytes, i), -EPROTO);
	assert_int_equal(parse(longer, len + 1), -EPROTO);
}

static void receive_modes_are_parsed(void **state)
{
	(void)state;
	for (unsigned int m = 0; m < NET_FILTER_MODES; m++) {
		uint8_t cmd[3] = {0, (uint8_t)m, m & 1};

		assert_only_length(cmd, sizeof(cmd));
		assert_int_equal(parse(cmd, sizeof(cmd)), 0);
		assert_int_equal(parsed.kind, NET_CTRL_RX_MODE);
		assert_int_equal(parsed.rx.mode, m);
		assert_int_equal(parsed.rx.on, m & 1);
	}
	assert_int_equal(parse("\0\6\1", 3), -EOPNOTSUPP);
	assert_int_equal(parse("\0\377\1", 3), -EOPNOTSUPP);
}

static void a_mac_is_parsed(void **state)
{
	static const uint8_t cmd[] = {1, 1, 2, 3, 4, 5, 6, 7};
	static const uint8_t multi[] = {1, 1, 3, 3, 4, 5, 6, 7};

	(void)state;
	assert_only_length(cmd, sizeof(cmd));
	assert_int_equal(parse(cmd, sizeof(cmd)), 0);
	assert_int_equal(parsed.kind, NET_CTRL_MAC_ADDR);
	assert_memory_equal(parsed.mac, cmd + 2, 6);
	assert_int_equal(parse(multi, sizeof(multi)), -EPROTO);
	assert_int_equal(parse("\1\2......", 8), -EOPNOTSUPP);
}

/* A MAC_TABLE_SET with so many addresses; returns its length. */
static size_t table(uint8_t *buf, uint32_t n_uni, uint32_t n_multi)
{
	uint8_t *p = buf;

	*p++ = 1;
	*p++ = 0;
	store_le32(p, n_uni);
	p += 4;
	memset(p, 0x22, 6 * (size_t)n_uni);
	p += 6 * (size_t)n_uni;
	store_le32(p, n_multi);
	p += 4;
	memset(p, 0x33, 6 * (size_t)n_multi);
	return (size_t)(p - buf) + 6 * (size_t)n_multi;
}

static void mac_tables_are_parsed(void **state)
{
	uint8_t buf[2048];

	(void)state;
	assert_only_length(buf, table(buf, 0, 0));
	assert_only_length(buf, table(buf, 2, 3));
	assert_int_equal(parse(buf, table(buf, 2, 3)), 0);
	assert_int_equal(parsed.kind, NET_CTRL_MAC_TABLE);
	assert_int_equal(parsed.uni.n, 2);
	assert_int_equal(parsed.multi.n, 3);
	assert_false(parsed.uni.all || parsed.multi.all);
	assert_int_equal(parsed.uni.mac[1][5], 0x22);
	assert_int_equal(parsed.multi.mac[0][0], 0x33);
}

static void a_table_that_is_too_long_for_us_is_everything(void **state)
{
	uint8_t buf[2048];

	(void)state;
	assert_int_equal(
		parse(buf, table(buf, NET_FILTER_MACS, NET_FILTER_MACS + 1)),
		0);
	assert_int_equal(parsed.uni.n, NET_FILTER_MACS);
	assert_false(parsed.uni.all);
	assert_int_equal(parsed.multi.n, 0);
	assert_true(parsed.multi.all);
	assert_only_length(buf, table(buf, NET_FILTER_MACS + 9, 1));
	assert_true(parsed.uni.all);
}

static void a_table_that_lies_about_its_length_is_refused(void **state)
{
	static const uint32_t lies[] = {2, 0x2aaaaaab, 0x80000000, 0xffffffff};
	uint8_t buf[2048];
	size_t len = table(buf, 1, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		store_le32(buf + 2, lies[i]);
		assert_int_equal(parse(buf, len), -EPROTO);
	}
	table(buf, 1, 1);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		store_le32(buf + 12, lies[i]);
		assert_int_equal(parse(buf, len), -EPROTO);
	}
}

static void pairs_are_parsed(void **state)
{
	static const uint8_t cmd[] = {4, 0, 0x34, 0x12};

	(void)state;
	assert_only_length(cmd, sizeof(cmd));
	assert_int_equal(parse(cmd, sizeof(cmd)), 0);
	assert_int_equal(parsed.kind, NET_CTRL_PAIRS);
	assert_int_equal(parsed.pairs, 0x1234);
	assert_int_equal(parse("\4\1..", 4), -EOPNOTSUPP);
}

static void offloads_are_parsed(void **state)
{
	uint8_t cmd[10] = {5, 0};
	uint64_t have = BIT64(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) |
			BIT64(VIRTIO_NET_F_GUEST_CSUM);

	(void)state;
	store_le64(cmd + 2, BIT64(VIRTIO_NET_F_GUEST_CSUM));
	assert_only_length(cmd, sizeof(cmd));
	assert_int_equal(parse_with(cmd, 10, have, &parsed), 0);
	assert_int_equal(parsed.kind, NET_CTRL_OFFLOADS);
	assert_int_equal(parsed.offloads, 2);
	/* what was not negotiated, or is no offload */
	store_le64(cmd + 2, BIT64(VIRTIO_NET_F_GUEST_TSO4));
	assert_int_equal(parse_with(cmd, 10, have, &parsed), -EPROTO);
	store_le64(cmd + 2, BIT64(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS));
	assert_int_equal(parse_with(cmd, 10, have, &parsed), -EPROTO);
	cmd[1] = 1;
	assert_int_equal(parse(cmd, 10), -EOPNOTSUPP);
}

static void every_command_needs_its_feature(void **state)
{
	static const struct {
		unsigned int bit, len;
		uint8_t bytes[10];
	} cmds[] = {
		{VIRTIO_NET_F_CTRL_RX, 3, {0, 0, 1}},
		{VIRTIO_NET_F_CTRL_RX, 3, {0, 1, 1}},
		{VIRTIO_NET_F_CTRL_RX_EXTRA, 3, {0, 2, 1}},
		{VIRTIO_NET_F_CTRL_RX_EXTRA, 3, {0, 5, 1}},
		{VIRTIO_NET_F_CTRL_RX, 10, {1, 0}},
		{VIRTIO_NET_F_CTRL_MAC_ADDR, 8, {1, 1, 2}},
		{VIRTIO_NET_F_MQ, 4, {4, 0, 1}},
		{VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, 10, {5, 0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		assert_int_equal(parse(cmds[i].bytes, cmds[i].len), 0);
		assert_int_equal(parse_with(cmds[i].bytes, cmds[i].len,
					    ~BIT64(cmds[i].bit), &parsed),
				 -EOPNOTSUPP);
	}
}

static void unknown_classes_are_refused(void **state)
{
	(void)state;
	for (unsigned int class = 0; class < 256; class ++) {
		uint8_t cmd[3] = {(uint8_t) class, 0, 0};

		if (class != 0 && class != 1 && class != 4 && class != 5)
			assert_int_equal(parse(cmd, 3), -EOPNOTSUPP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receive_modes_are_parsed),
		cmocka_unit_test(a_mac_is_parsed),
		cmocka_unit_test(mac_tables_are_parsed),
		cmocka_unit_test(a_table_that_is_too_long_for_us_is_everything),
		cmocka_unit_test(a_table_that_lies_about_its_length_is_refused),
		cmocka_unit_test(pairs_are_parsed),
		cmocka_unit_test(offloads_are_parsed),
		cmocka_unit_test(every_command_needs_its_feature),
		cmocka_unit_test(unknown_classes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
