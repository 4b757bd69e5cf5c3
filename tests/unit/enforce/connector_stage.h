/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ENFORCE_CONNECTOR_STAGE_H
#define TESTS_ENFORCE_CONNECTOR_STAGE_H

#include "../cmocka_all.h"

#include <stdio.h>

#include "enforce/pbx_connector.h"
#include "indicator/number.h"
#include "manager.h"

/* A connector and a manager, bytes carried between them by hand. */
#define WALL UINT32_C(1800000000)
#define END  UINT32_C(1900000000)

struct stage {
	struct manager m;
	struct pbx_connector *c;
	usec now; /* monotonic */
	uint32_t wall;
	size_t piece;   /* bytes carried at once; 0: all that there is */
	bool connected; /* what the owner has */
	unsigned connects, disconnects, hits, said_good, said_bad;
	struct pbx_hit hit; /* the last */
	char said[PBX_TEXT];
};

static void stage_connect(void *context)
{
	struct stage *s = context;

	s->connects++;
}

static void stage_disconnect(void *context)
{
	struct stage *s = context;

	s->disconnects++;
	s->connected = false;
}

static void stage_hit(void *context, const struct pbx_hit *hit)
{
	struct stage *s = context;

	s->hits++;
	s->hit = *hit;
}

static void stage_says(void *context, bool good, const char *text)
{
	struct stage *s = context;

	if (good)
		s->said_good++;
	else
		s->said_bad++;
	snprintf(s->said, sizeof s->said, "%s", text);
}

static inline void stage_open(struct stage *s, unsigned behaviour)
{
	const struct connector_callbacks callbacks = {
		s, stage_connect, stage_disconnect, stage_hit, stage_says};
	const struct pbx_config config = {.name = "pbx",
		.user = MANAGER_USER,
		.secret = view_str(MANAGER_SECRET),
		.seed = {1, 2}};
	struct error err = {""};

	memset(s, 0, sizeof *s);
	s->now = 1000 * USEC_PER_SEC;
	s->wall = WALL;
	manager_open(&s->m, behaviour);
	s->c = pbx_connector_new(&pbx_asterisk, &config, &callbacks, &err);
	assert_string_equal(err.text, "");
	assert_non_null(s->c);
}

static inline void stage_close(struct stage *s)
{
	pbx_connector_free(s->c);
	manager_close(&s->m);
}

static inline usec stage_turn(struct stage *s)
{
	return pbx_connector_turn(s->c, s->now, s->wall);
}

/* Carry bytes both ways until both are silent. */
static inline void stage_carry(struct stage *s)
{
	bool moved = true;

	while (moved) {
		struct view v;

		moved = false;
		stage_turn(s);
		while (s->connected && pbx_connector_next(s->c, &v)) {
			v = view_head(v, s->piece ? s->piece : v.n);
			manager_take(&s->m, v);
			pbx_connector_sent(s->c, v.n);
			moved = true;
		}
		if (s->connected && s->m.out.n) {
			size_t n = s->piece && s->piece < s->m.out.n ? s->piece :
								       s->m.out.n;

			pbx_connector_received(s->c, view_of(s->m.out.p, n), s->now);
			buffer_consume(&s->m.out, n);
			moved = true;
		}
	}
}

/* What the owner does when it is asked for a connection. */
static inline void stage_meet(struct stage *s)
{
	unsigned before = s->connects;

	stage_turn(s);
	assert_int_equal(s->connects, before + 1);
	manager_accept(&s->m);
	s->connected = true;
	pbx_connector_connected(s->c, s->now);
	stage_carry(s);
}

static inline void stage_part(struct stage *s, const char *why)
{
	s->connected = false;
	pbx_connector_closed(s->c, why, s->now);
}

static inline struct connector_figures stage_figures(const struct stage *s)
{
	struct connector_figures f;

	pbx_connector_figures(s->c, &f);
	return f;
}

static inline struct indicator number_of(const char *text)
{
	struct indicator i;

	assert_int_equal(number_parse(&i, view_str(text), NULL), 0);
	return i;
}

static inline void want(struct stage *s, const char *number, uint32_t end)
{
	struct indicator i = number_of(number);

	pbx_connector_follow(s->c, &i, BAN_LEARNT, 4, end, s->wall);
}

#endif
