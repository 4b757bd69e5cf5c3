/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/decide.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

const char *why_name(enum why why)
{
	static const char *const names[] = {"?", "quorum", "own-detection", "operator",
		"not-listed", "below-quorum", "objected", "policy", "protected",
		"allowed", "own", "domestic"};
	unsigned at = (unsigned)why;

	return at < sizeof(names) / sizeof(names[0]) ? names[at] : names[0];
}

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

/* Who says what: "3 members report (password, proof nonce), 1 objects". */
static void print_votes(char dst[120], const struct decision *d)
{
	int n = snprintf(dst, 120, "%" PRIu32 " member%s report%s (%s, proof %s)",
		d->reporters, plural(d->reporters), d->reporters == 1 ? "s" : "",
		category_name(d->category), proof_name(d->proof));

	if (d->objectors > 0 && n > 0 && n < 120)
		snprintf(dst + n, 120 - (size_t)n, ", %" PRIu32 " object%s", d->objectors,
			d->objectors == 1 ? "s" : "");
}

static void print_block(char *dst, const struct decision *d)
{
	char until[21], votes[120];

	clock_rfc3339(until, d->until);
	switch (d->why) {
	case WHY_QUORUM:
		print_votes(votes, d);
		snprintf(dst, DECISION_TEXT,
			"blocked until %s: support %" PRId64 " of %" PRIu32
			" required; %s",
			until, d->sum, d->required, votes);
		break;
	case WHY_OWN_DETECTION:
		snprintf(dst, DECISION_TEXT, "blocked until %s: this node detected it",
			until);
		break;
	case WHY_OPERATOR:
		snprintf(
			dst, DECISION_TEXT, "blocked until %s: an operator's ban", until);
		break;
	case WHY_NOT_LISTED:
	case WHY_BELOW_QUORUM:
	case WHY_OBJECTED:
	case WHY_POLICY:
	case WHY_PROTECTED:
	case WHY_ALLOWED:
	case WHY_OWN:
	case WHY_DOMESTIC:
	default:
		snprintf(dst, DECISION_TEXT, "blocked until %s: %s", until,
			why_name(d->why));
		break;
	}
}

/* The quorum it misses: "support 1 of 2 required", or that none helps. */
static void print_missed(char dst[60], const struct decision *d)
{
	if (d->required == QUORUM_NEVER)
		snprintf(dst, 60, "this node's policy ignores such reports");
	else
		snprintf(dst, 60, "support %" PRId64 " of %" PRIu32 " required", d->sum,
			d->required);
}

/* What the site is. */
static void print_home(char *dst, const struct decision *d)
{
	const struct indicator *i = d->conflict.kind ? &d->conflict : &d->indicator;
	bool within = i->kind == INDICATOR_NUMBER && i->plen != 128;

	if (d->why == WHY_DOMESTIC)
		snprintf(dst, DECISION_TEXT,
			"not blocked: %s of your own country; [numbers] domestic = yes "
			"blocks those too",
			within ? "it has numbers in it" : "a number");
	else if (i->kind == INDICATOR_NUMBER)
		snprintf(dst, DECISION_TEXT, "not blocked: %s ([numbers] own)",
			within ? "it has numbers of your own in it" :
				 "a number of your own");
	else
		snprintf(dst, DECISION_TEXT,
			"not blocked: your own domain ([numbers] domains)");
}

static void print_pass(char *dst, const struct decision *d)
{
	char missed[60], votes[120], conflict[INDICATOR_TEXT];

	print_missed(missed, d);
	print_votes(votes, d);
	switch (d->why) {
	case WHY_NOT_LISTED:
		snprintf(dst, DECISION_TEXT, "not blocked: no live report about it");
		break;
	case WHY_BELOW_QUORUM:
		snprintf(dst, DECISION_TEXT, "not blocked: %s; %s", missed, votes);
		break;
	case WHY_OBJECTED:
		snprintf(dst, DECISION_TEXT, "not blocked: objected, %s; %s", missed,
			votes);
		break;
	case WHY_POLICY:
		snprintf(dst, DECISION_TEXT,
			"not blocked: enough for the ledger, not for this node: %s; %s",
			missed, votes);
		break;
	case WHY_PROTECTED:
		snprintf(dst, DECISION_TEXT,
			"not blocked: overlaps %s in the consortium's protected table",
			indicator_print(conflict, &d->conflict));
		break;
	case WHY_ALLOWED:
		snprintf(dst, DECISION_TEXT,
			"not blocked: overlaps %s on this node's allowlist (%s)",
			indicator_print(conflict, &d->conflict),
			allow_origin_name(d->origin));
		break;
	case WHY_OWN:
	case WHY_DOMESTIC:
		print_home(dst, d);
		break;
	case WHY_QUORUM:
	case WHY_OWN_DETECTION:
	case WHY_OPERATOR:
	default:
		snprintf(dst, DECISION_TEXT, "not blocked: %s", why_name(d->why));
		break;
	}
}

char *decision_print(char *dst, const struct decision *d)
{
	if (d->block)
		print_block(dst, d);
	else
		print_pass(dst, d);
	return dst;
}
