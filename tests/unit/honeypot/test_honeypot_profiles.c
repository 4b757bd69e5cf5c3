/* SPDX-License-Identifier: Apache-2.0 */
/* The file of profiles: what is read, what is refused and how that is said. */
#include "../cmocka_all.h"
#include "honeypot_steps.h"

#define LEAST                                                                              \
	"[mine]\nrealm = r\nagent = Mine {local}\ntag = {mac16}\nnonce = {time8}{mac16}\n" \
	"header = Via: {via}\nheader = From: {from}\nheader = To: {to}\n"                  \
	"header = Call-ID: {call-id}\nheader = CSeq: {cseq}\nsdp = v=0\n"                  \
	"answer = OTHER 405 Not For Us\n"

static void test_builtin(void **state)
{
	const struct honeypot_profiles *p = profiles_builtin();

	(void)state;
	assert_int_equal(p->n, 3);
	assert_string_equal(p->at[0].name, "asterisk");
	assert_string_equal(p->at[1].name, "freeswitch");
	assert_string_equal(p->at[2].name, "cisco");
	assert_null(profiles_find(p, view_str("avaya")));
	assert_true(view_starts(profiles_builtin_text(), "# SPDX"));
}

static void test_own(void **state)
{
	static struct honeypot_profiles p;
	struct buffer errors = {.max = 65536};

	(void)state;
	assert_int_equal(profiles_read(&p, "a", profiles_builtin_text(), &errors), 0);
	assert_int_equal(
		profiles_read(&p, "b",
			view_str(LEAST "header = 200-299 OPTIONS,FOO optional X: y\n"),
			&errors),
		-1);
	assert_int_equal(buffer_put_u8(&errors, 0), 0);
	assert_string_equal((char *)errors.p,
		"b:13: \"OPTIONS,FOO\" is no condition; see the head of "
		"honeypot-profiles.conf\n");
	buffer_free(&errors);
	memset(&p, 0, sizeof p);
	assert_int_equal(profiles_read(&p, "a", profiles_builtin_text(), &errors), 0);
	assert_int_equal(
		profiles_read(&p, "b",
			view_str(LEAST "header = 200-299 OPTIONS optional X: {agent}\n"
				       "header = 200 X-Unknown: a {thing} {\n"),
			&errors),
		0);
	assert_int_equal(p.n, 4);
	config.profile = profiles_find(&p, view_str("mine"));
	honeypot_steps_begin();
	feed(request((struct request){.method = "OPTIONS"}));
	/* A value is filled in once: what {agent} holds stays as it is. */
	assert_non_null(strstr(sent[0].text, "\r\nX: Mine {local}\r\n"));
	assert_non_null(strstr(sent[0].text, "\r\nX-Unknown: a {thing} {\r\n"));
	feed(request((struct request){.method = "FOO"}));
	assert_memory_equal(sent[0].text, "SIP/2.0 405 Not For Us\r\nVia: ", 29);
	/* One of the same name replaces the built-in one, whole. */
	assert_int_equal(
		profiles_read(&p, "c", view_str("[asterisk]\n" LEAST), &errors), -1);
	buffer_free(&errors);
}

static void test_errors(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"[mine]\n", "f:1: [mine] has no unconditional header Via\n"},
		{"[mine]\ncolour = red\n",
			"f:2: a profile has no key \"colour\"; see the head "
			"of honeypot-profiles.conf\n"},
		{LEAST "tag = {mac8}\n",
			"f:13: could be guessed; write at least {mac16} or {alnum13}\n"},
		{LEAST "tag = {time8}{mac16}\n",
			"f:1: [mine] tag: no time can stand in it\n"},
		{LEAST "nonce = {mac32}\n",
			"f:1: [mine] nonce: write {time} or {time8} into it\n"},
		{LEAST "via = last\n", "f:13: via is first or in-place\n"},
		{LEAST "tags = first\n", "f:13: tags is one or last\n"},
		{LEAST "answer = FOO 400 x\n",
			"f:13: is no METHOD STATUS REASON, such as MESSAGE 405 Method Not "
			"Allowed\n"},
		{LEAST "answer = INFO 100 Trying\n",
			"f:13: is no METHOD STATUS REASON, such as MESSAGE 405 Method Not "
			"Allowed\n"},
		{LEAST "header = 200 optional\n",
			"f:13: no header's name; write [CONDITIONS] NAME: VALUE\n"},
		{LEAST "header = 700 X: y\n",
			"f:13: \"700\" is no condition; see the head of "
			"honeypot-profiles.conf\n"},
		{LEAST "header = 20 X: y\n",
			"f:13: \"20\" is no condition; see the head of "
			"honeypot-profiles.conf\n"},
		{LEAST "sdp = a\x01\n",
			"f:13: holds control characters; write plain text\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		static struct honeypot_profiles p;
		struct buffer errors = {.max = 65536};

		memset(&p, 0, sizeof p);
		assert_int_equal(
			profiles_read(&p, "f", view_str(cases[i].text), &errors), -1);
		assert_int_equal(buffer_put_u8(&errors, 0), 0);
		if (!strstr((char *)errors.p, cases[i].error))
			fail_msg("%zu: %s", i, (char *)errors.p);
		buffer_free(&errors);
	}
}

/* Too much of everything is said, and nothing is written behind its end. */
static void test_too_much(void **state)
{
	static struct honeypot_profiles p;
	struct buffer errors = {.max = 1 << 20}, text = {.max = 1 << 20};

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		buffer_printf(&text, "[p%u]\n", i);
	buffer_printf(&text, "%s", LEAST);
	for (unsigned i = 0; i < 100; i++)
		buffer_printf(&text, "header = X%u: %0900u\nsdp = %0900u\n", i, i, i);
	for (unsigned i = 0; i < 100; i++)
		buffer_printf(&text, "header = X%u:\nanswer = INFO 481 x\n", i);
	assert_false(text.failed);
	assert_int_equal(profiles_read(&p, "f", view_of(text.p, text.n), &errors), -1);
	assert_int_equal(buffer_put_u8(&errors, 0), 0);
	assert_non_null(strstr((char *)errors.p, "there are 16 profiles already"));
	buffer_free(&text);
	memset(&p, 0, sizeof p);
	errors.n = 0;
	buffer_printf(&text, "%s", LEAST);
	for (unsigned i = 0; i < 100; i++)
		buffer_printf(&text, "header = X%u: %0900u\nsdp = %0900u\n", i, i, i);
	for (unsigned i = 0; i < 100; i++)
		buffer_printf(&text, "header = X:\nanswer = INFO 481 x\n");
	assert_int_equal(profiles_read(&p, "f", view_of(text.p, text.n), &errors), -1);
	assert_int_equal(buffer_put_u8(&errors, 0), 0);
	assert_non_null(strstr((char *)errors.p, "more than 6144 bytes of text"));
	assert_non_null(strstr((char *)errors.p, "there are 48 headers already"));
	assert_non_null(strstr((char *)errors.p, "there are 16 answers already"));
	assert_non_null(strstr((char *)errors.p, "more than 1023 bytes together"));
	buffer_free(&text);
	buffer_free(&errors);
}

#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(                                                 \
		name, honeypot_steps_setup, honeypot_steps_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_builtin),
		TEST(test_own),
		TEST(test_errors),
		TEST(test_too_much),
	};

	return cmocka_run_group_tests_name("honeypot-profiles", tests, NULL, NULL);
}
