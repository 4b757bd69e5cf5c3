/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain ledger show: what the ledger is, who governs it, its rules. */
#include <string.h>

#include "base/hex.h"
#include "base/units.h"
#include "cli/desk.h"

/* How many members there are; the active ones' weights are what can agree. */
static json_t *members_json(const struct registry *r)
{
	json_int_t count = 0, active = 0, weight = 0;

	for (uint16_t i = 1; i <= registry_members(r); i++) {
		const struct member *m = registry_member(r, i);

		count += m->status != MEMBER_REMOVED;
		active += m->status == MEMBER_ACTIVE;
		weight += m->status == MEMBER_ACTIVE ? m->weight : 0;
	}
	return json_pack("{s:I, s:I, s:I}", "count", count, "active", active,
		"active_weight", weight);
}

static json_t *rules_json(const struct ledger_config *c)
{
	return json_pack("{s:I, s:I, s:i, s:i, s:i, s:b}", "threshold",
		(json_int_t)c->threshold, "max_ttl", (json_int_t)c->max_ttl, "min_v4",
		c->limits.min_v4, "min_v6", c->limits.min_v6, "min_e164",
		c->limits.min_e164, "allow_unroutable", c->limits.allow_unroutable);
}

static json_t *registry_json(const struct registry *r)
{
	size_t protected;

	registry_protected(r, &protected);
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:I, s:I, s:{s:o, s:o}}", "id",
		hash_json(registry_id(r)), "owner", address_json(registry_owner(r)),
		"proposed_owner", address_json(registry_proposed_owner(r)), "guardian",
		address_json(registry_guardian(r)), "rules",
		rules_json(registry_config(r)), "paused", registry_paused(r), "successor",
		hash_json(registry_superseded(r)), "members", members_json(r), "live",
		(json_int_t)registry_live_count(r), "protected", (json_int_t) protected,
		"tips", "members", tip_json(r, CHAIN_MEMBERS), "admin",
		tip_json(r, CHAIN_ADMIN));
}

/* Of a ledger on a chain: where it is. */
static void where_json(const struct desk *d, json_t *out)
{
	const struct ethereum_settings *s;
	char address[ADDRESS20_TEXT];

	if (!d->session || !out)
		return;
	s = session_settings(d->session);
	json_object_set_new(out, "endpoint", json_string(session_endpoint(d->session)));
	json_object_set_new(
		out, "contract", json_string(address20_print(address, s->contract)));
	json_object_set_new(out, "chain_id", json_integer((json_int_t)s->chain_id));
}

/* "members' tip     HASH after 12" */
static void tip_print(const char *label, const json_t *tip)
{
	printf("%-16s%s after %lld\n", label, text_of(tip, "hash"),
		number_of(tip, "seq"));
}

static void line_print(const char *label, const char *value, const char *otherwise)
{
	printf("%-16s%s\n", label, value[0] ? value : otherwise);
}

static void show_print(const json_t *o)
{
	const json_t *rules = json_object_get(o, "rules");
	const json_t *members = json_object_get(o, "members");
	const json_t *tips = json_object_get(o, "tips");
	char ttl[32];

	line_print("id", text_of(o, "id"), "-");
	line_print("owner", text_of(o, "owner"), "-");
	line_print("proposed owner", text_of(o, "proposed_owner"), "none");
	line_print("guardian", text_of(o, "guardian"), "none");
	printf("threshold       %lld\n", number_of(rules, "threshold"));
	line_print("max-ttl", duration_print(ttl, (uint64_t)number_of(rules, "max_ttl")),
		"-");
	printf("min-v4          %lld bits\nmin-v6          %lld bits\n"
	       "min-e164        %lld digits\n",
		number_of(rules, "min_v4"), number_of(rules, "min_v6"),
		number_of(rules, "min_e164"));
	line_print("unroutable",
		is_true(rules, "allow_unroutable") ? "accepted" : "refused", "-");
	line_print("paused", is_true(o, "paused") ? "yes" : "no", "-");
	line_print("successor", text_of(o, "successor"), "none");
	printf("members         %lld, %lld active of weight %lld together\n",
		number_of(members, "count"), number_of(members, "active"),
		number_of(members, "active_weight"));
	printf("live reports    %lld\nprotected       %lld\n", number_of(o, "live"),
		number_of(o, "protected"));
	tip_print("members' tip", json_object_get(tips, "members"));
	tip_print("admin tip", json_object_get(tips, "admin"));
	if (!json_object_get(o, "contract"))
		return;
	line_print("contract", text_of(o, "contract"), "-");
	printf("chain           %lld, as %s says\n", number_of(o, "chain_id"),
		shown(text_of(o, "endpoint")));
}

int run_ledger_show(struct invocation *in)
{
	struct desk d;
	json_t *out;
	int code = desk_open(&d, in, 0);

	if (code)
		return code;
	out = registry_json(desk_registry(&d));
	where_json(&d, out);
	desk_close(&d);
	if (!out)
		return failure(CONTROL_FAILED, "out of memory");
	if (given(in, OPTION_JSON))
		print_json(out);
	else
		show_print(out);
	json_decref(out);
	return 0;
}
