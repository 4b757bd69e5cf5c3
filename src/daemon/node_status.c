/* SPDX-License-Identifier: Apache-2.0 */
/* `sipchain status`: everything about this node in one answer. */
#include "daemon/node.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "daemon/config_source.h"
#include "daemon/node_connector.h"
#include "daemon/node_webhook.h"
#include "store/outbox.h"

/* One line for people. */
static const char *ledger_text(const struct node *n)
{
	if (n->misfolded)
		return "its operations do not follow one another; what was read before "
		       "counts until it has been read anew";
	if (!n->healthy)
		return n->trouble;
	return n->caught_up ? "healthy" : "being read";
}

static json_t *known(uint64_t value)
{
	return value ? json_integer((json_int_t)value) : json_null();
}

/* How far a chain is read and what of it is final; null: not known. */
static json_t *chain_json(const struct node *n)
{
	const struct ethereum_settings *s = &n->config->ledger.ethereum;
	const struct ledger_self *self = &n->self;
	bool timed = self->head_time && self->final_time &&
		self->head_time >= self->final_time;
	json_t *out = json_pack("{s:o, s:o, s:o, s:o, s:i, s:i}", "head",
		known(self->head), "head_time", known(self->head_time), "final",
		known(self->final), "final_time", known(self->final_time), "witnesses",
		(int)self->witnesses, "final_witnesses", (int)self->final_witnesses);

	json_object_set_new(out, "finality",
		s->finality == FINALITY_DEPTH ?
			json_integer(s->depth) :
			json_string(s->finality == FINALITY_SAFE ? "safe" : "finalized"));
	json_object_set_new(out, "lag_blocks",
		self->final && self->head >= self->final ?
			json_integer((json_int_t)(self->head - self->final)) :
			json_null());
	json_object_set_new(out, "lag_seconds",
		timed ? json_integer((json_int_t)(self->head_time - self->final_time)) :
			json_null());
	return out;
}

static json_t *ledger_json(struct node *n)
{
	bool chain = n->config->ledger.type == CONFIG_LEDGER_ETHEREUM;
	const struct ledger_config *c = registry_config(n->registry);
	char id[2 * HASH_SIZE + 1];

	hex_encode(id, registry_id(n->registry), HASH_SIZE);
	return json_pack(
		"{s:s, s:s, s:s, s:b, s:b, s:s, s:I, s:I, s:I, s:b, s:o, s:o, s:o}",
		"kind", chain ? "ethereum" : "local", "where",
		n->self_known ? n->self.where : "not reached yet", "text", ledger_text(n),
		"healthy", n->healthy && !n->misfolded, "caught_up", n->caught_up, "id",
		id, "live", (json_int_t)registry_live_count(n->registry), "threshold",
		(json_int_t)(c ? c->threshold : 0), "max_ttl",
		(json_int_t)(c ? c->max_ttl : 0), "paused", registry_paused(n->registry),
		"members", node_tip(n, CHAIN_MEMBERS), "admin", node_tip(n, CHAIN_ADMIN),
		"chain", chain && n->self_known ? chain_json(n) : json_null());
}

static void count_ban(void *context, const struct ban *b)
{
	struct node_ban_counts *c = context;

	if (b->origin < 4)
		c->by_origin[b->origin]++;
	if (b->state == BAN_REFUSED)
		c->refused++;
}

/* A count that took so long holds up calls that are being checked. */
#define COUNT_LONG   (2 * USEC_PER_SEC / 1000)
#define COUNT_KEPT   200
#define COUNT_AT_ALL (5 * USEC_PER_SEC)

/*
 * Half a million bans take 15 ms to count, and who watches a node asks each second: a
 * count that took long stands for COUNT_KEPT times as long, COUNT_AT_ALL at most.
 */
static void count_bans(struct node *n)
{
	struct node_ban_counts *c = &n->ban_counts;
	usec now = clock_monotonic(), took;

	if (now < c->until)
		return;
	memset(c, 0, sizeof *c);
	ban_table_each(n->bans, count_ban, c);
	took = clock_monotonic() - now;
	if (took >= COUNT_LONG)
		c->until = now +
			(took < COUNT_AT_ALL / COUNT_KEPT ? COUNT_KEPT * took :
							    COUNT_AT_ALL);
}

static json_t *bans_json(struct node *n)
{
	const struct node_ban_counts *c = &n->ban_counts;

	count_bans(n);
	return json_pack("{s:i, s:i, s:i, s:i, s:I}", "learnt",
		(int)c->by_origin[BAN_LEARNT], "own", (int)c->by_origin[BAN_OWN],
		"operator", (int)c->by_origin[BAN_OPERATOR], "refused", (int)c->refused,
		"queued", (json_int_t)ban_table_queued(n->bans));
}

static json_t *enforcer_json(struct node *n)
{
	const struct nft_features *f = &n->enforcer.features;
	char text[320];

	if (!n->enforce)
		snprintf(text, sizeof text,
			"not connected; bans that stand in the kernel stay");
	else if (n->config->node.observe)
		snprintf(text, sizeof text, "observe mode: nothing is ordered");
	else if (!n->enforcer.active)
		snprintf(text, sizeof text, "%.200s", n->enforcer.text);
	else
		snprintf(text, sizeof text, "nftables table inet %s%s%s%s",
			n->config->enforce.nft.table,
			f->update_timeout ? ", renews timeouts" : "",
			f->destroy ? ", destroy" : "",
			f->owner_persist ? ", owner persist" : "");
	return json_pack("{s:b, s:s, s:b, s:b, s:b, s:b}", "active", n->enforcer.active,
		"text", text, "update_timeout", f->update_timeout, "destroy", f->destroy,
		"owner_persist", f->owner_persist, "sndbuf_force", f->sndbuf_force);
}

static json_t *sense_json(const struct node *n)
{
	const struct sense_figures *s = &n->sense_figures;
	struct detect_figures d;

	detector_figures(n->detector, &d);
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"hep_received", (json_int_t)s->hep_received, "hep_bad",
		(json_int_t)s->hep_bad, "hep_refused", (json_int_t)s->hep_refused,
		"hep_dropped", (json_int_t)s->hep_dropped, "sip_malformed",
		(json_int_t)s->sip_malformed, "log_lines", (json_int_t)s->log_lines,
		"log_skipped", (json_int_t)s->log_skipped, "log_injected",
		(json_int_t)s->log_injected, "observations", (json_int_t)d.observations,
		"duplicates", (json_int_t)d.duplicates, "detections",
		(json_int_t)d.detections, "sources", (json_int_t)d.sources, "evicted",
		(json_int_t)d.evicted);
}

static json_t *ami_json(const struct source_status *s)
{
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "booted",
		s->of.ami.booted, "messages", (json_int_t)s->of.ami.messages, "injected",
		(json_int_t)s->of.ami.injected, "calls", (json_int_t)s->of.ami.calls,
		"floods", (json_int_t)s->of.ami.floods, "logins",
		(json_int_t)s->of.ami.logins, "gaps", (json_int_t)s->of.ami.gaps, "away",
		(json_int_t)s->of.ami.away, "trunks", (json_int_t)s->of.ami.trunks,
		"trunks_unused", (json_int_t)s->of.ami.trunks_unused);
}

/* How lines come that are text. */
static void add_way(json_t *o, const struct source_status *s)
{
	const json_int_t figures[] = {(json_int_t)s->way.bad, (json_int_t)s->way.refused,
		(json_int_t)s->way.dropped, (json_int_t)s->way.failures};
	static const char *const names[] = {"bad", "refused", "dropped", "unreadable"};

	for (size_t i = 0; i < 4; i++)
		json_object_set_new(o, names[i], json_integer(figures[i]));
}

static json_t *kamailio_json(const struct source_status *s)
{
	json_t *out = json_pack("{s:I, s:I, s:I}", "lines",
		(json_int_t)s->of.kamailio.lines, "cut", (json_int_t)s->of.kamailio.cut,
		"injected", (json_int_t)s->of.kamailio.injected);

	add_way(out, s);
	return out;
}

static json_t *log_json(const struct source_status *s)
{
	json_t *out = json_pack("{s:I, s:I, s:I, s:I, s:I}", "lines",
		(json_int_t)s->of.log.lines, "failures", (json_int_t)s->of.log.failures,
		"unnamed", (json_int_t)s->of.log.unnamed, "exhausted",
		(json_int_t)s->of.log.exhausted, "off", (json_int_t)s->of.log.off);

	add_way(out, s);
	return out;
}

static json_t *own_json(const struct source_status *s)
{
	switch (s->type) {
	case CONFIG_SOURCE_AMI:
		return ami_json(s);
	case CONFIG_SOURCE_LOG:
		return log_json(s);
	default:
		return kamailio_json(s);
	}
}

static const char *source_state(const struct source_status *s)
{
	if (!s->state)
		return "unused";
	return s->type == CONFIG_SOURCE_AMI ? ami_state_name(s->state) : "reading";
}

static json_t *source_json(const struct source_status *s)
{
	json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:I}", "name", s->name, "type",
		config_source_type_name(s->type), "state", source_state(s), "trouble",
		s->trouble, "observations", (json_int_t)s->observations);
	json_t *own = own_json(s);

	json_object_update(out, own);
	json_decref(own);
	return out;
}

/* Every [source] that the role sense told of. */
static json_t *sources_json(const struct node *n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < CONFIG_SOURCES_MAX; i++)
		if (n->sources[i].name[0])
			json_array_append_new(list, source_json(&n->sources[i]));
	return list;
}

static json_t *outbox_json(struct node *n)
{
	uint64_t c[OUTBOX_STATES] = {0};
	json_t *out = json_object();
	uint64_t oldest = 0, now = node_now();
	struct error err;

	if (outbox_counts(n->store, c, &err) || outbox_oldest(n->store, &oldest, &err))
		log_error("outbox: %s", err.text);
	/* How long the oldest that is not final waits, seconds. */
	json_object_set_new(out, "oldest",
		oldest ? json_integer((json_int_t)(now > oldest ? now - oldest : 0)) :
			 json_null());
	for (uint8_t state = OUTBOX_WAITING; state < OUTBOX_STATES; state++)
		json_object_set_new(out, outbox_state_name(state),
			json_integer((json_int_t)c[state]));
	return out;
}

/* "none", or the one capability that a role may keep, or the bits. */
static const char *capabilities(uint64_t bits, char dst[24])
{
	const uint64_t net_admin = UINT64_C(1) << 12; /* CAP_NET_ADMIN */

	if (!bits)
		return "none";
	if (bits == net_admin)
		return "net_admin";
	snprintf(dst, 24, "0x%llx", (unsigned long long)bits);
	return dst;
}

static const char *state_name(uint32_t state)
{
	switch (state) {
	case ROLE_WAITING:
		return "waiting";
	case ROLE_STARTING:
		return "starting";
	case ROLE_RUNNING:
		return "running";
	case ROLE_STOPPING:
		return "stopping";
	default:
		return "?";
	}
}

static json_t *role_json(const struct role_status *r)
{
	char caps[24], landlock[48];

	if (r->sandbox.landlock_abi)
		snprintf(landlock, sizeof landlock, "ABI %d, %zu paths",
			r->sandbox.landlock_abi, r->sandbox.landlock_paths);
	else
		snprintf(landlock, sizeof landlock, "none");
	return json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:i, s:s, s:s, s:s, s:b}",
		"role", role_name((enum role)r->role), "state", state_name(r->state),
		"pid", (int)r->pid, "uid", (json_int_t)r->sandbox.uid, "starts",
		(json_int_t)r->starts, "rss_kib", (json_int_t)r->rss_kib, "last_exit",
		(int)r->last_exit, "capabilities",
		capabilities(r->sandbox.cap_effective, caps), "seccomp",
		r->sandbox.seccomp == 2 ? "filter" : "off", "landlock", landlock,
		"no_new_privs", r->sandbox.no_new_privs);
}

json_t *node_status(struct node *n)
{
	const struct member *m = node_member(n);
	json_t *roles = json_array(), *out, *member;
	char address[43] = "";

	for (size_t i = 0; i < n->roles_count; i++)
		json_array_append_new(roles, role_json(&n->roles[i]));
	if (n->self_known && n->self.has_key)
		address20_print(address, n->self.address);
	member = !m ? json_null() :
		      json_pack("{s:i, s:s, s:s, s:I, s:I, s:i}", "index", m->index,
			      "name", m->name, "status",
			      m->status == MEMBER_ACTIVE            ? "active" :
				      m->status == MEMBER_SUSPENDED ? "suspended" :
								      "removed",
			      "live", (json_int_t)m->live, "cap", (json_int_t)m->cap,
			      "weight", m->weight);
	out = json_pack("{s:s, s:s, s:b, s:I, s:o, s:s, s:s}", "name",
		n->config->node.name, "version", SIPCHAIN_VERSION, "observe",
		n->config->node.observe, "uptime",
		(json_int_t)((clock_monotonic() - n->started) / USEC_PER_SEC), "member",
		member, "address", address, "member_text",
		!n->self_known ?
			"the ledger is not reached yet" :
			!n->self.has_key ?
			"no [member] key: this node only reads" :
			"its key is not admitted: it never was, or its member was removed; the "
			"owner admits it (again) with `sipchain member add`");
	json_object_set_new(out, "ledger", ledger_json(n));
	json_object_set_new(out, "bans", bans_json(n));
	json_object_set_new(out, "enforcer", enforcer_json(n));
	json_object_set_new(out, "sense", sense_json(n));
	json_object_set_new(out, "sources", sources_json(n));
	json_object_set_new(out, "numbers", node_numbers_json(n));
	json_object_set_new(out, "connectors", node_connectors_json(n));
	json_object_set_new(out, "webhooks", node_webhooks_json(n));
	json_object_set_new(out, "honeypot", node_honeypot_json(n));
	json_object_set_new(out, "outbox", outbox_json(n));
	json_object_set_new(out, "api", node_http_figures(n));
	json_object_set_new(out, "roles", roles);
	json_object_set_new(out, "memory",
		json_pack("{s:I, s:I}", "registry",
			(json_int_t)registry_memory(n->registry), "bans",
			(json_int_t)ban_table_memory(n->bans)));
	return out;
}
