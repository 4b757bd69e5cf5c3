/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/hep_out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sense/observation.h"
#include "sip/hep.h"

#define DATAGRAM_MAX 65507
#define SEND_BUFFER  (4 << 20)
#define CALL_ID_MAX  256

struct hep_out {
	int fd;
	uint32_t id;
	char password[128];
	struct buffer packet;
	struct hep_out_figures figures;
};

struct hep_out *hep_out_open(const struct hep_out_config *config, struct error *err)
{
	struct hep_out *h = calloc(1, sizeof *h);
	struct sockaddr_storage ss;
	socklen_t length = address_to_sockaddr(&ss, &config->address, config->port);
	int size = SEND_BUFFER;
	char text[ADDRESS_TEXT];

	if (!h) {
		error_set(err, "out of memory");
		return NULL;
	}
	h->id = config->id;
	if (config->password)
		view_copy(h->password, sizeof h->password, view_str(config->password));
	h->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h->fd < 0 || connect(h->fd, (struct sockaddr *)&ss, length)) {
		error_set(err, "HEP to udp:%s:%u: %s",
			address_print(text, &config->address), config->port,
			strerror(errno));
		hep_out_close(h);
		return NULL;
	}
	/* As much of it as net.core.wmem_max allows; less only drops sooner. */
	if (setsockopt(h->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
		setsockopt(h->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return h;
}

void hep_out_close(struct hep_out *h)
{
	if (!h)
		return;
	if (h->fd >= 0)
		close(h->fd);
	buffer_free(&h->packet);
	explicit_bzero(h->password, sizeof h->password);
	free(h);
}

/* The value of the line that begins with this name, "" when it is another one. */
static struct view value_of(struct view line, const char *name)
{
	size_t colon = view_find(line, ':');

	if (colon == line.n || !view_eq_nocase(view_trim(view_head(line, colon)), name))
		return (struct view){NULL, 0};
	return view_trim(view_from(line, colon + 1));
}

/* The Call-ID as it stands; the message need not be sound. */
static struct view call_id(struct view rest)
{
	while (rest.n) {
		size_t end = view_find(rest, '\n');
		struct view line = view_head(rest, end), value;

		if (!view_trim(line).n)
			break;
		/* "Call-ID", or its compact form. */
		if ((line.p[0] | 0x20) == 'c' || (line.p[0] | 0x20) == 'i') {
			value = value_of(line, "Call-ID");
			if (!value.n)
				value = value_of(line, "i");
			if (value.n)
				return view_head(value, CALL_ID_MAX);
		}
		rest = view_from(rest, end + 1);
	}
	return (struct view){NULL, 0};
}

/* The other end has an address of the same family, be it not known which. */
static void set_ends(struct hep_message *m, const struct record *r)
{
	struct address local = r->local;

	if (local.family != r->remote.family)
		local = (struct address){.family = r->remote.family};
	m->source = r->out ? local : r->remote;
	m->destination = r->out ? r->remote : local;
	m->source_port = r->out ? r->local_port : r->remote_port;
	m->destination_port = r->out ? r->remote_port : r->local_port;
}

int hep_out_encode(
	struct buffer *dst, const struct record *r, uint32_t id, struct view password)
{
	struct hep_message m = {
		.protocol = r->transport == TRANSPORT_UDP ? HEP_PROTOCOL_UDP :
							    HEP_PROTOCOL_TCP,
		.type = HEP_TYPE_SIP,
		.seconds = (uint32_t)(r->time / USEC_PER_SEC),
		.microseconds = (uint32_t)(r->time % USEC_PER_SEC),
		.capture_id = id,
		.has_key = password.n != 0,
		.key = password,
		.correlation = call_id(r->bytes),
		.payload = r->bytes,
	};
	char session[17];
	size_t start = dst->n;

	if (!m.correlation.n) {
		snprintf(session, sizeof session, "%016" PRIx64, record_session(r));
		m.correlation = view_str(session);
	}
	set_ends(&m, r);
	if (hep_encode(dst, &m))
		return -1;
	if (dst->n - start <= DATAGRAM_MAX)
		return 0;
	dst->n = start;
	return -1;
}

void hep_out_send(struct hep_out *h, const struct record *r)
{
	ssize_t n;

	h->packet.n = 0;
	if (hep_out_encode(&h->packet, r, h->id, view_str(h->password))) {
		h->figures.too_long++;
		return;
	}
	n = send(h->fd, h->packet.p, h->packet.n, MSG_NOSIGNAL);
	if (n < 0 && errno == ECONNREFUSED) {
		/*
		 * It tells of a datagram before this one, which found nobody. This one
		 * is not sent then: once more, so that a collector that is back gets it.
		 */
		h->figures.sent -= h->figures.sent > 0;
		h->figures.refused++;
		n = send(h->fd, h->packet.p, h->packet.n, MSG_NOSIGNAL);
	}
	if (n < 0)
		h->figures.dropped++;
	else
		h->figures.sent++;
}

void hep_out_figures(const struct hep_out *h, struct hep_out_figures *out)
{
	*out = h->figures;
}
