/* tests/unit/test_net_hdr.c - features, offloads, headers. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "devices/virtio/net_hdr.h"
#include "vmm/base/bits.h"

enum {
	ALL = NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4 | NET_OFFLOAD_TSO6 |
	      NET_OFFLOAD_ECN | NET_OFFLOAD_UFO | NET_OFFLOAD_USO4 |
	      NET_OFFLOAD_USO6,
	CSUM = NET_OFFLOAD_CSUM,
};

static void features_and_offloads_match(void **state)
{
	uint64_t f = net_hdr_features(ALL);

	(void)state;
	assert_int_equal(net_hdr_guest_offloads(f), ALL);
	assert_int_equal(net_hdr_host_offloads(f), ALL);
	assert_int_equal(net_hdr_features(0), 0);
	assert_int_equal(net_hdr_features(CSUM),
			 BIT64(VIRTIO_NET_F_CSUM) |
				 BIT64(VIRTIO_NET_F_GUEST_CSUM) |
				 BIT64(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS));
	assert_int_equal(net_hdr_switchable(f), 0x00c0000000000782);
	assert_int_equal(net_hdr_switchable(f & ~BIT64(VIRTIO_NET_F_GUEST_ECN)),
			 0x00c0000000000582);
}

static void the_two_directions_are_apart(void **state)
{
	(void)state;
	assert_int_equal(net_hdr_guest_offloads(BIT64(VIRTIO_NET_F_CSUM)), 0);
	assert_int_equal(net_hdr_host_offloads(BIT64(VIRTIO_NET_F_CSUM)), CSUM);
	assert_int_equal(net_hdr_guest_offloads(BIT64(VIRTIO_NET_F_GUEST_CSUM) |
						BIT64(VIRTIO_NET_F_HOST_TSO4)),
			 CSUM);
}

static void an_offload_without_its_base_is_left_out(void **state)
{
	uint64_t csum = BIT64(VIRTIO_NET_F_GUEST_CSUM);

	(void)state;
	assert_int_equal(net_hdr_guest_offloads(BIT64(VIRTIO_NET_F_GUEST_TSO4)),
			 0);
	assert_int_equal(
		net_hdr_guest_offloads(csum | BIT64(VIRTIO_NET_F_GUEST_ECN)),
		CSUM);
	assert_int_equal(
		net_hdr_guest_offloads(csum | BIT64(VIRTIO_NET_F_GUEST_USO4)),
		CSUM);
	assert_int_equal(net_hdr_guest_offloads(csum |
						BIT64(VIRTIO_NET_F_GUEST_USO4) |
						BIT64(VIRTIO_NET_F_GUEST_USO6)),
			 CSUM | NET_OFFLOAD_USO4 | NET_OFFLOAD_USO6);
	assert_int_equal(net_hdr_features(NET_OFFLOAD_TSO4), 0);
}

static int sent(uint8_t flags, uint8_t gso, uint32_t offloads)
{
	uint8_t h[NET_HDR_LEN] = {flags, gso};

	return net_hdr_check_sent(h, offloads);
}

static int received(uint8_t flags, uint8_t gso, uint32_t offloads)
{
	uint8_t h[NET_HDR_LEN] = {flags, gso};

	return net_hdr_check_received(h, offloads);
}

static void every_kind_needs_its_offload(void **state)
{
	static const struct {
		uint8_t gso;
		uint32_t need;
	} kinds[] = {
		{VIRTIO_NET_HDR_GSO_TCPV4, CSUM | NET_OFFLOAD_TSO4},
		{VIRTIO_NET_HDR_GSO_TCPV6, CSUM | NET_OFFLOAD_TSO6},
		{VIRTIO_NET_HDR_GSO_UDP, CSUM | NET_OFFLOAD_UFO},
		{VIRTIO_NET_HDR_GSO_UDP_L4,
		 CSUM | NET_OFFLOAD_USO4 | NET_OFFLOAD_USO6},
		{VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
		 CSUM | NET_OFFLOAD_TSO4 | NET_OFFLOAD_ECN},
		{VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN,
		 CSUM | NET_OFFLOAD_TSO6 | NET_OFFLOAD_ECN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_int_equal(sent(1, kinds[i].gso, kinds[i].need), 0);
		assert_int_equal(received(1, kinds[i].gso, kinds[i].need), 0);
		for (uint32_t bit = 1; bit <= NET_OFFLOAD_USO6; bit <<= 1) {
			uint32_t less = kinds[i].need & ~bit;

			if (less == kinds[i].need)
				continue;
			assert_int_equal(sent(1, kinds[i].gso, less), -EPROTO);
			assert_int_equal(received(1, kinds[i].gso, less),
					 -EPROTO);
		}
	}
}

static void kinds_that_do_not_exist_are_refused(void **state)
{
	static const uint8_t known[] = {0, 1, 3, 4, 5, 0x81, 0x84};

	(void)state;
	for (unsigned int gso = 0; gso < 256; gso++)
		assert_int_equal(
			sent(0, (uint8_t)gso, ALL),
			memchr(known, (int)gso, sizeof(known)) ? 0 : -EPROTO);
}

static void a_checksum_to_fill_in_needs_the_offload(void **state)
{
	(void)state;
	assert_int_equal(sent(VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, 0), -EPROTO);
	assert_int_equal(sent(VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, CSUM), 0);
	assert_int_equal(received(VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, 0), -EPROTO);
	assert_int_equal(received(VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, CSUM), 0);
}

static void unknown_flags_are_cleared(void **state)
{
	uint8_t h[NET_HDR_LEN];

	(void)state;
	memset(h, 0xff, sizeof(h));
	h[NET_HDR_GSO_TYPE] = 0;
	assert_int_equal(net_hdr_check_sent(h, CSUM), 0);
	assert_int_equal(h[NET_HDR_FLAGS], VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(h[NET_HDR_NUM_BUFFERS], 0);
	assert_int_equal(h[NET_HDR_NUM_BUFFERS + 1], 0);
	assert_int_equal(h[NET_HDR_NUM_BUFFERS - 1], 0xff);
	h[NET_HDR_FLAGS] = 0xff;
	assert_int_equal(net_hdr_check_received(h, CSUM), 0);
	assert_int_equal(h[NET_HDR_FLAGS], VIRTIO_NET_HDR_F_NEEDS_CSUM |
						   VIRTIO_NET_HDR_F_DATA_VALID);
	h[NET_HDR_FLAGS] = 0xfe;
	assert_int_equal(net_hdr_check_received(h, 0), 0);
	assert_int_equal(h[NET_HDR_FLAGS], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features_and_offloads_match),
		cmocka_unit_test(the_two_directions_are_apart),
		cmocka_unit_test(an_offload_without_its_base_is_left_out),
		cmocka_unit_test(every_kind_needs_its_offload),
		cmocka_unit_test(kinds_that_do_not_exist_are_refused),
		cmocka_unit_test(a_checksum_to_fill_in_needs_the_offload),
		cmocka_unit_test(unknown_flags_are_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
