/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/supervisor_hook.h"

#define EACH_HOOK(s, h)                                                                  \
	for (struct hook_process *h = (s)->hooks;                                        \
		h < (s)->hooks + CONFIG_CONNECTORS_MAX; h++)

int supervisor_hook_start(
	struct supervisor *s, unsigned connector, int fds[2], usec now, struct error *err)
{
	const struct config_connector *c = &s->config->connectors[connector];
	const struct hook_program program = {.connector = c->name,
		.path = c->program,
		.arguments = c->arguments,
		.user = c->run_as};

	return hook_process_start(&s->hooks[connector], &program, fds, now, err);
}

void supervisor_hooks_reap(struct supervisor *s, usec now)
{
	EACH_HOOK(s, h)
	hook_process_reap(h, now);
}

usec supervisor_hooks_due(struct supervisor *s, usec now)
{
	usec next = UINT64_MAX, due;

	EACH_HOOK(s, h)
	{
		due = hook_process_due(h, now);
		if (due && due < next)
			next = due;
	}
	return next;
}

/* Whether the connector of this number is the same in both. */
static bool same(const struct config *a, const struct config *b, size_t i)
{
	return i < a->connector_count && i < b->connector_count &&
		memcmp(&a->connectors[i], &b->connectors[i], sizeof a->connectors[i]) ==
		0;
}

void supervisor_hooks_stop(struct supervisor *s, const struct config *next, usec now)
{
	EACH_HOOK(s, h)
	if (!next || !same(s->config, next, (size_t)(h - s->hooks)))
		hook_process_stop(h, now);
}

bool supervisor_hooks_run(const struct supervisor *s)
{
	for (size_t i = 0; i < CONFIG_CONNECTORS_MAX; i++)
		if (s->hooks[i].pid > 0)
			return true;
	return false;
}
