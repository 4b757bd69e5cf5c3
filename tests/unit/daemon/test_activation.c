/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/activation.h"
#include "sense/observation.h"

static int transport(const char *name)
{
	return activation_transport(name, strlen(name));
}

static void names_of_descriptors(void **state)
{
	(void)state;
	assert_int_equal(transport("honeypot"), 0);
	assert_int_equal(transport("honeypot-udp"), TRANSPORT_UDP);
	assert_int_equal(transport("honeypot-tcp"), TRANSPORT_TCP);
	assert_int_equal(transport("honeypot-tls"), TRANSPORT_TLS);
	assert_int_equal(transport("honeypot-ws"), TRANSPORT_WS);
	assert_int_equal(transport("honeypot-wss"), TRANSPORT_WSS);
	assert_int_equal(transport("honeypot-"), -1);
	assert_int_equal(transport("honeypot-sctp"), -1);
	assert_int_equal(transport("honeypots"), -1);
	assert_int_equal(transport("sipchaind.socket"), -1);
	assert_int_equal(transport(""), -1);
}

/* A socket at this very descriptor. */
static void place(int at, int family, int type, bool only)
{
	int fd = socket(family, type, 0), one = 1;

	if (fd < 0)
		_exit(10);
	if (only && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one))
		_exit(11);
	if (fd != at && (dup2(fd, at) < 0 || close(fd)))
		_exit(12);
}

/* What a child with the descriptors from 3 on does; returns how it ended. */
static int in_child(void (*play)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		play();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void announce(const char *count, const char *names, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof text, "%d", (int)pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", count, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
	else
		unsetenv("LISTEN_FDNAMES");
}

#define MUST(what)                                                                       \
	do {                                                                             \
		if (!(what))                                                             \
			_exit(__LINE__ % 200 + 20);                                      \
	} while (0)

static int type_of(int fd)
{
	int type = 0;
	socklen_t n = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) ? -1 : type;
}

static void play_taken(void)
{
	struct activation a;

	place(3, AF_INET, SOCK_DGRAM, false);
	place(4, AF_INET, SOCK_STREAM, false);
	place(5, AF_UNIX, SOCK_STREAM, false);  /* not of IP */
	place(6, AF_INET6, SOCK_STREAM, false); /* both families */
	place(7, AF_INET6, SOCK_STREAM, true);
	place(8, AF_INET, SOCK_STREAM, false);             /* another's */
	place(9, AF_INET, SOCK_DGRAM, false);              /* its name says otherwise */
	MUST(dup2(open("/dev/null", O_RDONLY), 10) == 10); /* no socket */
	announce("8",
		"honeypot:honeypot-tls:honeypot:honeypot:honeypot-wss:other:honeypot-tcp:"
		"honeypot",
		getpid());
	MUST(activation_take(&a) == 3 && a.count == 3);
	MUST(a.transport[0] == 0 && type_of(a.fd[0]) == SOCK_DGRAM);
	MUST(a.transport[1] == TRANSPORT_TLS && type_of(a.fd[1]) == SOCK_STREAM);
	MUST(a.transport[2] == TRANSPORT_WSS && type_of(a.fd[2]) == SOCK_STREAM);
	for (int i = 0; i < 3; i++)
		MUST(a.fd[i] >= INHERITED_FD + INHERITED_MAX &&
			fcntl(a.fd[i], F_GETFD) == FD_CLOEXEC);
	for (int fd = 3; fd <= 10; fd++)
		MUST(fcntl(fd, F_GETFD) < 0);
	MUST(!getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES"));
}

static void play_anothers(void)
{
	struct activation a;

	place(3, AF_INET, SOCK_DGRAM, false);
	announce("1", "honeypot", getppid());
	MUST(activation_take(&a) == 0);
	MUST(fcntl(3, F_GETFD) >= 0); /* whoever's it is, it is not touched */
	MUST(!getenv("LISTEN_FDS"));
	/* Without any name none is ours. */
	announce("1", NULL, getpid());
	MUST(activation_take(&a) == 0);
	announce("nonsense", "honeypot", getpid());
	MUST(activation_take(&a) == 0);
	unsetenv("LISTEN_PID");
	MUST(activation_take(&a) == 0);
}

static void sockets_of_the_service_manager(void **state)
{
	(void)state;
	assert_int_equal(in_child(play_taken), 0);
	assert_int_equal(in_child(play_anothers), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_descriptors),
		cmocka_unit_test(sockets_of_the_service_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
