/* SPDX-License-Identifier: Apache-2.0 */
/* TLS, WebSocket and both together. */
#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "sense/honeypot/tls_own.h"
#include "sense/honeypot/websocket.h"
#include "sockets_for_test.h"

#define OPTIONS "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
#define LENGTH  (sizeof OPTIONS - 1)
#define UPGRADE                                                                          \
	"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"     \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"   \
	"Sec-WebSocket-Protocol: sip\r\n\r\n"
#define UPGRADED                                                                         \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"                     \
	"Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"  \
	"Sec-WebSocket-Protocol: sip\r\n\r\n"

static char folder[] = "/tmp/sipchain-honeypot-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/" TLS_OWN_FILE, folder);
	unlink(path);
	return rmdir(folder);
}

static void start(struct bench *b)
{
	struct error err = {""};

	bench_start(b);
	b->tls = honeypot_tls_own(folder, "pbx.example.net", &err);
	if (!b->tls)
		fail_msg("%s", err.text);
}

static void until_connections(struct bench *b, unsigned n)
{
	usec end = clock_monotonic() + 5 * USEC_PER_SEC;

	while (bench_figures(b).connections != n && clock_monotonic() < end)
		bench_turn(b);
	assert_int_equal(bench_figures(b).connections, n);
}

/* --- a client of TLS --- */

struct client {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
};

/* Let both sides go on until rc of the client's call is done. */
static bool again(struct bench *b, const struct client *c, int rc)
{
	int error = SSL_get_error(c->ssl, rc);

	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return false;
	bench_turn(b);
	return true;
}

/* Returns whether the handshake was done. */
static bool client_tls(struct bench *b, struct client *c, uint16_t port, int version)
{
	int rc;

	c->fd = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	c->context = SSL_CTX_new(TLS_client_method());
	assert_non_null(c->context);
	SSL_CTX_set_min_proto_version(
		c->context, version == TLS1_1_VERSION ? TLS1_VERSION : version);
	SSL_CTX_set_max_proto_version(c->context, version);
	SSL_CTX_set_security_level(c->context, 0);
	SSL_CTX_set_verify(c->context, SSL_VERIFY_NONE, NULL);
	c->ssl = SSL_new(c->context);
	assert_non_null(c->ssl);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
	SSL_set_fd(c->ssl, c->fd);
	while ((rc = SSL_connect(c->ssl)) != 1 && again(b, c, rc))
		;
	ERR_clear_error();
	return rc == 1;
}

static void client_end(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->context);
	close(c->fd);
}

static void client_put(struct bench *b, struct client *c, const void *p, size_t n)
{
	int rc;

	while ((rc = SSL_write(c->ssl, p, (int)n)) != (int)n)
		assert_true(again(b, c, rc));
}

static void client_expect(struct bench *b, struct client *c, const void *p, size_t n)
{
	char *got = malloc(n);
	size_t at = 0;

	assert_non_null(got);
	while (at < n) {
		int rc = SSL_read(c->ssl, got + at, (int)(n - at));

		if (rc > 0)
			at += (size_t)rc;
		else
			assert_true(again(b, c, rc));
	}
	assert_memory_equal(got, p, n);
	free(got);
}

static void versions_of_tls(void **state)
{
	static const struct {
		int version;
		bool good;
	} cases[] = {
		{TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
	struct client c;
	struct bench b;
	uint16_t port;

	(void)state;
	start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TLS, "127.0.0.1");
	for (size_t i = 0; i < 3; i++) {
		bool good = client_tls(&b, &c, port, cases[i].version);

		assert_int_equal(good, cases[i].good);
		if (good) {
			client_put(&b, &c, OPTIONS OPTIONS, 2 * LENGTH);
			client_expect(
				&b, &c, "re:" OPTIONS "re:" OPTIONS, 2 * LENGTH + 6);
			assert_int_equal(b.path.transport, TRANSPORT_TLS);
			assert_int_equal(bench_figures(&b).connections_tls, 1);
		}
		client_end(&c);
		until_connections(&b, 0);
	}
	assert_int_equal(b.received, 4);
	assert_int_equal(bench_figures(&b).connections_tls, 0);
	assert_int_equal(bench_figures(&b).broken, 1);
	bench_stop(&b);
}

/* A long answer does not fit one record nor the socket at once. */
static void long_messages_over_tls(void **state)
{
	static char text[65535], answer[65003];
	struct client c;
	struct bench b;
	uint16_t port;
	int head;

	(void)state;
	start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TLS, "127.0.0.1");
	assert_true(client_tls(&b, &c, port, TLS1_3_VERSION));
	memset(text, 'b', sizeof text);
	head = snprintf(text, sizeof text,
		"MESSAGE sip:a SIP/2.0\r\nContent-Length: %d\r\n\r\n", 65535 - 48);
	text[head] = 'b';
	memcpy(answer, "re:", 3);
	memcpy(answer + 3, text, 65000);
	for (unsigned i = 1; i <= 3; i++) {
		client_put(&b, &c, text, sizeof text);
		bench_until(&b, i);
		assert_int_equal(b.last.n, sizeof text);
		client_expect(&b, &c, answer, sizeof answer);
	}
	assert_int_equal(bench_figures(&b).buffered, 0);
	client_end(&c);
	until_connections(&b, 0);
	bench_stop(&b);
}

/* A greeting that never ends, and one that never comes. */
static void handshakes_are_bounded(void **state)
{
	/* A record of 16,384 bytes that begins a ClientHello of 100,000. */
	static uint8_t record[5 + 16384] = {
		22, 3, 1, 0x40, 0x00, 1, 0x01, 0x86, 0xa0, 3, 3};
	struct bench b;
	uint16_t port;
	int fd, silent;

	(void)state;
	start(&b);
	b.config.within = 1;
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TLS, "127.0.0.1");
	fd = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	silent = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	until_connections(&b, 2);
	for (int i = 0; i < 3; i++)
		(void)send(fd, record, sizeof record, MSG_NOSIGNAL | MSG_DONTWAIT);
	until_connections(&b, 1);
	assert_int_equal(bench_figures(&b).broken, 1);
	assert_int_equal(bench_figures(&b).timed_out, 0);
	until_connections(&b, 0);
	assert_int_equal(bench_figures(&b).timed_out, 1);
	assert_int_equal(b.received, 0);
	close(fd);
	close(silent);
	bench_stop(&b);
}

static void so_many_handshakes_a_second(void **state)
{
	struct bench b;
	uint16_t port;
	int fd[64];

	(void)state;
	start(&b);
	b.config.handshakes = 5;
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_TLS, "127.0.0.1");
	for (int i = 0; i < 64; i++)
		fd[i] = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	while (bench_figures(&b).accepted < 64)
		bench_turn(&b);
	/* Two seconds at most have passed. */
	assert_true(bench_figures(&b).connections >= 5);
	assert_true(bench_figures(&b).refused >= 64 - 15);
	for (int i = 0; i < 64; i++)
		close(fd[i]);
	until_connections(&b, 0);
	bench_stop(&b);
}

/* --- WebSocket --- */

/* A masked frame of a client. Returns its length. */
static size_t frame(uint8_t *out, uint8_t first, const void *payload, size_t n)
{
	const uint8_t mask[4] = {1, 2, 3, 4};
	const uint8_t *p = payload;
	size_t at = 2;

	out[0] = first;
	out[1] = 0x80 | (n < 126 ? (uint8_t)n : 126);
	if (n >= 126) {
		be16_store(out + 2, (uint16_t)n);
		at = 4;
	}
	memcpy(out + at, mask, 4);
	for (size_t i = 0; i < n; i++)
		out[at + 4 + i] = p[i] ^ mask[i & 3];
	return at + 4 + n;
}

static int websocket_open(struct bench *b, uint16_t port)
{
	char got[sizeof UPGRADED];
	int fd = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);

	assert_int_equal(send(fd, UPGRADE, sizeof UPGRADE - 1, 0), sizeof UPGRADE - 1);
	assert_int_equal(
		client_read(b, fd, got, sizeof UPGRADED - 1), sizeof UPGRADED - 1);
	assert_memory_equal(got, UPGRADED, sizeof UPGRADED - 1);
	return fd;
}

/* The next frame is this one. */
static void expect_frame(struct bench *b, int fd, uint8_t first, const char *payload)
{
	uint8_t got[300];
	size_t n = strlen(payload);

	assert_true(n < 126);
	assert_int_equal(client_read(b, fd, got, n + 2), n + 2);
	assert_int_equal(got[0], first);
	assert_int_equal(got[1], n);
	assert_memory_equal(got + 2, payload, n);
}

static void messages_over_websocket(void **state)
{
	uint8_t bytes[1024];
	struct bench b;
	uint16_t port;
	size_t n;
	int fd;

	(void)state;
	start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_WS, "127.0.0.1");
	fd = websocket_open(&b, port);
	n = frame(bytes, 0x81, OPTIONS, LENGTH);
	for (size_t at = 1; at <= n; at++) {
		assert_int_equal(send(fd, bytes, at, 0), at);
		bench_turn(&b);
		assert_int_equal(send(fd, bytes + at, n - at, 0), n - at);
		bench_until(&b, (unsigned)at);
		assert_memory_equal(b.last.p, OPTIONS, LENGTH);
		expect_frame(&b, fd, 0x81, "re:" OPTIONS);
	}
	assert_int_equal(b.path.transport, TRANSPORT_WS);
	/* In pieces, with a ping between them; binary, so the answer is. */
	b.received = 0;
	n = frame(bytes, 0x02, OPTIONS, 10);
	n += frame(bytes + n, 0x89, "life", 4);
	n += frame(bytes + n, 0x00, "", 0);
	n += frame(bytes + n, 0x80, &OPTIONS[10], LENGTH - 10);
	assert_int_equal(send(fd, bytes, n, 0), n);
	bench_until(&b, 1);
	assert_int_equal(b.last.n, LENGTH);
	assert_memory_equal(b.last.p, OPTIONS, LENGTH);
	expect_frame(&b, fd, 0x8a, "life");
	expect_frame(&b, fd, 0x82, "re:" OPTIONS);
	assert_int_equal(bench_figures(&b).buffered, 0);
	/* Goodbye is answered with the same code, and the connection ends. */
	n = frame(bytes, 0x88, "\x03\xe8", 2);
	assert_int_equal(send(fd, bytes, n, 0), n);
	expect_frame(&b, fd, 0x88, "\x03\xe8");
	until_connections(&b, 0);
	close(fd);
	bench_stop(&b);
}

static void websockets_that_break_the_rules(void **state)
{
	/* Each: bytes behind the upgrade, and the code that they are told. */
	static const struct {
		const char *bytes;
		size_t n;
		uint16_t code;
	} cases[] = {
		{"\x81\x03"
		 "abc",
			5, 1002},                                 /* not masked */
		{"\x80\x81\0\0\0\0a", 7, 1002},                   /* continues nothing */
		{"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b", 14, 1002}, /* two at once */
		{"\x89\xfe\x00\x80\0\0\0\0", 8, 1002},            /* a long ping */
	};
	struct bench b;
	uint16_t port;

	(void)state;
	start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_WS, "127.0.0.1");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int fd = websocket_open(&b, port);
		uint8_t got[5];

		assert_int_equal(send(fd, cases[i].bytes, cases[i].n, 0), cases[i].n);
		assert_int_equal(client_read(&b, fd, got, sizeof got), 4);
		assert_int_equal(got[0], 0x88);
		assert_int_equal(got[1], 2);
		assert_int_equal(be16_load(got + 2), cases[i].code);
		close(fd);
		until_connections(&b, 0);
	}
	assert_int_equal(b.received, 0);
	assert_int_equal(bench_figures(&b).buffered, 0);
	bench_stop(&b);
}

/* Pieces without end: as much as a message may have, and no more. */
static void endless_pieces(void **state)
{
	static uint8_t bytes[33000], payload[32000];
	struct bench b;
	uint16_t port;
	uint8_t got[4];
	size_t n;
	int fd;

	(void)state;
	start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_WS, "127.0.0.1");
	fd = websocket_open(&b, port);
	for (int i = 0; i < 3; i++) {
		n = frame(bytes, i ? 0x00 : 0x01, payload, sizeof payload);
		assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
		for (int j = 0; j < 10; j++)
			bench_turn(&b);
	}
	assert_int_equal(client_read(&b, fd, got, 4), 4);
	assert_int_equal(be16_load(got + 2), 1009);
	until_connections(&b, 0);
	assert_int_equal(bench_figures(&b).buffered, 0);
	assert_int_equal(b.received, 0);
	close(fd);
	bench_stop(&b);
}

static void upgrades_refused(void **state)
{
	struct bench b;
	char got[256];
	uint16_t port;
	size_t n;
	int fd;

	(void)state;
	start(&b);
	b.config.within = 1;
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_WS, "127.0.0.1");
	fd = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	assert_int_equal(send(fd, "POST / HTTP/1.1\r\n\r\n", 19, 0), 19);
	n = client_read(&b, fd, got, sizeof got - 1);
	got[n] = 0;
	assert_string_equal(got,
		"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\n"
		"Connection: close\r\n\r\n");
	close(fd);
	/* One that does not come to its end has its time. */
	fd = client_open(SOCK_STREAM, NULL, "127.0.0.1", port);
	assert_int_equal(send(fd, "GET / HTTP/1.1\r\n", 16, 0), 16);
	assert_int_equal(client_read(&b, fd, got, sizeof got), 0);
	assert_int_equal(bench_figures(&b).timed_out, 1);
	assert_int_equal(b.received, 0);
	close(fd);
	bench_stop(&b);
}

static void websocket_over_tls(void **state)
{
	uint8_t bytes[256], answer[64];
	struct client c;
	struct bench b;
	uint16_t port;
	size_t n;

	(void)state;
	start(&b);
	bench_open(&b);
	port = bench_listen(&b, TRANSPORT_WSS, "127.0.0.1");
	assert_true(client_tls(&b, &c, port, TLS1_2_VERSION));
	client_put(&b, &c, UPGRADE, sizeof UPGRADE - 1);
	client_expect(&b, &c, UPGRADED, sizeof UPGRADED - 1);
	n = frame(bytes, 0x81, OPTIONS, LENGTH);
	client_put(&b, &c, bytes, n);
	answer[0] = 0x81;
	answer[1] = LENGTH + 3;
	memcpy(answer + 2, "re:" OPTIONS, LENGTH + 3);
	client_expect(&b, &c, answer, LENGTH + 5);
	assert_int_equal(b.path.transport, TRANSPORT_WSS);
	client_end(&c);
	until_connections(&b, 0);
	bench_stop(&b);
}

/* --- certificates --- */

static void own_certificate_is_kept(void **state)
{
	struct tls_own first, second;
	struct error err = {""};
	struct stat st;
	char path[128], cn[80];
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s/" TLS_OWN_FILE, folder);
	unlink(path);
	assert_int_equal(tls_own_get(&first, folder, "pbx.example.net", &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(tls_own_get(&second, folder, "another", &err), 0);
	assert_int_equal(X509_cmp(first.certificate, second.certificate), 0);
	assert_int_equal(EVP_PKEY_eq(first.key, second.key), 1);
	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(second.certificate),
			    NID_commonName, cn, sizeof cn) > 0);
	assert_string_equal(cn, "pbx.example.net");
	assert_int_equal(X509_verify(first.certificate, first.key), 1);
	tls_own_free(&first);
	tls_own_free(&second);
	/* Something else in its place is not overwritten. */
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("nonsense\n", f);
	fclose(f);
	assert_int_equal(tls_own_get(&first, folder, "x", &err), -1);
	assert_non_null(strstr(err.text,
		"honeypot.pem: no certificate and key of PEM; remove the file, and it is "
		"made anew"));
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(tls_own_get(&first, folder, "x", &err), -1);
	unlink(path);
	assert_int_equal(tls_own_get(&first, "/nonexistent", "x", &err), -1);
	assert_string_equal(err.text, "/nonexistent: No such file or directory");
}

static void certificates_from_files(void **state)
{
	struct error err = {""};
	struct honeypot_tls *t;
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/" TLS_OWN_FILE, folder);
	assert_null(honeypot_tls_new("/nonexistent.pem", path, &err));
	assert_string_equal(err.text,
		"certificate /nonexistent.pem: No such file or directory; it must be a "
		"file of PEM with the certificate first, which the user that starts "
		"sipchaind may read");
	t = honeypot_tls_own(folder, "a", &err);
	assert_non_null(t);
	honeypot_tls_free(t);
	assert_null(honeypot_tls_new(path, "/nonexistent.key", &err));
	assert_non_null(
		strstr(err.text, "key /nonexistent.key: No such file or directory"));
	/* Certificate and key may stand in one file. */
	t = honeypot_tls_new(path, path, &err);
	assert_non_null(t);
	honeypot_tls_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_of_tls),
		cmocka_unit_test(long_messages_over_tls),
		cmocka_unit_test(handshakes_are_bounded),
		cmocka_unit_test(so_many_handshakes_a_second),
		cmocka_unit_test(messages_over_websocket),
		cmocka_unit_test(websockets_that_break_the_rules),
		cmocka_unit_test(endless_pieces),
		cmocka_unit_test(upgrades_refused),
		cmocka_unit_test(websocket_over_tls),
		cmocka_unit_test(own_certificate_is_kept),
		cmocka_unit_test(certificates_from_files),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
