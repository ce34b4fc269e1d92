// SPDX-License-Identifier: BSD-2-Clause
#include "control/http_head.h"

#include <stdlib.h>
#include <string.h>

#include "control/problem.h"
#include "lib/addr.h"

static enum br_method br_http_method(struct lws *wsi)
{
	char *path;
	int length;

	switch (lws_http_get_uri_and_method(wsi, &path, &length)) {
	case LWSHUMETH_GET:
		return BR_METHOD_GET;
	case LWSHUMETH_HEAD:
		return BR_METHOD_HEAD;
	case LWSHUMETH_POST:
		return BR_METHOD_POST;
	case LWSHUMETH_PUT:
		return BR_METHOD_PUT;
	case LWSHUMETH_PATCH:
		return BR_METHOD_PATCH;
	case LWSHUMETH_DELETE:
		return BR_METHOD_DELETE;
	case LWSHUMETH_OPTIONS:
		return BR_METHOD_OPTIONS;
	default:
		return BR_METHOD_COUNT;
	}
}

/* Header into @out; a value too long for any use here counts as absent but for its length. */
static bool br_http_header(struct lws *wsi, enum lws_token_indexes token, char *out, int size)
{
	out[0] = '\0';
	return lws_hdr_total_length(wsi, token) > 0 && lws_hdr_copy(wsi, out, size, token) > 0;
}

/* RFC 9112 section 9.3: 1.1 keeps connections unless told to close, 1.0 the other way round. */
static bool br_http_keeps_alive(struct lws *wsi, bool http11)
{
	char value[25];

	/* libwebsockets decides by the same comparison; both must agree */
	if (!br_http_header(wsi, WSI_TOKEN_CONNECTION, value, sizeof(value)))
		return http11;
	if (!strcasecmp(value, "keep-alive"))
		return true;
	return strcasecmp(value, "close") != 0 && http11;
}

static bool br_http_is_11(struct lws *wsi)
{
	char value[12];

	return br_http_header(wsi, WSI_TOKEN_HTTP, value, sizeof(value)) &&
	       !strncmp(value, "HTTP/1.", 7) && value[7] != '0';
}

/* application/json, with or without parameters (RFC 9110 section 8.3.1). */
static bool br_http_is_json(struct lws *wsi)
{
	static const char json[] = "application/json";
	char value[128];
	const char *rest;

	if (!br_http_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, value, sizeof(value)) ||
	    strncasecmp(value, json, sizeof(json) - 1) != 0)
		return false;
	rest = value + sizeof(json) - 1;
	rest += strspn(rest, " \t");
	return !*rest || *rest == ';';
}

/*
 * A page of any site can make a browser on this machine send requests to a loopback
 * address by pointing a name of its own there (DNS rebinding). Such requests carry that
 * name: only "localhost" and literal addresses are ours.
 */
static bool br_http_host_is_local(const char *host)
{
	char name[128];
	struct br_addr addr;
	const char *end;
	size_t length;

	if (*host == '[') {
		end = strchr(++host, ']');
		length = end ? (size_t)(end - host) : 0;
	} else {
		length = strcspn(host, ":");
	}
	if (!length || length >= sizeof(name))
		return false;
	memcpy(name, host, length);
	name[length] = '\0';
	return !strcasecmp(name, "localhost") || br_addr_parse(name, &addr);
}

static bool br_http_check_host(struct lws *wsi, const struct br_listener *listener, bool http11,
			       struct br_response *response)
{
	char host[160];

	if (!lws_hdr_total_length(wsi, WSI_TOKEN_HOST)) {
		if (!http11)
			return true;
		br_problem_set(response, 400, "Host", "HTTP/1.1 expects a Host header");
		return false;
	}
	if (!listener->loopback)
		return true;
	if (br_http_header(wsi, WSI_TOKEN_HOST, host, sizeof(host)) && br_http_host_is_local(host))
		return true;
	br_problem_set(response, 421, "Host",
		       "expected localhost or an IP address, as this API listens on a loopback "
		       "address only");
	return false;
}

/* Content-Length: digits only, once (RFC 9112 section 6.3); no other framing is understood. */
static bool br_http_read_length(struct lws *wsi, struct br_http_head *head,
				struct br_response *response)
{
	char value[24];

	head->body_follows = !lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) &&
			     (head->method == BR_METHOD_POST || head->method == BR_METHOD_PUT ||
			      head->method == BR_METHOD_PATCH);
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING)) {
		head->has_other_framing = true;
		br_problem_set(response, 411, "Content-Length",
			       "expected a body with Content-Length, not Transfer-Encoding");
		return false;
	}
	if (!lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH))
		return true;
	if (!br_http_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, value, sizeof(value)) ||
	    strlen(value) > 18 || value[strspn(value, "0123456789")]) {
		head->has_other_framing = true;
		br_problem_set(response, 400, "Content-Length",
			       "expected one decimal number of bytes");
		return false;
	}
	head->has_length = true;
	head->length = strtoull(value, NULL, 10);
	head->body_follows = head->length > 0;
	return true;
}

bool br_http_head_read(struct lws *wsi, const struct br_listener *listener, const char *path,
		       size_t path_length, struct br_http_head *head, struct br_response *response)
{
	bool http11 = br_http_is_11(wsi);
	char expect[24];

	memset(head, 0, sizeof(*head));
	head->method = br_http_method(wsi);
	head->http11 = http11;
	head->keep_alive = br_http_keeps_alive(wsi, http11);
	head->json = br_http_is_json(wsi);
	head->expects_continue =
		http11 && br_http_header(wsi, WSI_TOKEN_HTTP_EXPECT, expect, sizeof(expect)) &&
		!strcasecmp(expect, "100-continue");
	if (!br_http_read_length(wsi, head, response) ||
	    !br_http_check_host(wsi, listener, http11, response))
		return false;
	/* libwebsockets cuts paths at '&' and ';' and hands out the first piece */
	if (strlen(path) != path_length) {
		br_problem_set(response, 404, NULL, "there is no path with \"&\" or \";\" in it");
		return false;
	}
	return true;
}

bool br_http_query_read(struct lws *wsi, struct br_query *query, struct br_response *response)
{
	int total = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS), seen = 0, length;

	query->count = 0;
	/* libwebsockets counts a byte between two parts */
	for (int i = 0; seen < total; i++) {
		if (query->count == BR_QUERY_MAX) {
			br_problem_set(response, 400, NULL, "expected at most %d query parameters",
				       BR_QUERY_MAX);
			return false;
		}
		length = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
		if (lws_hdr_copy_fragment(wsi, query->params[query->count], BR_QUERY_TEXT,
					  WSI_TOKEN_HTTP_URI_ARGS, i) < 0 ||
		    strlen(query->params[query->count]) != (size_t)length) {
			br_problem_set(response, 400, NULL,
				       "expected query parameters of at most %d bytes each, "
				       "without NUL",
				       BR_QUERY_TEXT - 1);
			return false;
		}
		query->count++;
		seen += length + 1;
	}
	return true;
}
