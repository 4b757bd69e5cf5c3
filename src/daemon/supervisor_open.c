/* SPDX-License-Identifier: Apache-2.0 */
/* What the HTTP API in the role `node` needs and that role may not open by itself. */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/api_open.h"
#include "daemon/supervisor_state.h"

void supervisor_open(struct supervisor *s, struct process *p, struct view payload)
{
	struct control_opened answer;
	struct control_open what;
	struct error err = {""};
	int fd = -1, rc;

	if (p->role != ROLE_NODE || payload.n != sizeof what) {
		log_error("%s asks to open what it may not have; ending it",
			role_name(p->role));
		process_kill(p);
		return;
	}
	memcpy(&what, payload.p, sizeof what);
	memset(&answer, 0, sizeof answer);
	answer.part = what.part;
	answer.number = what.number;
	if (what.part == API_LISTENER)
		rc = fd = api_listen(s->config, what.number, &err);
	else
		rc = api_digest(answer.digest, s->config, (enum api_part)what.part,
			what.number, &err);
	if (rc < 0)
		snprintf(answer.text, sizeof answer.text, "%.299s", err.text);
	process_send(p, MSG_API_OPENED, &answer, sizeof answer, fd);
	if (fd >= 0)
		close(fd);
}
