/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/link.h"

/* One end under test, and what it was called with. */
struct end {
	uv_loop_t loop;
	struct link *link;
	int other; /* the pair's other descriptor */
	unsigned messages, closed, drained;
	uint16_t types[512];
	size_t lengths[512];
	uint8_t last[PACKET_PAYLOAD_MAX];
	int fd;
	char why[80];
	bool close_on_message, pause_on_message;
};

static void on_message(
	void *context, struct link *l, uint16_t type, struct view payload, int fd)
{
	struct end *e = context;

	assert_ptr_equal(l, e->link);
	assert_true(e->messages < 512);
	e->types[e->messages] = type;
	e->lengths[e->messages++] = payload.n;
	if (payload.n)
		memcpy(e->last, payload.p, payload.n);
	if (fd >= 0)
		e->fd = fd;
	if (e->pause_on_message)
		link_pause(l);
	if (e->close_on_message) {
		link_close(l);
		e->link = NULL;
	}
}

static void on_closed(void *context, struct link *l, const char *why)
{
	struct end *e = context;

	assert_ptr_equal(l, e->link);
	snprintf(e->why, sizeof e->why, "%s", why);
	e->closed++;
}

static void on_drained(void *context, struct link *l)
{
	struct end *e = context;

	assert_ptr_equal(l, e->link);
	e->drained++;
}

static struct end *open_end(size_t limit, bool accept_fds)
{
	struct end *e = calloc(1, sizeof *e);
	struct link_callbacks callbacks = {.context = e,
		.message = on_message,
		.closed = on_closed,
		.drained = on_drained,
		.accept_fds = accept_fds};
	int fds[2];

	assert_non_null(e);
	e->fd = -1;
	assert_int_equal(uv_loop_init(&e->loop), 0);
	assert_int_equal(packet_pair(fds), 0);
	e->link = link_open(&e->loop, fds[0], limit, &callbacks);
	assert_non_null(e->link);
	e->other = fds[1];
	return e;
}

static void close_end(struct end *e)
{
	link_close(e->link);
	if (e->other >= 0)
		close(e->other);
	if (e->fd >= 0)
		close(e->fd);
	assert_int_equal(uv_run(&e->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&e->loop), 0);
	free(e);
}

/* Turn the loop until nothing more happens by itself. */
static void turn(struct end *e)
{
	for (int i = 0; i < 20; i++)
		uv_run(&e->loop, UV_RUN_NOWAIT);
}

static unsigned open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void test_messages(void **state)
{
	static uint8_t big[PACKET_PAYLOAD_MAX + 1], buffer[PACKET_MAX];
	struct end *e = open_end(65536, false);
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 7);
	assert_int_equal(packet_send(e->other, 7, view_of("abc", 3), -1), 0);
	assert_int_equal(packet_send(e->other, 65535, view_of(NULL, 0), -1), 0);
	assert_int_equal(
		packet_send(e->other, 1, view_of(big, PACKET_PAYLOAD_MAX), -1), 0);
	turn(e);
	assert_int_equal(e->messages, 3);
	assert_int_equal(e->types[0], 7);
	assert_int_equal(e->lengths[0], 3);
	assert_int_equal(e->types[1], 65535);
	assert_int_equal(e->lengths[1], 0);
	assert_int_equal(e->lengths[2], PACKET_PAYLOAD_MAX);
	assert_memory_equal(e->last, big, PACKET_PAYLOAD_MAX);

	assert_int_equal(packet_send(e->other, 1, view_of(big, sizeof big), -1), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(link_send(e->link, 1, view_of(big, sizeof big)), -1);
	assert_int_equal(errno, EMSGSIZE);

	assert_int_equal(link_send(e->link, 9, view_of("xyz!", 4)), 0);
	assert_int_equal(packet_wait(e->other, buffer, &p, 1000), 1);
	assert_int_equal(p.type, 9);
	assert_int_equal(p.payload.n, 4);
	assert_memory_equal(p.payload.p, "xyz!", 4);
	assert_int_equal(p.fd, -1);
	assert_int_equal(packet_receive(e->other, buffer, &p), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(packet_wait(e->other, buffer, &p, 0), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(e->closed, 0);
	close_end(e);
}

/* What does not fit waits, in order; past the limit the sender is told. */
static void test_queue(void **state)
{
	static uint8_t block[8000], buffer[PACKET_MAX];
	struct end *e = open_end(100000, false);
	unsigned sent = 0, got = 0;
	struct packet p;

	(void)state;
	for (;;) {
		memcpy(block, &sent, sizeof sent);
		if (link_send(e->link, (uint16_t)sent, view_of(block, sizeof block)))
			break;
		sent++;
		assert_true(sent < 1000);
	}
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(link_queued(e->link), 12 * (sizeof block + PACKET_HEADER));
	/* A smaller one still fits, and does not overtake. */
	assert_int_equal(link_send(e->link, 60000, view_of(&sent, sizeof sent)), 0);
	assert_int_equal(e->drained, 0);
	for (unsigned i = 0; i < 10000 && got <= sent; i++) {
		while (packet_receive(e->other, buffer, &p) == 1) {
			unsigned n;

			memcpy(&n, p.payload.p, sizeof n);
			assert_int_equal(n, got == sent ? sent : got);
			assert_int_equal(p.type, got == sent ? 60000 : got);
			got++;
		}
		uv_run(&e->loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(got, sent + 1);
	assert_int_equal(e->drained, 1);
	assert_int_equal(link_queued(e->link), 0);
	close_end(e);
}

static void test_descriptors(void **state)
{
	static uint8_t buffer[PACKET_MAX];
	struct end *e = open_end(65536, true);
	unsigned before = open_descriptors();
	struct packet p;
	char text[8] = "";
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(packet_send(e->other, 3, view_str("pipe"), pipe_fds[0]), 0);
	turn(e);
	assert_int_equal(e->messages, 1);
	assert_true(e->fd >= 0 && e->fd != pipe_fds[0]);
	assert_true(fcntl(e->fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(pipe_fds[1], "hello", 5), 5);
	assert_int_equal(read(e->fd, text, sizeof text), 5);
	assert_memory_equal(text, "hello", 5);

	assert_int_equal(link_send_fd(e->link, 4, view_of(NULL, 0), pipe_fds[1]), 0);
	assert_int_equal(packet_wait(e->other, buffer, &p, 1000), 1);
	assert_true(p.fd >= 0);
	assert_int_equal(write(p.fd, "again", 5), 5);
	assert_int_equal(read(e->fd, text, sizeof text), 5);
	close(p.fd);
	close(e->fd);
	e->fd = -1;
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	assert_int_equal(open_descriptors(), before);
	close_end(e);
}

static void test_descriptor_not_asked_for(void **state)
{
	struct end *e = open_end(65536, false);
	unsigned before = open_descriptors();

	(void)state;
	assert_int_equal(packet_send(e->other, 3, view_str("x"), STDERR_FILENO), 0);
	turn(e);
	assert_int_equal(e->messages, 0);
	assert_int_equal(e->closed, 1);
	assert_string_equal(e->why, "passed a descriptor that was not asked for");
	assert_int_equal(open_descriptors(), before);
	close_end(e);
}

/* Bytes that no honest end would send. */
static void malformed(const void *bytes, size_t n, int descriptors)
{
	struct end *e = open_end(65536, true);
	unsigned before = open_descriptors();
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))] = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (descriptors) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE((size_t)descriptors * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)descriptors * sizeof(int));
		memcpy(CMSG_DATA(c), (int[]){0, 1, 2}, (size_t)descriptors * sizeof(int));
	}
	assert_int_equal(sendmsg(e->other, &msg, 0), n);
	turn(e);
	assert_int_equal(e->messages, 0);
	assert_int_equal(e->closed, 1);
	assert_string_equal(e->why, "malformed packet");
	assert_int_equal(open_descriptors(), before);
	/* After the end nothing is sent any more. */
	assert_int_equal(link_send(e->link, 1, view_str("x")), -1);
	assert_int_equal(errno, EPIPE);
	close_end(e);
}

static void test_malformed(void **state)
{
	static const uint8_t header[9] = {1, 0, 0, 0, 1, 0, 0, 0, 'x'};
	static uint8_t huge[PACKET_MAX + 1];
	uint32_t length = sizeof huge - PACKET_HEADER;
	uint8_t bad[9];

	(void)state;
	malformed(header, 7, 0); /* shorter than a header */
	malformed(header, 8, 0); /* length says 1, there is 0 */
	malformed(header, 9, 2); /* two descriptors */
	malformed(header, 9, 3);
	memcpy(bad, header, sizeof bad);
	bad[2] = 1; /* reserved */
	malformed(bad, 9, 0);
	memcpy(bad, header, sizeof bad);
	bad[4] = 2; /* length says 2, there is 1 */
	malformed(bad, 9, 0);
	memcpy(huge, header, 4);
	memcpy(huge + 4, &length, sizeof length);
	malformed(huge, sizeof huge, 0); /* cut by the receiver's buffer */
}

/* What a dead end had sent is delivered before its end is told. */
static void test_closed(void **state)
{
	struct end *e = open_end(65536, false);

	(void)state;
	assert_int_equal(packet_send(e->other, 5, view_str("last words"), -1), 0);
	close(e->other);
	e->other = -1;
	turn(e);
	assert_int_equal(e->messages, 1);
	assert_memory_equal(e->last, "last words", 10);
	assert_int_equal(e->closed, 1);
	assert_string_equal(e->why, "closed by the other end");
	close_end(e);
}

/* The same when it had not read what we sent: the kernel says ECONNRESET. */
static void test_reset(void **state)
{
	struct end *e = open_end(65536, false);

	(void)state;
	assert_int_equal(link_send(e->link, 1, view_str("never read")), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			packet_send(e->other, (uint16_t)i, view_str("x"), -1), 0);
	close(e->other);
	e->other = -1;
	assert_int_equal(link_send(e->link, 2, view_str("too late")), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(e->closed, 0); /* not from within link_send() */
	turn(e);
	assert_int_equal(e->messages, 100);
	assert_int_equal(e->types[99], 99);
	assert_int_equal(e->closed, 1);
	close_end(e);
}

static void test_close_in_callback(void **state)
{
	struct end *e = open_end(65536, false);

	(void)state;
	e->close_on_message = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(packet_send(e->other, 5, view_str("x"), -1), 0);
	turn(e);
	assert_int_equal(e->messages, 1);
	assert_int_equal(e->closed, 0);
	assert_int_equal(packet_send(e->other, 5, view_str("x"), -1), -1);
	close_end(e);
}

static void test_pause(void **state)
{
	struct end *e = open_end(65536, false);

	(void)state;
	e->pause_on_message = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			packet_send(e->other, (uint16_t)i, view_str("x"), -1), 0);
	turn(e);
	assert_int_equal(e->messages, 1);
	link_resume(e->link);
	turn(e);
	assert_int_equal(e->messages, 2);
	e->pause_on_message = false;
	link_resume(e->link);
	turn(e);
	assert_int_equal(e->messages, 3);
	assert_int_equal(e->types[2], 2);
	close_end(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_descriptor_not_asked_for),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_close_in_callback),
		cmocka_unit_test(test_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
