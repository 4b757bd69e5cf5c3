/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/own_number.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

static uint32_t later(uint32_t now, uint32_t seconds)
{
	return seconds > UINT32_MAX - now ? UINT32_MAX : now + seconds;
}

bool own_number_attacker(const struct own_config *config, const struct detection *d,
	const struct own_action *a)
{
	bool proved = d->proof == PROOF_NONCE || d->proof == PROOF_TCP ||
		d->proof == PROOF_AUTH ||
		(d->proof == PROOF_ACK && config->publish[PROOF_ACK]);

	return proved && d->publish && a->decision.why != WHY_PROTECTED &&
		a->decision.why != WHY_ALLOWED;
}

/* The answer about refusing calls here, with its reason in text. */
static void refuse_decide(struct own_action *out, const struct own_config *config,
	const struct own_number_config *numbers, const struct registry *registry,
	const struct allowlist *allow, const struct number_detection *d, uint32_t now,
	char text[DECISION_TEXT])
{
	uint32_t until = later(now, numbers->ttl);
	char duration[32];

	decide_own_text(&out->decision, registry, allow, &out->indicator, d->text,
		WHY_OWN_DETECTION, until, now);
	if (!out->decision.block) {
		decision_print(text, &out->decision);
		return;
	}
	out->would_ban = true;
	out->until = until;
	snprintf(text, DECISION_TEXT, "%s for %s (%s, read by %s, callers' proof %s)",
		config->observe ? "would refuse calls to it" : "refuse calls to it",
		duration_print(duration, numbers->ttl), category_name(d->category),
		proof_name(d->proof), proof_name(d->source_proof));
}

/* Whether this node's member speaks for it: a person has, and anybody can dial. */
static bool is_objected(const struct own_config *config, const struct registry *registry,
	const struct indicator *i, uint32_t now)
{
	struct report word;

	return registry && config->member &&
		!registry_own_word(registry, config->member, i, now, &word) &&
		word.category == CATEGORY_OBJECTION;
}

/* The answer about publishing, with its reason in text. */
static void publish_decide(struct own_action *out, const struct own_config *config,
	const struct own_number_config *numbers, const struct registry *registry,
	uint32_t now, char text[120])
{
	const struct ledger_config *ledger = registry ? registry_config(registry) : NULL;
	uint32_t ttl = numbers->ttl;
	char duration[32];
	const char *why = NULL;

	if (ledger && ledger->max_ttl < ttl)
		ttl = ledger->max_ttl;
	if (!out->decision.block)
		why = "not reported";
	else if (!numbers->publish)
		why = "not reported: [numbers] publish = no";
	else if (out->proof >= PROOF_COUNT || !config->publish[out->proof])
		why = out->proof == PROOF_RULE ?
			"not reported: proof rule is not published here" :
			"not reported: proof cluster is not published here";
	else if (!config->may_report)
		why = "not reported: this node is not an active member";
	else if (ledger && indicator_check(&out->indicator, &ledger->limits, NULL) != 0)
		why = "not reported: the ledger takes no such prefix";
	else if (is_objected(config, registry, &out->indicator, now))
		why = "not reported: this member objects to the reports of it";
	if (why) {
		snprintf(text, 120, "%s", why);
		return;
	}
	out->would_publish = true;
	out->expiry = later(now, ttl);
	snprintf(text, 120, "%s for %s", config->observe ? "would report" : "report",
		duration_print(duration, ttl));
}

void own_number_decide(struct own_action *out, const struct own_config *config,
	const struct own_number_config *numbers, const struct registry *registry,
	const struct allowlist *allow, const struct number_detection *d, uint32_t now)
{
	char refuse[DECISION_TEXT], publish[120];

	*out = (struct own_action){
		.indicator = d->indicator,
		.category = d->category,
		.proof = d->proof,
	};
	refuse_decide(out, config, numbers, registry, allow, d, now, refuse);
	publish_decide(out, config, numbers, registry, now, publish);
	out->ban = out->would_ban && !config->observe;
	out->publish = out->would_publish && !config->observe;
	snprintf(out->reason, sizeof(out->reason), "%s; %s", refuse, publish);
}
