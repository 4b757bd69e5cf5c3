/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/own.h"

#include <stdio.h>

#include "base/units.h"
#include "decide/registered.h"

const struct own_config own_config_default = {
	.publish =
		{
			[PROOF_NONCE] = true,
			[PROOF_TCP] = true,
			[PROOF_AUTH] = true,
		},
	.unproved = OWN_UNPROVED_PLAUSIBLE,
	.unproved_ban = 120,
	.ttl = 86400,
	.ttl_max = 30 * 86400,
	.observe = false,
	.may_report = true,
};

uint32_t own_ttl(const struct own_config *config, uint32_t offence, uint32_t max_ttl)
{
	uint32_t most = config->ttl_max < max_ttl ? config->ttl_max : max_ttl;
	uint64_t ttl = config->ttl;

	/* 2^32 seconds is past every limit. */
	for (uint32_t k = 1; k < offence && k <= 32 && ttl < most; k++)
		ttl *= 2;
	return ttl < most ? (uint32_t)ttl : most;
}

/* now + seconds, not past the end of the ledger's 32-bit time. */
static uint32_t later(uint32_t now, uint32_t seconds)
{
	return seconds > UINT32_MAX - now ? UINT32_MAX : now + seconds;
}

/* Why a source is not banned though nothing stands against it, or NULL. */
static const char *no_ban(
	const struct own_config *config, const struct detection *d, uint32_t seconds)
{
	if (!d->ban)
		return "not banned: the rule only tells of it";
	if (!seconds)
		return "not banned: the configuration has no ban for it";
	if (d->proof != PROOF_NONE || config->unproved == OWN_UNPROVED_BAN)
		return NULL;
	if (config->unproved == OWN_UNPROVED_IGNORE)
		return "not banned: the configuration has no ban for unproved sources";
	return d->plausible ? NULL :
			      "not banned: nothing shows that the source is not forged";
}

/*
 * Whether nothing but a registered phone's entry is in the way, and the detection
 * overrules it. The decision is then to block.
 */
static bool overrule(struct decision *out, const struct allowlist *allow,
	const struct detection *d, uint32_t until, uint32_t now)
{
	const struct allow_entry *e = allowlist_find(
		allow, &out->indicator, ALLOW_REGISTERED);

	if (out->why != WHY_ALLOWED || !e || !registered_overruled(e, d) ||
		allowlist_overlap_but(allow, &out->indicator, ALLOW_REGISTERED, now))
		return false;
	*out = (struct decision){.indicator = out->indicator,
		.block = true,
		.why = WHY_OWN_DETECTION,
		.until = until,
		.recheck = until};
	return true;
}

/* The answer about the local ban, with its reason in text. */
static void ban_decide(struct own_action *out, const struct own_config *config,
	const struct registry *registry, const struct allowlist *allow,
	const struct detection *d, uint32_t now, char text[DECISION_TEXT])
{
	uint32_t seconds = d->ban;
	char duration[32];
	const char *why;

	if (d->proof == PROOF_NONE && config->unproved_ban < seconds)
		seconds = config->unproved_ban;
	if (d->proof == PROOF_NONE && d->plausible && d->unproved_ban < seconds)
		seconds = d->unproved_ban;
	decide_own(&out->decision, registry, allow, &out->indicator, WHY_OWN_DETECTION,
		later(now, seconds), now);
	if (!out->decision.block) {
		out->unregister = overrule(
			&out->decision, allow, d, later(now, seconds), now);
		if (!out->unregister) {
			decision_print(text, &out->decision);
			return;
		}
	}
	why = no_ban(config, d, seconds);
	if (why) {
		out->decision.block = false;
		snprintf(text, DECISION_TEXT, "%s", why);
		return;
	}
	out->would_ban = true;
	out->until = out->decision.until;
	snprintf(text, DECISION_TEXT, "%s for %s (%s, proof %s, offence %u)%s",
		config->observe ? "would ban" : "ban", duration_print(duration, seconds),
		category_name(d->category),
		d->plausible ? "none, but plausible" : proof_name(d->proof), d->offence,
		out->unregister ? " though it is registered" : "");
}

/* The answer about publishing, with its reason in text. */
static void publish_decide(struct own_action *out, const struct own_config *config,
	const struct registry *registry, const struct detection *d, uint32_t now,
	char text[120])
{
	const struct ledger_config *ledger = registry ? registry_config(registry) : NULL;
	char duration[32];
	uint32_t ttl;

	if (out->decision.why == WHY_PROTECTED || out->decision.why == WHY_ALLOWED) {
		snprintf(text, 120, "not reported");
		return;
	}
	if (d->proof == PROOF_NONE || d->proof >= PROOF_COUNT) {
		snprintf(text, 120, "not reported: the source is not proved");
		return;
	}
	if (!d->publish) {
		snprintf(text, 120, "not reported: the rule is this node's own");
		return;
	}
	if (!config->publish[d->proof]) {
		snprintf(text, 120, "not reported: proof %s is not published here",
			proof_name(d->proof));
		return;
	}
	if (!config->may_report) {
		snprintf(text, 120, "not reported: this node is not an active member");
		return;
	}
	if (ledger && indicator_check(&out->indicator, &ledger->limits, NULL) != 0) {
		snprintf(text, 120, "not reported: the ledger takes no such address");
		return;
	}
	ttl = own_ttl(config, d->offence, ledger ? ledger->max_ttl : config->ttl_max);
	if (ttl == 0) {
		snprintf(text, 120, "not reported: the configured ttl is 0");
		return;
	}
	out->would_publish = true;
	out->expiry = later(now, ttl);
	snprintf(text, 120, "%s for %s", config->observe ? "would report" : "report",
		duration_print(duration, ttl));
}

void own_decide(struct own_action *out, const struct own_config *config,
	const struct registry *registry, const struct allowlist *allow,
	const struct detection *d, uint32_t now)
{
	unsigned bits = d->plen ? d->plen : d->source.family == 4 ? 32 : 128;
	char ban[DECISION_TEXT], publish[120];

	*out = (struct own_action){
		.indicator = indicator_from_address(&d->source, bits),
		.category = d->category,
		.proof = d->proof,
	};
	ban_decide(out, config, registry, allow, d, now, ban);
	publish_decide(out, config, registry, d, now, publish);
	out->ban = out->would_ban && !config->observe;
	out->publish = out->would_publish && !config->observe;
	out->unregister = out->unregister && out->ban;
	snprintf(out->reason, sizeof(out->reason), "%s; %s", ban, publish);
}
