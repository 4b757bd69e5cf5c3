/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same attempt is one, whoever saw it: genuine captures of attacks through
 * several sensors into one detector. (Who is then published and banned, and who
 * not, is what tests/accuracy holds to the truth.)
 */
#include "../cmocka_all.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../accuracy/sensors.h"
#include "detect/detect.h"

#define SEEN_MAX 8192
#define CORPORA  TESTS_DATA "/corpora/asterisk"

static struct {
	struct observation at[SEEN_MAX];
	size_t n;
} seen;

static void observe(void *context, const struct observation *o)
{
	(void)context;
	assert_true(seen.n < SEEN_MAX);
	seen.at[seen.n++] = *o;
}

/* In the order of time; of equal times as they were read. */
static void sort_seen(void)
{
	for (size_t i = 1; i < seen.n; i++) {
		struct observation o = seen.at[i];
		size_t k = i;

		for (; k && seen.at[k - 1].time > o.time; k--)
			seen.at[k] = seen.at[k - 1];
		seen.at[k] = o;
	}
}

/* What the sensors of these sets ("log ami") see of a case, in seen. */
static void watch(const char *name, const char *sets)
{
	struct sensor_run run = {.observe = observe};
	struct error err = {""};
	char path[4096];

	seen.n = 0;
	for (size_t i = 0; i < sensors_count; i++) {
		const struct sensor *s = &sensors[i];

		if (!strstr(sets, s->set) || (s->pbx && strcmp(s->pbx, "asterisk")))
			continue;
		snprintf(path, sizeof path, CORPORA "/%s/%.*s", name,
			(int)strcspn(s->files, "|"), s->files);
		assert_int_equal(s->run(&run, path, &err), 0);
	}
	sort_seen();
}

/* How many attempts the detector sees in it. */
static unsigned attempts_of(const char *name, const char *sets)
{
	struct detector *d = detector_new(
		&detect_config_default, (struct hash_key){3, 4});
	struct detect_figures f;
	struct detection out;

	assert_non_null(d);
	watch(name, sets);
	for (size_t i = 0; i < seen.n; i++)
		detector_feed(d, &seen.at[i], &out);
	detector_figures(d, &f);
	detector_free(d);
	return (unsigned)(seen.n - f.duplicates);
}

/* To the log and the wire AMI adds none, but for what the log loses. */
static void test_once(void **state)
{
	unsigned cases = 0, attempts = 0;
	struct dirent *entry;
	DIR *dir = opendir(CORPORA);

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		unsigned log, both, wire, all;

		if (name[0] == '.')
			continue;
		log = attempts_of(name, "log");
		both = attempts_of(name, "log ami");
		wire = attempts_of(name, "log hep");
		all = attempts_of(name, "log ami hep");
		/* Call-IDs of 9,000 bytes. */
		if (!strcmp(name, "14_log_injection")) {
			assert_in_range(both - log, 0, 6);
		} else if (both != log || all != wire) {
			print_message("# %s: %u attempts in the log, %u with AMI; %u "
				      "with HEP, %u with both\n",
				name, log, both, wire, all);
			fail();
		}
		cases++;
		attempts += both;
	}
	closedir(dir);
	assert_int_equal(cases, 22);
	assert_true(attempts > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
