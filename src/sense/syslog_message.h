/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_SYSLOG_MESSAGE_H
#define SENSE_SYSLOG_MESSAGE_H

#include "sense/log_entry.h"

/*
 * One syslog message as appliances send them: RFC 5424, or what RFC 3164
 * describes and every device writes a little differently (without a time,
 * without a host, with a time as in RFC 3339).
 */
struct syslog_message {
	uint8_t facility; /* 0..23 */
	uint8_t severity; /* 0..7 */
	/*
	 * Views into the packet. time is 0 for RFC 3164, which names neither year
	 * nor zone.
	 */
	struct log_entry entry;
};

/*
 * Parse a packet. Line breaks and NUL bytes at its end are not part of it.
 * Returns 0, or -1 when it does not begin with a priority (<0> .. <191>) or
 * claims to be RFC 5424 and is not.
 */
int syslog_message_parse(struct syslog_message *m, struct view packet);

#endif
