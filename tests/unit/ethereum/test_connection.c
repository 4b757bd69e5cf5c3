/* SPDX-License-Identifier: Apache-2.0 */
/* TLS, proxies and credentials of JSON-RPC's connections. */
#include "client.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/http_client.h"
#include "certificates.h"
#include "server.h"

static struct certificates certificates;

static int make(void **state)
{
	(void)state;
	certificates_make(&certificates);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	certificates_remove(&certificates);
	return 0;
}

static void serve_results(struct peer *p, void *context)
{
	(void)context;
	while (!peer_request(p))
		if (peer_result(p, "1"))
			break;
}

/* --- TLS --- */

static void tls(const char *certificate, const char *host, const char *more,
	enum rpc_outcome due, const char *text)
{
	struct server *s = server_start(
		serve_results, NULL, certificate, certificates.key);
	struct client c;
	struct answer a;
	char line[900];

	snprintf(line, sizeof line, "https://%s:%u/hushhush name=node %s", host, s->port,
		more);
	client_open(&c, line);
	call(&c, &a, 5000);
	answer_is(&a, due, text);
	assert_null(strstr(a.text, "hush"));
	client_close(&c);
	server_stop(s);
}

static void test_tls(void **state)
{
	struct certificates *c = &certificates;
	char ca[700];

	(void)state;
	snprintf(ca, sizeof ca, "ca_file=%s", c->ca);
	tls(c->good, "127.0.0.1", ca, RPC_RESULT, "");
	tls(c->good, "localhost", ca, RPC_RESULT, "");
	tls(c->good, "127.0.0.1", "", RPC_UNREACHABLE,
		"node: its certificate is signed by an authority that is unknown here: if it "
		"is your own authority's, name that in ca_file=");
	tls(c->stranger, "127.0.0.1", ca, RPC_UNREACHABLE, "unknown here");
	tls(c->expired, "127.0.0.1", ca, RPC_UNREACHABLE,
		"node: its certificate has expired: have it renewed");
	tls(c->future, "127.0.0.1", ca, RPC_UNREACHABLE, "not valid yet");
	tls(c->name, "127.0.0.1", ca, RPC_UNREACHABLE,
		"node: its certificate is for another host's name");
}

/* TLS where there is none, and the other way round. */
static void test_mixed(void **state)
{
	struct server *s = server_start(serve_results, NULL, NULL, NULL);
	struct client c;
	struct answer a;
	char line[200];

	(void)state;
	snprintf(line, sizeof line, "https://127.0.0.1:%u", s->port);
	client_open(&c, line);
	call(&c, &a, 2000);
	assert_int_equal(a.outcome, RPC_UNREACHABLE);
	client_close(&c);
	server_stop(s);

	s = server_start(serve_results, NULL, certificates.good, certificates.key);
	client_open_port(&c, s->port, "");
	call(&c, &a, 2000);
	assert_int_not_equal(a.outcome, RPC_RESULT);
	client_close(&c);
	server_stop(s);
}

static void test_old_tls(void **state)
{
	struct server *s = server_start(
		serve_results, NULL, certificates.good, certificates.key);
	struct client c;
	struct answer a;
	char line[700];

	(void)state;
	SSL_CTX_set_security_level(s->tls, 0);
	SSL_CTX_set_min_proto_version(s->tls, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(s->tls, TLS1_1_VERSION);
	snprintf(line, sizeof line, "https://127.0.0.1:%u ca_file=%s", s->port,
		certificates.ca);
	client_open(&c, line);
	call(&c, &a, 5000);
	answer_is(&a, RPC_UNREACHABLE, "no TLS connection comes about");
	client_close(&c);
	server_stop(s);
}

static void test_ca_file(void **state)
{
	struct endpoint e;
	struct error err;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(
		endpoint_parse(&e,
			view_str("https://h ca_file=/nonexistent/ca.pem name=n"), NULL),
		0);
	assert_null(rpc_open(&loop, &e, &err));
	assert_string_equal(
		err.text, "n: ca_file=/nonexistent/ca.pem: No such file or directory");
	uv_loop_close(&loop);
	/* A file that is no certificate shows when it is used. */
	tls(certificates.good, "127.0.0.1", "ca_file=/etc/hostname", RPC_UNREACHABLE,
		"the authorities' file /etc/hostname cannot be read");
	assert_non_null(http_ca_bundle());
	assert_int_equal(access(http_ca_bundle(), R_OK), 0);
}

/* --- proxies --- */

/* Answers CONNECT with status, then passes bytes to and fro. */
static void pass(struct peer *p, unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char bytes[4096];

	if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
		close(fd);
		return;
	}
	for (;;) {
		fd_set set;
		ssize_t n;

		FD_ZERO(&set);
		FD_SET(fd, &set);
		FD_SET(p->fd, &set);
		if (select((fd > p->fd ? fd : p->fd) + 1, &set, NULL, NULL, NULL) < 0)
			break;
		if (FD_ISSET(fd, &set)) {
			n = recv(fd, bytes, sizeof bytes, 0);
			if (n <= 0 || peer_write(p, bytes, (size_t)n))
				break;
		}
		if (FD_ISSET(p->fd, &set)) {
			n = recv(p->fd, bytes, sizeof bytes, 0);
			if (n <= 0 || send(fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
				break;
		}
	}
	close(fd);
}

struct proxy {
	unsigned port; /* where CONNECT leads, whatever it asks for */
	const char *status;
};

static void serve_proxy(struct peer *p, void *context)
{
	const struct proxy *proxy = context;

	if (peer_request(p))
		return;
	if (strncmp(p->server->seen, "CONNECT ", 8) != 0) {
		peer_result(p, "\"by proxy\"");
		return;
	}
	peer_printf(p, "HTTP/1.1 %s\r\n\r\n", proxy->status);
	if (proxy->status[0] == '2')
		pass(p, proxy->port);
}

/* proxy: what stands before "127.0.0.1:PORT" in proxy=. */
static void through(const char *scheme, const char *user, const char *status,
	struct answer *a, char seen[8192], char origin_seen[8192])
{
	bool secure = !strcmp(scheme, "https");
	struct server *origin = server_start(
		serve_results, NULL, secure ? certificates.good : NULL, certificates.key);
	struct proxy proxy = {origin->port, status};
	struct server *s = server_start(serve_proxy, &proxy, NULL, NULL);
	struct client c;
	char line[1200];

	snprintf(line, sizeof line,
		"%s://127.0.0.1:%u/hushhush basic=hushuser:hushword ca_file=%s "
		"proxy=http://%s127.0.0.1:%u name=node",
		scheme, origin->port, certificates.ca, user, s->port);
	client_open(&c, line);
	call(&c, a, 5000);
	assert_null(strstr(a->text, "hush"));
	client_close(&c);
	memcpy(seen, s->seen, 8192);
	memcpy(origin_seen, origin->seen, 8192);
	server_stop(s);
	server_stop(origin);
}

static void test_proxy(void **state)
{
	static char seen[8192], origin[8192];
	struct answer a;

	(void)state;
	through("https", "", "200 OK", &a, seen, origin);
	answer_is(&a, RPC_RESULT, "");
	assert_memory_equal(seen, "CONNECT 127.0.0.1:", 18);
	/* The proxy learns no more than where to. */
	assert_null(strstr(seen, "uthorization"));
	assert_null(strstr(seen, "hush"));
	assert_memory_equal(origin, "POST /hushhush ", 15);
	assert_non_null(
		strstr(origin, "\r\nAuthorization: Basic aHVzaHVzZXI6aHVzaHdvcmQ="));

	through("https", "us:pw@", "200 OK", &a, seen, origin);
	answer_is(&a, RPC_RESULT, "");
	assert_non_null(strstr(seen, "\r\nProxy-Authorization: Basic dXM6cHc=\r\n"));
	assert_null(strstr(origin, "Proxy-"));

	through("https", "", "407 Who", &a, seen, origin);
	answer_is(&a, RPC_UNREACHABLE, "node: the proxy wants credentials (HTTP 407)");
	through("https", "", "403 No", &a, seen, origin);
	answer_is(&a, RPC_UNREACHABLE,
		"node: the proxy refuses to connect there (HTTP 403)");

	/* Plain HTTP is asked from the proxy itself. */
	through("http", "", "200 OK", &a, seen, origin);
	answer_is(&a, RPC_RESULT, "");
	assert_string_equal(a.result, "\"by proxy\"");
	assert_memory_equal(seen, "POST http://127.0.0.1:", 22);
}

/* The environment's proxies are not used, nor its exceptions from ours. */
static void test_environment(void **state)
{
	static const char *const names[] = {
		"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
	struct server *s = server_start(serve_results, NULL, NULL, NULL);
	static char seen[8192], origin[8192];
	struct client c;
	struct answer a;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		setenv(names[i], "http://127.0.0.1:1", 1);
	client_open_port(&c, s->port, "");
	call(&c, &a, 5000);
	answer_is(&a, RPC_RESULT, "");
	client_close(&c);
	server_stop(s);
	tls(certificates.good, "127.0.0.1", "", RPC_UNREACHABLE, "certificate");
	for (unsigned i = 0; i < 5; i++)
		unsetenv(names[i]);
	setenv("no_proxy", "127.0.0.1", 1);
	through("https", "", "200 OK", &a, seen, origin);
	assert_memory_equal(seen, "CONNECT", 7);
	unsetenv("no_proxy");
}

/* --- credentials --- */

static void serve_refusal(struct peer *p, void *context)
{
	(void)context;
	while (!peer_request(p)) {
		char body[9000], *at;

		/* A node that repeats all that it was told. */
		snprintf(body, sizeof body, "who is %s", p->server->seen);
		for (at = body; *at; at++)
			if (*at == '\r' || *at == '\n')
				*at = ' ';
		at = strstr(body, "Authorization");
		if (at)
			memmove(body + 7, at, strlen(at) + 1);
		if (peer_reply(p, "401 Unauthorized", "", body))
			break;
	}
}

static void credentials(const char *more, const char *user, const char *due)
{
	struct server *s = server_start(serve_refusal, NULL, NULL, NULL);
	struct client c;
	struct answer a;
	char line[400], text[200];

	snprintf(line, sizeof line, "http://%s127.0.0.1:%u/ %s", user, s->port, more);
	client_open(&c, line);
	call(&c, &a, 5000);
	answer_is(&a, RPC_UNAUTHORISED, "not let in (HTTP 401): check the key");
	assert_null(strstr(a.text, "hush"));
	assert_null(strstr(a.text, "aHVza"));
	assert_null(strstr(a.text, "eyJhb"));
	client_close(&c);
	snprintf(text, sizeof text, "\r\n%s", due);
	if (!strstr(s->seen, text))
		fail_msg("\"%s\" is not in \"%s\"", due, s->seen);
	server_stop(s);
}

static void test_credentials(void **state)
{
	char path[96], more[160], key[80];
	FILE *f;

	(void)state;
	credentials(
		"basic=hushuser:hushword", "", "Authorization: Basic aHVzaHVzZXI6aHVz");
	credentials("", "hushuser:hush%40word@",
		"Authorization: Basic aHVzaHVzZXI6aHVzaEB3b3Jk");
	credentials("header=\"X-Key: hushhush\" header=X-B:hushb", "",
		"X-Key: hushhush\r\nX-B:hushb\r\n");
	snprintf(path, sizeof path, "%s/token", certificates.folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "hush-token\n");
	fclose(f);
	chmod(path, 0600);
	snprintf(more, sizeof more, "bearer_file=%s", path);
	credentials(more, "", "Authorization: Bearer hush-token\r\n");
	memset(key, 'a', 64);
	key[64] = '\0';
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(key, f);
	fclose(f);
	snprintf(more, sizeof more, "jwt_file=%s", path);
	credentials(
		more, "", "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.");
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_old_tls),
		cmocka_unit_test(test_ca_file),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_credentials),
	};

	return cmocka_run_group_tests(tests, make, clean);
}
