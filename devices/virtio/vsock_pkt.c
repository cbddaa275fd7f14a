/* devices/virtio/vsock_pkt.c - vsock packet headers, field by field. */
#include "devices/virtio/vsock_pkt.h"

#include "vmm/base/bytes.h"

/* virtio 1.2, 5.10.6: struct virtio_vsock_hdr */
enum {
	OFF_SRC_CID = 0,
	OFF_DST_CID = 8,
	OFF_SRC_PORT = 16,
	OFF_DST_PORT = 20,
	OFF_LEN = 24,
	OFF_TYPE = 28,
	OFF_OP = 30,
	OFF_FLAGS = 32,
	OFF_BUF_ALLOC = 36,
	OFF_FWD_CNT = 40,
};

void vsock_pkt_parse(const uint8_t hdr[static VSOCK_HDR_LEN],
		     struct vsock_pkt *ret)
{
	*ret = (struct vsock_pkt){
		.src_cid = load_le64(hdr + OFF_SRC_CID),
		.dst_cid = load_le64(hdr + OFF_DST_CID),
		.src_port = load_le32(hdr + OFF_SRC_PORT),
		.dst_port = load_le32(hdr + OFF_DST_PORT),
		.len = load_le32(hdr + OFF_LEN),
		.type = load_le16(hdr + OFF_TYPE),
		.op = load_le16(hdr + OFF_OP),
		.flags = load_le32(hdr + OFF_FLAGS),
		.buf_alloc = load_le32(hdr + OFF_BUF_ALLOC),
		.fwd_cnt = load_le32(hdr + OFF_FWD_CNT),
	};
}

void vsock_pkt_build(const struct vsock_pkt *p,
		     uint8_t hdr[static VSOCK_HDR_LEN])
{
	store_le64(hdr + OFF_SRC_CID, p->src_cid);
	store_le64(hdr + OFF_DST_CID, p->dst_cid);
	store_le32(hdr + OFF_SRC_PORT, p->src_port);
	store_le32(hdr + OFF_DST_PORT, p->dst_port);
	store_le32(hdr + OFF_LEN, p->len);
	store_le16(hdr + OFF_TYPE, p->type);
	store_le16(hdr + OFF_OP, p->op);
	store_le32(hdr + OFF_FLAGS, p->flags);
	store_le32(hdr + OFF_BUF_ALLOC, p->buf_alloc);
	store_le32(hdr + OFF_FWD_CNT, p->fwd_cnt);
}

void vsock_pkt_set_len(uint8_t hdr[static VSOCK_HDR_LEN], uint32_t len)
{
	store_le32(hdr + OFF_LEN, len);
}

enum vsock_verdict vsock_pkt_check(const struct vsock_pkt *p,
				   uint64_t guest_cid, uint64_t room)
{
	bool ok;

	/* As the kernel's back end: whoever lies about itself is not heard. */
	if (p->src_cid != guest_cid || p->dst_cid != VSOCK_CID_HOST)
		return VSOCK_PKT_DROP;
	ok = p->type == VIRTIO_VSOCK_TYPE_STREAM &&
	     p->op >= VIRTIO_VSOCK_OP_REQUEST &&
	     p->op <= VIRTIO_VSOCK_OP_CREDIT_REQUEST && p->len <= room &&
	     p->len <= VSOCK_PKT_MAX &&
	     (p->op == VIRTIO_VSOCK_OP_RW || !p->len);
	if (ok)
		return VSOCK_PKT_OK;
	/* An RST is never answered, or two sides could go on for ever. */
	return p->op == VIRTIO_VSOCK_OP_RST ? VSOCK_PKT_DROP : VSOCK_PKT_RST;
}
