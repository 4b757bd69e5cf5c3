/* SPDX-License-Identifier: Apache-2.0 */
#include "ami_manager.h"

#include <nettle/md5.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

struct manager m;

static void on_written(uv_write_t *request, int status)
{
	(void)status;
	free(request);
}

static void say_bytes(const char *text, size_t n)
{
	struct saying {
		uv_write_t request;
		char bytes[];
	} * s;
	uv_buf_t buf;

	if (!m.connected)
		return;
	s = malloc(sizeof *s + n);
	assert_non_null(s);
	memcpy(s->bytes, text, n);
	buf = uv_buf_init(s->bytes, (unsigned)n);
	if (uv_write(&s->request, (uv_stream_t *)&m.peer, &buf, 1, on_written))
		free(s);
}

static void say(const char *text)
{
	size_t n = strlen(text);

	if (!(m.behaviour & ONE_SLOW)) {
		say_bytes(text, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		say_bytes(text + i, 1);
}

void manager_say(const char *text)
{
	say(text);
}

static void answer(const char *id, const char *text)
{
	char line[1024];

	snprintf(line, sizeof line, "Response: %s", text);
	if (id) {
		char *end = strstr(line, "\r\n") + 2;
		char rest[1024];

		snprintf(rest, sizeof rest, "%s", end);
		snprintf(end, sizeof line - (size_t)(end - line), "ActionID: %s\r\n%s",
			id, rest);
	}
	say(line);
}

/* The value of a header of the action, or "". */
static const char *header(const char *action, const char *name)
{
	static char values[4][512];
	static unsigned turn;
	char *value = values[turn++ % 4];
	char key[64];
	const char *at;

	snprintf(key, sizeof key, "%s: ", name);
	at = strstr(action, key);
	snprintf(value, 512, "%.*s", at ? (int)strcspn(at + strlen(key), "\r") : 0,
		at ? at + strlen(key) : "");
	return value;
}

static void on_peer_closed(uv_handle_t *handle)
{
	(void)handle;
	m.connected = false;
}

void manager_hang_up(void)
{
	if (m.connected && !uv_is_closing((uv_handle_t *)&m.peer))
		uv_close((uv_handle_t *)&m.peer, on_peer_closed);
}

static void on_login(const char *id, const char *action)
{
	uint8_t digest[MD5_DIGEST_SIZE];
	char key[2 * MD5_DIGEST_SIZE + 1];
	struct md5_ctx md5;

	/* The secret itself never travels. */
	assert_null(strstr(action, MANAGER_SECRET));
	md5_init(&md5);
	md5_update(&md5, 9, (const uint8_t *)"107937128");
	md5_update(&md5, strlen(MANAGER_SECRET), (const uint8_t *)MANAGER_SECRET);
	md5_digest(&md5, sizeof digest, digest);
	hex_encode(key, digest, sizeof digest);
	snprintf(m.events, sizeof m.events, "%s", header(action, "Events"));
	if (strcmp(header(action, "Key"), key) != 0 ||
		strcmp(header(action, "Username"), MANAGER_USER) != 0) {
		answer(id, "Error\r\nMessage: Authentication failed\r\n\r\n");
		manager_hang_up();
		return;
	}
	m.logins++;
	answer(id, "Success\r\nMessage: Authentication accepted\r\n\r\n");
	for (size_t i = 0; m.after && i < m.repeat; i++)
		say(m.after);
	if (m.behaviour & HANGS_UP)
		manager_hang_up();
}

static void on_endpoint(const char *id, const char *name)
{
	char line[1024];

	m.asked++;
	answer(id,
		"Success\r\nEventList: start\r\nMessage: Following are Events\r\n\r\n");
	if (!strcmp(name, "carrier")) {
		/* Somebody else's answer, and one that guesses. */
		say("Event: IdentifyDetail\r\nActionID: sipchain-0000000000000001\r\n"
		    "ObjectType: identify\r\nObjectName: x\r\nMatch: 203.0.113.9/32\r\n"
		    "EndpointName: x\r\n\r\n");
		snprintf(line, sizeof line,
			"Event: IdentifyDetail\r\nActionID: %s\r\nObjectType: identify\r\n"
			"ObjectName: t\r\nMatch: 192.0.2.0/255.255.255.0\r\n"
			"SrvLookups: false\r\nEndpoint: carrier\r\nEndpointName: carrier\r\n\r\n",
			id);
		say(line);
	}
	snprintf(line, sizeof line,
		"Event: EndpointDetailComplete\r\nActionID: %s\r\nEventList: Complete\r\n"
		"ListItems: 1\r\n\r\n",
		id);
	say(line);
}

static void on_endpoints(const char *id)
{
	char line[512];

	m.rounds++;
	if (m.behaviour & NO_ENDPOINTS) {
		answer(id, "Error\r\nMessage: No endpoints found\r\n\r\n");
		return;
	}
	answer(id, "Success\r\nEventList: start\r\nMessage: A listing follows\r\n\r\n");
	for (unsigned i = 0; i < 2; i++) {
		snprintf(line, sizeof line,
			"Event: EndpointList\r\nActionID: %s\r\nObjectType: endpoint\r\n"
			"ObjectName: %s\r\nAor: x\r\nAuths: \r\n\r\n",
			id, i ? "carrier" : "101");
		say(line);
	}
	snprintf(line, sizeof line,
		"Event: EndpointListComplete\r\nActionID: %s\r\nEventList: Complete\r\n"
		"ListItems: 2\r\n\r\n",
		id);
	say(line);
}

static void on_action(const char *action)
{
	char id[64], what[64];

	snprintf(id, sizeof id, "%s", header(action, "ActionID"));
	snprintf(what, sizeof what, "%s", header(action, "Action"));
	if (m.behaviour & LIES)
		id[strlen(id) - 1] ^= 1;
	if (!strcmp(what, "Challenge"))
		answer(id,
			m.behaviour & NO_CHALLENGE ?
				"Success\r\n\r\n" :
				"Success\r\nChallenge: 107937128\r\n\r\n");
	else if (!strcmp(what, "Login"))
		on_login(id, action);
	else if (m.behaviour & DEAF)
		return;
	else if (!strcmp(what, "Ping")) {
		m.pings++;
		answer(id, "Success\r\nPing: Pong\r\nTimestamp: 1.2\r\n\r\n");
	} else if (m.behaviour & NO_RIGHTS)
		answer(id, "Error\r\nMessage: Permission denied\r\n\r\n");
	else if (!strcmp(what, "Filter")) {
		snprintf(m.filter, sizeof m.filter, "%s", header(action, "Filter"));
		answer(id, "Success\r\nMessage: Success\r\n\r\n");
	} else if (!strcmp(what, "PJSIPShowEndpoints"))
		on_endpoints(id);
	else if (!strcmp(what, "PJSIPShowEndpoint"))
		on_endpoint(id, header(action, "Endpoint"));
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(m.in + m.n, (unsigned)(sizeof m.in - m.n - 1));
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	char *end;

	(void)stream;
	(void)buf;
	if (n < 0) {
		manager_hang_up();
		return;
	}
	m.n += (size_t)n;
	m.in[m.n] = 0;
	while ((end = strstr(m.in, "\r\n\r\n"))) {
		static char action[sizeof m.in];

		snprintf(action, sizeof action, "%.*s", (int)(end - m.in), m.in);
		m.n -= (size_t)(end + 4 - m.in);
		memmove(m.in, end + 4, m.n + 1);
		on_action(action);
	}
}

static void on_accept(uv_stream_t *listener, int status)
{
	assert_int_equal(status, 0);
	m.accepted++;
	uv_tcp_init(&m.loop, &m.peer);
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&m.peer), 0);
	m.connected = true;
	m.n = 0;
	uv_read_start((uv_stream_t *)&m.peer, on_allocate, on_bytes);
	if (m.behaviour & SILENT)
		return;
	say(m.behaviour & STRANGE ? "SSH-2.0-OpenSSH_9.2\r\n" :
				    "Asterisk Call Manager/11.0.0\r\n");
}

void manager_open(unsigned behaviour, const char *after, size_t repeat)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int n = sizeof at;

	memset(&m, 0, sizeof m);
	m.behaviour = behaviour;
	m.after = after;
	m.repeat = repeat;
	uv_loop_init(&m.loop);
	uv_tcp_init(&m.loop, &m.listener);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(uv_tcp_bind(&m.listener, (struct sockaddr *)&at, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&m.listener, 4, on_accept), 0);
	uv_tcp_getsockname(&m.listener, (struct sockaddr *)&at, &n);
	m.port = ntohs(at.sin_port);
}
