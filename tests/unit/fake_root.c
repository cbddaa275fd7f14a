/* tests/unit/fake_root.c - files of a host that is not this one. */
#include "tests/unit/unit.h"

#include "tests/unit/fake_root.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void fake_root_create(char ret_root[static FAKE_ROOT_MAX])
{
	snprintf(ret_root, FAKE_ROOT_MAX, "/tmp/coffer-test-XXXXXX");
	assert_non_null(mkdtemp(ret_root));
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void fake_root_destroy(const char *root)
{
	nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void fake_root_put(const char *root, const char *path, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(full, 0700);
		*p = '/';
	}
	file = fopen(full, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}
