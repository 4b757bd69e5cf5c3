/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FILTER_FOLDER_H
#define TESTS_FILTER_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of filters that goes when the test ends. */
struct folder {
	char path[64];
	const char *list[2]; /* for definition_load() */
};

static inline void folder_make(struct folder *f)
{
	snprintf(f->path, sizeof f->path, "/tmp/sipchain-filter-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->list[0] = f->path;
	f->list[1] = NULL;
}

static inline void folder_write(
	const struct folder *f, const char *name, const char *text)
{
	char path[256];
	FILE *out;

	snprintf(path, sizeof path, "%s/%s", f->path, name);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static inline int folder_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void folder_remove(struct folder *f)
{
	nftw(f->path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
