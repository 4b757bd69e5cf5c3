/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/kamailio_call.h"

#include <stdio.h>

#define EACH(c, k)                                                                       \
	for (struct kamailio_call *k = (c)->list; k < (c)->list + KAMAILIO_WINDOW; k++)

uint64_t kamailio_calls_draw(struct kamailio_calls *c)
{
	c->drawn++;
	return hash_bytes(&c->seed, &c->drawn, sizeof c->drawn);
}

void kamailio_calls_forget(struct kamailio_calls *c)
{
	memset(c->list, 0, sizeof c->list);
	c->next = NULL;
}

void kamailio_calls_forget_marks(struct kamailio_calls *c)
{
	EACH(c, k)
	if (k->purpose != KAMAILIO_ORDER)
		k->purpose = KAMAILIO_FREE;
	c->next = NULL;
}

struct kamailio_call *kamailio_calls_free(struct kamailio_calls *c)
{
	EACH(c, k)
	if (k->purpose == KAMAILIO_FREE)
		return k;
	return NULL;
}

unsigned kamailio_calls_orders(const struct kamailio_calls *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KAMAILIO_WINDOW; i++)
		n += c->list[i].purpose == KAMAILIO_ORDER;
	return n;
}

bool kamailio_calls_before(const struct kamailio_calls *c, uint64_t sequence)
{
	for (unsigned i = 0; i < KAMAILIO_WINDOW; i++)
		if (c->list[i].purpose == KAMAILIO_ORDER &&
			c->list[i].sequence < sequence)
			return true;
	return false;
}

bool kamailio_calls_about(const struct kamailio_calls *c, const struct indicator *i)
{
	for (unsigned j = 0; j < KAMAILIO_WINDOW; j++)
		if (c->list[j].purpose == KAMAILIO_ORDER &&
			memcmp(&c->list[j].order.indicator, i, sizeof *i) == 0)
			return true;
	return false;
}

void kamailio_calls_put(struct kamailio_calls *c, struct kamailio_call *call,
	uint8_t purpose, const char *table, const char *key, const char *value,
	uint32_t life, usec now)
{
	char text[sizeof call->text];
	int n;

	call->purpose = purpose;
	call->unsent = true;
	call->taken = false;
	call->sequence = c->sequence++;
	call->asked = now;
	call->wait = KAMAILIO_RESEND;
	call->again = now + call->wait;
	snprintf(call->id, sizeof call->id, "%016llx",
		(unsigned long long)kamailio_calls_draw(c));
	if (value && value[0])
		n = snprintf(text, sizeof text,
			"{\"jsonrpc\":\"2.0\",\"method\":\"htable.setxs\",\"params\":"
			"[\"%s\",\"%s\",\"%s\",%u],\"id\":\"%s\"}",
			table, key, value, life, call->id);
	else
		n = snprintf(text, sizeof text,
			"{\"jsonrpc\":\"2.0\",\"method\":\"htable.%s\",\"params\":"
			"[\"%s\",\"%s\"],\"id\":\"%s\"}",
			value ? "get" : "delete", table, key, call->id);
	call->n = (size_t)n;
	memcpy(call->text, text, call->n);
}

static void send_again(struct kamailio_calls *c, struct kamailio_call *k)
{
	if (!k->unsent)
		c->resent++;
	k->unsent = true; /* before all that came later */
}

static void answered(struct kamailio_calls *c, uint64_t sent)
{
	EACH(c, k)
	if (k->purpose != KAMAILIO_FREE && !k->unsent && k->sent < sent)
		send_again(c, k);
}

bool kamailio_calls_take(
	struct kamailio_calls *c, struct kamailio_call *out, const char *id)
{
	EACH(c, k)
	if (k->purpose != KAMAILIO_FREE && strcmp(k->id, id) == 0) {
		*out = *k;
		k->purpose = KAMAILIO_FREE;
		if (c->next == k)
			c->next = NULL;
		answered(c, out->sent);
		return true;
	}
	return false;
}

bool kamailio_calls_next(struct kamailio_calls *c, struct view *bytes)
{
	c->next = NULL;
	EACH(c, k)
	if (k->purpose != KAMAILIO_FREE && k->unsent &&
		(!c->next || k->sequence < c->next->sequence))
		c->next = k;
	if (!c->next)
		return false;
	*bytes = view_of(c->next->text, c->next->n);
	return true;
}

void kamailio_calls_sent(struct kamailio_calls *c)
{
	if (!c->next)
		return;
	c->next->unsent = false;
	c->next->taken = true;
	c->next->sent = ++c->sends;
	c->next = NULL;
}

usec kamailio_calls_due(struct kamailio_calls *c, usec now, bool *taken)
{
	usec next = UINT64_MAX;

	EACH(c, k)
	{
		if (k->purpose == KAMAILIO_FREE)
			continue;
		if (now - k->asked >= KAMAILIO_GIVE_UP) {
			*taken = k->taken;
			return 0;
		}
		if (now >= k->again) {
			k->wait *= 2;
			k->again = now + k->wait;
			send_again(c, k);
		}
		if (k->again < next)
			next = k->again;
	}
	return next;
}
