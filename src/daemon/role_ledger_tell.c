/* SPDX-License-Identifier: Apache-2.0 */
/* The role `ledger`: what it tells the node. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/role_ledger.h"
#include "daemon/seal_reach.h"
#include "ledger/ethereum/ethereum.h"

/* Send to the node; a node that cannot take it any more gets a new link. */
static void tell_node(struct ledger_role *r, uint16_t type, const void *p, size_t n)
{
	if (!r->node || !link_send(r->node, type, view_of(p, n)))
		return;
	if (errno == EAGAIN || errno == EMSGSIZE) {
		log_error("a message of %zu bytes to the node: %s; starting over", n,
			strerror(errno));
		link_close(r->node);
		r->node = NULL;
		r->failed = true;
		uv_stop(&r->loop);
	}
}

static void on_window(void *context, const struct tip *before, uint32_t since)
{
	struct ledger_role *r = context;
	struct ledger_window w;

	if (!r->delivering)
		return;
	memset(&w, 0, sizeof w);
	w.before = *before;
	w.since = since;
	w.delivery = r->delivery;
	tell_node(r, MSG_WINDOW, &w, sizeof w);
}

static void on_event(void *context, const struct ledger_event *event)
{
	static uint8_t packet[sizeof(struct event_header) + OPERATION_MAX];
	struct ledger_role *r = context;
	struct event_header header;

	/* None is longer: operation_decode() saw to it. */
	if (!r->delivering || event->bytes.n > OPERATION_MAX)
		return;
	memset(&header, 0, sizeof header);
	header.delivery = r->delivery;
	header.chain = (uint8_t)event->chain;
	header.block = event->block;
	memcpy(header.tip_before, event->tip_before, HASH_SIZE);
	memcpy(packet, &header, sizeof header);
	memcpy(packet + sizeof header, event->bytes.p, event->bytes.n);
	tell_node(context, MSG_EVENT, packet, sizeof header + event->bytes.n);
}

static void on_undo(void *context, uint64_t block)
{
	struct ledger_role *r = context;

	(void)block;
	if (r->delivering)
		tell_node(r, MSG_UNDO, &r->delivery, sizeof r->delivery);
}

void role_ledger_trouble(void *context, bool healthy, const char *text)
{
	struct ledger_role *r = context;
	struct ledger_trouble *t = &r->trouble;

	memset(t, 0, sizeof *t);
	t->healthy = healthy;
	view_copy(t->text, sizeof t->text, view_str(text));
	if (healthy)
		log_notice("ledger: %s", text);
	else
		log_error("ledger: %s", text);
	tell_node(r, MSG_TROUBLE, t, sizeof *t);
	if (healthy || !role_ledger_on_chain(r) || !reach_stale())
		return;
	log_notice("the resolver's files were replaced; starting anew to read them");
	r->again = true;
	uv_stop(&r->loop);
}

void role_ledger_trouble_again(struct ledger_role *r)
{
	if (!r->trouble.healthy)
		tell_node(r, MSG_TROUBLE, &r->trouble, sizeof r->trouble);
}

static void on_caught_up(void *context)
{
	struct ledger_role *r = context;

	if (!r->delivering)
		return;
	/* The file that it complained of was opened anew, and read to its end. */
	if (!role_ledger_on_chain(r) && !r->trouble.healthy)
		role_ledger_trouble(r, true, "the ledger's file can be read again");
	tell_node(r, MSG_CAUGHT_UP, &r->delivery, sizeof r->delivery);
}

void role_ledger_fate(void *context, const struct ledger_fate *fate)
{
	struct ledger_role *r = context;

	r->fates[r->fates_next++ % FATES_KEPT] = *fate;
	tell_node(r, MSG_FATE, fate, sizeof *fate);
}

void role_ledger_fates(struct ledger_role *r)
{
	for (unsigned i = 0; i < FATES_KEPT; i++) {
		const struct ledger_fate *f = &r->fates[(r->fates_next + i) % FATES_KEPT];

		if (f->ticket)
			tell_node(r, MSG_FATE, f, sizeof *f);
	}
}

void role_ledger_fate_forget(struct ledger_role *r, uint64_t ticket)
{
	for (unsigned i = 0; i < FATES_KEPT; i++)
		if (r->fates[i].ticket == ticket)
			r->fates[i].ticket = 0;
}

/* How far the chain is read, and what of it is final. */
static void fill_progress(const struct ledger_role *r, struct ledger_self *self)
{
	struct ethereum_progress p;

	if (!role_ledger_on_chain(r) || !r->ledger)
		return;
	ethereum_ledger_progress(&p, r->ledger);
	self->head = p.head;
	self->head_time = p.head_time;
	self->final = p.final.number;
	self->final_time = p.final.timestamp;
	self->witnesses = p.witnesses;
	self->final_witnesses = p.final.witnesses;
}

void role_ledger_self(struct ledger_role *r, bool anyway)
{
	struct ledger_self self;
	char where[sizeof self.where - 16];

	memset(&self, 0, sizeof self);
	if (r->signer) {
		self.has_key = 1;
		memcpy(self.address, signer_address(r->signer), ADDRESS20);
	}
	if (!role_ledger_on_chain(r))
		snprintf(self.where, sizeof self.where, "local %.190s",
			r->config->ledger.path);
	else if (r->ledger)
		snprintf(self.where, sizeof self.where, "ethereum %s",
			ethereum_ledger_where(where, sizeof where, r->ledger));
	fill_progress(r, &self);
	if (!anyway && !memcmp(&self, &r->self, sizeof self))
		return;
	r->self = self;
	tell_node(r, MSG_LEDGER_SELF, &self, sizeof self);
}

const struct ledger_callbacks role_ledger_callbacks = {
	.window = on_window,
	.event = on_event,
	.undo = on_undo,
	.caught_up = on_caught_up,
	.fate = role_ledger_fate,
	.trouble = role_ledger_trouble,
};
