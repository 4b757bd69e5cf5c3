/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From genuine captures of attacks to verdicts: each case of the Asterisk
 * corpora through the security log, through AMI, through HEP, and through them in
 * the order of time, into the detector, by the captures' own clock, and on to the decision
 * to ban and to publish that a node with the default configuration takes;
 * compared with the truth about every source. Kamailio's cases by HEP alone.
 * With SIPCHAIN_SHOW set, the verdicts are printed as a table.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "decide/own.h"
#include "detect/detect.h"
#include "sense/ami_accounts.h"
#include "sense/ami_event.h"
#include "sense/pcap.h"
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
	bool banned, published;
	uint8_t first_proof, proof; /* of the first and of the last detection */
	bool plausible;
	char rules[128], reason[320];
};

static struct {
	struct verdict at[VERDICTS_MAX];
	size_t n;
} verdicts;

static const char *corpus, *mode_name;
static unsigned failures, rows;
static struct {
	unsigned published, published_wrong, published_missed;
	unsigned banned, banned_wrong, banned_missed;
} totals;
static struct allowlist *allow;
static unsigned campaigns; /* detections of that category in a case */

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
	struct own_config config = own_config_default;
	struct verdict *v = verdict_of(&d->source);
	struct own_action a;
	size_t n;

	own_decide(&a, &config, NULL, allow, d, (uint32_t)(d->time / USEC_PER_SEC));
	campaigns += d->category == CATEGORY_CAMPAIGN;
	if (!v) {
		assert_true(verdicts.n < VERDICTS_MAX);
		v = &verdicts.at[verdicts.n++];
		*v = (struct verdict){.source = d->source, .first_proof = d->proof};
	}
	v->detections++;
	v->proof = d->proof;
	v->plausible |= d->plausible;
	v->banned |= a.ban;
	v->published |= a.publish;
	n = strlen(v->rules);
	snprintf(v->rules + n, sizeof v->rules - n, "%s%s", n ? "+" : "", d->rule);
	memcpy(v->reason, d->reason, sizeof v->reason);
}

static void detect(void)
{
	struct detector *d = detector_new(
		&detect_config_default, (struct hash_key){3, 4});
	struct detection out;
	usec last = 0;

	assert_non_null(d);
	verdicts.n = campaigns = 0;
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

/*
 * Attackers to be banned that a way of watching does not show to be such, in
 * the captures as they are: the list is to be as short as it can be.
 */
static const struct {
	const char *corpus, *src;
	unsigned mode; /* with no other sensor than these */
	const char *why;
} missed[] = {
	{"03_reg_unknown_ext", "198.51.100.16", LOG | AMI | HEP,
		"REGISTERs that never answer a challenge: nothing tells them from the "
		"forged ones of 13_spoofed_udp"},
	{"18_acl_ami", "198.51.100.66", HEP, "no SIP but the manager interface"},
	{"02_reg_wrongpw_tcp", "198.51.100.15", HEP, "the capture ends at two of five"},
	{"09_stock_config", "198.51.100.127", HEP, "no HEP in this case"},
};

static bool is_missed(const char *src, unsigned mode)
{
	for (size_t i = 0; i < sizeof(missed) / sizeof(missed[0]); i++)
		if (!strcmp(missed[i].corpus, corpus) && !strcmp(missed[i].src, src))
			return !(mode & ~missed[i].mode);
	return false;
}

static void show(const json_t *t, const char *src, const struct verdict *v)
{
	const char *role = json_string_value(json_object_get(t, "role"));
	const char *kind = json_string_value(json_object_get(t, "kind"));
	const json_t *ban = json_object_get(t, "should_ban");

	if (!getenv("SIPCHAIN_SHOW"))
		return;
	print_message("# %-7s %-22.22s %-16s %-14s %-30.30s ban=%-5s share=%d -> ",
		mode_name, corpus, src, role, kind,
		json_is_true(ban)          ? "true" :
			json_is_false(ban) ? "false" :
					     "null",
		json_is_true(json_object_get(t, "share_globally")));
	if (v)
		print_message("%s%s %s %s%s%s: %s\n", v->banned ? "BAN" : "no ban",
			v->published ? " PUBLISH" : "", v->rules,
			proof_name(v->first_proof), v->plausible ? " plausible" : "",
			v->proof != v->first_proof ? ", then proved" : "", v->reason);
	else
		print_message("-\n");
}

/* Whether innocents and attackers are told apart, in any way of watching. */
static void check_innocent(const char *src, const char *role, const struct verdict *v)
{
	bool wrong = v && v->banned, told = v && v->published;

	totals.banned_wrong += wrong;
	totals.published_wrong += told;
	expect(!wrong, src, role);
	expect(!told, src, "innocent, and published");
}

static void check_attacker(
	const json_t *t, const char *src, const struct verdict *v, unsigned mode)
{
	bool share = json_is_true(json_object_get(t, "share_globally"));
	bool ban = json_is_true(json_object_get(t, "should_ban"));
	bool banned = v && v->banned, published = v && v->published;

	totals.published += share && published;
	totals.published_wrong += !share && published;
	expect(share || !published, src, "published, and not to be");
	if (share && (mode & HEP)) {
		totals.published_missed += !published;
		expect(published || is_missed(src, mode), src, "not published");
	}
	totals.banned += ban && banned;
	if (!ban)
		return;
	totals.banned_missed += !banned;
	if (mode & HEP)
		/* Either of two is out of date: this program, or the list above. */
		expect(banned != is_missed(src, mode), src,
			banned ? "banned, though nothing shows it" : "not banned");
	else if (json_is_true(json_object_get(t, "tcp")) &&
		strcmp(corpus, "05_invite_anonymous") != 0) /* the log has no event */
		expect(banned, src, "the log proves it, but it is not banned");
}

static void check(const json_t *t, unsigned mode)
{
	const char *src = json_string_value(json_object_get(t, "src"));
	const char *role = json_string_value(json_object_get(t, "role"));
	const struct verdict *v;
	struct address a;

	assert_int_equal(address_parse(&a, view_str(src), NULL), 0);
	v = verdict_of(&a);
	show(t, src, v);
	rows++;
	/* Told, then known to be plausible, then proved, then worse. */
	expect(!v || v->detections <= 4, src, "detected more than four times");
	if (strcmp(role, "attacker") != 0 &&
		!json_is_null(json_object_get(t, "should_ban")))
		check_innocent(src, role, v);
	else if (!strcmp(role, "attacker"))
		check_attacker(t, src, v, mode);
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

/* A campaign is one where the captures hold one, and nowhere else. */
static void check_campaign(unsigned mode)
{
	bool is = strstr(corpus, "distributed") != NULL;

	expect(!(mode & HEP) || (campaigns > 0) == is, "campaign",
		is ? "not told" : "told where there is none");
}

/* What is expected of all cases of a PBX together. */
struct expected {
	unsigned cases, rows, published, published_missed, banned, banned_missed;
};

static void replay_all(
	const char *pbx, unsigned mode, const char *name, struct expected expected)
{
	struct dirent *entry;
	unsigned cases = 0;
	char path[4096];
	DIR *dir;

	snprintf(path, sizeof(path), CORPORA "%s", pbx);
	dir = opendir(path);
	assert_non_null(dir);
	allow = allowlist_new();
	assert_non_null(allow);
	mode_name = name;
	failures = rows = 0;
	memset(&totals, 0, sizeof totals);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		cases++;
		replay(pbx, entry->d_name, mode);
		check_campaign(mode);
	}
	closedir(dir);
	allowlist_free(allow);
	print_message("# %s %s: %u cases, %u sources; published %u right, %u wrong, %u "
		      "missed; banned %u right, %u wrong, %u missed\n",
		pbx, name, cases, rows, totals.published, totals.published_wrong,
		totals.published_missed, totals.banned, totals.banned_wrong,
		totals.banned_missed);
	assert_int_equal(failures, 0);
	assert_int_equal(cases, expected.cases);
	assert_int_equal(rows, expected.rows);
	assert_int_equal(totals.published, expected.published);
	assert_int_equal(totals.published_wrong, 0);
	assert_int_equal(totals.published_missed, expected.published_missed);
	assert_int_equal(totals.banned, expected.banned);
	assert_int_equal(totals.banned_wrong, 0);
	assert_int_equal(totals.banned_missed, expected.banned_missed);
}

static void test_log(void **state)
{
	(void)state;
	replay_all("asterisk", LOG, "log", (struct expected){22, 93, 4, 0, 4, 22});
}

static void test_hep(void **state)
{
	(void)state;
	replay_all("asterisk", HEP, "hep", (struct expected){22, 93, 14, 2, 23, 3});
}

static void test_both(void **state)
{
	(void)state;
	replay_all("asterisk", LOG | HEP, "log+hep",
		(struct expected){22, 93, 16, 0, 25, 1});
}

static void test_ami(void **state)
{
	(void)state;
	replay_all("asterisk", AMI, "ami", (struct expected){22, 93, 4, 0, 4, 22});
}

static void test_all(void **state)
{
	(void)state;
	replay_all("asterisk", LOG | AMI | HEP, "all",
		(struct expected){22, 93, 16, 0, 25, 1});
}

/* How many attempts the detector sees in what these sensors see of a case. */
static unsigned attempts_of(const char *name, unsigned mode)
{
	struct detector *d = detector_new(
		&detect_config_default, (struct hash_key){3, 4});
	struct detect_figures f;
	struct detection out;

	assert_non_null(d);
	watch("asterisk", name, mode);
	sort_seen();
	for (size_t i = 0; i < seen.n; i++)
		detector_feed(d, &seen.at[i], &out);
	detector_figures(d, &f);
	detector_free(d);
	return (unsigned)(seen.n - f.duplicates);
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
	replay_all("kamailio", HEP, "hep", (struct expected){9, 39, 4, 0, 10, 1});
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
