/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sense/syslog_frame.h"
#include "sense/syslog_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static size_t taken;

static void within(struct view part, struct view whole)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

static void check(void *context, struct view packet)
{
	struct syslog_message m;

	(void)context;
	taken += packet.n;
	if (packet.n > SYSLOG_MESSAGE_MAX)
		abort();
	if (syslog_message_parse(&m, packet))
		return;
	if (m.facility > 23 || m.severity > 7)
		abort();
	within(m.entry.host, packet);
	within(m.entry.app, packet);
	within(m.entry.pid, packet);
	within(m.entry.message, packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct syslog_frames f;
	size_t whole;
	int rc;

	if (size <= SYSLOG_MESSAGE_MAX)
		check(NULL, view_of(input, size));
	/* As a stream, at once and in two pieces: the same comes of it. */
	memset(&f, 0, sizeof f);
	taken = 0;
	rc = syslog_frames_feed(&f, view_of(input, size), check, NULL);
	whole = taken;
	memset(&f, 0, sizeof f);
	taken = 0;
	if (syslog_frames_feed(&f, view_of(input, size / 3), check, NULL))
		return rc ? 0 : (abort(), 0);
	if (syslog_frames_feed(
		    &f, view_of(input + size / 3, size - size / 3), check, NULL) != rc ||
		taken != whole)
		abort();
	return 0;
}
