/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define LIBRARY "libmicrohttpd.so.12"

struct http_library mhd;

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	{"MHD_start_daemon", offsetof(struct http_library, start)},
	{"MHD_stop_daemon", offsetof(struct http_library, stop)},
	{"MHD_run", offsetof(struct http_library, run)},
	{"MHD_get_timeout", offsetof(struct http_library, timeout)},
	{"MHD_get_daemon_info", offsetof(struct http_library, daemon_info)},
	{"MHD_get_connection_info", offsetof(struct http_library, connection_info)},
	{"MHD_add_connection", offsetof(struct http_library, add_connection)},
	{"MHD_suspend_connection", offsetof(struct http_library, suspend)},
	{"MHD_resume_connection", offsetof(struct http_library, resume)},
	{"MHD_lookup_connection_value", offsetof(struct http_library, lookup)},
	{"MHD_get_connection_values", offsetof(struct http_library, values)},
	{"MHD_create_response_from_buffer", offsetof(struct http_library, response)},
	{"MHD_create_response_from_callback", offsetof(struct http_library, stream)},
	{"MHD_add_response_header", offsetof(struct http_library, header)},
	{"MHD_queue_response", offsetof(struct http_library, queue)},
	{"MHD_destroy_response", offsetof(struct http_library, destroy)},
};

int http_library_load(struct error *err)
{
	void *handle;

	if (mhd.start)
		return 0;
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return error_set(err,
			LIBRARY " cannot be loaded (%s): install libmicrohttpd12, or "
				"remove [api] listen",
			dlerror());
	for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
		void *found = dlsym(handle, symbols[i].name);

		if (!found) {
			memset(&mhd, 0, sizeof mhd);
			dlclose(handle);
			return error_set(err, LIBRARY " has no %s: it is too old",
				symbols[i].name);
		}
		memcpy((char *)&mhd + symbols[i].offset, &found, sizeof found);
	}
	return 0;
}
