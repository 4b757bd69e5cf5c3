/* SPDX-License-Identifier: Apache-2.0 */
/* Captures: whatever a file says, datagrams lie within it. */
#include <stdlib.h>

#include "sense/pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct pcap_datagram d;
	struct pcap capture;

	if (pcap_begin(&capture, view_of(p, n), NULL))
		return 0;
	capture.tcp = true;
	while (pcap_next(&capture, &d))
		if (d.payload.n && (d.payload.p < p || d.payload.p + d.payload.n > p + n))
			abort();
	return 0;
}
