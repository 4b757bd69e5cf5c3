/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From genuine captures of attacks to verdicts: each case of the Asterisk
 * corpora through the security log, through AMI, through HEP, and through all in
 * the order of time, into the detector, by the captures' own clock; compared with the
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
#include "sense/ami_accounts.h"
#include "sense/ami_event.h"
#include "sense/security_log.h"
#include "sense/wire.h"

#define SEEN_MAX     8192
#define VERDICTS_MAX 256
#define CORPORA      TESTS_DATA "/corpora/"

enum { LOG = 1, HEP = 2, AMI = 4 };

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

/* What the stream says; a call has the time of the success before it. */
static bool take_ami(void *context, const struct ami_message *m)
{
	struct ami_accounts *accounts = context;
	struct observation o;
	struct ami_call call;
	static usec last;

	switch (ami_event_parse(&o, &call, m)) {
	case AMI_EVENT_OBSERVATION:
		last = o.time;
		ami_accounts_success(accounts, &o, last);
		observe(NULL, &o);
		break;
	case AMI_EVENT_CALL:
		if (ami_accounts_call(accounts, &o, call.endpoint, call.dialled, last))
			observe(NULL, &o);
		break;
	case AMI_EVENT_NOTHING:
	case AMI_EVENT_INJECTION:
	case AMI_EVENT_BOOTED:
	case AMI_EVENT_SHUTDOWN:
		break;
	}
	return true;
}

static void read_ami(const char *path)
{
	struct ami_accounts *accounts = ami_accounts_new((struct hash_key){5, 6});
	struct ami_reader r = {0};
	uint8_t block[4096];
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	assert_non_null(accounts);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		assert_int_equal(
			ami_reader_feed(&r, view_of(block, n), take_ami, accounts), 0);
	fclose(f);
	ami_reader_free(&r);
	ami_accounts_free(accounts);
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
	{"18_acl_ami", "198.51.100.250", LOG | AMI | HEP,
		"a global ACL drops without a word"},
	{"18_acl_ami", "198.51.100.66", HEP, "no SIP but the manager interface"},
	{"05_invite_anonymous", "198.51.100.21", LOG | AMI,
		"no security event is written"},
	{"05_invite_anonymous", "198.51.100.22", LOG | AMI,
		"no security event is written"},
	{"05_invite_anonymous", "198.51.100.23", LOG | AMI,
		"no security event is written"},
	{"15_log_injection_newline_anon", "198.51.100.40", LOG | AMI,
		"no security event"},
	{"17_ipv6", "2001:db8:a::2", LOG | AMI, "no security event is written"},
	{"08_svcrack", "198.51.100.32", AMI, "the recording of AMI ends before"},
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

/* What the sensors of a case see, in seen. */
static void watch(const char *pbx, const char *name, unsigned mode)
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
	snprintf(path, sizeof(path), CORPORA "%s/%s/ami.log", pbx, name);
	if (mode & AMI)
		read_ami(path);
}

/* One case: what its sensors see, the verdicts, the truth. */
static void replay(const char *pbx, const char *name, unsigned mode)
{
	char path[4096];

	watch(pbx, name, mode);
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

static void test_ami(void **state)
{
	(void)state;
	replay_all("asterisk", AMI, "ami", (struct totals){22, 93, 19});
}

static void test_all(void **state)
{
	(void)state;
	replay_all("asterisk", LOG | AMI | HEP, "all", (struct totals){22, 93, 25});
}

/* How many attempts the detector sees in what these sensors see of a case. */
static unsigned attempts_of(const char *name, unsigned mode)
{
	struct detector *d = detector_new(
		&detect_config_default, (struct hash_key){3, 4});
	unsigned fed = 0;
	struct detect_figures f;
	struct detection out;

	assert_non_null(d);
	watch("asterisk", name, mode);
	sort_seen();
	for (size_t i = 0; i < seen.n; i++) {
		detector_feed(d, &seen.at[i], &out);
		fed += seen.at[i].kind != OBSERVED_CALL;
	}
	detector_figures(d, &f);
	detector_free(d);
	return fed - (unsigned)f.duplicates;
}

/*
 * The same attempt is one, whoever saw it: to the log and the wire AMI adds
 * none, but for what the log loses (Call-IDs of 9,000 bytes).
 */
static void test_once(void **state)
{
	static const char injection[] = "14_log_injection";
	unsigned cases = 0, attempts = 0;
	struct dirent *entry;
	DIR *dir = opendir(CORPORA "asterisk");

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		unsigned more = 0, log, both;

		if (name[0] == '.')
			continue;
		corpus = name;
		if (!strcmp(name, injection))
			more = attempts_of(name, LOG | AMI) - attempts_of(name, LOG);
		assert_true(more <= 6);
		log = attempts_of(name, LOG);
		both = attempts_of(name, LOG | AMI);
		if (both != log + more) {
			print_message(
				"# %s: %u attempts, with AMI %u\n", name, log, both);
			fail();
		}
		if (attempts_of(name, LOG | AMI | HEP) != attempts_of(name, LOG | HEP) &&
			!more) {
			print_message(
				"# %s: AMI adds attempts to HEP and the log\n", name);
			fail();
		}
		cases++;
		attempts += both;
	}
	closedir(dir);
	assert_int_equal(cases, 22);
	assert_true(attempts > 300);
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
		cmocka_unit_test(test_ami),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_kamailio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
