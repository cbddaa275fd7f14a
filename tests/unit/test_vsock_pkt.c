/* tests/unit/test_vsock_pkt.c - headers, and which packets are heard. */
#include "tests/unit/unit.h"

#include <string.h>

#include "devices/virtio/vsock_pkt.h"

enum { CID = 42 };

/* A packet nothing is wrong with. */
static struct vsock_pkt good(uint16_t op)
{
	return (struct vsock_pkt){
		.src_cid = CID,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = 1000,
		.dst_port = 80,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
	};
}

static enum vsock_verdict check(const struct vsock_pkt *p)
{
	return vsock_pkt_check(p, CID, VSOCK_PKT_MAX + 1);
}

static void every_field_is_where_the_specification_puts_it(void **state)
{
	uint8_t hdr[VSOCK_HDR_LEN], again[VSOCK_HDR_LEN];
	struct vsock_pkt p;

	(void)state;
	for (unsigned int i = 0; i < sizeof(hdr); i++)
		hdr[i] = (uint8_t)(i + 1);
	vsock_pkt_parse(hdr, &p);
	assert_true(p.src_cid == 0x0807060504030201);
	assert_true(p.dst_cid == 0x100f0e0d0c0b0a09);
	assert_int_equal(p.src_port, 0x14131211);
	assert_int_equal(p.dst_port, 0x18171615);
	assert_int_equal(p.len, 0x1c1b1a19);
	assert_int_equal(p.type, 0x1e1d);
	assert_int_equal(p.op, 0x201f);
	assert_int_equal(p.flags, 0x24232221);
	assert_int_equal(p.buf_alloc, 0x28272625);
	assert_int_equal(p.fwd_cnt, 0x2c2b2a29);
	vsock_pkt_build(&p, again);
	assert_memory_equal(hdr, again, sizeof(hdr));
}

static void the_length_of_a_header_can_be_changed(void **state)
{
	struct vsock_pkt p = good(VIRTIO_VSOCK_OP_RW);
	uint8_t hdr[VSOCK_HDR_LEN], other[VSOCK_HDR_LEN];

	(void)state;
	p.len = 1;
	vsock_pkt_build(&p, hdr);
	vsock_pkt_set_len(hdr, 0x12345678);
	p.len = 0x12345678;
	vsock_pkt_build(&p, other);
	assert_memory_equal(hdr, other, sizeof(hdr));
}

static void every_operation_is_heard(void **state)
{
	(void)state;
	for (unsigned int op = VIRTIO_VSOCK_OP_REQUEST;
	     op <= VIRTIO_VSOCK_OP_CREDIT_REQUEST; op++) {
		struct vsock_pkt p = good((uint16_t)op);

		assert_int_equal(check(&p), VSOCK_PKT_OK);
	}
}

static void a_wrong_address_is_dropped(void **state)
{
	struct vsock_pkt p = good(VIRTIO_VSOCK_OP_REQUEST);

	(void)state;
	p.src_cid = CID + 1;
	assert_int_equal(check(&p), VSOCK_PKT_DROP);
	p.src_cid = CID | UINT64_C(1) << 32; /* all 64 bits count */
	assert_int_equal(check(&p), VSOCK_PKT_DROP);
	p = good(VIRTIO_VSOCK_OP_REQUEST);
	p.dst_cid = 1; /* loopback is the guest's own business */
	assert_int_equal(check(&p), VSOCK_PKT_DROP);
	p.dst_cid = CID;
	assert_int_equal(check(&p), VSOCK_PKT_DROP);
}

static void an_unknown_type_or_operation_is_refused(void **state)
{
	struct vsock_pkt p = good(VIRTIO_VSOCK_OP_REQUEST);

	(void)state;
	p.type = 2; /* SEQPACKET is not offered */
	assert_int_equal(check(&p), VSOCK_PKT_RST);
	p.type = 0;
	assert_int_equal(check(&p), VSOCK_PKT_RST);
	p = good(0);
	assert_int_equal(check(&p), VSOCK_PKT_RST);
	p = good(VIRTIO_VSOCK_OP_CREDIT_REQUEST + 1);
	assert_int_equal(check(&p), VSOCK_PKT_RST);
	p = good(0xffff);
	assert_int_equal(check(&p), VSOCK_PKT_RST);
}

static void a_reset_is_never_refused(void **state)
{
	struct vsock_pkt p = good(VIRTIO_VSOCK_OP_RST);

	(void)state;
	p.type = 77;
	assert_int_equal(check(&p), VSOCK_PKT_DROP);
	p = good(VIRTIO_VSOCK_OP_RST);
	p.len = 1;
	assert_int_equal(check(&p), VSOCK_PKT_DROP);
}

static void a_length_that_lies_is_refused(void **state)
{
	struct vsock_pkt p = good(VIRTIO_VSOCK_OP_RW);

	(void)state;
	p.len = 100;
	assert_int_equal(vsock_pkt_check(&p, CID, 100), VSOCK_PKT_OK);
	assert_int_equal(vsock_pkt_check(&p, CID, 99), VSOCK_PKT_RST);
	p.len = UINT32_MAX;
	assert_int_equal(vsock_pkt_check(&p, CID, UINT64_MAX), VSOCK_PKT_RST);
	p.len = VSOCK_PKT_MAX;
	assert_int_equal(check(&p), VSOCK_PKT_OK);
	p.len = VSOCK_PKT_MAX + 1;
	assert_int_equal(check(&p), VSOCK_PKT_RST);
}

static void only_data_has_a_payload(void **state)
{
	struct vsock_pkt p = good(VIRTIO_VSOCK_OP_CREDIT_UPDATE);

	(void)state;
	p.len = 1;
	assert_int_equal(check(&p), VSOCK_PKT_RST);
	p = good(VIRTIO_VSOCK_OP_RW); /* none is fine, too */
	assert_int_equal(check(&p), VSOCK_PKT_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_field_is_where_the_specification_puts_it),
		cmocka_unit_test(the_length_of_a_header_can_be_changed),
		cmocka_unit_test(every_operation_is_heard),
		cmocka_unit_test(a_wrong_address_is_dropped),
		cmocka_unit_test(an_unknown_type_or_operation_is_refused),
		cmocka_unit_test(a_reset_is_never_refused),
		cmocka_unit_test(a_length_that_lies_is_refused),
		cmocka_unit_test(only_data_has_a_payload),
	};

	return cmocka_run_group_tests_name("vsock_pkt", tests, NULL, NULL);
}
