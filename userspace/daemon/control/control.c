// SPDX-License-Identifier: BSD-2-Clause
/* Opening and closing the control API: libwebsockets as a guest on the daemon's loop. */
#include "control/control.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/api.h"
#include "control/capture.h"
#include "control/http.h"
#include "control/listen.h"
#include "control/router.h"
#include "control/top.h"
#include "lib/log.h"

#define BR_CONTROL_HEADER_SECONDS    20 /* for the head of a request, and between parts of a body */
#define BR_CONTROL_KEEPALIVE_SECONDS 60

struct br_control {
	struct br_api api;
	struct br_http http;
	struct lws_context *lws; /* set to NULL by libwebsockets when it has gone */
	uv_loop_t *loop;
	struct br_listener listeners[2];
	unsigned int closing; /* listeners and top, until the loop has let them go */
};

static void br_control_lws_log(int level, const char *line)
{
	(void)level;
	br_log_warn("control: libwebsockets: %.*s", (int)strcspn(line, "\n"), line);
}

static int br_control_start_lws(struct br_control *control)
{
	void *loops[] = {control->loop};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.options = LWS_SERVER_OPTION_LIBUV,
		.foreign_loops = loops,
		.protocols = br_http_protocols(),
		.pcontext = &control->lws,
		.timeout_secs = BR_CONTROL_HEADER_SECONDS,
		.keepalive_timeout = BR_CONTROL_KEEPALIVE_SECONDS,
		.max_http_header_pool = 2 * BR_LISTEN_CONNECTIONS_MAX,
		/* of our own, else its tables grow with the process' limit; the rest for its pipe
		 */
		.fd_limit_per_thread = 2 * BR_LISTEN_CONNECTIONS_MAX + 8,
		.vhost_name = "control",
	};

	lws_set_log_level(LLL_ERR, br_control_lws_log);
	control->lws = lws_create_context(&info);
	if (!control->lws)
		return -ENOMEM;
	control->http.vhost = lws_get_vhost_by_name(control->lws, "control");
	return control->http.vhost ? 0 : -EINVAL;
}

struct br_control_search {
	const void *context;
	bool found;
};

static void br_control_search_handle(uv_handle_t *handle, void *arg)
{
	struct br_control_search *search = arg;

	if (handle->data == search->context)
		search->found = true;
}

/*
 * libwebsockets 4.1 closes in two steps on a foreign loop: the first lws_context_destroy
 * asks libuv to close every connection, then its own timer and idle handle, which are part
 * of the context and carry it as their data; a second call frees the context, too early
 * while one of them is still in the loop.
 */
static void br_control_stop_lws(struct br_control *control)
{
	struct br_control_search search = {.context = control->lws};

	if (!control->lws)
		return;
	lws_context_destroy(control->lws);
	do {
		uv_run(control->loop, UV_RUN_NOWAIT);
		search.found = false;
		if (control->lws)
			uv_walk(control->loop, br_control_search_handle, &search);
	} while (search.found);
	if (control->lws)
		lws_context_destroy(control->lws);
}

static void br_control_listener_closed(uv_handle_t *handle)
{
	struct br_listener *listener = handle->data;
	struct br_http *http = listener->context;
	struct br_control *control =
		(struct br_control *)((char *)http - offsetof(struct br_control, http));

	control->closing--;
}

static void br_control_top_closed(void *context)
{
	struct br_control *control = context;

	control->closing--;
}

void br_control_close(struct br_control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < 2; i++)
		if (br_listen_close(&control->listeners[i], br_control_listener_closed))
			control->closing++;
	if (br_top_close(control->api.top, br_control_top_closed, control))
		control->closing++;
	br_control_stop_lws(control);
	while (control->closing)
		uv_run(control->loop, UV_RUN_NOWAIT);
	br_captures_free(control->api.captures);
	free(control->api.counts);
	free(control);
}

int br_control_open(const struct br_control_options *options, uv_loop_t *loop,
		    struct br_plane *plane, struct br_rooms *rooms, struct br_control **out,
		    struct br_error *error)
{
	struct br_control *control = calloc(1, sizeof(*control));
	struct timespec now;
	int err;

	if (!control)
		return br_error_set(error, -ENOMEM, "control", "out of memory");
	control->loop = loop;
	control->http.api = &control->api;
	for (size_t i = 0; i < 2; i++) {
		control->listeners[i].fd = -1;
		control->listeners[i].accept = br_http_adopt;
		control->listeners[i].context = &control->http;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	control->api.plane = plane;
	control->api.rooms = rooms;
	control->api.media_port = options->media_port;
	control->api.port = options->port;
	control->api.started_ms = now.tv_sec * 1000ll + now.tv_nsec / 1000000;
	snprintf(control->api.version, sizeof(control->api.version), "%s",
		 options->version ? options->version : "unknown");
	control->api.counts = br_router_counts_new();
	control->api.top = br_top_new(loop, plane, rooms);
	control->api.captures = br_captures_new(loop, plane, rooms);
	if (!control->api.counts || !control->api.top || !control->api.captures) {
		err = br_error_set(error, -ENOMEM, "control", "out of memory");
		goto fail;
	}
	err = br_control_start_lws(control);
	if (err) {
		br_error_set(error, err, "control",
			     "libwebsockets did not start on the event loop; is the package "
			     "libwebsockets-evlib-uv installed?");
		goto fail;
	}
	if (options->listen.port)
		err = br_listen_tcp(&control->listeners[0], loop, &options->listen, error);
	if (!err && options->socket_path && options->socket_path[0])
		err = br_listen_unix(&control->listeners[1], loop, options->socket_path, error);
	if (err)
		goto fail;
	*out = control;
	return 0;

fail:
	br_control_close(control);
	return err;
}
