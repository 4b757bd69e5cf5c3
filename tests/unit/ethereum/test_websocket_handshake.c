/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "ledger/ethereum/websocket_handshake.h"

/* RFC 6455 section 1.3 */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static struct endpoint endpoint;

static int set_up(void **state)
{
	(void)state;
	return endpoint_parse(&endpoint,
		view_str(
			"http://us:er@host:8545/hushhush name=n origin=https://o.example "
			"header=\"X-Key: hush\""),
		NULL);
}

static void test_key(void **state)
{
	char key[HANDSHAKE_KEY], accept[HANDSHAKE_ACCEPT];

	(void)state;
	handshake_key(key, (const uint8_t *)"the sample nonce");
	assert_string_equal(key, KEY);
	assert_int_equal(handshake_accept(accept, key), 0);
	assert_string_equal(accept, ACCEPT);
}

static void request_is(const char *url, const char *first_lines)
{
	static const char rest[] =
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: " KEY "\r\nUser-Agent: sipchain/" SIPCHAIN_VERSION
		"\r\n"
		"Origin: https://o.example\r\nX-Key: hush\r\n"
		"Authorization: Basic dXM6ZXI=\r\n\r\n";
	struct buffer out = {0};
	char due[600];

	snprintf(due, sizeof due, "%s%s", first_lines, rest);
	assert_int_equal(handshake_request(&out, &endpoint, url, KEY, 0), 0);
	assert_int_equal(out.n, strlen(due));
	assert_memory_equal(out.p, due, out.n);
	buffer_free(&out);
}

static void test_request(void **state)
{
	struct buffer out = {0};

	(void)state;
	request_is("wss://host/ws/key?a=b", "GET /ws/key?a=b HTTP/1.1\r\nHost: host\r\n");
	request_is("ws://[::1]:8546", "GET / HTTP/1.1\r\nHost: [::1]:8546\r\n");
	request_is("ws://host?a", "GET /?a HTTP/1.1\r\nHost: host\r\n");
	assert_int_equal(handshake_request(&out, &endpoint, "nothing", KEY, 0), -1);
	buffer_free(&out);
}

#define GOOD                                                                             \
	"HTTP/1.1 101 Switching Protocols\r\nServer: x\r\nupgrade: WebSocket\r\n"        \
	"Connection: keep-alive, upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n"

static int judge(const char *text, size_t n, struct error *err)
{
	uint8_t *copy = malloc(n ? n : 1);
	int rc;

	memcpy(copy, text, n);
	rc = handshake_judge(view_of(copy, n), ACCEPT, &endpoint, err);
	free(copy);
	return rc;
}

static void test_good(void **state)
{
	size_t n = strlen(GOOD);
	struct error err;

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(judge(GOOD, i, &err), 0);
	assert_int_equal(judge(GOOD, n, &err), n);
	assert_int_equal(judge(GOOD "\x81\x01x", n + 3, &err), n);
}

static void refused(const char *text, const char *why)
{
	struct error err = {""};

	assert_int_equal(judge(text, strlen(text), &err), -1);
	assert_memory_equal(err.text, "n: ", 3);
	if (!strstr(err.text, why))
		fail_msg("%s: \"%s\" lacks \"%s\"", text, err.text, why);
	assert_null(strstr(err.text, "hush"));
	/* Once refused, whatever follows. */
	for (size_t i = 0; i < strlen(text); i++)
		assert_in_range(judge(text, i, &err) + 1, 0, 1);
}

#define S "HTTP/1.1 101 S\r\n"
#define U "Upgrade: websocket\r\n"
#define C "Connection: Upgrade\r\n"
#define A "Sec-WebSocket-Accept: " ACCEPT "\r\n"

static void test_refused(void **state)
{
	char *endless = malloc(HANDSHAKE_MAX + 100);

	(void)state;
	refused(S U C "\r\n", "lacks Sec-WebSocket-Accept");
	refused(S U A "\r\n", "lacks Connection: Upgrade");
	refused(S C A "\r\n", "lacks Upgrade");
	refused(S U U C A "\r\n", "or has it twice");
	refused(S U C A A "\r\n", "or has it twice");
	refused(S U "Connection: close\r\n" A "\r\n", "lacks Connection");
	refused(S U "Connection: Upgraded\r\n" A "\r\n", "lacks Connection");
	refused(S "Upgrade: h2c\r\n", "upgrades to something else");
	refused(S "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n",
		"another request");
	refused(S "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n",
		"another request");
	refused(S U C A "Sec-WebSocket-Extensions: permessage-deflate\r\n",
		"not offered");
	refused(S U C A "Sec-WebSocket-Protocol: x\r\n", "not offered");
	refused(S "No colon\r\n", "malformed header");
	refused(S "Name : x\r\n", "malformed header");
	refused(S " folded: x\r\n", "malformed header");
	refused(S "X: a\x01\r\n", "malformed header");
	refused(S "X: a\nUpgrade: websocket\r\n", "malformed header");
	refused("HTTP/1.0 101 S\r\n", "does not speak HTTP/1.1");
	refused("HTTP/1.1 1010\r\n", "does not speak HTTP/1.1");
	refused("HTTP/1.1 +10 \r\n", "does not speak HTTP/1.1");
	refused("HTTP/1.1 10\r\n", "does not speak HTTP/1.1");
	refused("SSH-2.0", "does not speak HTTP/1.1");
	refused("HTTX", "does not speak HTTP/1.1");
	refused("HTTP/1.1 401 hushhush\r\n", "not let in (HTTP 401)");
	refused("HTTP/1.1 302 F\r\n", "redirects (HTTP 302)");
	refused("HTTP/1.1 429 T\r\n", "slow down");
	refused("HTTP/1.1 503 D\r\n", "it is down (HTTP 503)");
	refused("HTTP/1.1 200\r\n", "no WebSocket there (HTTP 200)");
	refused("HTTP/1.1 404 N\r\n", "give its URL in ws=, or ws=none");
	memset(endless, 'a', HANDSHAKE_MAX + 99);
	memcpy(endless, "HTTP/1.1 101 ", 13);
	endless[HANDSHAKE_MAX] = '\0';
	refused(endless, "a head without end");
	free(endless);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
