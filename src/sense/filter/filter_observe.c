/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/filter/filter_observe.h"

struct giving {
	observation_fn *fn;
	void *context;
	unsigned given;
};

bool filter_observation(struct observation *o, const struct filter_failure *failure)
{
	uint64_t port;

	memset(o, 0, sizeof *o);
	if (failure->nofail || failure->kind != FILTER_ADDRESS ||
		address_parse(&o->source, failure->id, NULL))
		return false;
	o->time = failure->time;
	o->kind = OBSERVED_AUTH_FAILED;
	o->proof = PROOF_NONE;
	o->transport = TRANSPORT_UDP;
	o->sensor = SENSOR_FILTER;
	view_copy(o->account, sizeof o->account, failure->user);
	if (!view_decimal(failure->port, UINT16_MAX, &port))
		o->port = (uint16_t)port;
	return true;
}

static void on_failure(void *context, const struct filter_failure *failure)
{
	struct giving *g = context;
	struct observation o;

	if (!filter_observation(&o, failure))
		return;
	g->given++;
	g->fn(g->context, &o);
}

unsigned filter_observe(struct filter *f, struct view line, usec entry_time, usec now,
	observation_fn *fn, void *context)
{
	struct giving g = {.fn = fn, .context = context};

	if (entry_time)
		filter_entry(f, line, entry_time, now, on_failure, &g);
	else
		filter_line(f, line, now, on_failure, &g);
	return g.given;
}
