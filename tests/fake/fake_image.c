/* tests/fake/fake_image.c - builds bzImage, ELF and PE files in memory. */
#include "tests/fake/fake_image.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/base/bytes.h"

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

struct fake_image *fake_image_create(const void *data, size_t len)
{
	struct fake_image *i = malloc(sizeof(*i));

	must(i != NULL, "malloc");
	i->data = malloc(len ? len : 1);
	must(i->data != NULL, "malloc");
	i->len = len;
	if (data)
		memcpy(i->data, data, len);
	else
		memset(i->data, 0, len);
	return i;
}

void fake_image_destroy(struct fake_image *i)
{
	if (!i)
		return;
	free(i->data);
	free(i);
}

static void pattern(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + (i >> 8) + 1);
}

struct fake_image *fake_bzimage_create(void)
{
	struct fake_image *i =
		fake_image_create(NULL, FAKE_BZ_CODE_OFF + FAKE_BZ_CODE_LEN);
	uint8_t *h = i->data;

	memset(h, 0xcc, FAKE_BZ_CODE_OFF);
	memset(h + 0x1f1, 0, 0x26c - 0x1f1);
	h[0] = 'M'; /* the EFI stub makes a PE file of it */
	h[1] = 'Z';
	h[0x1f1] = FAKE_BZ_CODE_OFF / 512 - 1;		 /* setup_sects */
	store_le32(h + 0x1f4, FAKE_BZ_CODE_LEN / 16);	 /* syssize */
	store_le16(h + 0x1fe, 0xaa55);			 /* boot_flag */
	store_le16(h + 0x200, 0x6aeb);			 /* jump */
	store_le32(h + 0x202, 0x53726448);		 /* header */
	store_le16(h + 0x206, 0x20f);			 /* version */
	h[0x211] = 1;					 /* LOADED_HIGH */
	store_le32(h + 0x214, 0x100000);		 /* code32_start */
	store_le32(h + 0x22c, FAKE_BZ_INITRD_MAX);	 /* initrd_addr_max */
	store_le32(h + 0x230, 0x200000);		 /* kernel_alignment */
	h[0x234] = 1;					 /* relocatable */
	h[0x235] = 21;					 /* min_alignment */
	store_le16(h + 0x236, 3);			 /* xloadflags */
	store_le32(h + 0x238, FAKE_BZ_CMDLINE_SIZE);	 /* cmdline_size */
	store_le32(h + 0x248, 0x100);			 /* payload_offset */
	store_le32(h + 0x24c, FAKE_BZ_CODE_LEN - 0x100); /* payload_length */
	store_le64(h + 0x258, FAKE_BZ_PREF);		 /* pref_address */
	store_le32(h + 0x260, FAKE_BZ_INIT_SIZE);	 /* init_size */
	pattern(h + FAKE_BZ_CODE_OFF, FAKE_BZ_CODE_LEN);
	return i;
}

static void put_phdr(uint8_t *p, uint32_t type, uint64_t off, uint64_t gpa,
		     uint64_t file_len, uint64_t mem_len)
{
	store_le32(p + offsetof(Elf64_Phdr, p_type), type);
	store_le64(p + offsetof(Elf64_Phdr, p_offset), off);
	store_le64(p + offsetof(Elf64_Phdr, p_vaddr), 0xffffffff80000000 + gpa);
	store_le64(p + offsetof(Elf64_Phdr, p_paddr), gpa);
	store_le64(p + offsetof(Elf64_Phdr, p_filesz), file_len);
	store_le64(p + offsetof(Elf64_Phdr, p_memsz), mem_len);
	store_le64(p + offsetof(Elf64_Phdr, p_align), 4);
}

static void put_note(uint8_t *p, const char *name, uint32_t type, uint64_t val)
{
	uint32_t name_len = (uint32_t)strlen(name) + 1;

	store_le32(p, name_len);
	store_le32(p + 4, 8);
	store_le32(p + 8, type);
	memcpy(p + 12, name, name_len);
	store_le64(p + 12 + ((name_len + 3) & ~3u), val);
}

struct fake_image *fake_vmlinux_create(void)
{
	struct fake_image *i =
		fake_image_create(NULL, FAKE_ELF_NOTES + FAKE_ELF_NOTES_LEN);
	uint8_t *e = i->data;

	store_le32(e, 0x464c457f); /* ELFMAG */
	e[EI_CLASS] = ELFCLASS64;
	e[EI_DATA] = ELFDATA2LSB;
	e[EI_VERSION] = EV_CURRENT;
	store_le16(e + offsetof(Elf64_Ehdr, e_type), ET_EXEC);
	store_le16(e + offsetof(Elf64_Ehdr, e_machine), EM_X86_64);
	store_le64(e + offsetof(Elf64_Ehdr, e_phoff), FAKE_ELF_PHDR);
	store_le16(e + offsetof(Elf64_Ehdr, e_phentsize), sizeof(Elf64_Phdr));
	store_le16(e + offsetof(Elf64_Ehdr, e_phnum), FAKE_ELF_PHDRS);
	put_phdr(e + FAKE_ELF_PHDR, PT_LOAD, 0x1000, FAKE_ELF_SEG0,
		 FAKE_ELF_FILE_LEN, FAKE_ELF_MEM_LEN);
	put_phdr(e + FAKE_ELF_PHDR + 56, PT_LOAD, 0x2000, FAKE_ELF_SEG1,
		 FAKE_ELF_FILE_LEN, FAKE_ELF_MEM_LEN);
	put_phdr(e + FAKE_ELF_PHDR + 112, PT_NOTE, FAKE_ELF_NOTES, 0,
		 FAKE_ELF_NOTES_LEN, FAKE_ELF_NOTES_LEN);
	pattern(e + 0x1000, 0x2000);
	/* the type of PVH's note, but not Xen's name, which makes it another */
	put_note(e + FAKE_ELF_NOTES, "GNU", 18, 0xbad);
	put_note(e + FAKE_ELF_PVH_NOTE, "Xen", 18, FAKE_ELF_ENTRY);
	return i;
}

struct fake_image *fake_pe_create(const struct fake_section *sections, size_t n)
{
	const size_t head = (FAKE_PE_SECTIONS + n * FAKE_PE_SECTION_LEN + 511) &
			    ~(size_t)511;
	size_t len = head, off = head;
	struct fake_image *i;
	uint8_t *p;

	for (size_t s = 0; s < n; s++)
		len += (sections[s].len + 511) & ~(size_t)511;
	i = fake_image_create(NULL, len);
	p = i->data;
	store_le16(p, 0x5a4d); /* "MZ" */
	store_le32(p + 0x3c, 0x40);
	store_le32(p + 0x40, 0x4550); /* "PE" */
	store_le16(p + 0x44, 0x8664);
	store_le16(p + 0x46, (uint16_t)n);
	store_le16(p + 0x54, 240);
	store_le16(p + 0x58, 0x20b);
	for (size_t s = 0; s < n; s++) {
		uint8_t *h = p + FAKE_PE_SECTIONS + s * FAKE_PE_SECTION_LEN;
		size_t raw = (sections[s].len + 511) & ~(size_t)511;

		memcpy(h, sections[s].name, strnlen(sections[s].name, 8));
		store_le32(h + 8, sections[s].virtual_size
					  ? sections[s].virtual_size
					  : (uint32_t)sections[s].len);
		store_le32(h + 16, (uint32_t)raw);
		store_le32(h + 20, (uint32_t)off);
		memcpy(p + off, sections[s].data, sections[s].len);
		off += raw;
	}
	return i;
}

struct fake_image *fake_uki_create(const void *kernel, size_t len)
{
	const struct fake_section s[] = {
		{".linux", kernel, len, 0},
		{".initrd", "initrd", 6, 0},
		{".cmdline", "quiet\n", 6, 0},
	};

	return fake_pe_create(s, 3);
}

int fake_sparse_file(uint64_t len)
{
	int fd = memfd_create("fake", MFD_CLOEXEC);

	must(fd >= 0, "memfd_create");
	must(ftruncate(fd, (off_t)len) == 0, "ftruncate");
	return fd;
}

int fake_file(const void *data, size_t len)
{
	int fd = fake_sparse_file(len);

	must(pwrite(fd, data, len, 0) == (ssize_t)len, "pwrite");
	return fd;
}

int fake_image_fd(const struct fake_image *i)
{
	return fake_file(i->data, i->len);
}
