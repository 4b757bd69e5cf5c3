/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain report, object, revoke without the daemon. */
#include "cli/direct.h"

#include <string.h>

#include "base/clock.h"
#include "base/units.h"

#define REPORT_TTL 3600
#define OBJECT_TTL 86400

static uint32_t now_seconds(void)
{
	return (uint32_t)(clock_wall() / USEC_PER_SEC);
}

/* --- who we are there --- */

static void standing_local(struct direct *d)
{
	const struct registry *r = desk_registry(&d->desk);
	const struct member *m = registry_member_by_signer(
		r, signer_address(d->desk.signer));

	d->standing.config = *registry_config(r);
	d->standing.now = now_seconds();
	if (m)
		d->standing.member = *m;
}

/* Whether this member may write. Returns 0 or an exit code, having said why. */
static int may_write(const struct direct *d)
{
	const struct member *m = &d->standing.member;
	char address[ADDRESS20_TEXT];

	if (!m->index)
		return failure(CONTROL_PERMISSION,
			"the key of %s is no member's: it never was, or its member was "
			"removed; `sipchain member list` shows, the owner admits it (again) "
			"with `sipchain member add`",
			address20_print(address, signer_address(d->desk.signer)));
	if (m->status == MEMBER_SUSPENDED)
		return failure(CONTROL_REFUSED,
			"refused: member %u (%s) is suspended; the owner ends that with "
			"`sipchain member resume`",
			m->index, shown(m->name));
	return 0;
}

/* --- the word --- */

uint32_t direct_expiry(uint32_t now, uint32_t ttl, const struct standing *s)
{
	uint64_t expiry = (uint64_t)now + ttl;
	uint64_t most = (uint64_t)s->now + s->config.max_ttl;

	/* A person's clock may be ahead of the blocks', if only by one of them. */
	if (ttl <= s->config.max_ttl && expiry > most)
		expiry = most;
	return expiry > UINT32_MAX ? UINT32_MAX : (uint32_t)expiry;
}

/* What the ledger would refuse, in plain words. 0 or an exit code. */
static int reportable(struct direct *d, struct invocation *in)
{
	if (d->kind == DIRECT_REVOKE)
		return 0;
	if (indicator_check(&d->indicator, &d->standing.config.limits, &in->error))
		return failure(CONTROL_REFUSED, "refused: %s", in->error.text);
	if (!d->ttl) {
		d->ttl = d->kind == DIRECT_OBJECT ? OBJECT_TTL : REPORT_TTL;
		if (d->ttl > d->standing.config.max_ttl)
			d->ttl = d->standing.config.max_ttl;
	}
	if (d->ttl > d->standing.config.max_ttl)
		return failure(CONTROL_USAGE,
			"--ttl: this ledger allows at most %u seconds",
			d->standing.config.max_ttl);
	return 0;
}

/* As cell_chain(). */
static int cell_local(struct direct *d)
{
	const struct registry *r = desk_registry(&d->desk);
	uint16_t member = d->standing.member.index;

	if (d->kind == DIRECT_REVOKE) {
		if (registry_own_word(r, member, &d->indicator, now_seconds(), &d->word))
			return 1;
		d->word.action = ACTION_SPEND;
		return 0;
	}
	if (!registry_choose_cell(r, member, &d->indicator, now_seconds(), d->taken,
		    d->taken_count, &d->word.cell, &d->word.action))
		return 0;
	return session_fail(
		&d->desk.why, SESSION_FAILED, "member %u has no cell left", member);
}

/* The word but for its cell. */
static void begin_word(struct direct *d)
{
	d->word = (struct report){.indicator = d->indicator,
		.expiry = direct_expiry(now_seconds(), d->ttl, &d->standing),
		.category = d->category,
		.proof = PROOF_MANUAL};
}

/* Submit the word as a batch of its own. 0 or -1 with d->desk.why. */
static int submit(struct direct *d, struct invocation *in, unsigned wait_ms)
{
	struct operation op = {
		.type = OP_BATCH, .member = d->standing.member.index, .count = 1};
	uint8_t word[WORD_SIZE], texts[INDICATOR_SOURCE_TEXT + 1];
	size_t n = strlen(d->canonical);

	d->word.member = d->standing.member.index;
	d->word.generation = d->standing.member.generation;
	word_encode(word, &d->word);
	op.words = word;
	if (d->indicator.kind >= INDICATOR_URI && n && d->kind != DIRECT_REVOKE) {
		texts[0] = (uint8_t)n;
		memcpy(texts + 1, d->canonical, n);
		op.texts = view_of(texts, n + 1);
	}
	return desk_submit(&d->desk, in, &op, wait_ms);
}

/* Whether the refusal only says that somebody was faster. */
static bool overtaken(const struct session_failure *why)
{
	return why->fault == SESSION_REFUSED &&
		(why->refusal.code == REFUSED_CELL_LIVE ||
			why->refusal.code == REFUSED_CELL_MISMATCH ||
			why->refusal.code == REFUSED_CELL_NOT_LIVE);
}

/* Returns 0; 1: nothing to revoke; -1 with d->desk.why. */
static int choose_and_submit(struct direct *d, struct invocation *in)
{
	unsigned wait_ms = given(in, OPTION_WAIT) ? d->desk.block_ms : 0;

	for (;;) {
		int rc;

		begin_word(d);
		rc = d->desk.session ? cell_chain(d) : cell_local(d);
		if (rc)
			return rc;
		if (!submit(d, in, wait_ms))
			return 0;
		/* Somebody of the same member was faster, or is on the way. */
		if (!overtaken(&d->desk.why) || d->taken_count == CELL_TRIES)
			return -1;
		d->taken[d->taken_count++] = d->word.cell;
		if (desk_read(&d->desk))
			return -1;
	}
}

/* --- what came of it --- */

static const char *verb(const struct direct *d)
{
	return d->kind == DIRECT_REVOKE  ? "revoked" :
		d->kind == DIRECT_OBJECT ? "objected to" :
					   "reported";
}

static void done_json(const struct direct *d, struct invocation *in)
{
	bool final = !d->desk.session || d->desk.receipt.block;
	char text[INDICATOR_TEXT];
	json_t *out = json_pack("{s:s, s:s, s:i, s:I, s:I, s:s}", "indicator",
		in->arguments[0], "listed_as", indicator_print(text, &d->indicator),
		"member", d->standing.member.index, "cell", (json_int_t)d->word.cell,
		"until", (json_int_t)(d->kind == DIRECT_REVOKE ? 0 : d->word.expiry),
		"state", final ? "final" : "sent");

	transaction_json(&d->desk, out);
	print_json(out);
	json_decref(out);
}

static void done_print(const struct direct *d, struct invocation *in)
{
	const char *what = shown(in->arguments[0]);
	char until[128] = "";

	if (d->kind != DIRECT_REVOKE)
		snprintf(until, sizeof until, " until %s", shown_time(d->word.expiry));
	if (d->desk.session && !d->desk.receipt.block)
		printf("%s: sent to the chain, to be %s by member %u (%s)%s\n", what,
			verb(d), d->standing.member.index, shown(d->standing.member.name),
			until);
	else
		printf("%s: on the ledger, %s by member %u (%s)%s\n", what, verb(d),
			d->standing.member.index, shown(d->standing.member.name), until);
	if (given(in, OPTION_WAIT) && d->desk.session && !given(in, OPTION_TX))
		printf("block           %llu\n",
			(unsigned long long)d->desk.receipt.block);
	transaction_print(&d->desk, in);
}

/* With the desk open. Returns an exit code, having said why. */
static int write_word(struct direct *d, struct invocation *in)
{
	char text[INDICATOR_TEXT + 80];
	int code, rc;

	if (!d->desk.ledger && standing_chain(d))
		return session_failed(&d->desk.why);
	if (d->desk.ledger)
		standing_local(d);
	code = may_write(d);
	if (!code)
		code = reportable(d, in);
	if (code)
		return code;
	rc = choose_and_submit(d, in);
	if (rc < 0)
		return session_failed(&d->desk.why);
	indicator_print(text, &d->indicator);
	if (rc > 0)
		return failure(CONTROL_FAILED, "member %u (%s) has no live report of %s",
			d->standing.member.index, shown(d->standing.member.name), text);
	if (given(in, OPTION_DRY_RUN)) {
		snprintf(text + strlen(text), 64, " would be %s", verb(d));
		dry_run_print(&d->desk, in, text);
	} else if (given(in, OPTION_JSON)) {
		done_json(d, in);
	} else {
		done_print(d, in);
	}
	return 0;
}

/* The options, checked before anything is opened. Returns an exit code. */
static int take_options(struct direct *d, struct invocation *in)
{
	const char *category = option(in, OPTION_CATEGORY, NULL);
	int parsed = category ? category_parse(view_str(category)) : CATEGORY_OTHER;
	uint64_t ttl = 0;

	if (indicator_parse(
		    &d->indicator, d->canonical, view_str(in->arguments[0]), &in->error))
		return failure(CONTROL_USAGE, "%s", in->error.text);
	if (parsed <= CATEGORY_NONE || parsed == CATEGORY_OBJECTION)
		return failure(CONTROL_USAGE, "--category %s: one of %s", shown(category),
			option_specs[OPTION_CATEGORY].help);
	d->category = d->kind == DIRECT_OBJECT ? CATEGORY_OBJECTION : (uint8_t)parsed;
	if (given(in, OPTION_TTL) &&
		(duration_parse(&ttl, view_str(option(in, OPTION_TTL, "")), &in->error) ||
			!ttl || ttl > 366 * 86400))
		return failure(CONTROL_USAGE, "--ttl %s: from 1s to 366d",
			shown(option(in, OPTION_TTL, "")));
	d->ttl = (uint32_t)ttl;
	if (given(in, OPTION_NOTE))
		fprintf(stderr,
			"sipchain: the note is not kept: only the daemon keeps "
			"notes\n");
	return 0;
}

static int direct(struct invocation *in, enum direct_kind kind)
{
	static struct direct d;
	int code;

	memset(&d, 0, sizeof d);
	d.kind = kind;
	code = take_options(&d, in);
	if (!code)
		code = desk_open(&d.desk, in,
			DESK_SIGNS | DESK_MEMBER | DESK_UNREAD | DESK_SHARED);
	if (code)
		return code;
	code = write_word(&d, in);
	buffer_free(&d.cells);
	desk_close(&d.desk);
	return code;
}

int direct_report(struct invocation *in)
{
	return direct(in, DIRECT_REPORT);
}

int direct_object(struct invocation *in)
{
	return direct(in, DIRECT_OBJECT);
}

int direct_revoke(struct invocation *in)
{
	return direct(in, DIRECT_REVOKE);
}
