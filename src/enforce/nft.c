/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/nft.h"

#include <ctype.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include "enforce/nft_chunk.h"
#include "enforce/nft_state.h"

const struct nft_config nft_config_default = {
	.table = "sipchain",
	.ports = {{5060, 5061}},
	.ports_count = 1,
	.set_size = 1u << 20,
	.gc_interval = 30000,
};

/* What an operator can do about an errno of nf_tables. */
static const char *remedy(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return "needs CAP_NET_ADMIN in this network namespace, and a table that "
		       "no other running process owns (another sipchaind?)";
	case ENOENT:
		return "the table or a part of it is gone: another program removed it; "
		       "set it up again";
	case EOPNOTSUPP:
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case EINVAL:
		return "the kernel lacks a part of nf_tables: CONFIG_NF_TABLES, "
		       "CONFIG_NF_TABLES_INET (modprobe nf_tables)";
	case EMSGSIZE:
		return "the transaction exceeds the socket's send buffer: raise "
		       "net.core.wmem_max, or run with CAP_NET_ADMIN of the host";
	case ENOBUFS:
	case ETIMEDOUT:
		return "the kernel's answer was lost";
	case EEXIST:
	case EBUSY:
		return "another program uses a set or chain of this table: "
		       "remove its rules";
	default:
		return NULL;
	}
}

int nft_refused(const struct nft *n, const struct nft_outcome *out, const char *doing,
	struct error *err)
{
	const char *what = remedy(out->error);

	return error_set(err, "nftables table inet %s: %s: %s%s%s%s%s%s", n->config.table,
		doing, strerror(out->error), *out->text ? " (" : "", out->text,
		*out->text ? ")" : "", what ? "; " : "", what ? what : "");
}

/* A name as nft's own grammar has it, so that `nft` can show the table. */
static bool name_is_valid(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	while (isalnum((unsigned char)*s) || *s == '_' || *s == '-' || *s == '.')
		s++;
	return *s == '\0';
}

static int compare_ports(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Sort and merge: an interval set refuses ranges that overlap. */
static void merge_ports(struct nft_config *c)
{
	unsigned merged = 0;

	_Static_assert(offsetof(struct nft_config, ports[0].first) ==
			offsetof(struct nft_config, ports),
		"compare_ports() reads `first`");
	qsort(c->ports, c->ports_count, sizeof(c->ports[0]), compare_ports);
	for (unsigned i = 1; i < c->ports_count; i++) {
		if (c->ports[i].first > (unsigned)c->ports[merged].last + 1)
			c->ports[++merged] = c->ports[i];
		else if (c->ports[i].last > c->ports[merged].last)
			c->ports[merged].last = c->ports[i].last;
	}
	c->ports_count = merged + 1;
}

static int check_config(struct nft_config *c, struct error *err)
{
	if (memchr(c->table, '\0', sizeof(c->table)) == NULL || !name_is_valid(c->table))
		return error_set(err,
			"table: a name is letters, digits, _ - . and begins "
			"with a letter or _, at most %zu characters",
			sizeof(c->table) - 1);
	if (c->ports_count == 0 || c->ports_count > NFT_PORTS_MAX)
		return error_set(err, "ports: give 1 to %d ranges of SIP ports, not %u",
			NFT_PORTS_MAX, c->ports_count);
	for (unsigned i = 0; i < c->ports_count; i++)
		if (c->ports[i].first == 0 || c->ports[i].last < c->ports[i].first)
			return error_set(err,
				"ports: %u-%u is no range: first and last are 1 to 65535, "
				"first is not above last",
				c->ports[i].first, c->ports[i].last);
	if (c->set_size == 0)
		return error_set(err, "set_size: a set holds at least 1 element");
	if (c->gc_interval == 0)
		return error_set(err, "gc_interval: at least 1 ms (30000 is usual)");
	merge_ports(c);
	return 0;
}

struct nft *nft_open(const struct nft_config *config, struct error *err)
{
	struct nft *n = calloc(1, sizeof(*n));

	if (!n) {
		error_set(err, "out of memory");
		return NULL;
	}
	n->config = *config;
	n->chunk_most = NFT_ELEMENTS_MAX;
	if (check_config(&n->config, err) < 0)
		goto fail;
	n->chunk = nft_chunk_new();
	if (!n->chunk) {
		error_set(err, "out of memory");
		goto fail;
	}
	if (nft_transport_open(&n->transport, err) < 0)
		goto fail;
	if (nft_probe(n, err) < 0 || nft_events_open(n, err) < 0)
		goto fail;
	return n;
fail:
	nft_close(n);
	return NULL;
}

void nft_close(struct nft *n)
{
	if (!n)
		return;
	nft_events_close(n);
	nft_transport_close(&n->transport);
	nft_batch_free(&n->batch);
	nft_chunk_free(n->chunk);
	free(n->allow);
	free(n);
}

const struct nft_features *nft_features(const struct nft *n)
{
	return &n->features;
}

void nft_pass(struct nft *n, const struct nft_listener *list, size_t count)
{
	n->pass_count = count < NFT_PASS_MAX ? count : NFT_PASS_MAX;
	for (size_t i = 0; i < n->pass_count; i++)
		n->pass[i] = list[i];
}

int nft_teardown(struct nft *n, struct error *err)
{
	struct nft_outcome out;

	nft_transport_begin(&n->transport, &n->batch);
	nft_batch_message(&n->batch, NFT_MSG_DELTABLE, 0);
	nft_put_name(&n->batch, NFTA_TABLE_NAME, n->config.table);
	if (nft_transport_commit(&n->transport, &n->batch, &out) < 0 &&
		out.error != ENOENT)
		return nft_refused(n, &out, "remove the table", err);
	memset(n->present, 0, sizeof(n->present));
	n->ready = false;
	return 0;
}
