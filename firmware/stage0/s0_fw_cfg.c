/* firmware/stage0/s0_fw_cfg.c - one transfer at a time, by DMA. */
#include "firmware/stage0/s0_fw_cfg.h"

#include <string.h>

#include "firmware/stage0/s0_io.h"
#include "firmware/stage0/s0_sha256.h"
#include "mem/mem_map.h"
#include "vmm/base/bytes.h"

enum {
	PORT_DATA = PORT_FW_CFG + 1,
	PORT_DMA = PORT_FW_CFG + 4, /* big-endian, upper half first */
	ID_DMA = 1 << 1,

	/* The descriptor: control, length, address, all big-endian. */
	DESC_CONTROL = 0,
	DESC_LENGTH = 4,
	DESC_ADDRESS = 8,
	DESC_LEN = 16,
	CONTROL_ERROR = 1 << 0,
	CONTROL_READ = 1 << 1,
	CONTROL_SELECT = 1 << 3,

	/* An entry of the directory */
	FILE_SIZE = 0, /* 4, big-endian */
	FILE_KEY = 4,  /* 2, big-endian */
	FILE_NAME = 8, /* with a zero */
	/* Devices answer at once; this is some seconds for one that is slow. */
	POLLS = 100000000,
};

static void read_slowly(const struct s0_io *io, uint16_t key, uint8_t v[4])
{
	io->out16(io, PORT_FW_CFG, key);
	for (int i = 0; i < 4; i++)
		v[i] = io->in8(io, PORT_DATA);
}

enum stage0_reason s0_fw_cfg_init(struct s0_fw_cfg *f, const struct s0_io *io,
				  uint8_t *window, bool bounce)
{
	uint8_t v[4];

	*f = (struct s0_fw_cfg){.io = io, .window = window, .bounce = bounce};
	read_slowly(io, S0_FW_CFG_SIGNATURE, v);
	if (memcmp(v, "QEMU", 4) != 0)
		return STAGE0_NO_FW_CFG;
	read_slowly(io, S0_FW_CFG_ID, v);
	return load_le32(v) & ID_DMA ? STAGE0_OK : STAGE0_NO_FW_CFG;
}

/* @control 0: go on behind what was read last. */
static enum stage0_reason transfer(struct s0_fw_cfg *f, uint32_t control,
				   void *dst, uint32_t len)
{
	volatile uint32_t *done = (volatile uint32_t *)(void *)f->window;
	uint64_t desc = (uintptr_t)f->window;
	uint32_t left = POLLS, v;

	store_be32(f->window + DESC_CONTROL, control | CONTROL_READ);
	store_be32(f->window + DESC_LENGTH, len);
	store_be64(f->window + DESC_ADDRESS, (uintptr_t)dst);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	f->io->out32(f->io, PORT_DMA, htobe32((uint32_t)(desc >> 32)));
	f->io->out32(f->io, PORT_DMA + 4, htobe32((uint32_t)desc));
	do
		v = be32toh(*done);
	while ((v & ~(uint32_t)CONTROL_ERROR) && --left);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return v ? STAGE0_FW_CFG_ERROR : STAGE0_OK;
}

static uint32_t select_key(uint16_t key)
{
	return (uint32_t)key << 16 | CONTROL_SELECT;
}

static uint8_t *data_of(struct s0_fw_cfg *f)
{
	return f->window + S0_FW_CFG_CONTROL_LEN;
}

enum stage0_reason s0_fw_cfg_read(struct s0_fw_cfg *f, uint16_t key, void *dst,
				  uint32_t len)
{
	enum stage0_reason r;

	if (len > S0_FW_CFG_CHUNK)
		return STAGE0_INTERNAL;
	r = transfer(f, select_key(key), data_of(f), len);
	if (r == STAGE0_OK)
		memcpy(dst, data_of(f), len);
	return r;
}

enum stage0_reason s0_fw_cfg_read_le32(struct s0_fw_cfg *f, uint16_t key,
				       uint32_t *ret)
{
	uint8_t v[4];
	enum stage0_reason r = s0_fw_cfg_read(f, key, v, sizeof(v));

	if (r == STAGE0_OK)
		*ret = load_le32(v);
	return r;
}

enum stage0_reason s0_fw_cfg_load(struct s0_fw_cfg *f, uint16_t key, void *dst,
				  uint32_t len, struct s0_sha256 *hash)
{
	uint32_t control = select_key(key);
	uint8_t *to = dst;

	if (!f->bounce && !hash)
		return transfer(f, control, dst, len);
	while (len) {
		uint32_t n = len < S0_FW_CFG_CHUNK ? len : S0_FW_CFG_CHUNK;
		enum stage0_reason r = transfer(f, control, data_of(f), n);

		if (r != STAGE0_OK)
			return r;
		if (hash)
			s0_sha256_copy(hash, to, data_of(f), n);
		else
			memcpy(to, data_of(f), n);
		to += n;
		len -= n;
		control = 0;
	}
	return STAGE0_OK;
}

enum stage0_reason s0_fw_cfg_find(struct s0_fw_cfg *f, const char *name,
				  uint16_t *ret_key, uint32_t *ret_len)
{
	size_t name_len = strlen(name) + 1;
	uint8_t v[S0_FW_CFG_FILE_LEN];
	enum stage0_reason r;
	uint32_t n;

	*ret_key = 0;
	r = s0_fw_cfg_read(f, S0_FW_CFG_FILE_DIR, v, 4);
	if (r != STAGE0_OK)
		return r;
	n = load_be32(v);
	if (n > S0_FW_CFG_FILES_MAX)
		return STAGE0_FW_CFG_FILES;
	r = transfer(f, 0, data_of(f), n * S0_FW_CFG_FILE_LEN);
	for (uint32_t i = 0; r == STAGE0_OK && i < n; i++) {
		memcpy(v, data_of(f) + (size_t)i * S0_FW_CFG_FILE_LEN,
		       sizeof(v));
		if (v[S0_FW_CFG_FILE_LEN - 1])
			return STAGE0_FW_CFG_FILES; /* no end of the name */
		if (memcmp(v + FILE_NAME, name, name_len) != 0)
			continue;
		*ret_key = load_be16(v + FILE_KEY);
		*ret_len = load_be32(v + FILE_SIZE);
		return STAGE0_OK;
	}
	return r;
}
