/* firmware/uki.c - finds the sections of a unified kernel image. */
#include "firmware/uki.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

/* Microsoft PE Format: "MS-DOS Stub", "COFF File Header", "Section Table". */
enum {
	DOS_HEADER_LEN = 0x40,
	DOS_LFANEW = 0x3c,  /* 4 bytes: offset of the PE header */
	PE_HEADER_LEN = 26, /* signature, COFF header, magic of the next */
	PE_MACHINE = 4,
	PE_N_SECTIONS = 6,
	PE_OPT_LEN = 20,
	PE_OPT_HEADER = 24,
	PE32_PLUS = 0x20b,
	MACHINE_AMD64 = 0x8664,
	SECTION_LEN = 40,
	SECTION_VIRTUAL_SIZE = 8,
	SECTION_RAW_SIZE = 16,
	SECTION_RAW_OFF = 20,
};

bool uki_probe(const uint8_t *head, size_t len)
{
	return len >= 2 && head[0] == 'M' && head[1] == 'Z';
}

/* *ret_table is where the section table starts. */
static int read_headers(const struct image_file *f, uint64_t *ret_table,
			uint16_t *ret_n, struct err *err)
{
	uint8_t dos[DOS_HEADER_LEN], pe[PE_HEADER_LEN] = {0};
	uint64_t off;
	int r;

	r = image_file_read(f, 0, dos, sizeof(dos), err);
	if (r < 0)
		return r;
	off = load_le32(dos + DOS_LFANEW);
	if (uki_probe(dos, sizeof(dos)) &&
	    range_within(off, sizeof(pe), f->len))
		r = image_file_read(f, off, pe, sizeof(pe), err);
	if (r < 0)
		return r;
	if (memcmp(pe, "PE\0", 4) != 0)
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it looks like a DOS program (MZ without a "
				    "PE header), or was cut");
	if (load_le16(pe + PE_MACHINE) != MACHINE_AMD64 ||
	    load_le16(pe + PE_OPT_HEADER) != PE32_PLUS)
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is a PE program for machine 0x%x, not "
				    "x86-64 (0x8664)",
				    load_le16(pe + PE_MACHINE));
	*ret_n = load_le16(pe + PE_N_SECTIONS);
	*ret_table = off + PE_OPT_HEADER + load_le16(pe + PE_OPT_LEN);
	return 0;
}

static int parse_section(const struct image_file *f, const uint8_t *s,
			 struct image_file *ret, struct err *err)
{
	uint64_t off = load_le32(s + SECTION_RAW_OFF);
	uint64_t len = load_le32(s + SECTION_RAW_SIZE);
	uint64_t virtual_size = load_le32(s + SECTION_VIRTUAL_SIZE);

	/*
	 * The raw size is padded; the virtual size is exact, but for .linux,
	 * where ukify(1) writes what the kernel would need in memory.
	 */
	if (len > virtual_size)
		len = virtual_size;
	if (!range_within(off, len, f->len))
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its section %.8s lies past the end of the "
				    "file: it was cut",
				    (const char *)s);
	*ret = (struct image_file){
		.fd = f->fd, .name = f->name, .off = f->off + off, .len = len};
	return 0;
}

static bool section_is(const uint8_t *s, const char *name)
{
	return !strncmp((const char *)s, name, 8);
}

/* Which member of @u is section @s? NULL: none. */
static struct image_file *section_slot(struct uki *u, const uint8_t *s)
{
	if (section_is(s, ".linux"))
		return &u->linux_file;
	if (section_is(s, ".initrd"))
		return &u->initrd;
	if (section_is(s, ".cmdline"))
		return &u->cmdline;
	return NULL;
}

/*
 * Sections before the first .profile hold for every profile; those after it,
 * up to the next .profile, are the first profile's own and override them
 * (UAPI.5, "Multi-Profile UKIs").
 */
static int scan_sections(const struct image_file *f, const uint8_t *table,
			 size_t n, struct uki *u, struct err *err)
{
	struct uki own = {0};
	struct uki *to = u;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *s = table + i * SECTION_LEN;
		struct image_file *slot = section_slot(to, s);
		int r;

		if (section_is(s, ".profile")) {
			if (to == &own)
				break;
			to = &own;
		}
		if (!slot)
			continue;
		if (slot->name)
			return err_set_kind(err, ERR_INPUT, -EBADMSG,
					    "it has two sections %.8s",
					    (const char *)s);
		r = parse_section(f, s, slot, err);
		if (r < 0)
			return r;
	}
	if (own.linux_file.len)
		u->linux_file = own.linux_file;
	if (own.initrd.len)
		u->initrd = own.initrd;
	if (own.cmdline.len)
		u->cmdline = own.cmdline;
	return 0;
}

int uki_parse(const struct image_file *f, struct uki *ret, struct err *err)
{
	uint8_t table[UKI_MAX_SECTIONS * SECTION_LEN];
	struct uki u = {0};
	uint64_t table_off = 0;
	uint16_t n = 0;
	int r;

	r = read_headers(f, &table_off, &n, err);
	if (r < 0)
		return r;
	if (!n || n > UKI_MAX_SECTIONS)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its PE header has %u sections, not 1..%d: "
				    "it is damaged",
				    n, UKI_MAX_SECTIONS);
	r = image_file_read(f, table_off, table, (size_t)n * SECTION_LEN, err);
	if (r == 0)
		r = scan_sections(f, table, n, &u, err);
	if (r < 0)
		return r;
	if (!u.linux_file.name)
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is a PE program (for UEFI or Windows) "
				    "without a .linux section, so not a "
				    "unified kernel image");
	if (!u.linux_file.len)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its .linux section is empty");
	*ret = u;
	return 0;
}

static bool blank(char c)
{
	return (unsigned char)c <= ' ';
}

int uki_read_cmdline(const struct uki *u, char **ret, struct err *err)
{
	AUTO(freep) char *s = NULL;
	size_t len = u->cmdline.len;
	size_t from = 0;
	int r;

	if (len > UKI_CMDLINE_MAX)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its .cmdline section has %zu bytes; %d "
				    "are the limit",
				    len, UKI_CMDLINE_MAX);
	s = calloc(1, len + 1);
	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	r = image_file_read(&u->cmdline, 0, s, len, err);
	if (r < 0)
		return r;
	len = strlen(s);
	while (len && blank(s[len - 1]))
		len--;
	while (from < len && blank(s[from]))
		from++;
	len -= from;
	memmove(s, s + from, len);
	s[len] = 0;
	for (size_t i = 0; i < len; i++)
		if (blank(s[i]))
			s[i] = ' ';
	*ret = TAKE(s);
	return 0;
}
