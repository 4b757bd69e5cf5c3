/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator orders: reload and stop. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/messages.h"
#include "daemon/supervisor_hook.h"
#include "daemon/supervisor_state.h"

/* How long the kernel may take to end what was sent SIGKILL. */
#define KILL_WAIT (2 * USEC_PER_SEC)

/* Each line of a text as an error of its own. */
static void log_lines(struct view text)
{
	while (text.n) {
		size_t n = view_find(text, '\n');

		log_error("%.*s", (int)n, (const char *)text.p);
		text = view_from(text, n + 1);
	}
}

/* Load the files anew. NULL when they are wrong, which was logged. */
static struct config *load(const struct supervisor *s)
{
	struct buffer errors = {.max = 65536};
	struct config *config = calloc(1, sizeof *config);

	if (config && config_load(config, s->options.config_path, &errors)) {
		log_lines(view_of(errors.p, errors.n));
		free(config);
		config = NULL;
	}
	buffer_free(&errors);
	return config;
}

void supervisor_follow(struct supervisor *s, usec now)
{
	EACH_PROCESS(s, p)
	{
		if (!process_wanted(s, p) && p->pid > 0 && p->state != ROLE_STOPPING) {
			p->state = ROLE_STOPPING;
			p->reloading = false;
			p->end_by = now + s->options.stop_others;
			process_send(p, MSG_STOP, NULL, 0, -1);
		}
	}
	s->roles_changed = true;
}

void supervisor_reload(struct supervisor *s, usec now)
{
	struct config *config;

	if (s->stopping)
		return;
	notify_reloading(&s->notify, now);
	config = load(s);
	if (!config) {
		log_error("the new configuration is wrong; the old one stays in force");
		notify_send(&s->notify,
			"READY=1\nSTATUS=reload failed: the configuration "
			"is wrong, the old one stays in force");
		return;
	}
	supervisor_hooks_stop(s, config, now);
	config_free(s->config);
	free(s->config);
	s->config = config;
	log_open("sipchaind", config->node.log_level);
	EACH_PROCESS(s, p)
	{
		int fd;

		if (p->pid <= 0 || !process_wanted(s, p))
			continue; /* its next start takes the new one */
		fd = process_config(config, p->role);
		if (fd < 0) {
			log_error("%s: cannot be given the new configuration: %s",
				role_name(p->role), strerror(errno));
			continue;
		}
		p->reloading = true;
		process_send(p, MSG_RELOAD, NULL, 0, fd);
		close(fd);
	}
	supervisor_follow(s, now);
	s->reload_until = now + s->options.reload;
}

void supervisor_reload_check(struct supervisor *s, usec now)
{
	bool late = now >= s->reload_until;

	if (!s->reload_until)
		return;
	EACH_PROCESS(s, p)
	{
		if (!p->reloading)
			continue;
		if (!late)
			return;
		log_warning("%s has not answered the reload yet", role_name(p->role));
		p->reloading = false;
	}
	s->reload_until = 0;
	log_notice("configuration reloaded");
	notify_send(&s->notify, "READY=1\nSTATUS=configuration reloaded");
}

/* Order the stop of the node, or of all others. Returns whether any runs. */
static bool order(struct supervisor *s, bool node)
{
	bool any = false;

	EACH_PROCESS(s, p)
	{
		if ((p->role == ROLE_NODE) != node || p->pid <= 0)
			continue;
		p->state = ROLE_STOPPING;
		process_send(p, MSG_STOP, NULL, 0, -1);
		any = true;
	}
	return any;
}

void supervisor_stop(struct supervisor *s, usec now)
{
	if (s->stopping) {
		s->deadline = now;
		return;
	}
	log_notice("stopping");
	notify_send(&s->notify, "STOPPING=1\nSTATUS=stopping");
	s->stopping = STOPPING_NODE;
	s->deadline = now + s->options.stop_node;
	s->reload_until = 0;
	order(s, true);
}

/* SIGKILL for those of this stage that still run. */
static void end_late(struct supervisor *s, bool node_only)
{
	EACH_PROCESS(s, p)
	{
		if (p->pid <= 0 || (node_only && p->role != ROLE_NODE))
			continue;
		log_warning("%s (pid %d) does not stop; killing it", role_name(p->role),
			(int)p->pid);
		process_kill(p);
	}
}

bool supervisor_stop_check(struct supervisor *s, usec now)
{
	bool node = s->processes[ROLE_NODE].pid > 0, any = supervisor_hooks_run(s);

	if (!s->stopping)
		return false;
	EACH_PROCESS(s, p)
	any = any || p->pid > 0;
	if (!any)
		return true;
	if (s->stopping == STOPPING_NODE && (!node || now >= s->deadline)) {
		if (node)
			end_late(s, true);
		s->stopping = STOPPING_OTHERS;
		s->deadline = now + s->options.stop_others;
		order(s, false);
		/* They have seen the end of their input; some wait for more. */
		supervisor_hooks_stop(s, NULL, now);
	} else if (s->stopping == STOPPING_OTHERS && now >= s->deadline) {
		end_late(s, false);
		s->stopping = STOPPING_KILLED;
		s->deadline = now + KILL_WAIT;
	} else if (s->stopping == STOPPING_KILLED && now >= s->deadline) {
		log_error("a role does not end; leaving it to the kernel");
		return true;
	}
	return false;
}
