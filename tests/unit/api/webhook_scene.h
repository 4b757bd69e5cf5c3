/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_WEBHOOK_SCENE_H
#define TESTS_WEBHOOK_SCENE_H

/* A sender of webhooks, and receivers of them: tests/api/webhook_receiver.py. */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "../ethereum/certificates.h"
#include "api/webhook_post.h"

#define FIRST  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SECOND "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/* --- the receivers, one for each certificate --- */

struct receiver {
	pid_t pid;
	int to;     /* its standard input: open as long as it shall live */
	FILE *from; /* what it tells */
	unsigned port;
};

static struct certificates certificates;
static struct receiver plain, good, other_name, stranger;

/* certificate: NULL for plain HTTP. */
static void receiver_start(struct receiver *r, const char *certificate)
{
	char line[100] = "";
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		if (certificate)
			execl(RECEIVER, RECEIVER, "--certificate", certificate, "--key",
				certificates.key, FIRST, SECOND, (char *)NULL);
		else
			execl(RECEIVER, RECEIVER, FIRST, SECOND, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	r->to = in[1];
	r->from = fdopen(out[0], "r");
	assert_non_null(r->from);
	assert_non_null(fgets(line, sizeof line, r->from));
	assert_int_equal(sscanf(line, "port %u", &r->port), 1);
}

static void receiver_stop(struct receiver *r)
{
	int status;

	close(r->to);
	fclose(r->from);
	kill(r->pid, SIGTERM);
	waitpid(r->pid, &status, 0);
}

/* What it tells of the next request; json_decref() it. */
static inline json_t *receiver_told(struct receiver *r)
{
	char line[4096];
	json_t *json;

	assert_non_null(fgets(line, sizeof line, r->from));
	json = json_loads(line, 0, NULL);
	assert_non_null(json);
	return json;
}

static inline const char *told(const json_t *request, const char *key)
{
	const char *value = json_string_value(json_object_get(request, key));

	assert_non_null(value);
	return value;
}

static int start(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	certificates_make(&certificates);
	receiver_start(&plain, NULL);
	receiver_start(&good, certificates.good);
	receiver_start(&other_name, certificates.name);
	receiver_start(&stranger, certificates.stranger);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	receiver_stop(&plain);
	receiver_stop(&good);
	receiver_stop(&other_name);
	receiver_stop(&stranger);
	certificates_remove(&certificates);
	return 0;
}

/* --- one sender --- */

struct scene {
	uv_loop_t loop;
	struct webhook_post *post;
	struct webhook_secret first, second;
	struct webhook_config config;
	char url[WEBHOOK_URL_MAX];
	unsigned done;
	struct webhook_outcome outcome;
};

static void open_scene(struct scene *s)
{
	struct error err = {""};

	memset(s, 0, sizeof *s);
	uv_loop_init(&s->loop);
	assert_int_equal(webhook_secret_read(&s->first, view_str(FIRST), &err), 0);
	assert_int_equal(webhook_secret_read(&s->second, view_str(SECOND), &err), 0);
	s->post = webhook_post_open(&s->loop, &err);
	assert_non_null(s->post);
	s->config = (struct webhook_config){.name = "bot",
		.url = s->url,
		.ca_file = certificates.ca,
		.secret = {&s->first, NULL},
		.timeout_s = 10};
}

static void close_scene(struct scene *s)
{
	webhook_post_close(s->post);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
}

static void to(struct scene *s, const struct receiver *r, const char *path)
{
	struct error err = {""};

	snprintf(s->url, sizeof s->url, "%s://127.0.0.1:%u%s",
		r == &plain ? "http" : "https", r->port, path);
	assert_int_equal(webhook_url_check(NULL, s->url, false, &err), 0);
}

static void on_done(void *context, const struct webhook_outcome *outcome)
{
	struct scene *s = context;

	s->done++;
	s->outcome = *outcome;
}

/* Send and wait for what comes of it. */
static inline void post(struct scene *s, const char *id, const char *body)
{
	unsigned before = s->done;

	assert_true(webhook_post_send(s->post, &s->config, id, view_str(body),
			    (uint64_t)time(NULL), on_done, s) > 0);
	assert_int_equal(s->done, before); /* not from within the call */
	while (s->done == before)
		uv_run(&s->loop, UV_RUN_ONCE);
	assert_int_equal(s->done, before + 1);
}

static inline void outcome_is(const struct scene *s, enum webhook_verdict verdict,
	unsigned status, const char *reason)
{
	if (s->outcome.verdict != verdict || s->outcome.status != status ||
		!strstr(s->outcome.reason.text, reason))
		fail_msg("%s: verdict %d, HTTP %u, \"%s\" instead of %d, %u, \"%s\"",
			s->url, s->outcome.verdict, s->outcome.status,
			s->outcome.reason.text, verdict, status, reason);
	if (!*reason)
		assert_string_equal(s->outcome.reason.text, "");
}

/* Post to a path, and what comes of it. */
static inline void path_is(struct scene *s, const char *path,
	enum webhook_verdict verdict, unsigned status, const char *reason)
{
	to(s, &good, path);
	post(s, "evt_1", "{}");
	outcome_is(s, verdict, status, reason);
	json_decref(receiver_told(&good));
}

#endif
