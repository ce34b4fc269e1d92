/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP connections over libwebsockets: requests in, responses out. Internal to control/. */
#ifndef BR_HTTP_H
#define BR_HTTP_H

#include <libwebsockets.h>

#include "control/api.h"
#include "control/listen.h"

/* What a connection belongs to. */
struct br_http {
	struct br_api *api;
	struct lws_vhost *vhost;
};

/** br_http_protocols - for lws_create_context; ends with an empty entry */
const struct lws_protocols *br_http_protocols(void);

/**
 * br_http_adopt - serve a connection
 * @listener: its context is a struct br_http; told by br_listen_done when the connection ends
 * @fd: connected and non-blocking; owned from here on, closed on failure
 */
bool br_http_adopt(struct br_listener *listener, int fd);

#endif
