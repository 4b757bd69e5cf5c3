/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_ask PORT TARGET SECONDS CONNECTIONS: ask 127.0.0.1 over so many connections, each
 * the next question when the last is answered, and time every answer. Prints
 * "ANSWERS P50 P99 P999 MAX", microseconds.
 *
 * Other than wrk it adds nothing for what would have been asked while nothing moved: a
 * core that the machine takes away for a moment delays CONNECTIONS answers and no more.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define ANSWERS_MAX     8000000

struct asker {
	char request[512];
	size_t length;
	int epoll, fds[CONNECTIONS_MAX];
	double asked[CONNECTIONS_MAX];
	unsigned connections;
	float *times; /* microseconds */
	size_t count;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int ask(struct asker *a, unsigned i)
{
	a->asked[i] = now();
	return send(a->fds[i], a->request, a->length, MSG_NOSIGNAL) ==
			(ssize_t)a->length ?
		0 :
		-1;
}

static int begin(struct asker *a, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int one = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < a->connections; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};

		a->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (a->fds[i] < 0 || connect(a->fds[i], (void *)&at, sizeof at) ||
			setsockopt(
				a->fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) ||
			epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->fds[i], &e) || ask(a, i))
			return -1;
	}
	return 0;
}

/* One answer: small, and its last byte is a line's end. */
static int hear(struct asker *a, unsigned i)
{
	char answer[4096];
	ssize_t n = recv(a->fds[i], answer, sizeof answer, 0);

	if (n <= 0 || a->count == ANSWERS_MAX)
		return -1;
	if (answer[n - 1] != '\n')
		return 0; /* the rest follows */
	a->times[a->count++] = (float)(now() - a->asked[i]);
	return ask(a, i);
}

static int by_time(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	struct asker a = {.connections = argc == 5 ? (unsigned)atoi(argv[4]) : 0};
	struct epoll_event ready[CONNECTIONS_MAX];
	double end;

	if (!a.connections || a.connections > CONNECTIONS_MAX) {
		fprintf(stderr, "http_ask PORT TARGET SECONDS CONNECTIONS\n");
		return 2;
	}
	a.length = (size_t)snprintf(a.request, sizeof a.request,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\n", argv[2], argv[1]);
	a.times = malloc(ANSWERS_MAX * sizeof *a.times);
	if (a.length >= sizeof a.request || !a.times ||
		begin(&a, (uint16_t)atoi(argv[1]))) {
		perror("http_ask");
		return 1;
	}
	for (end = now() + atof(argv[3]) * 1e6; now() < end;) {
		int n = epoll_wait(a.epoll, ready, CONNECTIONS_MAX, 1000);

		for (int i = 0; i < n; i++)
			if (hear(&a, ready[i].data.u32)) {
				fprintf(stderr, "http_ask: a connection ended\n");
				return 1;
			}
	}
	if (!a.count)
		return 1;
	qsort(a.times, a.count, sizeof *a.times, by_time);
	printf("%zu %.0f %.0f %.0f %.0f\n", a.count, (double)a.times[a.count / 2],
		(double)a.times[a.count * 99 / 100],
		(double)a.times[a.count * 999 / 1000], (double)a.times[a.count - 1]);
	return 0;
}
