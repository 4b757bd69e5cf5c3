/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From genuine captures of attacks to verdicts: each case of the Asterisk
 * corpora through the security log, through HEP, and through both in the order
 * of time, into the detector, by the captures' own clock; compared with the
 * truth about every source. Kamailio's cases by HEP alone. With SIPCHAIN_SHOW set, the verdicts are
 * printed as a table.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "../sense/pcap.h"
#include "detect/detect.h"
#include "sense/security_log.h"
#include "sense/wire.h"

#define SEEN_MAX     8192
#define VERDICTS_MAX 256
#define CORPORA      TESTS_DATA "/corpora/"

enum { LOG = 1, HEP = 2 };

static struct {
	struct observation at[SEEN_MAX];
	size_t n;
} seen;

/* What the detector said, by source. */
struct verdict {
	struct address source;
	unsigned detections;
	uint8_t first_proof, proof; /* of the first and of the last detection */
	uint8_t category;
};

static struct {
	struct verdict at[VERDICTS_MAX];
	size_t n;
} verdicts;

static const char *corpus, *mode_name;
static unsigned failures, rows, wanted, proved_unverified;

static void observe(void *context, const struct observation *o)
{
	(void)context;
	assert_true(seen.n < SEEN_MAX);
	seen.at[seen.n++] = *o;
}

static void read_log(const char *path)
{
	struct security_log_figures figures = {{0}};
	char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "r");
	ssize_t n;

	assert_non_null(f);
	while ((n = getline(&line, &size, f)) >= 0)
		security_log_feed(&figures, view_of(line, (size_t)n), observe, NULL);
	free(line);
	fclose(f);
	/* At least the manager's login is in each. */
	assert_true(figures.lines[SECURITY_LOG_NOTHING] > 0);
}

static void read_hep(const char *path)
{
	struct wire *w = wire_new(
		&wire_config_default, (struct hash_key){1, 2}, observe, NULL);
	struct pcap_datagram d = {0};
	struct hep_message m;
	struct pcap p;

	assert_non_null(w);
	assert_int_equal(pcap_open(&p, path), 0);
	while (pcap_next(&p, &d)) {
		assert_int_equal(hep_decode(&m, d.payload), HEP_VALID);
		wire_feed(w, &m, NULL, d.time);
		wire_expire(w, d.time);
	}
	wire_expire(w, d.time + 3 * USEC_PER_SEC);
	pcap_close(&p);
	wire_free(w);
}

/* In the order of time; the log before the wire where that is the same. */
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

static struct verdict *verdict_of(const struct address *source)
{
	for (size_t i = 0; i < verdicts.n; i++)
		if (address_eq(&verdicts.at[i].source, source))
			return &verdicts.at[i];
	return NULL;
}

static void note(const struct detection *d)
{
	struct verdict *v = verdict_of(&d->source);

	if (!v) {
		assert_true(verdicts.n < VERDICTS_MAX);
		v = &verdicts.at[verdicts.n++];
		*v = (struct verdict){.source = d->source, .first_proof = d->proof};
	}
	v->detections++;
	v->proof = d->proof;
	v->category = d->category;
}

static void detect(void)
{
	struct detector *d = detector_new(
		&detect_config_default, (struct hash_key){3, 4});
	struct detection out;
	usec last = 0;

	assert_non_null(d);
	verdicts.n = 0;
	sort_seen();
	for (size_t i = 0; i < seen.n; i++) {
		last = seen.at[i].time;
		if (detector_feed(d, &seen.at[i], &out))
			note(&out);
	}
	while (detector_due(d, last + 10 * USEC_PER_SEC, &out))
		note(&out);
	detector_free(d);
}

/* One wrong source does not hide the next: all are named, then the test fails. */
static void expect(bool holds, const char *src, const char *what)
{
	if (holds)
		return;
	failures++;
	print_message("# %s %s %s: %s\n", mode_name, corpus, src, what);
}

static bool proved(const struct verdict *v)
{
	return v && v->proof != PROOF_NONE && v->proof != PROOF_LOG;
}

/*
 * Sources to be banned that a way of watching does not show to be attackers,
 * in the captures as they are.
 */
static const struct {
	const char *corpus, *src;
	unsigned mode; /* with no other sensor than these */
	const char *why;
} invisible[] = {
	{"18_acl_ami", "198.51.100.250", LOG | HEP, "a global ACL drops without a word"},
	{"18_acl_ami", "198.51.100.66", HEP, "no SIP but the manager interface"},
	{"05_invite_anonymous", "198.51.100.21", LOG, "no security event is written"},
	{"05_invite_anonymous", "198.51.100.22", LOG, "no security event is written"},
	{"05_invite_anonymous", "198.51.100.23", LOG, "no security event is written"},
	{"15_log_injection_newline_anon", "198.51.100.40", LOG, "no security event"},
	{"17_ipv6", "2001:db8:a::2", LOG, "no security event is written"},
	{"02_reg_wrongpw_tcp", "198.51.100.15", HEP, "the capture ends at two of five"},
	{"03_scanner_ua", "198.51.100.109", HEP, "five probes of one target"},
	{"07_injection_malformed", "198.51.100.113", HEP, "two requests"},
	{"09_stock_config", "198.51.100.127", HEP, "no HEP in this case"},
};

static bool is_invisible(const char *src, unsigned mode)
{
	for (size_t i = 0; i < sizeof(invisible) / sizeof(invisible[0]); i++)
		if (!strcmp(invisible[i].corpus, corpus) &&
			!strcmp(invisible[i].src, src))
			return !(mode & ~invisible[i].mode);
	return false;
}

static void show(const json_t *t, const char *src, const struct verdict *v)
{
	const char *role = json_string_value(json_object_get(t, "role"));
	const char *kind = json_string_value(json_object_get(t, "kind"));
	const json_t *ban = json_object_get(t, "should_ban");

	if (!getenv("SIPCHAIN_SHOW"))
		return;
	print_message("# %-7s %-26s %-16s %-14s %-36s ban=%-5s verified=%d -> ",
		mode_name, corpus, src, role, kind,
		json_is_true(ban)          ? "true" :
			json_is_false(ban) ? "false" :
					     "null",
		json_is_true(json_object_get(t, "verified")));
	if (v)
		print_message("%s %s%s%s\n", category_name(v->category),
			proof_name(v->first_proof), v->detections > 1 ? ", then " : "",
			v->detections > 1 ? proof_name(v->proof) : "");
	else
		print_message("-\n");
}

static void check(const json_t *t, unsigned mode)
{
	const char *src = json_string_value(json_object_get(t, "src"));
	const char *role = json_string_value(json_object_get(t, "role"));
	const json_t *should_ban = json_object_get(t, "should_ban");
	bool verified = json_is_true(json_object_get(t, "verified"));
	const struct verdict *v;
	struct address a;

	assert_int_equal(address_parse(&a, view_str(src), NULL), 0);
	v = verdict_of(&a);
	show(t, src, v);
	rows++;
	expect(!v || v->detections <= 2, src, "detected more than twice");
	if (!strcmp(role, "spoofed_victim")) {
		expect(!proved(v), src, "spoofed, and detected with a proof");
		return;
	}
	if (json_is_false(should_ban)) {
		expect(!v, src, "not to be banned, and detected");
		return;
	}
	if (json_is_true(should_ban) && is_invisible(src, mode)) {
		/* Else the list above is out of date. */
		expect(!v, src, "detected, though nothing shows it");
	} else if (json_is_true(should_ban)) {
		wanted++;
		expect(v, src, "not detected");
		if (mode & HEP)
			expect(!verified || proved(v), src, "detected without its proof");
		else if (json_is_true(json_object_get(t, "tcp")))
			expect(proved(v), src,
				"the log proves it, but not the detection");
	}
	proved_unverified += proved(v) && !verified;
}

static void check_truth(const char *path, unsigned mode)
{
	char line[8192];
	FILE *f = fopen(path, "r");
	json_t *t;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		t = json_loads(line, 0, NULL);
		assert_non_null(t);
		check(t, mode);
		json_decref(t);
	}
	fclose(f);
}

/* One case: what its sensors see, the verdicts, the truth. */
static void replay(const char *pbx, const char *name, unsigned mode)
{
	char path[4096];

	corpus = name;
	seen.n = 0;
	snprintf(path, sizeof(path), CORPORA "%s/%s/security.json", pbx, name);
	if (mode & LOG)
		read_log(path);
	snprintf(path, sizeof(path), CORPORA "%s/%s/hep.pcap", pbx, name);
	if (mode & HEP)
		read_hep(path);
	detect();
	snprintf(path, sizeof(path), CORPORA "%s/%s/truth.jsonl", pbx, name);
	check_truth(path, mode);
}

/* What is expected of all cases of a PBX together. */
struct totals {
	unsigned cases, rows, wanted;
};

static void replay_all(
	const char *pbx, unsigned mode, const char *name, struct totals expected)
{
	struct dirent *entry;
	unsigned cases = 0;
	char path[4096];
	DIR *dir;

	snprintf(path, sizeof(path), CORPORA "%s", pbx);
	dir = opendir(path);
	assert_non_null(dir);
	mode_name = name;
	failures = rows = wanted = proved_unverified = 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		cases++;
		replay(pbx, entry->d_name, mode);
	}
	closedir(dir);
	print_message("# %s %s: %u cases, %u sources, %u to be banned and visible, "
		      "%u proved that the truth calls not verified\n",
		pbx, name, cases, rows, wanted, proved_unverified);
	assert_int_equal(failures, 0);
	assert_int_equal(cases, expected.cases);
	assert_int_equal(rows, expected.rows);
	assert_int_equal(wanted, expected.wanted);
}

static void test_log(void **state)
{
	(void)state;
	replay_all("asterisk", LOG, "log", (struct totals){22, 93, 20});
}

static void test_hep(void **state)
{
	(void)state;
	replay_all("asterisk", HEP, "hep", (struct totals){22, 93, 23});
}

static void test_both(void **state)
{
	(void)state;
	replay_all("asterisk", LOG | HEP, "log+hep", (struct totals){22, 93, 25});
}

static void test_kamailio(void **state)
{
	(void)state;
	replay_all("kamailio", HEP, "hep", (struct totals){9, 39, 8});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_hep),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_kamailio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
