/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain honeypot export: JSON lines, or a capture. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/honeypot.h"
#include "sense/observation.h"
#include "sense/pcap_write.h"

struct export
{
	struct honeypot_filter filter;
	/* Where the number or the proof counts, sessions are taken whole; else NULL. */
	struct honeypot_sessions *sessions;
	const char *path; /* "-": standard output */
	FILE *out;
	struct pcap_writer *pcap; /* NULL: JSON lines */
	struct buffer packet;
	uint64_t written, left_out, streams;
};

/* --- one message --- */

static int write_json(struct export *e, const struct record *r)
{
	json_t *o = honeypot_message_json(r);
	int rc;

	if (!o)
		return -1;
	rc = json_dumpf(o, e->out, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o);
	if (rc || fputc('\n', e->out) == EOF)
		return -1;
	e->written++;
	return 0;
}

/* The other end has an address of the same family, be it not known which. */
static struct address local_of(const struct record *r)
{
	return r->local.family == r->remote.family ?
		r->local :
		(struct address){.family = r->remote.family};
}

static int write_packet(struct export *e, const struct record *r)
{
	struct address local = local_of(r);
	struct pcap_message m = {.time = r->time,
		.source = r->out ? local : r->remote,
		.destination = r->out ? r->remote : local,
		.source_port = r->out ? r->local_port : r->remote_port,
		.destination_port = r->out ? r->remote_port : r->local_port,
		.tcp = r->transport != TRANSPORT_UDP,
		.payload = r->bytes};

	e->packet.n = 0;
	if (pcap_write(e->pcap, &e->packet, &m)) {
		e->left_out++;
		return e->packet.failed ? -1 : 0;
	}
	e->written++;
	e->streams += r->transport != TRANSPORT_UDP && r->transport != TRANSPORT_TCP;
	return fwrite(e->packet.p, 1, e->packet.n, e->out) == e->packet.n ? 0 : -1;
}

static bool takes(const struct export *e, const struct record *r)
{
	return honeypot_takes(&e->filter, r) &&
		(!e->sessions ||
			honeypot_sessions_has(
				e->sessions, honeypot_session_id(&e->filter, r)));
}

/* --- all of them --- */

static int cannot_write(const struct export *e)
{
	return failure(CONTROL_FAILED, "%s: %s", shown(e->path), strerror(errno));
}

static int write_all(struct export *e, struct record_reader *r, struct error *err)
{
	struct record record;
	int rc = record_reader_since(r, e->filter.since, err);

	if (!rc && e->pcap && !pcap_write_header(&e->packet))
		fwrite(e->packet.p, 1, e->packet.n, e->out);
	while (!rc && (rc = record_reader_next(r, &record, err)) > 0) {
		rc = 0;
		if (!takes(e, &record))
			continue;
		if (e->filter.limit && e->written == e->filter.limit)
			break;
		if (e->pcap ? write_packet(e, &record) : write_json(e, &record))
			return cannot_write(e);
	}
	if (rc)
		return failure(CONTROL_FAILED, "%s", err->text);
	return fflush(e->out) ? cannot_write(e) : 0;
}

/* Where it goes: a file that is not there yet, for its owner alone. */
static int open_out(struct export *e)
{
	int fd;

	e->out = stdout;
	if (!strcmp(e->path, "-"))
		return e->pcap && isatty(STDOUT_FILENO) ?
			failure(CONTROL_USAGE,
				"--pcap -: standard output is a terminal; name a file, or "
				"pipe it into a program") :
			0;
	fd = open(e->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return failure(errno == EACCES ? CONTROL_PERMISSION : CONTROL_FAILED,
			"%s: %s", shown(e->path), strerror(errno));
	e->out = fdopen(fd, "wb");
	if (e->out)
		return 0;
	close(fd);
	unlink(e->path);
	return failure(CONTROL_FAILED, "out of memory");
}

/* Close it; what is half written is of no use. Returns the exit code. */
static int close_out(struct export *e, int code)
{
	if (e->out == stdout)
		return code;
	if (fclose(e->out) && !code)
		code = cannot_write(e);
	if (code)
		unlink(e->path);
	return code;
}

static void say_what(const struct export *e)
{
	if (strcmp(e->path, "-"))
		printf("%s: %llu messages\n", shown(e->path),
			(unsigned long long)e->written);
	if (e->left_out)
		fprintf(stderr,
			"sipchain: %llu messages are not in it: no packet can be made of "
			"them\n",
			(unsigned long long)e->left_out);
	if (e->streams)
		fprintf(stderr,
			"sipchain: %llu messages came over TLS or WebSocket; they are in it "
			"deciphered, as TCP: in Wireshark, Analyze, Decode As, their port "
			"as SIP\n",
			(unsigned long long)e->streams);
}

static int run(struct export *e, struct invocation *in)
{
	struct record_reader *r;
	int code;

	if (e->filter.number[0] || e->filter.proved) {
		e->sessions = honeypot_sessions_read(in, &e->filter, &code);
		if (!e->sessions)
			return code;
	}
	r = honeypot_open(in, &code);
	if (!r)
		return code;
	code = open_out(e);
	if (!code) {
		progress_begin("writing");
		code = write_all(e, r, &in->error);
		progress_end();
		code = close_out(e, code);
	}
	if (code)
		record_reader_close(r);
	else
		honeypot_close(r);
	if (!code)
		say_what(e);
	return code;
}

int run_honeypot_export(struct invocation *in)
{
	struct export e = {.path = option(in, OPTION_PCAP, option(in, OPTION_OUT, "-"))};
	int code = honeypot_filter_read(&e.filter, in, clock_wall());

	if (code)
		return code;
	if (given(in, OPTION_PCAP) && (given(in, OPTION_OUT) || given(in, OPTION_JSON)))
		return failure(CONTROL_USAGE,
			"--pcap writes a capture, --out JSON lines: give one of them");
	if (given(in, OPTION_PCAP) && !(e.pcap = pcap_writer_new()))
		return failure(CONTROL_FAILED, "out of memory");
	code = run(&e, in);
	pcap_writer_free(e.pcap);
	honeypot_sessions_free(e.sessions);
	buffer_free(&e.packet);
	return code;
}
