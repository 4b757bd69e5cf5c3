/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_HTTP_LIBRARY_H
#define API_HTTP_LIBRARY_H

#include <microhttpd.h>

#include "base/error.h"

/*
 * libmicrohttpd, loaded when the HTTP API is configured and not before: it brings
 * GnuTLS and six more libraries, which five processes would otherwise carry along,
 * four of them for nothing.
 */
struct http_library {
	__typeof__(&MHD_start_daemon) start;
	__typeof__(&MHD_stop_daemon) stop;
	__typeof__(&MHD_run) run;
	__typeof__(&MHD_get_timeout) timeout;
	__typeof__(&MHD_get_daemon_info) daemon_info;
	__typeof__(&MHD_get_connection_info) connection_info;
	__typeof__(&MHD_add_connection) add_connection;
	__typeof__(&MHD_suspend_connection) suspend;
	__typeof__(&MHD_resume_connection) resume;
	__typeof__(&MHD_lookup_connection_value) lookup;
	__typeof__(&MHD_get_connection_values) values;
	__typeof__(&MHD_create_response_from_buffer) response;
	__typeof__(&MHD_create_response_from_callback) stream;
	__typeof__(&MHD_add_response_header) header;
	__typeof__(&MHD_queue_response) queue;
	__typeof__(&MHD_destroy_response) destroy;
};

extern struct http_library mhd;

/* Load it, once. Returns 0, or -1 with a text that names the package. */
int http_library_load(struct error *err);

#endif
