/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_LISTEN_H
#define SENSE_LISTEN_H

#include "base/error.h"
#include "indicator/address.h"

/*
 * A bound, non-blocking UDP socket that only receives, with so many bytes of
 * receive buffer (SO_RCVBUFFORCE, or as much of it as net.core.rmem_max allows)
 * and a drop counter (SO_RXQ_OVFL). Returns the descriptor, or -1 with a text.
 */
int listen_udp(const struct address *local, uint16_t port, int buffer, struct error *err);

/* A bound TCP socket that does not listen yet. Returns as listen_udp(). */
int listen_tcp(const struct address *local, uint16_t port, struct error *err);

#endif
