/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/ethereum/endpoint.h"

static void parse(struct endpoint *e, const char *line)
{
	struct error err = {""};

	if (endpoint_parse(e, view_str(line), &err))
		fail_msg("%s: %s", line, err.text);
}

/* The text, and that nothing of the line's values is in it. */
static void refused(const char *line, const char *text)
{
	struct endpoint e;
	struct error err = {""};

	assert_int_equal(endpoint_parse(&e, view_str(line), &err), -1);
	if (!strstr(err.text, text))
		fail_msg("%s: \"%s\" lacks \"%s\"", line, err.text, text);
	assert_null(strstr(err.text, "hush"));
}

static const char full[] =
	"https://us%20er:p%40ss@node.example:8545/v3/0123456789abcdef?key=a1b2c3d4 "
	"ws=wss://node.example/ws/0123456789abcdef header=\"X-Key: q w\\\"e\\\\r\" "
	"header=X-Two:2 proxy=http://squid:yuser@10.0.0.1:3128 ca_file=/etc/own.pem "
	"origin=https://member.example name=first.node-1";

static void test_parse(void **state)
{
	struct endpoint e;

	(void)state;
	parse(&e, full);
	assert_string_equal(e.name, "first.node-1");
	assert_string_equal(e.url,
		"https://us%20er:p%40ss@node.example:8545/v3/"
		"0123456789abcdef?key=a1b2c3d4");
	assert_string_equal(e.ws, "wss://node.example/ws/0123456789abcdef");
	assert_int_equal(e.header_count, 2);
	assert_string_equal(e.header[0], "X-Key: q w\"e\\r");
	assert_string_equal(e.header[1], "X-Two:2");
	assert_string_equal(e.proxy, "http://squid:yuser@10.0.0.1:3128");
	assert_string_equal(e.ca_file, "/etc/own.pem");
	assert_string_equal(e.origin, "https://member.example");
	parse(&e, "  http://[::1]:8545\tws=none ");
	assert_string_equal(e.name, "http://[::1]:8545");
	assert_string_equal(e.ws, "none");
	parse(&e, "https://rpc.example/key");
	assert_string_equal(e.name, "https://rpc.example:443");
	parse(&e, "http://127.0.0.1 basic=\"a b:c\" name=x");
}

static void test_refused(void **state)
{
	char long_url[700] = "http://host/";

	(void)state;
	refused("", "give the node's URL");
	refused("ws://host", "scheme");
	refused("host:8545", "scheme");
	refused("http://", "not a URL");
	refused("http://host/#hush", "fragment");
	refused("http://host/{hush}", "%XX");
	refused("http://host:99999/hush", "not a URL");
	memset(long_url + 12, 'a', 600);
	refused(long_url, "too long");
	refused("http://host hush", "word 2 is none of ws=, header=");
	refused("http://host name=a hush=1", "word 3 is none of");
	refused("http://host header=X-Key: hush", "header=: the header has no value");
	refused("http://host header=\"hush hush\"", "it is not \"Name: value\"");
	refused("http://host header=\"Host: hush\"", "set by the client itself");
	refused("http://host header=\"transfer-encoding: hush\"", "by the client itself");
	refused("http://host header=\"X Y: hush\"", "letters, digits and hyphens");
	refused("http://host header=\"X: hush", "closing double quote is missing");
	refused("http://host header=\"X: hush\"more", "follows its closing");
	refused("http://host name=a\"hush", "double quote inside");
	refused("http://host basic=hush", "USER:PASSWORD");
	refused("http://host name=a name=b", "name= is there twice");
	refused("http://host name=a/b", "letters, digits");
	refused("http://host ws=http://host", "ws=: its scheme");
	refused("http://host ws=ws://u:hush@host", "the first URL");
	refused("http://host proxy=ftp://host", "proxy=: its scheme");
	refused("http://host ca_file=\"\"", "ca_file=: it is empty");
	refused("http://u:hush@host basic=u:hush", "not several");
	refused("http://host jwt_file=a header=\"authorization: hush\"", "not several");
	refused("http://host name=\"a\x01\"", "control characters");
	refused("http://host header=A:1 header=B:1 header=C:1 header=D:1 header=E:hush",
		"more than 4");
}

/* printed with its secrets it is the same endpoint, without it has none. */
static void test_print(void **state)
{
	static const char masked[] =
		"https://***@node.example:8545/*** ws=wss://node.example/*** "
		"header=\"X-Key: ***\" header=\"X-Two: ***\" proxy=http://***@10.0.0.1:3128 "
		"ca_file=/etc/own.pem origin=https://member.example name=first.node-1";
	struct endpoint e, again;
	struct buffer out = {0};

	(void)state;
	parse(&e, full);
	assert_int_equal(endpoint_print(&out, &e, true), 0);
	assert_int_equal(endpoint_parse(&again, view_of(out.p, out.n), NULL), 0);
	assert_memory_equal(&e, &again, sizeof e);
	out.n = 0;
	assert_int_equal(endpoint_print(&out, &e, false), 0);
	assert_int_equal(out.n, strlen(masked));
	assert_memory_equal(out.p, masked, out.n);
	out.n = 0;
	parse(&e, "http://127.0.0.1:8545/ basic=a:b ws=none");
	assert_int_equal(endpoint_print(&out, &e, false), 0);
	buffer_put_u8(&out, 0);
	assert_string_equal((char *)out.p, "http://127.0.0.1:8545 ws=none basic=***");
	buffer_free(&out);
}

/* --- files --- */

static char folder[32];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/endpoint.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void write_file(char path[64], const char *text, mode_t mode)
{
	FILE *f;

	snprintf(path, 64, "%s/token", folder);
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int load(struct endpoint *e, const char *key, const char *text, mode_t mode,
	struct error *err)
{
	char path[64], line[128];
	int rc;

	write_file(path, text, mode);
	snprintf(line, sizeof line, "http://h %s=%s", key, path);
	parse(e, line);
	rc = endpoint_load(e, err);
	unlink(path);
	return rc;
}

#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void test_load(void **state)
{
	struct endpoint e;
	struct error err;
	char text[ENDPOINT_AUTHORIZATION_MAX], longest[1100];

	(void)state;
	assert_int_equal(load(&e, "bearer_file", "tok-en\n", 0640, &err), 0);
	assert_int_equal(endpoint_authorization(text, sizeof text, &e, 0), 0);
	assert_string_equal(text, "Bearer tok-en");
	assert_int_equal(load(&e, "bearer_file", "hush", 0644, &err), -1);
	assert_non_null(strstr(err.text, "chmod 600"));
	assert_int_equal(load(&e, "bearer_file", "hush", 0620, &err), -1);
	assert_int_equal(load(&e, "bearer_file", "hush\r\nX: y", 0600, &err), -1);
	assert_null(strstr(err.text, "hush"));
	assert_string_equal(e.bearer, "");
	assert_int_equal(load(&e, "bearer_file", " \n", 0600, &err), -1);
	assert_non_null(strstr(err.text, "one token"));
	memset(longest, 'a', sizeof longest);
	longest[1025] = '\0';
	assert_int_equal(load(&e, "bearer_file", longest, 0600, &err), -1);
	longest[1023] = '\0';
	assert_int_equal(load(&e, "bearer_file", longest, 0600, &err), 0);
	assert_int_equal(endpoint_authorization(text, sizeof text, &e, 0), 0);
	assert_int_equal(strlen(text), 7 + 1023);
	assert_int_equal(load(&e, "jwt_file", KEY "00", 0600, &err), -1);
	assert_non_null(strstr(err.text, "64 hex digits"));
	parse(&e, "http://h jwt_file=/nonexistent/jwt");
	assert_int_equal(endpoint_load(&e, &err), -1);
	assert_string_equal(err.text, "/nonexistent/jwt: No such file or directory");
	parse(&e, "http://h bearer_file=/tmp");
	assert_int_equal(endpoint_load(&e, &err), -1);
	assert_string_equal(err.text, "/tmp: a token must be in a regular file");
}

/* The token as Python's hmac and base64 modules make it of the same parts. */
#define TOKEN                                                                            \
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3MDAwMDAwMDB9.uAxdaUtr1_HpYPtNDLNlQ_sHMiP5eBV-ra8EjL3ScS8"

static void test_authorization(void **state)
{
	struct endpoint e;
	char text[ENDPOINT_AUTHORIZATION_MAX];

	(void)state;
	assert_int_equal(load(&e, "jwt_file", "0x" KEY "\n", 0400, NULL), 0);
	assert_int_equal(endpoint_authorization(text, sizeof text, &e, 1700000000), 0);
	assert_string_equal(text, "Bearer " TOKEN);
	parse(&e, "http://us%20er:p%40ss@h/");
	assert_int_equal(endpoint_authorization(text, sizeof text, &e, 0), 0);
	assert_string_equal(text, "Basic dXMgZXI6cEBzcw==");
	assert_int_equal(endpoint_authorization(text, 22, &e, 0), -1);
	parse(&e, "http://h/ basic=member:secret!");
	assert_int_equal(endpoint_authorization(text, sizeof text, &e, 0), 0);
	assert_string_equal(text, "Basic bWVtYmVyOnNlY3JldCE=");
	parse(&e, "http://h/");
	assert_int_equal(endpoint_authorization(text, sizeof text, &e, 0), 0);
	assert_string_equal(text, "");
}

static void test_request_url(void **state)
{
	char url[ENDPOINT_URL_MAX];

	(void)state;
	assert_int_equal(endpoint_request_url(url, "https://a:b@h:1/p@q?r"), 0);
	assert_string_equal(url, "https://h:1/p@q?r");
	assert_int_equal(endpoint_request_url(url, "wss://h/ws"), 0);
	assert_string_equal(url, "https://h/ws");
	assert_int_equal(endpoint_request_url(url, "ws://h"), 0);
	assert_string_equal(url, "http://h");
	assert_int_equal(endpoint_request_url(url, "ftp://h"), -1);
	assert_int_equal(endpoint_request_url(url, "h"), -1);
}

/* --- redaction --- */

static void redacts(const struct endpoint *e, const char *text, const char *due)
{
	char out[200];

	assert_string_equal(endpoint_redact(out, sizeof out, e, view_str(text)), due);
}

/* Whose request may go to no other port than the configured one. */
static void test_has_secrets(void **state)
{
	static const struct {
		const char *line;
		bool secrets;
	} cases[] = {
		{"http://127.0.0.1:8545", false},
		{"http://127.0.0.1:8545/", false},
		{"http://127.0.0.1:8545 name=a origin=http://x.example", false},
		{"http://127.0.0.1:8545/v3/0123456789abcdef", true},
		{"http://127.0.0.1:8545?key=0123456789abcdef", true},
		{"http://user:secret@127.0.0.1:8545", true},
		{"http://127.0.0.1:8545 basic=user:secret", true},
		{"http://127.0.0.1:8545 header=\"X-Key: 0123\"", true},
		{"http://127.0.0.1:8545 bearer_file=/nowhere/token", true},
		{"http://127.0.0.1:8545 jwt_file=/nowhere/jwt", true},
	};
	struct endpoint e;
	struct error err = {""};

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		if (endpoint_parse(&e, view_str(cases[k].line), &err))
			fail_msg("%s: %s", cases[k].line, err.text);
		if (endpoint_has_secrets(&e) != cases[k].secrets)
			fail_msg("%s", cases[k].line);
	}
}

static void test_redact(void **state)
{
	struct endpoint e, j;

	(void)state;
	parse(&e, full);
	redacts(&e, "nothing of it", "nothing of it");
	redacts(&e, "GET /v3/0123456789abcdef?key=a1b2c3d4 failed", "GET *** failed");
	redacts(&e, "key 0123456789abcdef!", "key ***!");
	redacts(&e, "a1b2c3d4", "***");
	redacts(&e, "us%20er or us er or p@ss or dXMgZXI6cEBzcw==",
		"*** or *** or *** or ***");
	redacts(&e, "X-Key: q w\"e\\r.", "X-Key: ***.");
	redacts(&e, "proxy squid:yuser at 10.0.0.1", "proxy *** at 10.0.0.1");
	redacts(&e, "tab\there", "tab\\x09here");
	/* What overlaps goes whole. */
	redacts(&e, "/v3/0123456789abcdef?key=a1b2c3d4e5", "***e5");
	redacts(&e, "/ws/0123456789abcdef?key=a1b2c3d4", "***?***");
	parse(&e, "http://h header=\"Authorization: Bearer abcdefgh\"");
	redacts(&e, "token abcdefgh refused", "token *** refused");
	parse(&e, "http://h/%61bcdefgh");
	redacts(&e, "abcdefgh %61bcdefgh", "*** ***");
	assert_int_equal(load(&j, "jwt_file", KEY, 0600, NULL), 0);
	redacts(&j, "Bearer " TOKEN " is stale", "Bearer *** is stale");
	redacts(&j, KEY, "***");
	assert_int_equal(load(&j, "bearer_file", "tok-en", 0600, NULL), 0);
	redacts(&j, "no tok-en", "no ***");
	redacts(NULL, "a\"b", "a\\\"b");
}

/* Wherever a long text is cut, no part of a secret is left over. */
static void test_redact_cut(void **state)
{
	struct endpoint e;
	char out[2100], *text = malloc(20000);

	(void)state;
	parse(&e, "http://h/SECRETSECRETSECRETSECRETSECRET");
	for (size_t before = 8192 - 80; before < 8192 + 10; before++) {
		memset(text, '.', before);
		strcpy(text + before, "SECRETSECRETSECRETSECRETSECRET and more");
		endpoint_redact(out, sizeof out, &e, view_str(text));
		assert_null(strstr(out, "SEC"));
	}
	for (size_t size = 8; size < 60; size++) {
		strcpy(text, "abc SECRETSECRETSECRETSECRETSECRET def");
		endpoint_redact(out, size, &e, view_str(text));
		assert_true(strlen(out) < size);
		assert_null(strstr(out, "SEC"));
	}
	/* Many repetitions shrink far below the cut: it must stay a clean cut. */
	text[0] = '\0';
	for (unsigned i = 0; i < 400; i++)
		strcat(text, "SECRETSECRETSECRETSECRETSECRET ");
	endpoint_redact(out, sizeof out, &e, view_str(text));
	assert_null(strstr(out, "SEC"));
	assert_non_null(strstr(out, "*** ***"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_print),
		cmocka_unit_test_setup_teardown(test_load, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_authorization, make_folder, remove_folder),
		cmocka_unit_test(test_request_url),
		cmocka_unit_test_setup_teardown(test_redact, make_folder, remove_folder),
		cmocka_unit_test(test_has_secrets),
		cmocka_unit_test(test_redact_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
