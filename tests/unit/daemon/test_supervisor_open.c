/* SPDX-License-Identifier: Apache-2.0 */
/* What the parent opens for the HTTP API in the role `node`. */
#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/api_open.h"
#include "daemon/config_api.h"
#include "daemon/messages.h"
#include "daemon/supervisor_state.h"
#include "remove_tree.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static struct supervisor s;
static struct config config;
static char folder[64];
static int theirs;
static uint8_t buffer[PACKET_MAX];

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
	int fds[2];

	(void)state;
	snprintf(folder, sizeof folder, "/tmp/sipchain-open-XXXXXX");
	if (!mkdtemp(folder) || packet_pair(fds))
		return -1;
	memset(&s, 0, sizeof s);
	memset(&config, 0, sizeof config);
	s.config = &config;
	s.processes[ROLE_NODE] = (struct process){.role = ROLE_NODE, .fd = fds[0]};
	theirs = fds[1];
	config.token_count = 1;
	snprintf(config.tokens[0].name, sizeof config.tokens[0].name, "one");
	snprintf(config.tokens[0].secret_file, sizeof config.tokens[0].secret_file,
		"%s/one.token", folder);
	config.tokens[0].rights = HTTP_READ;
	config.api.listen_count = 2;
	snprintf(config.api.listen[1].path, sizeof config.api.listen[1].path,
		"%s/api.sock", folder);
	return address_parse(&config.api.listen[0].address, view_str("127.0.0.1"), NULL);
}

static int teardown(void **state)
{
	(void)state;
	close(s.processes[ROLE_NODE].fd);
	close(theirs);
	remove_tree(folder);
	return 0;
}

static struct control_opened answer;

/* Ask, and what comes back: a listener's descriptor, or -1; answer tells more. */
static int ask(enum api_part part, uint8_t number)
{
	const struct control_open what = {(uint8_t)part, number};
	struct packet packet;

	supervisor_open(&s, &s.processes[ROLE_NODE], view_of(&what, sizeof what));
	assert_int_equal(packet_wait(theirs, buffer, &packet, 5000), 1);
	assert_int_equal(packet.type, MSG_API_OPENED);
	assert_int_equal(packet.payload.n, sizeof answer);
	memcpy(&answer, packet.payload.p, sizeof answer);
	assert_int_equal(answer.part, part);
	assert_int_equal(answer.number, number);
	assert_int_equal(packet.fd >= 0, part == API_LISTENER && !answer.text[0]);
	return packet.fd;
}

/* It fails, and says this (after the folder's name, if it begins with that). */
static void ask_in_vain(enum api_part part, uint8_t number, const char *says)
{
	const char *text = answer.text;

	assert_int_equal(ask(part, number), -1);
	assert_true(bytes_zero(answer.digest, sizeof answer.digest));
	if (!strncmp(text, folder, strlen(folder)))
		text += strlen(folder);
	if (strncmp(text, says, strlen(says)) != 0)
		fail_msg("%s", answer.text);
}

static void test_token(void **state)
{
	uint8_t digest[KECCAK_SIZE];

	(void)state;
	ask_in_vain(API_TOKEN, 0, "/one.token: No such file or directory");
	write_file("one.token", SECRET "\n", 0640);
	ask_in_vain(API_TOKEN, 0, "/one.token: others can read the secret (mode 0640)");
	write_file("one.token", "0123456789abcde\n", 0600);
	ask_in_vain(API_TOKEN, 0,
		"/one.token: the secret has 15 characters; at least 16 are needed");
	write_file("one.token", SECRET "\r\nmore\n", 0600);
	ask(API_TOKEN, 0);
	assert_string_equal(answer.text, "");
	http_secret_digest(digest, view_str(SECRET));
	assert_memory_equal(answer.digest, digest, sizeof digest);
}

static void test_listeners(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof at;
	int fd, taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 0;
	char says[128];
	struct stat st;

	(void)state;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(taken, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(taken, 1), 0);
	assert_int_equal(getsockname(taken, (struct sockaddr *)&at, &n), 0);
	config.api.listen[0].port = ntohs(at.sin_port);
	snprintf(says, sizeof says,
		"[api] listen = tcp:127.0.0.1:%u: Address already in use",
		ntohs(at.sin_port));
	ask_in_vain(API_LISTENER, 0, says);
	close(taken);
	fd = ask(API_LISTENER, 0);
	assert_true(fd >= 0);
	n = sizeof on;
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n), 0);
	assert_int_equal(on, 1);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	fd = ask(API_LISTENER, 1);
	assert_true(fd >= 0);
	assert_int_equal(stat(config.api.listen[1].path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0660);
	/* One that answers is not pushed aside. */
	ask_in_vain(API_LISTENER, 1, "[api] listen: ");
	close(fd);
}

static void test_certificate(void **state)
{
	uint8_t digest[KECCAK_SIZE];

	(void)state;
	ask_in_vain(API_CERTIFICATE, 0, "[api]: the configuration does not name it");
	snprintf(config.api.tls_certificate, sizeof config.api.tls_certificate,
		"%s/a.pem", folder);
	ask_in_vain(API_CERTIFICATE, 0, "/a.pem: No such file or directory");
	write_file("a.pem", "certificate", 0644);
	ask(API_CERTIFICATE, 0);
	assert_string_equal(answer.text, "");
	/* As it is given to the library: with its NUL. */
	keccak256(digest, "certificate", sizeof "certificate");
	assert_memory_equal(answer.digest, digest, sizeof digest);
	ask_in_vain(API_CERTIFICATE, 1, "[api]: the configuration does not name it");
}

/* What an older, or no, configuration has. */
static void test_unknown(void **state)
{
	(void)state;
	ask_in_vain(API_TOKEN, 1, "[api]: the configuration does not name it");
	ask_in_vain(API_LISTENER, 2, "[api]: the configuration does not name it");
	ask_in_vain(API_LISTENER, 255, "[api]: the configuration does not name it");
	ask_in_vain((enum api_part)0, 0, "[api]: the configuration does not name it");
	ask_in_vain((enum api_part)9, 0, "[api]: the configuration does not name it");
}

/* Another role, or another length: who says that was broken into. */
static void test_not_allowed(void **state)
{
	static const struct {
		enum role role;
		uint8_t n;
	} cases[] = {{ROLE_SENSE, 2}, {ROLE_LEDGER, 2}, {ROLE_ENFORCE, 2}, {ROLE_NODE, 1},
		{ROLE_NODE, 3}, {ROLE_NODE, 0}};
	const uint8_t bytes[4] = {API_TOKEN};
	struct packet packet;

	(void)state;
	write_file("one.token", SECRET "\n", 0600);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct process p = {
			.role = cases[i].role, .fd = s.processes[ROLE_NODE].fd};
		int status = 0;

		p.pid = fork();
		if (p.pid == 0) {
			pause();
			_exit(0);
		}
		assert_true(p.pid > 0);
		supervisor_open(&s, &p, view_of(bytes, cases[i].n));
		assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_int_equal(packet_receive(theirs, buffer, &packet), -1);
		assert_int_equal(errno, EAGAIN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listeners, setup, teardown),
		cmocka_unit_test_setup_teardown(test_certificate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_allowed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
