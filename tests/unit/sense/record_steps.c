/* SPDX-License-Identifier: Apache-2.0 */
#include "record_steps.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/observation.h"

void folder_make(struct folder *f)
{
	strcpy(f->path, "/tmp/sipchain-record-XXXXXX");
	assert_non_null(mkdtemp(f->path));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_segment(const struct dirent *e)
{
	return record_sequence(e->d_name) != 0;
}

static int is_entry(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void each(const struct folder *f, int (*which)(const struct dirent *),
	void (*fn)(const char *path, void *context), void *context)
{
	struct dirent **list;
	int n = scandir(f->path, &list, which, by_name);
	char path[400];

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", f->path, list[i]->d_name);
		fn(path, context);
		free(list[i]);
	}
	free(list);
}

static void remove_one(const char *path, void *context)
{
	(void)context;
	assert_int_equal(unlink(path), 0);
}

void folder_remove(struct folder *f)
{
	each(f, is_entry, remove_one, NULL);
	assert_int_equal(rmdir(f->path), 0);
}

static void count_one(const char *path, void *context)
{
	(void)path;
	++*(unsigned *)context;
}

unsigned folder_count(const struct folder *f)
{
	unsigned n = 0;

	each(f, is_segment, count_one, &n);
	return n;
}

static void add_size(const char *path, void *context)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	*(uint64_t *)context += (uint64_t)st.st_size;
}

uint64_t folder_bytes(const struct folder *f)
{
	uint64_t n = 0;

	each(f, is_segment, add_size, &n);
	return n;
}

struct nth {
	unsigned wanted, at;
	char path[400];
};

static void take_nth(const char *path, void *context)
{
	struct nth *n = context;

	if (n->at++ == n->wanted)
		snprintf(n->path, sizeof n->path, "%s", path);
}

const char *folder_segment(const struct folder *f, unsigned n)
{
	static struct nth found;

	found = (struct nth){.wanted = n};
	each(f, is_segment, take_nth, &found);
	assert_true(found.at > n);
	return found.path;
}

/* --- messages --- */

static const char *text_of(uint64_t n, unsigned i)
{
	static char texts[RECORD_TEXTS][RECORD_TEXT_MAX + 1];

	/* Of each some length from none to all that there is room for. */
	snprintf(texts[i], sizeof texts[i], "%0*" PRIu64, (int)((n * 31 + i * 97) % 255),
		n + i);
	if ((n + i) % 5 == 0)
		texts[i][0] = 0;
	return texts[i];
}

static struct address address_of(uint64_t n)
{
	struct address a = {.family = n % 3 == 0 ? 6 : n % 3 == 1 ? 4 : 0};

	for (unsigned i = 0; i < (a.family == 6 ? 16u : a.family); i++)
		a.bytes[i] = (uint8_t)(n * 7 + i);
	return a;
}

struct record message(uint64_t n, size_t size)
{
	static uint8_t bytes[RECORD_BYTES_MAX + 1000];
	struct record r = {.time = UINT64_C(1700000000) * USEC_PER_SEC + n,
		.session = n,
		.remote = address_of(n),
		.local = address_of(n + 1),
		.remote_port = (uint16_t)(n * 3),
		.local_port = 5060,
		.transport = (uint8_t)(TRANSPORT_UDP + n % 5),
		.out = n % 2,
		.verdict = (uint8_t)(n % 4),
		.proof = (uint8_t)(n % 6),
		.method = (uint8_t)(n % 15),
		.status = n % 2 ? 401 : 0};

	assert_true(size <= sizeof bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(n + i * 13);
	for (unsigned i = 0; i < RECORD_TEXTS; i++)
		r.text[i] = view_str(text_of(n, i));
	r.bytes = view_of(bytes, size);
	return r;
}

void assert_message(const struct record *r, uint64_t n, size_t size)
{
	struct record want = message(n, size);

	assert_int_equal(r->time, want.time);
	assert_int_equal(r->session, want.session);
	assert_memory_equal(&r->remote, &want.remote, sizeof want.remote);
	assert_memory_equal(&r->local, &want.local, sizeof want.local);
	assert_int_equal(r->remote_port, want.remote_port);
	assert_int_equal(r->local_port, want.local_port);
	assert_int_equal(r->transport, want.transport);
	assert_int_equal(r->out, want.out);
	assert_int_equal(r->cut, size > RECORD_BYTES_MAX);
	assert_int_equal(r->verdict, want.verdict);
	assert_int_equal(r->proof, want.proof);
	assert_int_equal(r->method, want.method);
	assert_int_equal(r->status, want.status);
	for (unsigned i = 0; i < RECORD_TEXTS; i++)
		assert_true(view_eq(r->text[i], want.text[i]));
	assert_true(view_eq(r->bytes, view_head(want.bytes, RECORD_BYTES_MAX)));
}

struct recorder *recorder_at(const struct folder *f, uint64_t max, uint64_t keep)
{
	struct recorder_config c = {.folder = f->path,
		.max = max,
		.keep = keep,
		.user = (uid_t)-1,
		.group = (gid_t)-1};
	struct error err = {""};
	struct recorder *r = recorder_open(&c, &err);

	if (!r)
		fail_msg("%s", err.text);
	return r;
}
