/* SPDX-License-Identifier: Apache-2.0 */
/* The records behind this node's reports: made, kept for a time, shown. */
#include "daemon/node.h"

#include <stdio.h>

#include "api/evidence_answer.h"
#include "base/log.h"
#include "daemon/evidence_record.h"

/* Before the first counted attempt: the challenge that it answers. */
#define ATTEMPT_SLACK 5
#define KEEP_EVERY    (60 * USEC_PER_SEC)
#define KEEP_STEP     64 /* records that are forgotten at once: a few milliseconds */
#define LIST_MOST     1000

char *node_evidence(struct node *n, const struct own_action *a, const struct detection *d)
{
	static struct observation seen[TRAIL_MAX];
	usec window = ((usec)d->window + ATTEMPT_SLACK) * USEC_PER_SEC;
	struct evidence_facts f = {
		.node = n->config->node.name,
		.detection = d,
		.action = a,
		.thresholds = &n->config->detect,
		.observations = seen,
	};

	f.count = trail_pick(n->trail, &d->source, d->plen,
		d->time > window ? d->time - window : 0, seen, TRAIL_MAX, &f.seen);
	return evidence_record(&f);
}

void node_evidence_keep(struct node *n)
{
	const struct config *c = n->config;
	struct evidence_limits limits = {.now = node_now(), .most = KEEP_STEP};
	struct error err = {""};
	int forgotten;

	if (clock_monotonic() < n->evidence_at || n->bans_open)
		return;
	limits.before = limits.now > c->evidence.keep ? limits.now - c->evidence.keep : 0;
	limits.bytes = c->evidence.max;
	forgotten = evidence_prune(n->store, &limits, &err);
	if (forgotten < 0)
		log_error("store: %s", err.text);
	/* One step a second until there is nothing left to forget. */
	n->evidence_at = forgotten == KEEP_STEP ? 0 : clock_monotonic() + KEEP_EVERY;
}

/* "indicator" of the arguments. 1, 0 when it is not given, -1 after a refusal. */
static int read_indicator(
	struct control_client *client, const json_t *arguments, struct indicator *i)
{
	const char *text = json_string_value(json_object_get(arguments, "indicator"));
	struct error err = {""};

	if (!text)
		return 0;
	if (!indicator_parse(i, NULL, view_str(text), &err))
		return 1;
	control_refuse(client, CONTROL_USAGE, "%s", err.text);
	return -1;
}

static uint64_t number(const json_t *arguments, const char *key, uint64_t fallback)
{
	const json_t *value = json_object_get(arguments, key);

	return json_is_integer(value) && json_integer_value(value) > 0 ?
		(uint64_t)json_integer_value(value) :
		fallback;
}

static void answer(struct control_client *client, json_t *result, const struct error *err)
{
	if (result)
		control_answer(client, result);
	else
		control_refuse(client, CONTROL_FAILED, "%s", err->text);
}

void node_evidence_list(
	struct node *n, struct control_client *client, const json_t *arguments)
{
	uint64_t limit = number(arguments, "limit", LIST_MOST);
	struct error err = {"out of memory"};
	struct indicator i;
	int given = read_indicator(client, arguments, &i);

	if (given < 0)
		return;
	answer(client,
		evidence_answer_list(n->store, given ? &i : NULL,
			number(arguments, "before", 0),
			limit < LIST_MOST ? (int)limit : LIST_MOST, &err),
		&err);
}

void node_evidence_get(
	struct node *n, struct control_client *client, const json_t *arguments)
{
	uint64_t id = number(arguments, "id", 0);
	struct error err = {"out of memory"};
	struct indicator i;
	int given = read_indicator(client, arguments, &i);

	if (given < 0)
		return;
	/* Salts are not for everybody who may ask: the owner of the address is told. */
	if (!control_may_change(client))
		control_refuse(client, CONTROL_PERMISSION,
			"uid %u may not see evidence; be root or in [node] control_group",
			(unsigned)control_uid(client));
	else if (!given && !id)
		control_refuse(client, CONTROL_USAGE, "neither indicator nor id");
	else
		answer(client, evidence_answer_get(n->store, id, given ? &i : NULL, &err),
			&err);
}
