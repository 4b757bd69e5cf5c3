/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/proof.h"

#include <stdlib.h>

#include "base/hex.h"

#define WAYS         8
#define NONCE_LIFE   (3600 * USEC_PER_SEC)
#define TAG_LIFE     (4 * 3600 * USEC_PER_SEC)
#define OUT_OF_ORDER (2 * USEC_PER_SEC)
#define SHARING_LIFE (3600 * USEC_PER_SEC)
#define SHARERS      64
#define TAG_LEAST    8
#define NONCE_LEAST  8

const struct proof_config proof_config_default = {
	.nonces = 16384,
	.tags = 8192,
	.owners = 8192,
};

/* One fact about one client; key 0 is an empty place. */
struct mark {
	uint64_t key;
	usec used;       /* when it was last of use: the least goes first */
	uint32_t client; /* a part of its hash: whose mark this is */
	uint8_t method;
	bool told; /* its proof was handed out */
};

/* The first receiver of a nonce. */
struct owner {
	uint64_t key;
	uint64_t client;
	usec used;
};

/* A server that was seen to give one nonce to two addresses. */
struct sharer {
	uint64_t server;
	usec until;
};

struct marks {
	struct mark *at;
	uint32_t sets; /* a power of two */
};

struct proofs {
	struct hash_key key;
	struct marks nonces, tags;
	struct owner *owners;
	uint32_t owner_sets;
	struct sharer sharers[SHARERS];
	struct proof_figures figures;
};

/* What a key speaks of, so that a tag is never taken for a nonce. */
enum fact {
	FACT_ADDRESS = 1,
	FACT_ISSUED,
	FACT_ANSWERED,
	FACT_TAG,
	FACT_OWNER,
};

static uint32_t sets_for(uint32_t entries)
{
	uint32_t sets = 1;

	while (sets < 1u << 24 && sets * WAYS < entries)
		sets *= 2;
	return sets;
}

static int marks_init(struct marks *m, uint32_t entries)
{
	m->sets = sets_for(entries);
	m->at = calloc((size_t)m->sets * WAYS, sizeof *m->at);
	return m->at ? 0 : -1;
}

struct proofs *proofs_new(const struct proof_config *config, struct hash_key key)
{
	struct proofs *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->key = key;
	p->owner_sets = sets_for(config->owners);
	p->owners = calloc((size_t)p->owner_sets * WAYS, sizeof *p->owners);
	if (!p->owners || marks_init(&p->nonces, config->nonces) ||
		marks_init(&p->tags, config->tags)) {
		proofs_free(p);
		return NULL;
	}
	return p;
}

void proofs_free(struct proofs *p)
{
	if (!p)
		return;
	free(p->tags.at);
	free(p->nonces.at);
	free(p->owners);
	free(p);
}

static uint64_t hash_address(const struct proofs *p, const struct address *a)
{
	uint8_t bytes[1 + sizeof a->bytes];

	bytes[0] = a->family;
	memcpy(bytes + 1, a->bytes, sizeof a->bytes);
	return hash_bytes(&p->key, bytes, sizeof bytes);
}

/* The key of a fact about addresses and a text; never 0. */
static uint64_t fact_key(const struct proofs *p, enum fact fact, uint64_t client,
	uint64_t server, struct view first, struct view second)
{
	uint64_t parts[5] = {(uint64_t)fact, client, server,
		hash_bytes(&p->key, first.p, first.n),
		second.n ? hash_bytes(&p->key, second.p, second.n) : 0};
	uint64_t key = hash_bytes(&p->key, parts, sizeof parts);

	return key ? key : 1;
}

static struct mark *set_of(const struct marks *m, uint64_t client)
{
	return m->at + (client & (m->sets - 1)) * WAYS;
}

/* The mark with this key if it is not older than life. */
static struct mark *mark_find(
	const struct marks *m, uint64_t client, uint64_t key, usec now, usec life)
{
	struct mark *set = set_of(m, client);

	for (int i = 0; i < WAYS; i++)
		if (set[i].key == key && set[i].used + life >= now)
			return &set[i];
	return NULL;
}

/*
 * The mark that makes room: of the client who has most of the set the one
 * unused longest. A flood in one name so never costs its neighbours theirs.
 */
static struct mark *mark_least(struct mark *set)
{
	struct mark *place = set;
	unsigned most = 0;

	for (int i = 0; i < WAYS; i++) {
		unsigned share = 0;

		if (!set[i].key)
			return &set[i];
		for (int k = 0; k < WAYS; k++)
			share += set[k].client == set[i].client;
		if (share > most || (share == most && set[i].used < place->used)) {
			place = &set[i];
			most = share;
		}
	}
	return place;
}

/* The mark with this key, made when it is new. */
static struct mark *mark_put(
	const struct marks *m, uint64_t client, uint64_t key, usec now)
{
	struct mark *set = set_of(m, client), *place;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].key == key) {
			set[i].used = now;
			return &set[i];
		}
	}
	place = mark_least(set);
	*place = (struct mark){
		.key = key, .used = now, .client = (uint32_t)(client >> 32)};
	return place;
}

static bool server_shares(const struct proofs *p, uint64_t server, usec now)
{
	for (int i = 0; i < SHARERS; i++)
		if (p->sharers[i].server == server && p->sharers[i].until > now)
			return true;
	return false;
}

static void server_caught(struct proofs *p, uint64_t server, usec now)
{
	struct sharer *place = p->sharers;

	for (int i = 0; i < SHARERS; i++) {
		if (p->sharers[i].server == server) {
			place = &p->sharers[i];
			break;
		}
		if (p->sharers[i].until < place->until)
			place = &p->sharers[i];
	}
	*place = (struct sharer){server, now + SHARING_LIFE};
	p->figures.nonces_shared++;
}

/* Note that this client was given the nonce; catch a second receiver. */
static void owner_note(
	struct proofs *p, uint64_t client, uint64_t server, struct view nonce, usec now)
{
	uint64_t key = fact_key(p, FACT_OWNER, 0, server, nonce, (struct view){0});
	struct owner *set = p->owners + (key & (p->owner_sets - 1)) * WAYS;
	struct owner *place = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].key == key) {
			set[i].used = now;
			if (set[i].client != client)
				server_caught(p, server, now);
			return;
		}
		if (set[i].used < place->used)
			place = &set[i];
	}
	*place = (struct owner){.key = key, .client = client, .used = now};
}

bool proof_nonce_issued(struct proofs *p, const struct address *client,
	const struct address *server, struct view nonce, enum sip_method method, usec now)
{
	uint64_t c = hash_address(p, client), s = hash_address(p, server);
	struct mark *m, *early;

	if (nonce.n < NONCE_LEAST)
		return false;
	p->figures.nonces_issued++;
	owner_note(p, c, s, nonce, now);
	m = mark_put(&p->nonces, c,
		fact_key(p, FACT_ISSUED, c, s, nonce, (struct view){0}), now);
	m->method = (uint8_t)method;
	if (server_shares(p, s, now))
		return false;
	early = mark_find(&p->nonces, c,
		fact_key(p, FACT_ANSWERED, c, s, nonce, (struct view){0}), now,
		OUT_OF_ORDER);
	if (!early || early->told)
		return false;
	early->told = true;
	p->figures.nonces_proved++;
	return true;
}

struct proof_answer proof_nonce_answered(struct proofs *p, const struct address *client,
	const struct address *server, struct view nonce, enum sip_method method, usec now)
{
	uint64_t c = hash_address(p, client), s = hash_address(p, server);
	struct proof_answer answer;
	struct mark *m;

	if (nonce.n < NONCE_LEAST)
		return (struct proof_answer){0};
	m = mark_find(&p->nonces, c,
		fact_key(p, FACT_ISSUED, c, s, nonce, (struct view){0}), now, NONCE_LIFE);
	if (!m) {
		mark_put(&p->nonces, c,
			fact_key(p, FACT_ANSWERED, c, s, nonce, (struct view){0}), now);
		return (struct proof_answer){0};
	}
	m->used = now;
	answer = (struct proof_answer){
		.known = true,
		.same_method = m->method == (uint8_t)method,
		.proved = !server_shares(p, s, now),
	};
	p->figures.nonces_proved += answer.proved;
	return answer;
}

void proof_tag_given(struct proofs *p, const struct address *client,
	const struct address *server, struct view call_id, struct view tag, usec now)
{
	uint64_t c = hash_address(p, client), s = hash_address(p, server);

	mark_put(&p->tags, c, fact_key(p, FACT_TAG, c, s, call_id, tag), now);
}

enum proof_tag proof_tag_used(struct proofs *p, const struct address *client,
	const struct address *server, struct view call_id, struct view tag, usec now)
{
	uint64_t c = hash_address(p, client), s = hash_address(p, server);
	struct mark *m = mark_find(
		&p->tags, c, fact_key(p, FACT_TAG, c, s, call_id, tag), now, TAG_LIFE);

	if (!m)
		return PROOF_TAG_UNKNOWN;
	m->used = now;
	if (m->told)
		return PROOF_TAG_AGAIN;
	m->told = true;
	p->figures.tags_proved++;
	return PROOF_TAG_FIRST;
}

/* Whether one of the two stands in the other, and is long enough to matter. */
static bool overlap(struct view a, struct view b)
{
	struct view shorter = a.n < b.n ? a : b, longer = a.n < b.n ? b : a;

	return shorter.n >= 4 && memmem(longer.p, longer.n, shorter.p, shorter.n);
}

/* <32 hex digits> and then '.' or '-' with a checksum (SER and its children). */
static bool is_ser_tag(struct view tag)
{
	if (tag.n < 34 || (tag.p[32] != '.' && tag.p[32] != '-'))
		return false;
	for (size_t i = 0; i < 32; i++)
		if (hex_digit(tag.p[i]) < 0)
			return false;
	return true;
}

bool proof_tag_is_secret(const struct sip_message *response)
{
	struct view tag = response->to.tag;

	return tag.n >= TAG_LEAST && !is_ser_tag(tag) &&
		!overlap(tag, response->via.branch) &&
		!overlap(tag, response->from.tag) && !overlap(tag, response->call_id);
}

void proofs_figures(const struct proofs *p, struct proof_figures *out)
{
	*out = p->figures;
	out->memory = sizeof *p +
		(size_t)(p->nonces.sets + p->tags.sets) * WAYS * sizeof(struct mark) +
		(size_t)p->owner_sets * WAYS * sizeof(struct owner);
}
