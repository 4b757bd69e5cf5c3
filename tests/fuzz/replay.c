/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a libFuzzer target once over every file of a corpus folder, so that
 * inputs which once broke something stay tests, with any compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* Replay one file. Returns 0, or -1 when it cannot be read. */
static int replay(const char *folder, const char *name)
{
	char path[4096];
	long size;
	uint8_t *bytes = NULL;
	FILE *f;
	int rc = -1;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (!f)
		return -1;
	if (fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0)
		goto done;
	rewind(f);
	/* An exact allocation: the sanitizer sees a read past the end. */
	bytes = malloc(size ? (size_t)size : 1);
	if (!bytes || fread(bytes, 1, (size_t)size, f) != (size_t)size)
		goto done;
	LLVMFuzzerTestOneInput(bytes, (size_t)size);
	rc = 0;
done:
	free(bytes);
	fclose(f);
	return rc;
}

int main(int argc, char **argv)
{
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir;

	if (argc != 2 || !(dir = opendir(argv[1]))) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay(argv[1], entry->d_name)) {
			fprintf(stderr, "%s: cannot read\n", entry->d_name);
			return 1;
		}
		count++;
	}
	closedir(dir);
	printf("%u inputs replayed\n", count);
	return count ? 0 : 1;
}
