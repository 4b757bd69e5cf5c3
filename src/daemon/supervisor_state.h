/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SUPERVISOR_STATE_H
#define DAEMON_SUPERVISOR_STATE_H

#include "daemon/hook_process.h"
#include "daemon/notify.h"
#include "daemon/supervisor.h"

/* What the parts of the supervisor share. Times are clock_monotonic(). */
struct process {
	enum role role;
	enum role_state state;
	pid_t pid; /* 0: none */
	int fd;    /* our end of its pair; -1: none */
	uint32_t starts;
	usec started;
	usec wait;   /* what it waited before its last start; for backoff_next() */
	usec due;    /* ROLE_WAITING: when to start it */
	usec pinged; /* when; 0: every ping was answered */
	usec ping_due;
	usec end_by;    /* it closed its pair and should end by itself; 0: it did not */
	bool reloading; /* has not answered MSG_RELOAD yet */
	bool was_ready; /* some process of this role reached MSG_READY */
	int last_exit;  /* as in struct role_status */
	struct sandbox_report sandbox;
};

enum stopping {
	STOPPING_NOT = 0,
	STOPPING_NODE, /* the node flushes */
	STOPPING_OTHERS,
	STOPPING_KILLED, /* whoever is left was sent SIGKILL */
};

struct supervisor {
	struct supervisor_options options;
	struct config *config;
	struct notify notify;
	int signals;                          /* signalfd */
	struct process processes[ROLE_COUNT]; /* [ROLE_PARENT] is unused */
	enum stopping stopping;
	usec deadline;      /* of this stage of the stop */
	bool up;            /* READY=1 was said */
	usec reload_until;  /* 0: no reload under way */
	bool roles_changed; /* the node has not been told yet */
	usec watchdog_due;
	/* no connection to it before */
	usec connect_due[CONFIG_SOURCES_MAX], connector_due[CONFIG_CONNECTORS_MAX];
	struct hook_process hooks[CONFIG_CONNECTORS_MAX]; /* by connector */
	int exit_code;
	uint8_t honeypot_key[32]; /* of this run of the daemon */
};

#define EACH_PROCESS(s, p)                                                               \
	for (struct process *p = &(s)->processes[ROLE_SENSE];                            \
		p < &(s)->processes[ROLE_COUNT]; p++)

/* --- supervisor_process.c: one role's process --- */

/* Whether the configuration has work for it; `deliver` runs for webhooks alone. */
bool process_wanted(const struct supervisor *s, const struct process *p);

/* Start it and give it its links; on failure it waits for the next attempt. */
void process_start(struct supervisor *s, struct process *p, usec now);

/* SIGKILL by pid; a process that is not there is left alone. */
void process_kill(struct process *p);

/*
 * It has ended with this wait status: log it and say when the next one starts.
 * Nothing is started any more while the supervisor stops.
 */
void process_ended(struct supervisor *s, struct process *p, int status, usec now);

/* Send; a role whose socket takes nothing any more is killed. */
void process_send(
	struct process *p, uint16_t type, const void *payload, size_t n, int fd);

/* The configuration as a sealed memory file for this role. -1 with errno. */
int process_config(const struct config *config, enum role role);

/* --- supervisor_message.c: what roles say --- */

/* Read what there is to read from it, a bounded number of packets. */
void process_receive(struct supervisor *s, struct process *p, usec now);

/* Tell the node how all roles are, if that has changed. */
void supervisor_tell_roles(struct supervisor *s);

/* --- supervisor_connect.c --- */

/* MSG_CONNECT of a role: make the connection and pass it on. */
void supervisor_connect(
	struct supervisor *s, struct process *p, struct view payload, usec now);

/* --- supervisor_open.c --- */

/* MSG_API_OPEN of the node: open what the configuration names, and pass it on. */
void supervisor_open(struct supervisor *s, struct process *p, struct view payload);

/* --- supervisor_order.c: reload and stop --- */
void supervisor_reload(struct supervisor *s, usec now);

/* Start what the configuration wants now, and end what it wants no longer. */
void supervisor_follow(struct supervisor *s, usec now);

/* Close the reload when every role has answered or time is up. */
void supervisor_reload_check(struct supervisor *s, usec now);

/* Begin to stop; a second time hastens it. */
void supervisor_stop(struct supervisor *s, usec now);

/* Go on stopping. Returns whether all is over. */
bool supervisor_stop_check(struct supervisor *s, usec now);

#endif
