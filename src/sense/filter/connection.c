/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that several lines speak of: <F-MLFID>. */
#include <stdlib.h>

#include "sense/filter/state.h"

#define TEXT_MAX 512 /* bytes kept of a value */

/* A copy that the connection owns; nothing on failure. */
static struct view own(struct view v)
{
	uint8_t *p = malloc(v.n + 1);

	if (v.n > TEXT_MAX)
		v.n = TEXT_MAX;
	if (!p)
		return view_of(NULL, 0);
	if (v.n)
		memcpy(p, v.p, v.n);
	p[v.n] = 0;
	return view_of(p, v.n);
}

static void disown(struct view *v)
{
	free((void *)(uintptr_t)v->p);
	*v = view_of(NULL, 0);
}

static void connection_drop(struct connection *p)
{
	for (unsigned i = 0; i < NAMES_MAX; i++)
		if (fail_has(&p->fail, i))
			disown(&p->fail.value[i]);
	for (unsigned i = 0; i < p->fail.users; i++)
		disown(&p->fail.user[i]);
	free(p->id);
	free(p);
}

void connections_sweep(struct filter *f)
{
	while (f->dropped) {
		struct connection *p = f->dropped;

		f->dropped = p->next;
		connection_drop(p);
	}
}

void connections_free(struct filter *f)
{
	connections_sweep(f);
	f->dropped = f->pending;
	f->pending = NULL;
	connections_sweep(f);
}

/* Take it off the list; it is freed when the line is done. */
static void connection_unlink(struct filter *f, struct connection **at)
{
	struct connection *p = *at;

	*at = p->next;
	p->next = f->dropped;
	f->dropped = p;
	f->pending_count--;
}

static struct connection **find(struct filter *f, struct view id, usec now)
{
	for (struct connection **at = &f->pending; *at; at = &(*at)->next)
		if ((*at)->id_n == id.n && memcmp((*at)->id, id.p, id.n) == 0) {
			if ((*at)->until > now)
				return at;
			connection_unlink(f, at);
			return NULL;
		}
	return NULL;
}

/* A new one, the oldest going when there are too many. NULL: out of memory. */
static struct connection *connection_new(struct filter *f, struct view id, usec now)
{
	struct connection *p = calloc(1, sizeof *p), **end = &f->pending;

	if (!p || !(p->id = malloc(id.n + 1))) {
		free(p);
		return NULL;
	}
	if (id.n)
		memcpy(p->id, id.p, id.n);
	p->id_n = id.n;
	p->until = now + PENDING_FOR;
	while (f->pending &&
		(f->pending_count >= PENDING_MAX ||
			(f->pending->until <= now &&
				f->pending_count + 1 >= PENDING_MAX)))
		connection_unlink(f, &f->pending);
	while (*end)
		end = &(*end)->next;
	*end = p;
	f->pending_count++;
	return p;
}

static void add_user(struct filter_fail *fail, struct view user, bool owned)
{
	for (unsigned i = 0; i < fail->users; i++)
		if (view_eq(fail->user[i], user))
			return;
	if (user.n && fail->users < USERS_MAX)
		fail->user[fail->users++] = owned ? own(user) : user;
}

/* Forget a value. Returns whether there was one. */
static bool pop(struct filter_fail *fail, unsigned name, bool owned)
{
	bool was = fail_is(fail, name);

	if (fail_has(fail, name) && owned)
		disown(&fail->value[name]);
	fail->set &= ~(UINT64_C(1) << name);
	return was;
}

/* Take over all values that are there. */
static void update(struct filter_fail *to, const struct filter_fail *from)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		if (!fail_has(from, i))
			continue;
		if (fail_has(to, i))
			disown(&to->value[i]);
		to->value[i] = own(from->value[i]);
		to->set |= UINT64_C(1) << i;
	}
}

/* What a line says of the connection itself. */
enum {
	SAYS_NOFAIL = 1,
	SAYS_FORGET = 2,
	HAD_NOFAIL = 4,
	SAYS_GAINED = 8,
};

static unsigned flags_of(struct filter_fail *fail)
{
	unsigned flags = 0;

	if (fail_is(fail, NAME_MLFGAINED)) {
		flags = SAYS_GAINED | SAYS_NOFAIL;
		if (!fail_is(fail, NAME_NOFAIL)) {
			fail->value[NAME_NOFAIL] = fail->value[NAME_MLFGAINED];
			fail->set |= UINT64_C(1) << NAME_NOFAIL;
		}
	} else if (fail_is(fail, NAME_NOFAIL)) {
		flags = SAYS_NOFAIL;
	}
	if (pop(fail, NAME_MLFFORGET, false))
		flags |= SAYS_FORGET;
	return flags;
}

/* A line of a connection that is known. */
static void merge_known(
	struct filter_fail *known, struct filter_fail *fail, unsigned *flags)
{
	if (fail_has(fail, NAME_USER))
		add_user(known, fail->value[NAME_USER], true);
	if (pop(known, NAME_NOFAIL, true))
		*flags |= HAD_NOFAIL;
	if (pop(known, NAME_MLFGAINED, true))
		*flags |= HAD_NOFAIL;
	if (*flags & SAYS_GAINED)
		known->pending = false;
	if (!(*flags & HAD_NOFAIL) && !known->pending)
		known->matches = 0; /* they were told already */
	update(known, fail);
}

/* Whether it is a failure after all, and the lines that it took. */
static void conclude(struct filter_fail *fail, unsigned flags, unsigned users, bool owned,
	unsigned lines)
{
	bool was_pending = fail->pending;

	fail->pending = false;
	if (was_pending || users > 1) {
		/* A failure before, or another user: success does not excuse it. */
		pop(fail, NAME_NOFAIL, owned);
		pop(fail, NAME_MLFGAINED, owned);
		flags &= ~(unsigned)(SAYS_NOFAIL | SAYS_GAINED);
	}
	if (!(flags & SAYS_NOFAIL)) {
		fail->matches += fail->nofail_matches;
		fail->nofail_matches = 0;
		if (!(flags & SAYS_GAINED))
			fail->matches += lines;
	} else if (!(flags & SAYS_FORGET)) {
		fail->nofail_matches += lines;
	}
}

struct filter_fail *connection_merge(
	struct filter *f, struct filter_fail *fail, unsigned lines, usec now)
{
	struct view id = fail->value[NAME_MLFID];
	unsigned flags = flags_of(fail), users = 0;
	struct connection **at = find(f, id, now), *p = at ? *at : NULL;
	bool owned = true;

	if (p) {
		merge_known(&p->fail, fail, &flags);
		users = p->fail.users;
		if (flags & SAYS_FORGET)
			connection_unlink(f, at);
		fail = &p->fail;
	} else if (!(flags & SAYS_FORGET) && (p = connection_new(f, id, now))) {
		update(&p->fail, fail);
		if (fail_has(fail, NAME_USER))
			add_user(&p->fail, fail->value[NAME_USER], true);
		users = p->fail.users;
		fail = &p->fail;
	} else {
		owned = false;
	}
	conclude(fail, flags, users, owned, lines);
	return fail;
}
