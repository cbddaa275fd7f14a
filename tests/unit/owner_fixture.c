/* tests/unit/owner_fixture.c - files for the tests of the owner's tools. */
#include "tests/unit/owner_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/base64.h"
#include "tests/unit/unit.h"
#include "vmm/base/own.h"

enum { NAMES = 32 };

void owner_dir_create(struct owner_dir *d)
{
	*d = (struct owner_dir){0};
	d->names = calloc(NAMES, sizeof(*d->names));
	assert_non_null(d->names);
	snprintf(d->path, sizeof(d->path), "/tmp/coffer-test-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	d->out = open_memstream(&d->text, &d->text_len);
	assert_non_null(d->out);
}

/* Calls @fn (or only counts) for every entry; returns how many. */
static unsigned int each(struct owner_dir *d, int (*fn)(const char *))
{
	DIR *dir = opendir(d->path);
	struct dirent *e;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		char path[512];

		if (e->d_name[0] == '.' && e->d_name[1] != 'c')
			continue;
		snprintf(path, sizeof(path), "%s/%s", d->path, e->d_name);
		if (fn)
			fn(path);
		n++;
	}
	closedir(dir);
	return n;
}

void owner_dir_clear(struct owner_dir *d)
{
	each(d, remove);
	owner_output_clear(d);
	d->err = (struct err){0};
}

void owner_dir_destroy(struct owner_dir *d)
{
	each(d, remove);
	rmdir(d->path);
	fclose(d->out);
	free(d->text);
	free(d->names);
}

const char *owner_path(struct owner_dir *d, const char *name)
{
	char *p = d->names[d->next++ % NAMES];

	snprintf(p, sizeof(d->names[0]), "%s/%s", d->path, name);
	return p;
}

const char *owner_put(struct owner_dir *d, const char *name, const void *data,
		      size_t len)
{
	const char *path = owner_path(d, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
	return path;
}

const char *owner_put_text(struct owner_dir *d, const char *name,
			   const char *text)
{
	return owner_put(d, name, text, strlen(text));
}

const char *owner_put_base64(struct owner_dir *d, const char *name,
			     const void *data, size_t len)
{
	char *text = malloc(BASE64_TEXT_LEN(len)), *lines;
	size_t n = 0, chars;
	const char *path;

	assert_non_null(text);
	base64_encode(data, len, text);
	chars = strlen(text);
	lines = malloc(chars + chars / 76 + 2);
	assert_non_null(lines);
	for (size_t i = 0; i < chars; i++) {
		lines[n++] = text[i];
		if (i % 76 == 75 || i + 1 == chars)
			lines[n++] = '\n';
	}
	path = owner_put(d, name, lines, n);
	free(lines);
	free(text);
	return path;
}

size_t owner_get(struct owner_dir *d, const char *name, void *data, size_t max)
{
	int fd = open(owner_path(d, name), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, data, max);
	assert_true(n >= 0);
	close(fd);
	return (size_t)n;
}

int owner_mode(struct owner_dir *d, const char *name)
{
	struct stat st;

	return stat(owner_path(d, name), &st) ? -1 : (int)(st.st_mode & 0777);
}

unsigned int owner_count(struct owner_dir *d)
{
	return each(d, NULL);
}

const char *owner_output(struct owner_dir *d)
{
	fflush(d->out);
	return d->text;
}

void owner_output_clear(struct owner_dir *d)
{
	fclose(d->out);
	free(d->text);
	d->out = open_memstream(&d->text, &d->text_len);
	assert_non_null(d->out);
}

void owner_assert_err(struct owner_dir *d, int r, int code, enum err_kind kind,
		      const char *says)
{
	if (r != code || d->err.kind != kind || !strstr(d->err.msg, says))
		fail_msg("%d (kind %d) '%s', expected %d (kind %d) '%s'", r,
			 (int)d->err.kind, d->err.msg, code, (int)kind, says);
	d->err = (struct err){0};
}
