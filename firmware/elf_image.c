/* firmware/elf_image.c - reads program headers and the PVH note of an ELF. */
#include "firmware/elf_image.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "firmware/image_file.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum {
	XEN_ELFNOTE_PHYS32_ENTRY = 18, /* xen/include/public/elfnote.h */
	MAX_NOTES = 256,	       /* ours; a vmlinux has about twenty */
};

struct phdr {
	uint32_t type;
	uint64_t off, paddr, filesz, memsz, align;
};

bool elf_image_probe(const uint8_t *head, size_t len)
{
	return len >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static const char *machine_name(uint16_t machine)
{
	switch (machine) {
	case EM_386:
		return "32-bit x86";
	case EM_ARM:
		return "ARM";
	case EM_AARCH64:
		return "ARM64";
	case EM_RISCV:
		return "RISC-V";
	case EM_PPC:
	case EM_PPC64:
		return "PowerPC";
	case EM_S390:
		return "s390";
	case EM_MIPS:
		return "MIPS";
	case EM_LOONGARCH:
		return "LoongArch";
	default:
		return "another machine";
	}
}

static int check_ident(const uint8_t *e, struct err *err)
{
	uint16_t machine = load_le16(e + offsetof(Elf64_Ehdr, e_machine));
	uint16_t type = load_le16(e + offsetof(Elf64_Ehdr, e_type));

	if (e[EI_DATA] != ELFDATA2LSB)
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is an ELF file for a big-endian "
				    "machine; one for x86-64 is needed");
	if (machine != EM_X86_64)
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is an ELF file for %s; one for x86-64 "
				    "is needed",
				    machine_name(machine));
	if (e[EI_CLASS] != ELFCLASS64)
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is a 32-bit ELF file; a 64-bit one is "
				    "needed");
	if (type != ET_EXEC)
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is an ELF %s, not a kernel",
				    type == ET_REL    ? "object or module"
				    : type == ET_DYN  ? "library or program"
				    : type == ET_CORE ? "core dump"
						      : "file");
	return 0;
}

static struct phdr parse_phdr(const uint8_t *p)
{
	return (struct phdr){
		.type = load_le32(p + offsetof(Elf64_Phdr, p_type)),
		.off = load_le64(p + offsetof(Elf64_Phdr, p_offset)),
		.paddr = load_le64(p + offsetof(Elf64_Phdr, p_paddr)),
		.filesz = load_le64(p + offsetof(Elf64_Phdr, p_filesz)),
		.memsz = load_le64(p + offsetof(Elf64_Phdr, p_memsz)),
		.align = load_le64(p + offsetof(Elf64_Phdr, p_align)),
	};
}

/* Keeps the segments sorted by address, so that overlap is seen next door. */
static int add_segment(struct elf_image *elf, const struct image_file *f,
		       const struct phdr *ph, struct err *err)
{
	struct elf_segment seg = {ph->paddr, ph->memsz, ph->off, ph->filesz};
	size_t i = elf->n_segments;
	uint64_t end;

	if (seg.file_len > seg.mem_len)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its segment at 0x%llx is larger in the "
				    "file than in memory: it is damaged",
				    (unsigned long long)seg.gpa);
	if (!seg.mem_len)
		return 0;
	if (!checked_add(seg.gpa, seg.mem_len, &end))
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its segment at 0x%llx reaches past the "
				    "end of the address space: it is damaged",
				    (unsigned long long)seg.gpa);
	if (!range_within(seg.file_off, seg.file_len, f->len))
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its segment at 0x%llx lies past the end "
				    "of the file: it was cut",
				    (unsigned long long)seg.gpa);
	if (i == ELF_IMAGE_MAX_SEGMENTS)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "it has more than %d segments",
				    ELF_IMAGE_MAX_SEGMENTS);
	for (; i > 0 && elf->segments[i - 1].gpa > seg.gpa; i--)
		elf->segments[i] = elf->segments[i - 1];
	elf->segments[i] = seg;
	elf->n_segments++;
	return 0;
}

static int check_overlap(const struct elf_image *elf, struct err *err)
{
	for (size_t i = 1; i < elf->n_segments; i++) {
		const struct elf_segment *a = &elf->segments[i - 1];

		if (a->gpa + a->mem_len > elf->segments[i].gpa)
			return err_set_kind(
				err, ERR_INPUT, -EBADMSG,
				"its segments at 0x%llx and 0x%llx overlap: "
				"it is damaged",
				(unsigned long long)a->gpa,
				(unsigned long long)elf->segments[i].gpa);
	}
	return 0;
}

/*
 * One note at @pos of the note segment. 1: it is the PVH entry, in *ret; 0: it
 * is another; *next is where the following one starts.
 */
static int read_note(const struct image_file *f, const struct phdr *ph,
		     uint64_t pos, uint64_t *next, uint64_t *ret,
		     struct err *err)
{
	/* Two alignments are in use: the ABI says 8, everybody did 4. */
	uint64_t align = ph->align == 8 ? 8 : 4;
	uint64_t desc_off, name_len, desc_len;
	uint8_t n[sizeof(Elf64_Nhdr)], name[4] = {0}, desc[8] = {0};
	int r;

	r = image_file_read(f, ph->off + pos, n, sizeof(n), err);
	if (r < 0)
		return r;
	name_len = load_le32(n + offsetof(Elf64_Nhdr, n_namesz));
	desc_len = load_le32(n + offsetof(Elf64_Nhdr, n_descsz));
	desc_off = pos + align_up(sizeof(n) + name_len, align);
	if (!range_within(desc_off, desc_len, ph->filesz))
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "a note reaches past the end of its "
				    "segment: it is damaged");
	*next = align_up(desc_off + desc_len, align);
	if (load_le32(n + offsetof(Elf64_Nhdr, n_type)) !=
		    XEN_ELFNOTE_PHYS32_ENTRY ||
	    name_len != sizeof(name) || (desc_len != 4 && desc_len != 8))
		return 0;
	r = image_file_read(f, ph->off + pos + sizeof(n), name, sizeof(name),
			    err);
	if (r == 0)
		r = image_file_read(f, ph->off + desc_off, desc,
				    (size_t)desc_len, err);
	if (r < 0)
		return r;
	*ret = load_le64(desc);
	return !memcmp(name, "Xen", 4);
}

/* 1: found, in *ret; 0: not in this segment. @budget bounds all of the file. */
static int find_note(const struct image_file *f, const struct phdr *ph,
		     unsigned int *budget, uint64_t *ret, struct err *err)
{
	uint64_t pos = 0;

	if (!range_within(ph->off, ph->filesz, f->len))
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its notes lie past the end of the file: "
				    "it was cut");
	while (range_within(pos, sizeof(Elf64_Nhdr), ph->filesz)) {
		int r;

		if (!(*budget)--)
			return err_set_kind(err, ERR_INPUT, -EBADMSG,
					    "it has more than %d notes",
					    MAX_NOTES);
		r = read_note(f, ph, pos, &pos, ret, err);
		if (r != 0)
			return r;
	}
	return 0;
}

static int check_entry(const struct elf_image *elf, uint64_t entry,
		       struct err *err)
{
	for (size_t i = 0; i < elf->n_segments; i++)
		if (entry <= UINT32_MAX && entry >= elf->segments[i].gpa &&
		    entry - elf->segments[i].gpa < elf->segments[i].file_len)
			return 0;
	return err_set_kind(err, ERR_INPUT, -EBADMSG,
			    "its PVH entry 0x%llx is in none of its segments: "
			    "it is damaged",
			    (unsigned long long)entry);
}

static int parse_phdrs(const struct image_file *f, const uint8_t *table,
		       size_t n, struct elf_image *elf, struct err *err)
{
	unsigned int budget = MAX_NOTES;
	uint64_t entry = 0;
	int r, found = 0;

	for (size_t i = 0; i < n; i++) {
		struct phdr ph = parse_phdr(table + i * sizeof(Elf64_Phdr));

		r = 0;
		if (ph.type == PT_LOAD)
			r = add_segment(elf, f, &ph, err);
		else if (ph.type == PT_NOTE && !found)
			r = found = find_note(f, &ph, &budget, &entry, err);
		if (r < 0)
			return r;
	}
	if (!elf->n_segments)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "it is an ELF file with nothing to load");
	r = check_overlap(elf, err);
	if (r < 0)
		return r;
	if (!found)
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is an ELF file without a PVH note; "
				    "give the bzImage, or build the kernel "
				    "with CONFIG_PVH=y");
	r = check_entry(elf, entry, err);
	if (r == 0)
		elf->pvh_entry = (uint32_t)entry;
	return r;
}

int elf_image_parse(const struct image_file *f, struct elf_image *ret,
		    struct err *err)
{
	uint8_t e[sizeof(Elf64_Ehdr)];
	uint8_t table[ELF_IMAGE_MAX_PHDRS * sizeof(Elf64_Phdr)];
	struct elf_image elf = {0};
	uint16_t n;
	int r;

	r = image_file_read(f, 0, e, sizeof(e), err);
	if (r < 0)
		return r;
	if (!elf_image_probe(e, sizeof(e)))
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is not an ELF file");
	r = check_ident(e, err);
	if (r < 0)
		return r;
	n = load_le16(e + offsetof(Elf64_Ehdr, e_phnum));
	if (!n || n > ELF_IMAGE_MAX_PHDRS ||
	    load_le16(e + offsetof(Elf64_Ehdr, e_phentsize)) !=
		    sizeof(Elf64_Phdr))
		return err_set_kind(
			err, ERR_INPUT, -EBADMSG,
			"its ELF header has %u program headers of "
			"%u bytes, not 1..%d of %zu: it is damaged",
			n, load_le16(e + offsetof(Elf64_Ehdr, e_phentsize)),
			ELF_IMAGE_MAX_PHDRS, sizeof(Elf64_Phdr));
	r = image_file_read(f, load_le64(e + offsetof(Elf64_Ehdr, e_phoff)),
			    table, n * sizeof(Elf64_Phdr), err);
	if (r == 0)
		r = parse_phdrs(f, table, n, &elf, err);
	if (r == 0)
		*ret = elf;
	return r;
}
