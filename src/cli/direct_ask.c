/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain list, check without the daemon: from the ledger itself. */
#include "cli/desk.h"

#include <stdlib.h>

#include "api/answer.h"
#include "base/clock.h"

struct direct_answers {
	struct desk desk;
	struct allowlist *allow; /* the configuration's entries: no more is known */
};

static const char *text_of_desk(const void *context, const struct indicator *i)
{
	return desk_text(context, i);
}

static struct answer_source source(const struct direct_answers *a)
{
	return (struct answer_source){
		.registry = desk_registry(&a->desk),
		.policy = &a->desk.choice.config.policy,
		.allow = a->allow,
		.now = (uint32_t)(clock_wall() / USEC_PER_SEC),
		.text = text_of_desk,
		.context = &a->desk,
	};
}

static int fill_allowlist(struct direct_answers *a)
{
	const struct config *c = &a->desk.choice.config;

	a->allow = allowlist_new();
	for (size_t i = 0; a->allow && i < c->allow.entry_count; i++) {
		struct allow_entry e = {.indicator = c->allow.entry[i].indicator,
			.origin = ALLOW_CONFIGURED};

		snprintf(e.note, sizeof e.note, "%s", c->allow.entry[i].note);
		if (allowlist_add(a->allow, &e))
			return -1;
	}
	return a->allow ? 0 : -1;
}

struct direct_answers *direct_open(struct invocation *in, int *code)
{
	struct direct_answers *a = calloc(1, sizeof *a);

	if (!a) {
		*code = failure(CONTROL_FAILED, "out of memory");
		return NULL;
	}
	*code = desk_open(&a->desk, in, DESK_TEXTS);
	if (*code) {
		free(a);
		return NULL;
	}
	if (!fill_allowlist(a))
		return a;
	direct_close(a);
	*code = failure(CONTROL_FAILED, "out of memory");
	return NULL;
}

void direct_close(struct direct_answers *a)
{
	if (!a)
		return;
	allowlist_free(a->allow);
	desk_close(&a->desk);
	free(a);
}

/* Where the answer comes from: scripts want to know that no daemon spoke. */
static json_t *signed_off(const struct direct_answers *a, json_t *out)
{
	json_object_set_new(out, "direct", json_true());
	json_object_set_new(out, "caught_up", json_true());
	if (a->desk.session)
		json_object_set_new(
			out, "endpoint", json_string(session_endpoint(a->desk.session)));
	return out;
}

json_t *direct_list(struct direct_answers *a, const char *kind)
{
	const struct answer_source from = source(a);

	return signed_off(a,
		json_pack("{s:o, s:o}", "indicators", answer_list(&from, kind), "tip",
			answer_tips(from.registry)));
}

static const char *verdict(const json_t *listed, bool allowed, bool protected)
{
	if (!json_array_size(listed))
		return allowed    ? "not listed, and on this node's allowlist" :
			protected ? "not listed, and protected by the consortium" :
				    "not listed";
	if (answer_any_blocks(listed))
		return "listed, and by this node's policy to be blocked";
	return protected ? "listed, but the consortium protects it: not blocked" :
		allowed  ? "listed, but on this node's allowlist: not blocked" :
			   "listed, but not to be blocked by this node's policy";
}

json_t *direct_check(struct direct_answers *a, const char *text)
{
	const struct answer_source from = source(a);
	char name[INDICATOR_TEXT], canonical[INDICATOR_SOURCE_TEXT + 1];
	struct answer_exempt exempt;
	struct indicator i;
	json_t *listed, *out;

	if (indicator_parse(&i, canonical, view_str(text), NULL))
		return NULL;
	exempt = answer_exempt(&from, &i, canonical);
	listed = answer_around(&from, &i, canonical);
	out = json_pack("{s:s, s:s, s:s, s:o, s:[]}", "indicator",
		indicator_print(name, &i), "kind", indicator_kind_name(i.kind), "text",
		verdict(listed, exempt.allowed != NULL, exempt.protected != NULL), "tip",
		answer_tips(from.registry), "bans");
	json_object_set_new(out, "listed", listed);
	answer_exceptions(out, &exempt);
	return signed_off(a, out);
}
