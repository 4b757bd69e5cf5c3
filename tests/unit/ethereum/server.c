/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS 256

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		abort();
	}
}

struct connection {
	struct peer peer;
	pthread_t thread;
};

/* --- connections --- */

static void *run_connection(void *context)
{
	struct connection *c = context;
	struct peer *p = &c->peer;
	struct server *s = p->server;
	unsigned open = atomic_fetch_add(&s->open, 1) + 1;
	unsigned most = atomic_load(&s->most_open);

	while (open > most && !atomic_compare_exchange_weak(&s->most_open, &most, open))
		;
	if (s->tls) {
		p->ssl = SSL_new(s->tls);
		must(p->ssl && SSL_set_fd(p->ssl, p->fd), "SSL_new");
	}
	if (!p->ssl || SSL_accept(p->ssl) == 1)
		s->serve(p, s->context);
	if (p->ssl)
		SSL_free(p->ssl);
	buffer_free(&p->request);
	atomic_fetch_sub(&s->open, 1);
	shutdown(p->fd, SHUT_RDWR);
	return NULL;
}

static void *run(void *context)
{
	struct server *s = context;
	struct connection *all[PEERS];
	unsigned n = 0;
	int fd, on = 1;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		struct connection *c = calloc(1, sizeof *c);

		must(c && n < PEERS, "connection");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		c->peer.fd = fd;
		c->peer.server = s;
		atomic_fetch_add(&s->connections, 1);
		must(!pthread_create(&c->thread, NULL, run_connection, c), "thread");
		all[n++] = c;
	}
	for (unsigned i = 0; i < n; i++) {
		shutdown(all[i]->peer.fd, SHUT_RDWR);
		pthread_join(all[i]->thread, NULL);
		close(all[i]->peer.fd);
		free(all[i]);
	}
	return NULL;
}

struct server *server_start(
	serve_fn *serve, const void *context, const char *certificate, const char *key)
{
	struct server *s = calloc(1, sizeof *s);
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	pthread_t thread;

	must(s != NULL, "server");
	signal(SIGPIPE, SIG_IGN); /* a client that goes away is what is tested */
	s->serve = serve;
	s->context = (void *)(uintptr_t)context;
	if (certificate) {
		s->tls = SSL_CTX_new(TLS_server_method());
		must(s->tls &&
				SSL_CTX_use_certificate_chain_file(s->tls, certificate) ==
					1 &&
				SSL_CTX_use_PrivateKey_file(
					s->tls, key, SSL_FILETYPE_PEM) == 1,
			certificate);
	}
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(s->fd >= 0 && !bind(s->fd, (struct sockaddr *)&a, sizeof a) &&
			!listen(s->fd, 64) &&
			!getsockname(s->fd, (struct sockaddr *)&a, &n),
		"socket");
	s->port = ntohs(a.sin_port);
	must(!pthread_create(&thread, NULL, run, s), "thread");
	s->thread = thread;
	return s;
}

void server_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	SSL_CTX_free(s->tls);
	free(s);
}

/* --- bytes --- */

long peer_read(struct peer *p, void *dst, size_t n)
{
	return p->ssl ? SSL_read(p->ssl, dst, (int)n) : recv(p->fd, dst, n, 0);
}

int peer_write(struct peer *p, const void *src, size_t n)
{
	const char *at = src;

	while (n > 0) {
		long sent = p->ssl ? SSL_write(p->ssl, at, (int)n) :
				     send(p->fd, at, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return -1;
		at += sent;
		n -= (size_t)sent;
	}
	return 0;
}

int peer_printf(struct peer *p, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n, rc;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	must(n >= 0, "vasprintf");
	rc = peer_write(p, text, (size_t)n);
	free(text);
	return rc;
}

void peer_wait(struct peer *p)
{
	struct pollfd fd = {.fd = p->fd, .events = POLLIN};
	char bytes[4096];

	while (poll(&fd, 1, 10000) == 1 && peer_read(p, bytes, sizeof bytes) > 0)
		;
}

/* --- HTTP --- */

static size_t content_length(struct view head)
{
	size_t at = view_find_str(head, "Content-Length: ");
	uint64_t n = 0;

	if (at == head.n)
		return 0;
	head = view_from(head, at + 16);
	must(!view_decimal(view_head(head, view_find(head, '\r')), 1 << 30, &n),
		"length");
	return n;
}

int peer_request(struct peer *p)
{
	struct buffer *b = &p->request;
	uint8_t bytes[4096];

	b->n = 0;
	p->head = 0;
	for (;;) {
		long n;

		if (p->head > 0 &&
			b->n >= p->head + content_length(view_of(b->p, p->head)))
			return 0;
		n = peer_read(p, bytes, sizeof bytes);
		if (n <= 0)
			return -1;
		buffer_put(b, bytes, (size_t)n);
		if (p->head == 0) {
			size_t end = view_find_str(view_of(b->p, b->n), "\r\n\r\n");

			p->head = end < b->n ? end + 4 : 0;
			view_copy(p->server->seen, sizeof p->server->seen,
				view_of(b->p, p->head));
		}
	}
}

unsigned long peer_id(const struct peer *p)
{
	struct view body = view_of(p->request.p + p->head, p->request.n - p->head);
	size_t at = view_find_str(body, "\"id\":");

	return at == body.n ? 0 : strtoul((const char *)body.p + at + 5, NULL, 10);
}

int peer_reply(struct peer *p, const char *status, const char *extra, const char *body)
{
	return peer_printf(p, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
		extra, strlen(body), body);
}

int peer_result(struct peer *p, const char *result)
{
	char *body;
	int rc;

	must(asprintf(&body, "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"result\":%s}", peer_id(p),
		     result) >= 0,
		"asprintf");
	rc = peer_reply(p, "200 OK", "Content-Type: application/json\r\n", body);
	free(body);
	return rc;
}
