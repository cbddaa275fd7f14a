/*
 * tests/fuzz/replay_main.c - runs a fuzz target over files of its corpus, for
 * builds without libFuzzer. Arguments are files and directories; finding not
 * one file is a failure, so that a lost corpus cannot pass.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *buf = NULL;
	long len;
	int r = -1;

	if (!f || fseek(f, 0, SEEK_END) || (len = ftell(f)) < 0) {
		perror(path);
		goto out;
	}
	rewind(f);
	/* exactly the size, so that ASan sees a read past the end */
	buf = malloc((size_t)len ? (size_t)len : 1);
	if (!buf || fread(buf, 1, (size_t)len, f) != (size_t)len) {
		perror(path);
		goto out;
	}
	LLVMFuzzerTestOneInput(buf, (size_t)len);
	r = 0;
out:
	free(buf);
	if (f)
		fclose(f);
	return r;
}

static int replay_dir(const char *path, int *n)
{
	struct dirent **list;
	int count = scandir(path, &list, NULL, alphasort);
	int r = 0;

	for (int i = 0; i < count; i++) {
		char file[4096];
		struct stat st;

		snprintf(file, sizeof(file), "%s/%s", path, list[i]->d_name);
		if (!stat(file, &st) && S_ISREG(st.st_mode)) {
			if (replay_file(file) < 0)
				r = -1;
			++*n;
		}
		free(list[i]);
	}
	if (count >= 0)
		free(list);
	return r;
}

int main(int argc, char **argv)
{
	int n = 0, r = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (!stat(argv[i], &st) && S_ISDIR(st.st_mode)) {
			if (replay_dir(argv[i], &n) < 0)
				r = -1;
			continue;
		}
		if (replay_file(argv[i]) < 0)
			r = -1;
		n++;
	}
	printf("replayed %d inputs\n", n);
	return r < 0 || !n;
}
