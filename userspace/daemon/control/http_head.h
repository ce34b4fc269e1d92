/* SPDX-License-Identifier: BSD-2-Clause */
/* The head of a request as libwebsockets parsed it, checked. Internal to control/. */
#ifndef BR_HTTP_HEAD_H
#define BR_HTTP_HEAD_H

#include <libwebsockets.h>

#include "control/api.h"
#include "control/listen.h"

struct br_http_head {
	enum br_method method;
	bool http11;		/* HTTP/1.1 or later, so that chunks are understood */
	bool keep_alive;	/* the client will take another response on this connection */
	bool has_length;	/* Content-Length was given */
	bool has_other_framing; /* Transfer-Encoding was given */
	bool expects_continue;	/* Expect: 100-continue (RFC 9110 section 10.1.1) */
	uint64_t length;	/* Content-Length */
	bool body_follows;	/* libwebsockets will read a body, and not only an empty one */
	bool json;		/* Content-Type is application/json */
};

/**
 * br_http_head_read - read and check the head
 * @path: as libwebsockets hands it to LWS_CALLBACK_HTTP: decoded, @path_length as it says
 * @response: the problem when the head is refused
 *
 * Return: false when it is refused; @head is filled as far as it could be read.
 */
bool br_http_head_read(struct lws *wsi, const struct br_listener *listener, const char *path,
		       size_t path_length, struct br_http_head *head, struct br_response *response);

/** br_http_query_read - the parts of the query, decoded; false: @response is the problem */
bool br_http_query_read(struct lws *wsi, struct br_query *query, struct br_response *response);

#endif
