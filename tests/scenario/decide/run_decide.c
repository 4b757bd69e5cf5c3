/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays decision scenarios: a ledger's operations, a node's policy and
 * allowlist, a clock, and what must be decided. One statement a line:
 *
 *	# comment
 *	config threshold=2 max-ttl=86400 unroutable=yes   (first; all have defaults)
 *	threshold 3
 *	member 1 weight=1 cap=100        add, or change one that is there
 *	remove 1 | suspend 1 | resume 1 | pause | unpause
 *	protect 192.0.2.0/24 +44*        the whole table
 *	allow 198.51.100.9 ttl=600       this node's allowlist; no ttl: stays
 *	disallow 198.51.100.9
 *	policy proof.log=never kind.number=3 proof.nonce=0
 *	home country=44 area=20 own=+4420794600* domains=example.org domestic=yes
 *	                                 what [numbers] says of the site; all anew
 *	at 100                           the clock, from now on; or before a
 *	at 100 report member=1 ...       statement
 *	report 203.0.113.7 member=1 cell=0 ttl=600 proof=nonce category=password
 *	object 203.0.113.7 member=2 cell=0 ttl=600
 *	replace ...                      as report, over a live cell
 *	spend 203.0.113.7 member=1 cell=0
 *	refused CellLive report ...      the ledger must refuse the rest of the
 *	                                 line, for this reason
 *	expect 203.0.113.7 block until=700 sum=2 required=2 ...
 *	expect 203.0.113.7 pass why=below-quorum recheck=0 conflict=... text="..."
 *	own 203.0.113.7 block|pass ...   may this node ban it for itself
 *	call sip:bob@example.com domain block|pass ...   does a ban of its uri, domain
 *	                                 or number count for calls to it
 *
 * The text of a URI is known when it is written as one, and not as uri#...
 *
 * Usage: run_decide FILE... Exit status 1 when an expectation fails.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "play.h"

/* --- this node --- */

static void read_config(struct run *r, const struct statement *s)
{
	const char *unroutable = value(s, "unroutable");

	r->config.threshold = number_or(r, s, "threshold", r->config.threshold);
	r->config.max_ttl = number_or(r, s, "max-ttl", r->config.max_ttl);
	r->config.limits.min_v4 = (uint8_t)number_or(
		r, s, "min-v4", r->config.limits.min_v4);
	r->config.limits.min_e164 = (uint8_t)number_or(
		r, s, "min-e164", r->config.limits.min_e164);
	if (unroutable != NULL)
		r->config.limits.allow_unroutable = strcmp(unroutable, "yes") == 0;
}

static void do_allow(struct run *r, const struct statement *s)
{
	struct allow_entry e = {
		.indicator = indicator(r, s, 1), .origin = ALLOW_OPERATOR};
	uint32_t ttl = number_or(r, s, "ttl", 0);

	if (ttl != 0)
		e.expiry = r->now + ttl;
	if (allowlist_add(r->allow, &e) != 0)
		bad(r, "out of memory");
}

static uint8_t kind_named(const struct run *r, const char *name, size_t n)
{
	for (uint8_t k = INDICATOR_IP4; k <= INDICATOR_AGENT; k++) {
		if (strlen(indicator_kind_name(k)) == n &&
			strncmp(indicator_kind_name(k), name, n) == 0)
			return k;
	}
	bad(r, "unknown kind in %s", name);
}

static void do_policy(struct run *r, const struct statement *s)
{
	for (unsigned k = 1; k < s->n; k++) {
		const char *equals = strchr(s->word[k], '=');
		const char *dot = strchr(s->word[k], '.');
		uint32_t asked;

		if (equals == NULL || dot == NULL || dot > equals)
			bad(r, "policy: %s", s->word[k]);
		asked = strcmp(equals + 1, "never") == 0 ?
			QUORUM_NEVER :
			number(r, equals + 1, "policy");
		if (strncmp(s->word[k], "proof.", 6) == 0) {
			int proof = proof_parse(
				view_of(dot + 1, (size_t)(equals - dot - 1)));

			if (proof < 0)
				bad(r, "unknown proof in %s", s->word[k]);
			r->policy.by_proof[proof] = asked;
		} else if (strncmp(s->word[k], "kind.", 5) == 0) {
			r->policy.by_kind[kind_named(
				r, dot + 1, (size_t)(equals - dot - 1))] = asked;
		} else {
			bad(r, "policy: %s", s->word[k]);
		}
	}
}

static void do_home(struct run *r, const struct statement *s)
{
	static const struct {
		const char *key;
		int (*set)(struct dial_plan *plan, struct view text, struct error *err);
	} parts[] = {{"country", dial_plan_country}, {"area", dial_plan_area},
		{"own", dial_plan_own}};
	const char *domains = value(s, "domains"), *domestic = value(s, "domestic");
	struct numbers_config n;
	struct error err;

	numbers_config_default(&n);
	for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
		const char *text = value(s, parts[k].key);

		if (text != NULL && parts[k].set(&n.plan, view_str(text), &err) != 0)
			bad(r, "%s", err.text);
	}
	while (domains != NULL && *domains != '\0') {
		size_t length = strcspn(domains, ",");

		view_copy(n.domains[n.n_domains++], sizeof(n.domains[0]),
			view_of(domains, length));
		domains += length + (domains[length] == ',');
	}
	n.domestic = domestic != NULL && strcmp(domestic, "yes") == 0;
	home_take(&r->policy.home, &n);
}

/* --- expectations --- */

/* Compare one field when the statement names it. */
static void compare(
	struct run *r, const struct statement *s, const char *key, const char *got)
{
	const char *expected = value(s, key);

	if (expected == NULL || strcmp(expected, got) == 0)
		return;
	fprintf(stderr, "%s:%u: %s: %s=%s expected, got %s\n", r->file, r->line,
		s->word[1], key, expected, got);
	r->failures++;
}

static void compare_number(
	struct run *r, const struct statement *s, const char *key, int64_t got)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, got);
	compare(r, s, key, text);
}

static const char *const keys[] = {"why", "until", "recheck", "sum", "required",
	"reporters", "objectors", "category", "proof", "conflict", "origin", "text"};

/* A key that is misspelt would never be compared: refuse it. */
static void check_keys(const struct run *r, const struct statement *s)
{
	for (unsigned k = strcmp(s->word[0], "call") == 0 ? 4 : 3; k < s->n; k++) {
		bool known = false;

		for (size_t at = 0; at < sizeof(keys) / sizeof(keys[0]); at++) {
			size_t n = strlen(keys[at]);

			if (strncmp(s->word[k], keys[at], n) == 0 && s->word[k][n] == '=')
				known = true;
		}
		if (!known)
			bad(r, "%s is no expectation", s->word[k]);
	}
}

static void compare_decision(
	struct run *r, const struct statement *s, const struct decision *d)
{
	char conflict[INDICATOR_TEXT] = "none", text[DECISION_TEXT];

	if (s->n < 3 ||
		(strcmp(s->word[2], "block") != 0 && strcmp(s->word[2], "pass") != 0))
		bad(r, "%s: block or pass is needed", s->word[0]);
	check_keys(r, s);
	r->expectations++;
	decision_print(text, d);
	if (d->block != (strcmp(s->word[2], "block") == 0)) {
		fprintf(stderr, "%s:%u: %s: %s expected, got: %s\n", r->file, r->line,
			s->word[1], s->word[2], text);
		r->failures++;
		return;
	}
	if (d->conflict.kind != 0)
		indicator_print(conflict, &d->conflict);
	compare(r, s, "why", why_name(d->why));
	compare_number(r, s, "until", d->until);
	compare_number(r, s, "recheck", d->recheck);
	compare_number(r, s, "sum", d->sum);
	if (d->required == QUORUM_NEVER)
		compare(r, s, "required", "never");
	else
		compare_number(r, s, "required", d->required);
	compare_number(r, s, "reporters", d->reporters);
	compare_number(r, s, "objectors", d->objectors);
	compare(r, s, "category", category_name(d->category));
	compare(r, s, "proof", proof_name(d->proof));
	compare(r, s, "conflict", conflict);
	compare(r, s, "origin", allow_origin_name(d->origin));
	compare(r, s, "text", text);
}

/*
 * What a learnt block promises: it holds a second before `until` and not at
 * `until`, with nothing new said; and forgetting the expired changes nothing.
 */
static void check_promise(
	struct run *r, const struct statement *s, const struct decision *d)
{
	struct decision then;

	if (!d->block || d->recheck < d->until)
		return;
	decide_learnt(
		&then, &r->policy, r->registry, r->allow, &d->indicator, d->until - 1);
	if (!then.block || then.until != d->until) {
		fprintf(stderr, "%s:%u: %s: does not hold until %" PRIu32 "\n", r->file,
			r->line, s->word[1], d->until);
		r->failures++;
	}
	decide_learnt(&then, &r->policy, r->registry, r->allow, &d->indicator, d->until);
	if (then.block) {
		fprintf(stderr, "%s:%u: %s: still holds at %" PRIu32 "\n", r->file,
			r->line, s->word[1], d->until);
		r->failures++;
	}
}

/* The canonical text of what a statement names; "": none. */
static const char *text_of(const struct run *r, const struct statement *s)
{
	static char canonical[INDICATOR_SOURCE_TEXT + 1];
	struct indicator i;

	if (s->n < 2 || indicator_parse(&i, canonical, view_str(s->word[1]), NULL) != 0)
		bad(r, "%s: an indicator is needed", s->word[0]);
	return canonical;
}

static void do_expect(struct run *r, const struct statement *s)
{
	struct indicator i = indicator(r, s, 1);
	struct decision d;

	if (strcmp(s->word[0], "own") == 0) {
		decide_own_text(&d, r->registry, r->allow, &i, text_of(r, s),
			WHY_OWN_DETECTION, r->now + 60, r->now);
		compare_decision(r, s, &d);
		return;
	}
	decide_learnt_text(
		&d, &r->policy, r->registry, r->allow, &i, text_of(r, s), r->now);
	compare_decision(r, s, &d);
	check_promise(r, s, &d);
}

/* call URI PART block|pass: its second word is compared as "expect"'s are. */
static void do_call(struct run *r, const struct statement *s)
{
	static const char *const names[URI_PARTS] = {"uri", "domain", "number"};
	struct indicator i = indicator(r, s, 1);
	struct statement shown = *s;
	enum uri_part part = URI_ITSELF;
	struct uri_parts parts;
	struct decision d;

	if (s->n < 4)
		bad(r, "call: a URI, a part of it, block or pass are needed");
	while (part < URI_PARTS && strcmp(s->word[2], names[part]) != 0)
		part++;
	if (part == URI_PARTS)
		bad(r, "%s is no part of a URI", s->word[2]);
	uri_parts(&parts, &i, text_of(r, s));
	if (parts.part[part].kind == 0)
		bad(r, "%s has no %s", s->word[1], s->word[2]);
	if (!decide_spared(&d, &r->policy, r->registry, r->allow, &parts, part, r->now)) {
		d.block = true;
		d.why = WHY_OPERATOR;
	}
	shown.word[2] = s->word[3];
	compare_decision(r, &shown, &d);
}

/* --- running --- */

static void run_statement(struct run *r, const struct statement *s)
{
	const char *name = s->word[0];

	if (strcmp(name, "at") == 0) {
		uint32_t now = number(r, s->n > 1 ? s->word[1] : NULL, "at");

		if (now < r->now)
			bad(r, "the clock goes backwards");
		r->now = now;
		registry_expire(r->registry, now, NULL, NULL);
		if (s->n > 2) {
			struct statement rest = statement_rest(s, 2);

			run_statement(r, &rest);
		}
		return;
	}
	if (strcmp(name, "config") == 0) {
		if (r->founded)
			bad(r, "config comes first");
		read_config(r, s);
		return;
	}
	if (!r->founded)
		found(r);
	if (strcmp(name, "allow") == 0) {
		do_allow(r, s);
	} else if (strcmp(name, "disallow") == 0) {
		struct indicator i = indicator(r, s, 1);

		if (!allowlist_remove(r->allow, &i, ALLOW_OPERATOR))
			bad(r, "%s is not on the allowlist", s->word[1]);
	} else if (strcmp(name, "policy") == 0) {
		do_policy(r, s);
	} else if (strcmp(name, "home") == 0) {
		do_home(r, s);
	} else if (strcmp(name, "call") == 0) {
		do_call(r, s);
	} else if (strcmp(name, "expect") == 0 || strcmp(name, "own") == 0) {
		do_expect(r, s);
	} else if (strcmp(name, "refused") == 0) {
		struct statement rest = statement_rest(s, s->n > 2 ? 2 : s->n);

		do_operation(r, &rest, s->n > 1 ? s->word[1] : NULL);
	} else {
		do_operation(r, s, NULL);
	}
}

/* Replay one file. Returns the failures, of which a file without any
 * expectation is one. */
static unsigned run_file(const char *path)
{
	struct run r = {.file = path,
		.policy = policy_default,
		.config = {indicator_limits_default, 86400, 2}};
	char line[LINE_MAX_BYTES];
	FILE *f = fopen(path, "r");

	if (f == NULL)
		bad(&r, "cannot be opened");
	r.config.limits.allow_unroutable = true;
	r.registry = registry_new((struct hash_key){1, 2});
	r.allow = allowlist_new();
	if (r.registry == NULL || r.allow == NULL)
		bad(&r, "out of memory");
	while (fgets(line, sizeof(line), f) != NULL) {
		struct statement s;

		r.line++;
		line[strcspn(line, "\n")] = '\0';
		statement_split(&r, &s, line);
		if (s.n > 0)
			run_statement(&r, &s);
	}
	fclose(f);
	if (r.expectations == 0)
		bad(&r, "expects nothing");
	printf("%s: %u expectations, %u failed\n", path, r.expectations, r.failures);
	allowlist_free(r.allow);
	registry_free(r.registry);
	return r.failures;
}

int main(int argc, char **argv)
{
	unsigned failures = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: run_decide FILE...\n");
		return 2;
	}
	for (int k = 1; k < argc; k++)
		failures += run_file(argv[k]);
	return failures == 0 ? 0 : 1;
}
