/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_INJECTION_H
#define SENSE_INJECTION_H

#include "sip/message.h"

/*
 * Text in a SIP message that means to be read as something else by whoever
 * reads the PBX's log: fail2ban's patterns, AMI clients, this program. Nobody
 * writes such by accident, so one is an offence. Pure.
 *
 * Looked at are the texts that the sender chooses and PBXs write into logs:
 * display names and user parts of From and To, the Request-URI's user part,
 * Call-ID, User-Agent, and user name, realm, nonce and response of credentials,
 * each as it came and with its %-escapes undone. It is an injection when there
 * is
 *   - an escaped control character (%0a, %0d, %00: a second line, a cut one);
 *   - a phrase of log lines ("failed for '", "SecurityEvent=", "] NOTICE[", ...);
 *   - an IPv4 address as the value of a field (src=192.0.2.1,
 *     RemoteAddress="IPV4/UDP/192.0.2.1/5060"): what names a victim.
 */

/* "From", "Call-ID", ...: the field that holds such text, or NULL. */
const char *injection_field(const struct sip_message *request);

/*
 * The same for a packet that is no SIP: whether a line of it begins like a
 * log's, or holds one of the phrases. Looks at the first 4,096 bytes.
 */
bool injection_packet(struct view packet);

/* Whether one text is of that kind. Looks at its first 1,024 bytes. */
bool injection_text(struct view text);

#endif
