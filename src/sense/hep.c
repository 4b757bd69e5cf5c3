/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/hep.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "sense/hep_collector.h"

/*
 * One recvmmsg(2) takes up to 64 datagrams, and one wake-up up to 16 calls:
 * then the loop's other handles have their turn. A slot holds the longest
 * datagram that there is; untouched pages cost nothing.
 */
#define BATCH      64
#define BATCHES    16
#define SLOT       65536
#define EXPIRE_MS  250
#define WARN_EVERY (60 * USEC_PER_SEC)

const struct hep_config hep_config_default = {
	.wire = {.requests = 4096,
		.answer_within = 2 * USEC_PER_SEC,
		.proofs = {.nonces = 16384, .tags = 8192, .owners = 8192},
		.learn_servers = true},
	.connections_max = 64,
};

struct hep_udp {
	struct hep_collector *collector;
	struct hep_udp *next;
	uv_poll_t poll;
	int fd;
	uint32_t dropped; /* as the kernel last said; it wraps */
	struct mmsghdr messages[BATCH];
	struct iovec slots[BATCH];
	struct sockaddr_storage from[BATCH];
	_Alignas(struct cmsghdr) uint8_t control[BATCH][CMSG_SPACE(sizeof(uint32_t))];
	uint8_t *memory;
};

struct hep_collector *hep_collector_new(uv_loop_t *loop, const struct hep_config *config,
	struct hash_key key, observation_fn *observe, void *context)
{
	struct hep_collector *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->loop = loop;
	c->connections_max = config->connections_max;
	c->password = strdup(config->password ? config->password : "");
	c->wire = wire_new(&config->wire, key, observe, context);
	if (!c->password || !c->wire || uv_timer_init(loop, &c->timer)) {
		wire_free(c->wire);
		free(c->password);
		free(c);
		return NULL;
	}
	c->timer.data = c;
	c->handles = 1;
	return c;
}

static void on_timer(uv_timer_t *timer)
{
	struct hep_collector *c = timer->data;

	wire_expire(c->wire, clock_wall());
}

/* The first socket starts the clock; a collector without any needs none. */
static int start_timer(struct hep_collector *c)
{
	if (uv_is_active((uv_handle_t *)&c->timer))
		return 0;
	return uv_timer_start(&c->timer, on_timer, EXPIRE_MS, EXPIRE_MS);
}

void hep_collector_message(struct hep_collector *c, struct view packet,
	const struct address *agent, usec now)
{
	struct hep_message m;

	c->figures.received++;
	switch (hep_decode(&m, packet)) {
	case HEP_VALID:
		break;
	case HEP_COMPRESSED:
		c->figures.compressed++;
		return;
	case HEP_FOREIGN:
	case HEP_BROKEN:
		c->figures.bad++;
		return;
	}
	if (!hep_key_matches(&m, view_str(c->password))) {
		char text[ADDRESS_TEXT];

		c->figures.wrong_password++;
		if (now >= c->warned + WARN_EVERY) {
			c->warned = now;
			log_warning("HEP: %s sends a wrong password or none; set the "
				    "agent's capture password to [hep] password",
				address_print(text, agent));
		}
		return;
	}
	wire_feed(c->wire, &m, agent, now);
}

/* How many datagrams the kernel has dropped since it last said so. */
static void count_drops(struct hep_udp *u, struct msghdr *m)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		uint32_t total;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&total, CMSG_DATA(h), sizeof total);
		u->collector->figures.kernel_dropped += total - u->dropped;
		u->dropped = total;
	}
}

/* Name and control lengths are overwritten by every call. */
static void reset_batch(struct hep_udp *u)
{
	for (int i = 0; i < BATCH; i++) {
		u->messages[i].msg_hdr.msg_namelen = sizeof u->from[i];
		u->messages[i].msg_hdr.msg_controllen = sizeof u->control[i];
	}
}

/* Read one batch. Returns whether there may be more. */
static bool read_batch(struct hep_udp *u)
{
	usec now;
	int n;

	reset_batch(u);
	n = recvmmsg(u->fd, u->messages, BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	now = clock_wall();
	for (int i = 0; i < n; i++) {
		struct msghdr *m = &u->messages[i].msg_hdr;
		struct address agent = {0};
		uint16_t port;

		(void)address_from_sockaddr(&agent, &port, m->msg_name);
		hep_collector_message(u->collector,
			view_of(u->slots[i].iov_base, u->messages[i].msg_len), &agent,
			now);
	}
	count_drops(u, &u->messages[n - 1].msg_hdr);
	return n == BATCH;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct hep_udp *u = poll->data;

	if (status < 0) {
		log_error("HEP: UDP socket: %s", uv_strerror(status));
		return;
	}
	if (!(events & UV_READABLE))
		return;
	for (int i = 0; i < BATCHES && read_batch(u); i++)
		;
}

static struct hep_udp *udp_new(struct hep_collector *c, int fd)
{
	struct hep_udp *u = calloc(1, sizeof *u);

	if (!u)
		return NULL;
	u->memory = malloc((size_t)BATCH * SLOT);
	if (!u->memory) {
		free(u);
		return NULL;
	}
	u->collector = c;
	u->fd = fd;
	u->poll.data = u;
	for (int i = 0; i < BATCH; i++) {
		u->slots[i] = (struct iovec){u->memory + (size_t)i * SLOT, SLOT};
		u->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &u->from[i],
			.msg_iov = &u->slots[i],
			.msg_iovlen = 1,
			.msg_control = u->control[i],
		};
	}
	return u;
}

static void udp_free(struct hep_udp *u)
{
	close(u->fd);
	free(u->memory);
	free(u);
}

int hep_collector_udp(struct hep_collector *c, int fd, struct error *err)
{
	struct hep_udp *u = udp_new(c, fd);
	int rc;

	if (!u) {
		close(fd);
		return error_set(err, "HEP: out of memory");
	}
	rc = uv_poll_init(c->loop, &u->poll, fd);
	if (rc) {
		udp_free(u);
		return error_set(
			err, "HEP: cannot watch the UDP socket: %s", uv_strerror(rc));
	}
	c->handles++;
	u->next = c->udp;
	c->udp = u;
	rc = uv_poll_start(&u->poll, UV_READABLE, on_readable);
	if (!rc)
		rc = start_timer(c);
	if (rc)
		return error_set(
			err, "HEP: cannot watch the UDP socket: %s", uv_strerror(rc));
	return 0;
}

int hep_collector_tcp(struct hep_collector *c, int fd, struct error *err)
{
	int rc = start_timer(c);

	if (rc) {
		close(fd);
		return error_set(err, "HEP: cannot start a timer: %s", uv_strerror(rc));
	}
	return hep_listen(c, fd, err);
}

void hep_collector_released(struct hep_collector *c)
{
	if (--c->handles)
		return;
	wire_free(c->wire);
	free(c->password);
	free(c);
}

static void on_udp_closed(uv_handle_t *handle)
{
	struct hep_udp *u = handle->data;
	struct hep_collector *c = u->collector;

	udp_free(u);
	hep_collector_released(c);
}

static void on_timer_closed(uv_handle_t *handle)
{
	hep_collector_released(handle->data);
}

void hep_collector_close(struct hep_collector *c)
{
	hep_listen_close(c);
	for (struct hep_udp *u = c->udp, *next; u; u = next) {
		next = u->next;
		uv_close((uv_handle_t *)&u->poll, on_udp_closed);
	}
	c->udp = NULL;
	uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

void hep_figures(const struct hep_collector *c, struct hep_figures *out)
{
	*out = c->figures;
	wire_figures(c->wire, &out->wire);
}
