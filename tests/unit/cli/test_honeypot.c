/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain honeypot: commands run in this process on records in /tmp. */
#include "../cmocka_all.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/explain.h"
#include "cli/honeypot.h"
#include "daemon/config_schema.h"
#include "indicator/word.h"
#include "sense/honeypot/recorder.h"
#include "sense/observation.h"
#include "sense/pcap.h"

static char folder[64], records[96];

#define BEGIN (UINT64_C(1700000000) * USEC_PER_SEC) /* 2023-11-14T22:13:20Z */
#define INVITE                                                                           \
	"INVITE sip:00972591234567@203.0.113.9 SIP/2.0\r\n"                              \
	"Via: SIP/2.0/TCP 198.51.100.80:5070;branch=z9hG4bK7\r\n"                        \
	"From: <sip:100@203.0.113.9>;tag=1\r\nTo: <sip:00972591234567@203.0.113.9>\r\n"  \
	"Call-ID: fraud\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
#define REFUSAL                                                                          \
	"SIP/2.0 401 Unauthorized\r\n"                                                   \
	"Via: SIP/2.0/TCP 198.51.100.80:5070;branch=z9hG4bK7\r\n"                        \
	"From: <sip:100@203.0.113.9>;tag=1\r\n"                                          \
	"To: <sip:00972591234567@203.0.113.9>;tag=2\r\n"                                 \
	"Call-ID: fraud\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
#define REGISTER                                                                         \
	"REGISTER sip:203.0.113.9 SIP/2.0\r\n"                                           \
	"Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1\r\n"                         \
	"From: \"%s\" <sip:%s@203.0.113.9>;tag=3\r\nTo: <sip:%s@203.0.113.9>\r\n"        \
	"Call-ID: war\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"

static struct record record_of(const char *source, uint8_t transport, uint64_t session)
{
	struct record r = {.session = session,
		.remote_port = 5070,
		.local_port = transport == TRANSPORT_TLS ? 5061 : 5060,
		.transport = transport,
		.proof = transport == TRANSPORT_UDP ? PROOF_NONE : PROOF_TCP};

	assert_int_equal(address_parse(&r.remote, view_str(source), NULL), 0);
	address_parse(&r.local,
		view_str(r.remote.family == 4 ? "203.0.113.9" : "2001:db8::9"), NULL);
	return r;
}

static void put(struct recorder *w, struct record *r, unsigned second, const char *bytes)
{
	r->time = BEGIN + second * USEC_PER_SEC + 250000;
	r->bytes = view_str(bytes);
	recorder_put(w, r);
}

/* Somebody looks for accounts, whom nothing proves. */
static void put_enumeration(struct recorder *w)
{
	struct record r = record_of("198.51.100.7", TRANSPORT_UDP, 0xaa);
	char text[600], account[16];

	r.text[RECORD_AGENT] = view_str("friendly-scanner");
	r.text[RECORD_TOOL] = view_str("svwar");
	for (unsigned i = 0; i < 60; i++) {
		snprintf(account, sizeof account, "%u", 100 + i % 55);
		snprintf(text, sizeof text, REGISTER, account, account, account);
		r.text[RECORD_ACCOUNT] = view_str(account);
		put(w, &r, i, text);
	}
}

/* Somebody calls, over TCP, and is answered. */
static void put_call(struct recorder *w)
{
	struct record r = record_of("198.51.100.80", TRANSPORT_TCP, 0xbb);

	r.text[RECORD_ACCOUNT] = view_str("100");
	r.text[RECORD_DIALLED] = view_str("00972591234567");
	put(w, &r, 100, INVITE);
	r.out = true;
	r.status = 401;
	r.text[RECORD_AGENT] = view_str("Asterisk PBX 18.10.0");
	r.text[RECORD_DIALLED] = r.text[RECORD_ACCOUNT] = view_str("");
	put(w, &r, 101, REFUSAL);
}

/* What is no SIP and means to be seen, without a Call-ID, over TLS and IPv6. */
static void put_hostile(struct recorder *w)
{
	struct record r = record_of("2001:db8::66", TRANSPORT_TLS, 0);

	r.verdict = 3;
	r.text[RECORD_WHY] = view_str("no Call-ID");
	r.text[RECORD_AGENT] = view_str("\x1b[31mred\n\"x\"");
	r.text[RECORD_ACCOUNT] = view_str("\xff\xfe");
	put(w, &r, 200, "OPTIONS \x1b[2Jsip:a SIP/2.0\r\nX: \xff\x01\r\n\r\n");
}

static int make(void **state)
{
	struct recorder_config c = {.folder = records,
		.max = RECORDER_MAX_LEAST,
		.user = (uid_t)-1,
		.group = (gid_t)-1};
	struct recorder *w;

	(void)state;
	strcpy(folder, "/tmp/sipchain-honeypot-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(records, sizeof records, "%s/honeypot", folder);
	w = recorder_open(&c, NULL);
	if (!w)
		return -1;
	put_enumeration(w);
	put_call(w);
	put_hostile(w);
	recorder_close(w);
	return 0;
}

static int remove_entry(
	const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int end(void **state)
{
	(void)state;
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static struct view read_whole(const char *name)
{
	static uint8_t bytes[1 << 20];
	char path[200];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, bytes, sizeof bytes - 1);
	assert_true(n >= 0);
	bytes[n] = 0;
	close(fd);
	return view_of(bytes, (size_t)n);
}

/* Run a command line on the records; what it prints is in "out" and "err". */
static int run(const char *line)
{
	static struct invocation in;
	static char text[1024];
	char *argv[32], path[200];
	int argc = 0, out = dup(1), err = dup(2), code;

	snprintf(text, sizeof text, "sipchain honeypot %s%s%s", line,
		strstr(line, "--folder") ? "" : " --folder ",
		strstr(line, "--folder") ? "" : records);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	memset(&in, 0, sizeof in);
	if (invocation_parse(&in, argc, argv))
		fail_msg("%s: %s", line, in.error.text);
	fflush(NULL);
	for (int fd = 1; fd <= 2; fd++) {
		snprintf(path, sizeof path, "%s/%s", folder, fd == 1 ? "out" : "err");
		assert_int_equal(
			dup2(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
				fd),
			fd);
	}
	code = in.command->run(&in);
	fflush(NULL);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	return code;
}

/* That what was printed has this text, so many times; -1: at least once. */
static void has_times(const char *file, const char *text, int times)
{
	const char *all = (const char *)read_whole(file).p;
	int n = 0;

	for (const char *at = all; (at = strstr(at, text)); at += strlen(text))
		n++;
	if (times < 0 ? !n : n != times)
		fail_msg("\"%s\" is %d times, not %d, in:\n%s", text, n, times, all);
}

static json_t *json_out(void)
{
	struct view v = read_whole("out");
	json_t *o = json_loadb((const char *)v.p, v.n, 0, NULL);

	if (!o)
		fail_msg("no JSON: %s", (const char *)v.p);
	return o;
}

static long long micros(const json_t *o, const char *key)
{
	return (long long)(json_real_value(json_object_get(o, key)) * 1e6 + 0.5);
}

static void nothing_raw(const char *file)
{
	struct view v = read_whole(file);

	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != '\n' && (v.p[i] < 32 || v.p[i] > 126))
			fail_msg(
				"byte %02x at %zu of:\n%s", v.p[i], i, (const char *)v.p);
}

static void test_sessions(void **state)
{
	(void)state;
	assert_int_equal(run("sessions"), 0);
	has_times("out", "\n", 5);
	has_times("out", "3 sessions\n", 1);
	has_times("out",
		"00000000000000aa  2023-11-14T22:13:20Z  59s     198.51.100.7   udp  none   "
		"svwar  100, 101 +53",
		1);
	has_times("out",
		"198.51.100.80  tcp  tcp    -      100           00972591234567   1    1  -\n",
		1);
	has_times("out", "friendly-scanner\n", 1);
	has_times("out", "\\x1b[31mred", 1);
	has_times("out", "\\xff\\xfe", 1);
	has_times("out", "Asterisk", 0); /* the agent is the other's, not ours */
	nothing_raw("out");
	assert_int_equal(read_whole("err").n, 0);
}

static void test_sessions_json(void **state)
{
	json_t *o, *list, *x;

	(void)state;
	assert_int_equal(run("sessions --json"), 0);
	o = json_out();
	list = json_object_get(o, "sessions");
	assert_int_equal(json_integer_value(json_object_get(o, "count")), 3);
	assert_int_equal(json_array_size(list), 3);
	x = json_array_get(list, 0);
	assert_string_equal(text_of(x, "session"), "00000000000000aa");
	assert_int_equal(number_of(x, "accounts_count"), 55);
	assert_int_equal(json_array_size(json_object_get(x, "accounts")), 50);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(x, "accounts"), 49)),
		"149");
	assert_int_equal(number_of(x, "in"), 60);
	assert_int_equal(number_of(x, "out"), 0);
	assert_false(is_true(x, "proved"));
	x = json_array_get(list, 1);
	assert_true(is_true(x, "proved"));
	assert_int_equal(number_of(x, "out"), 1);
	assert_int_equal(json_array_size(json_object_get(x, "numbers")), 1);
	assert_int_equal(micros(x, "end") - micros(x, "begin"), 1000000);
	json_decref(o);
}

static void sessions_are(const char *options, int count, const char *session)
{
	char line[200];
	json_t *o;

	snprintf(line, sizeof line, "sessions --json %s", options);
	assert_int_equal(run(line), 0);
	o = json_out();
	if ((int)json_array_size(json_object_get(o, "sessions")) != count)
		fail_msg("%s: %s", options, (const char *)read_whole("out").p);
	json_decref(o);
	if (session)
		has_times("out", session, 1);
}

static void test_filters(void **state)
{
	(void)state;
	sessions_are("--source 198.51.100.0/24", 2, "aa\"");
	sessions_are("--source 198.51.100.80", 1, "bb\"");
	sessions_are("--source 2001:db8::/32", 1, "2001:db8::66");
	sessions_are("--source 192.0.2.1", 0, NULL);
	sessions_are("--proved", 2, "bb\"");
	sessions_are("--number +972591234567", 1, "bb\"");
	sessions_are("--number 591234567", 1, "bb\"");
	sessions_are("--number 5912345", 0, NULL);
	sessions_are("--number +97259*", 1, "bb\"");
	sessions_are("--number +97258*", 0, NULL);
	sessions_are("--since 2023-11-14T22:15:00Z", 2, "bb\"");
	sessions_are("--since 2023-11-15", 0, NULL);
	sessions_are("--since 1h", 0, NULL);
	sessions_are("--limit 2", 2, "bb\"");
	sessions_are("--limit 1 --source 198.51.100.0/24", 1, "bb\"");
	sessions_are("--by source", 3, "198.51.100.7\"");
	assert_int_equal(run("sessions --limit 1"), 0);
	has_times("out", "1 of 3 sessions shown, the newest\n", 1);
	assert_int_equal(run("sessions --by source"), 0);
	has_times("out", "SESSIONS", 1);
	has_times("out", "3 sources\n", 1);
}

static void refused(const char *line, int code, const char *text)
{
	assert_int_equal(run(line), code);
	has_times("err", text, 1);
	has_times("err", "\n", 1);
	assert_int_equal(read_whole("out").n, 0);
}

static void test_refused(void **state)
{
	char line[300];

	(void)state;
	refused("sessions --since soon", CONTROL_USAGE, "--since: how long ago");
	refused("sessions --since 2023-13-41", CONTROL_USAGE, "--since: how long ago");
	refused("sessions --source evil\x1b", CONTROL_USAGE, "--source evil\\x1b: ");
	refused("sessions --source +97259*", CONTROL_USAGE, "no address and no prefix");
	refused("sessions --number 12", CONTROL_USAGE, "at least 3 digits");
	refused("sessions --number 972x", CONTROL_USAGE, "--number");
	refused("sessions --limit 0", CONTROL_USAGE, "--limit: a number from 1");
	refused("sessions --by day", CONTROL_USAGE, "--by: session or source");
	refused("show 12", CONTROL_USAGE, "12: a session's number, 16 hex digits");
	refused("show 00000000000000cc", CONTROL_FAILED,
		"nothing of 00000000000000cc was recorded");
	refused("show 192.0.2.1", CONTROL_FAILED, "nothing of 192.0.2.1");
	refused("sessions --folder /nonexistent/x", CONTROL_FAILED,
		"/nonexistent/x: No such file or directory; nothing was recorded there");
	snprintf(line, sizeof line, "sessions --folder %s/out", folder);
	refused(line, CONTROL_FAILED, "Not a directory");
	refused("export --pcap a --out b", CONTROL_USAGE, "give one of them");
	snprintf(line, sizeof line, "export --out %s/out", folder);
	refused(line, CONTROL_FAILED, "/out: File exists");
	snprintf(line, sizeof line, "export --pcap %s/none/x", folder);
	refused(line, CONTROL_FAILED, "No such file or directory");
}

static void test_permission(void **state)
{
	(void)state;
	if (!geteuid()) {
		left_out("root may read what others may not");
		return;
	}
	assert_int_equal(chmod(records, 0), 0);
	refused("sessions", CONTROL_PERMISSION, "for root and the daemon's group");
	assert_int_equal(chmod(records, 0750), 0);
}

static void test_show(void **state)
{
	json_t *o;

	(void)state;
	assert_int_equal(run("show 00000000000000bb"), 0);
	has_times("out",
		"2023-11-14T22:15:00Z  00000000000000bb from 198.51.100.80:5070  tcp  "
		"INVITE sip:00972591234567@203.0.113.9 SIP/2.0  proof tcp  account \"100\"  "
		"dialled \"00972591234567\"\n",
		1);
	has_times("out", "  SIP/2.0 401 Unauthorized  proof tcp\n", 1);
	has_times("out", "\n    Call-ID: fraud\n", 2);
	assert_int_equal(run("show 2001:db8::66"), 0);
	has_times(
		"out", "from [2001:db8::66]:5070  tls  OPTIONS \\x1b[2Jsip:a SIP/2.0", 1);
	has_times("out", "\n    X: \\xff\\x01\n", 1);
	nothing_raw("out");
	assert_int_equal(run("show 198.51.100.7 --json --limit 3"), 0);
	o = json_out();
	assert_int_equal(json_array_size(o), 3);
	assert_string_equal(text_of(json_array_get(o, 2), "account"), "102");
	json_decref(o);
}

static void test_export_json(void **state)
{
	unsigned lines = 0;
	struct view rest;

	(void)state;
	assert_int_equal(run("export"), 0);
	for (rest = read_whole("out"); rest.n; lines++) {
		size_t n = view_find(rest, '\n');
		json_t *o = json_loadb((const char *)rest.p, n, 0, NULL);

		assert_non_null(o);
		if (lines == 60) {
			assert_string_equal(text_of(o, "message"), INVITE);
			assert_string_equal(text_of(o, "remote"), "198.51.100.80");
			assert_string_equal(text_of(o, "local"), "203.0.113.9");
			assert_string_equal(text_of(o, "direction"), "in");
			assert_int_equal(micros(o, "time"), 1700000100250000);
		}
		if (lines == 61)
			assert_int_equal(number_of(o, "status"), 401);
		if (lines == 62) {
			assert_null(json_object_get(o, "message"));
			assert_string_equal(text_of(o, "account_hex"), "fffe");
			assert_non_null(strstr(text_of(o, "message_hex"), "583a20ff01"));
			assert_string_equal(text_of(o, "verdict"), "malformed");
			assert_string_equal(text_of(o, "malformed"), "no Call-ID");
		}
		json_decref(o);
		rest = view_from(rest, n + 1);
	}
	assert_int_equal(lines, 63);
	assert_int_equal(run("export --number 972591234567"), 0);
	has_times("out", "\n", 2); /* the answer too */
	assert_int_equal(run("export --limit 5"), 0);
	has_times("out", "\n", 5);
}

static void test_export_pcap(void **state)
{
	struct pcap_datagram d = {.tcp = false};
	unsigned n = 0, tcp = 0;
	char line[300];
	struct stat st;
	struct pcap p;

	(void)state;
	snprintf(line, sizeof line, "export --pcap %s/all.pcap", folder);
	assert_int_equal(run(line), 0);
	has_times("out", "all.pcap: 63 messages\n", 1);
	has_times("err", "1 messages came over TLS or WebSocket", 1);
	snprintf(line, sizeof line, "%s/all.pcap", folder);
	assert_int_equal(stat(line, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(pcap_begin(&p, read_whole("all.pcap"), NULL), 0);
	for (p.tcp = true; pcap_next(&p, &d); n++) {
		if (n == 60)
			assert_true(view_eq(d.payload, view_str(INVITE)));
		if (n == 61) {
			assert_true(view_eq(d.payload, view_str(REFUSAL)));
			assert_int_equal(d.source_port, 5060);
			assert_int_equal(d.destination_port, 5070);
		}
		tcp += d.tcp;
	}
	assert_int_equal(n, 63);
	assert_int_equal(tcp, 3);
	assert_int_equal(p.skipped, 0);
	assert_int_equal(p.cut_at, 0);
	assert_int_equal(d.source.family, 6);
}

/* What is exported says the same to the detector as the wire would have. */
static void test_explain_reads_it(void **state)
{
	struct explain x = {.steps = NULL};
	struct error err = {""};
	char line[300], *text;
	const char *found;

	(void)state;
	snprintf(line, sizeof line, "export --pcap %s/call.pcap --proved", folder);
	assert_int_equal(run(line), 0);
	config_defaults(&x.config);
	assert_int_equal(explain_begin(&x), 0);
	if (explain_feed(&x, read_whole("call.pcap"), &err))
		fail_msg("%s", err.text);
	text = json_dumps(x.steps, 0);
	found = strstr(text, "198.51.100.80:5070 -> 203.0.113.9:5060 tcp, SIP");
	if (!found || !strstr(text, "\"proof\": \"tcp\"") ||
		!strstr(text, "00972591234567"))
		fail_msg("%s", text);
	free(text);
	explain_end(&x);
	config_free(&x.config);
}

static void test_tail(void **state)
{
	(void)state;
	assert_int_equal(
		run("tail --since 2020-01-01 --limit 2 --source 198.51.100.80"), 0);
	has_times("out", "\n", 2);
	has_times("out", "  INVITE sip:00972591234567@203.0.113.9 SIP/2.0  ", 1);
	assert_int_equal(
		run("tail --json --since 2020-01-01 --limit 1 --number 591234567"), 0);
	has_times("out", "\"dialled\":\"00972591234567\"", 1);
	assert_int_equal(run("tail --since 2020-01-01 --limit 63"), 0);
	has_times("out", "\n", 63);
	nothing_raw("out");
}

/* What could not be read is said, once, and the rest is shown. */
static void test_damage_is_said(void **state)
{
	char path[200];
	struct stat st;

	(void)state;
	snprintf(path, sizeof path, "%s/0000000001.record", records);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 5), 0);
	assert_int_equal(run("sessions"), 0);
	has_times("out", "2 sessions\n", 1);
	has_times("err", "left out: 0 damaged messages, and ", 1);
	has_times("err", "at the end of 1 files", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_sessions_json),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_permission),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_export_json),
		cmocka_unit_test(test_export_pcap),
		cmocka_unit_test(test_explain_reads_it),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_damage_is_said),
	};

	return cmocka_run_group_tests(tests, make, end);
}
