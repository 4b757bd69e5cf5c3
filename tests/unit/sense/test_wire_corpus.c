/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays the HEP captures of all corpora and compares what comes out with
 * the truth about every source.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "sense/pcap.h"
#include "sense/wire.h"

#define SEEN_MAX 8192

static struct {
	struct observation at[SEEN_MAX];
	size_t n;
	struct address sources[1024]; /* of SIP messages in the capture */
	size_t n_sources;
} seen;

/* Over all corpora. */
static unsigned sources_checked, sources_absent, proofs_wanted, victims;
static const char *corpus;
static unsigned failures;
static unsigned dialled_all, dialled_seen, legit_auth, bans_wanted;

static void observe(void *context, const struct observation *o)
{
	(void)context;
	assert_true(seen.n < SEEN_MAX);
	seen.at[seen.n++] = *o;
}

static bool source_seen(const struct address *a)
{
	for (size_t i = 0; i < seen.n_sources; i++)
		if (address_eq(a, &seen.sources[i]))
			return true;
	return false;
}

static void replay(const char *path)
{
	const struct hash_key key = {1, 2};
	struct wire *w = wire_new(&wire_config_default, key, observe, NULL);
	struct pcap_datagram d = {0};
	struct hep_message m;
	struct pcap p;

	seen.n = seen.n_sources = 0;
	assert_non_null(w);
	assert_int_equal(pcap_open(&p, path), 0);
	while (pcap_next(&p, &d)) {
		assert_int_equal(hep_decode(&m, d.payload), HEP_VALID);
		if (!source_seen(&m.source) && seen.n_sources < 1024)
			seen.sources[seen.n_sources++] = m.source;
		wire_feed(w, &m, NULL, d.time);
		wire_expire(w, d.time);
	}
	pcap_close(&p);
	wire_expire(w, d.time + 60 * USEC_PER_SEC);
	wire_free(w);
}

static bool is_attack(const struct observation *o)
{
	return o->kind >= OBSERVED_AUTH_FAILED && o->kind <= OBSERVED_MALFORMED;
}

static unsigned count(const struct address *a, uint8_t kind, uint8_t proof)
{
	unsigned n = 0;

	for (size_t i = 0; i < seen.n; i++) {
		const struct observation *o = &seen.at[i];

		n += address_eq(a, &o->source) && (!kind || o->kind == kind) &&
			(!proof || o->proof == proof);
	}
	return n;
}

/* Attacks by this source that differ in their attempt key. */
static unsigned attempts(const struct address *a)
{
	unsigned n = 0;

	for (size_t i = 0; i < seen.n; i++) {
		bool again = false;

		if (!address_eq(a, &seen.at[i].source) || !is_attack(&seen.at[i]))
			continue;
		for (size_t k = 0; k < i; k++)
			again |= address_eq(a, &seen.at[k].source) &&
				is_attack(&seen.at[k]) &&
				seen.at[k].attempt == seen.at[i].attempt;
		n += !again;
	}
	return n;
}

static bool dialled(const struct address *a, const char *number)
{
	for (size_t i = 0; i < seen.n; i++)
		if (address_eq(a, &seen.at[i].source) &&
			!strcmp(seen.at[i].dialled, number))
			return true;
	return false;
}

static bool truth_flag(const json_t *t, const char *name)
{
	return json_is_true(json_object_get(t, name));
}

/* One wrong source does not hide the next: all are named, then the test fails. */
static void expect(bool holds, const char *src, const char *what)
{
	if (holds)
		return;
	failures++;
	print_message("# %s %s: %s\n", corpus, src, what);
}

static void check_dialled(const struct address *a, const json_t *t)
{
	const json_t *list = json_object_get(t, "dialed");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *number = json_string_value(json_array_get(list, i));

		dialled_all++;
		dialled_seen += dialled(a, number);
	}
}

/* Proofs: never for a victim, always for who took part. */
static void check_proof(
	const struct address *a, const json_t *t, const char *src, const char *role)
{
	unsigned nonce = count(a, 0, PROOF_NONCE) + count(a, 0, PROOF_AUTH);
	unsigned tcp = count(a, 0, PROOF_TCP) + count(a, 0, PROOF_AUTH);

	if (strstr(role, "victim")) {
		victims++;
		expect(!nonce && !tcp && !count(a, 0, PROOF_ACK), src,
			"a victim is proved");
	} else if (truth_flag(t, "tcp")) {
		proofs_wanted++;
		expect(tcp > 0, src, "no proof by TCP");
	} else if (truth_flag(t, "challenge_completed_on_wire")) {
		proofs_wanted++;
		expect(nonce > 0, src, "no proof by nonce");
		expect(!count(a, 0, PROOF_TCP), src, "TCP on UDP");
	} else {
		/* Only a rejected extension is answered with a tag of its own. */
		const json_t *notice = json_object_get(
			json_object_get(t, "events"), "notice");

		expect(!nonce && !tcp, src, "proved without reason");
		expect(!count(a, 0, PROOF_ACK) || !strcmp(role, "legit") ||
				json_object_get(notice, "extension rejected"),
			src, "proved by a tag that is no secret");
	}
}

/* Three make a ban; of these two sources the captures hold only two. */
static unsigned least_attempts(const char *src)
{
	if (!strcmp(corpus, "02_reg_wrongpw_tcp") && !strcmp(src, "198.51.100.15"))
		return 2;
	if (!strcmp(corpus, "07_injection_malformed") && !strcmp(src, "198.51.100.113"))
		return 2;
	return 3;
}

static void check_attempts(
	const struct address *a, const json_t *t, const char *src, const char *role)
{
	const json_t *events = json_object_get(t, "events");
	const json_t *security = json_object_get(events, "security");
	bool legit = !strcmp(role, "legit");
	long long ok = json_integer_value(json_object_get(security, "SuccessfulAuth")) +
		json_integer_value(json_object_get(events, "auth_ok"));

	if (ok && legit) {
		legit_auth++;
		expect(count(a, OBSERVED_AUTH_OK, PROOF_AUTH) == ok, src,
			"wrong count of auth-ok");
	}
	if (truth_flag(t, "should_ban")) {
		bans_wanted++;
		expect(attempts(a) >= least_attempts(src), src, "too few attempts");
	} else if (legit && !ok) {
		expect(attempts(a) < 3 ||
				!json_is_false(json_object_get(t, "should_ban")),
			src, "three attempts of an innocent");
	}
}

static void check_source(const char *line)
{
	json_t *t = json_loads(line, 0, NULL);
	const char *src = json_string_value(json_object_get(t, "src"));
	const char *role = json_string_value(json_object_get(t, "role"));
	struct address a;

	assert_non_null(src);
	assert_non_null(role);
	assert_int_equal(address_parse(&a, view_str(src), NULL), 0);
	sources_checked++;
	check_dialled(&a, t);
	if (!source_seen(&a)) {
		sources_absent++;
		assert_int_equal(count(&a, 0, 0), 0);
	} else {
		check_proof(&a, t, src, role);
		check_attempts(&a, t, src, role);
	}
	json_decref(t);
}

static void run_case(const char *folder)
{
	char path[2048], line[8192];
	FILE *f;

	snprintf(path, sizeof path, "%s/hep.pcap", folder);
	corpus = strrchr(folder, '/') + 1;
	replay(path);
	snprintf(path, sizeof path, "%s/truth.jsonl", folder);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		check_source(line);
	}
	fclose(f);
}

static void run_folder(const char *pbx)
{
	char folder[512], path[1024];
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof folder, TESTS_DATA "/corpora/%s", pbx);
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		run_case(path);
	}
	closedir(dir);
}

static void test_corpora(void **state)
{
	(void)state;
	run_folder("asterisk");
	run_folder("kamailio");
	assert_int_equal(failures, 0);
	assert_int_equal(sources_checked, 132);
	/* Not in any HEP message: AMI, packets that the PBX dropped unparsed,
	 * names that stand in forged log lines alone, and a case without HEP. */
	assert_int_equal(sources_absent, 16);
	assert_int_equal(proofs_wanted, 74);
	assert_int_equal(victims, 10);
	assert_int_equal(legit_auth, 18);
	assert_int_equal(bans_wanted, 35);
	/* Eight were sent after the capture ended: no packet of them is in it. */
	assert_int_equal(dialled_all, 128);
	assert_int_equal(dialled_seen, 120);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpora),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
