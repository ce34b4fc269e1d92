// SPDX-License-Identifier: BSD-2-Clause
/*
 * One request at a time on a connection: the head is checked and routed, a body is
 * collected, the handler runs, one buffer with head and body of the response goes out.
 */
#include "control/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "control/http_head.h"
#include "control/problem.h"
#include "control/query.h"
#include "control/router.h"

/* A refused body up to this size is read and thrown away, so that the client reads our answer. */
#define BR_HTTP_DISCARD_MAX (8ul * 1024 * 1024)
/* Seconds that a client may take to send a body. */
#define BR_HTTP_BODY_SECONDS 30
/* Seconds that we go on reading after the last response of a connection. */
#define BR_HTTP_LINGER_SECONDS 5

struct br_http_session {
	struct br_listener *listener;
	struct br_http_head head;
	struct br_request request;
	const struct br_route_entry *route; /* NULL: none matched */
	bool answered;			    /* the current request needs nothing more */
	bool close;			    /* after the response */
	bool lingering;			    /* our side is closed, what comes is thrown away */
	uint64_t discarded;		    /* bytes */
	time_t deadline;		    /* CLOCK_MONOTONIC seconds for what is being read */
	char *body;
	struct br_stream *stream; /* body being sent; NULL: none */
};

static time_t br_http_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static struct br_api *br_http_api(const struct br_http_session *session)
{
	return ((struct br_http *)session->listener->context)->api;
}

/* Head of the response, then the body unless it was a HEAD request. */
static void br_http_compose(const struct br_http_session *session,
			    const struct br_response *response, struct br_buffer *out)
{
	char date[64];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	br_buffer_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", response->status,
			 br_status_title(response->status), date);
	if (response->content_type)
		br_buffer_printf(out, "Content-Type: %s\r\n", response->content_type);
	/* what is made while it is sent has no length; RFC 9110 section 8.6: neither has 204 */
	if (response->streamed && session->head.http11)
		br_buffer_text(out, "Transfer-Encoding: chunked\r\n");
	else if (!response->streamed && response->status != 204)
		br_buffer_printf(out, "Content-Length: %zu\r\n", response->body.length);
	if (response->location[0])
		br_buffer_printf(out, "Location: %s\r\n", response->location);
	if (response->link[0])
		br_buffer_printf(out, "Link: %s\r\n", response->link);
	if (response->allow[0])
		br_buffer_printf(out, "Allow: %s\r\n", response->allow);
	if (response->retry_later)
		br_buffer_text(out, "Retry-After: 1\r\n");
	br_buffer_printf(out,
			 "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
			 "Connection: %s\r\n\r\n",
			 session->close ? "close" : "keep-alive");
	if (session->head.method != BR_METHOD_HEAD && response->body.length)
		br_buffer_add(out, response->body.data, response->body.length);
}

/*
 * Close our side only and read on for a while, where libwebsockets is about to wait for a
 * body: a socket closed with bytes unread resets the connection, and the client may lose
 * the response (RFC 9112 section 9.6). Zero: it lingers.
 */
static int br_http_linger(struct lws *wsi, struct br_http_session *session)
{
	if (!session->head.body_follows || session->request.body_length ||
	    lws_partial_buffered(wsi) || shutdown(lws_get_socket_fd(wsi), SHUT_WR))
		return -1;
	session->lingering = true;
	session->discarded = 0;
	session->deadline = br_http_now() + BR_HTTP_LINGER_SECONDS;
	return 0;
}

static int br_http_end(struct lws *wsi, struct br_http_session *session)
{
	if (session->close)
		return br_http_linger(wsi, session);
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* The connection can take more of a body that is made while it is sent. */
static int br_http_stream(struct lws *wsi, struct br_http_session *session)
{
	int more = br_stream_send(session->stream, session->head.http11);

	if (more > 0)
		return 0;
	session->stream->close(session->stream);
	session->stream = NULL;
	return more < 0 ? -1 : br_http_end(wsi, session);
}

/*
 * Send and end the transaction, or leave that to the stream; the result is for libwebsockets:
 * non-zero closes.
 */
static int br_http_send(struct lws *wsi, struct br_http_session *session,
			struct br_response *response)
{
	struct br_buffer out = {0};
	static const unsigned char headroom[LWS_PRE];
	int sent = -1;

	br_router_count(br_http_api(session)->counts, session->route, session->head.method,
			response->status);
	session->answered = true;
	free(session->body);
	session->body = NULL;

	if (response->body.failed)
		br_problem_set(response, 503, NULL, "out of memory");
	/* without chunks only the end of the connection ends the body */
	if (response->streamed && !session->head.http11)
		session->close = true;
	br_buffer_add(&out, headroom, sizeof(headroom));
	br_http_compose(session, response, &out);
	if (!out.failed)
		sent = lws_write(wsi, (unsigned char *)out.data + LWS_PRE, out.length - LWS_PRE,
				 response->stream ? LWS_WRITE_HTTP : LWS_WRITE_HTTP_FINAL);
	br_buffer_free(&out);
	if (sent >= 0) {
		session->stream = response->stream;
		response->stream = NULL;
	}
	br_response_free(response);
	if (sent < 0)
		return -1;
	if (!session->stream)
		return br_http_end(wsi, session);
	br_stream_open(session->stream, wsi);
	return 0;
}

static int br_http_run(struct lws *wsi, struct br_http_session *session)
{
	struct br_response response = {0};

	session->request.body = session->body;
	session->route->handler(br_http_api(session), &session->request, &response);
	return br_http_send(wsi, session, &response);
}

/* May the body come, by size and type? */
static bool br_http_check_body(const struct br_http_session *session, struct br_response *response)
{
	const struct br_http_head *head = &session->head;
	enum br_body_policy policy = session->route->body;

	if (head->length > BR_API_BODY_MAX) {
		br_problem_set(response, 413, NULL,
			       "expected a body of at most %lu bytes, got %llu", BR_API_BODY_MAX,
			       (unsigned long long)head->length);
		return false;
	}
	if (policy == BR_BODY_REQUIRED && !head->has_length) {
		br_problem_set(response, 411, "Content-Length",
			       "expected a JSON body and its Content-Length");
		return false;
	}
	if (policy != BR_BODY_NONE && (head->length || policy == BR_BODY_REQUIRED) && !head->json) {
		br_problem_set(response, 415, "Content-Type", "expected application/json");
		return false;
	}
	return true;
}

/*
 * libwebsockets waits for 100 MiB when POST, PUT or PATCH come without Content-Length, which
 * RFC 9112 section 6.3 reads as "no body": such a connection can only be closed afterwards.
 */
static bool br_http_must_close(const struct br_http_head *head)
{
	bool body_method = head->method == BR_METHOD_POST || head->method == BR_METHOD_PUT ||
			   head->method == BR_METHOD_PATCH;

	return !head->keep_alive || head->has_other_framing || (body_method && !head->has_length) ||
	       head->length > BR_HTTP_DISCARD_MAX;
}

static int br_http_begin(struct lws *wsi, struct br_http_session *session, const char *path,
			 size_t path_length)
{
	struct br_http_head *head = &session->head;
	struct br_response response = {0};
	bool good;

	free(session->body);
	session->body = NULL;
	session->answered = false;
	session->route = NULL;
	memset(&session->request, 0, sizeof(session->request));

	good = br_http_head_read(wsi, session->listener, path, path_length, head, &response);
	session->close = br_http_must_close(head);
	session->request.method = head->method;
	if (good)
		session->route = br_router_find(path, &session->request, &response);
	if (!session->route || !br_http_check_body(session, &response))
		return br_http_send(wsi, session, &response);
	/* probes and scrapers may say what they like */
	if (!strncmp(path, "/v1/", 4) &&
	    !(br_http_query_read(wsi, &session->request.query, &response) &&
	      br_query_check(&session->request.query, br_router_query(session->route), &response)))
		return br_http_send(wsi, session, &response);
	/* libwebsockets reports the end of an empty body after POST only */
	if (!head->length && head->method != BR_METHOD_POST)
		return br_http_run(wsi, session);

	session->deadline = br_http_now() + BR_HTTP_BODY_SECONDS;
	session->body = malloc(head->length + 1);
	if (!session->body) {
		br_problem_set(&response, 503, NULL, "out of memory");
		return br_http_send(wsi, session, &response);
	}
	if (head->expects_continue && head->length) {
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
		unsigned char line[LWS_PRE + sizeof(go_on)];

		memcpy(line + LWS_PRE, go_on, sizeof(go_on));
		if (lws_write(wsi, line + LWS_PRE, sizeof(go_on) - 1, LWS_WRITE_HTTP) < 0)
			return -1;
	}
	return 0;
}

static int br_http_body(struct lws *wsi, struct br_http_session *session, const void *in,
			size_t length)
{
	struct br_request *request = &session->request;
	struct br_response response = {0};

	if (session->lingering) {
		session->discarded += length;
		return session->discarded > BR_HTTP_DISCARD_MAX || br_http_now() > session->deadline
			       ? -1
			       : 0;
	}
	if (session->answered || !session->body || !length)
		return 0;
	if (length > session->head.length - request->body_length)
		return -1;
	memcpy(session->body + request->body_length, in, length);
	request->body_length += length;
	if (request->body_length == session->head.length || br_http_now() < session->deadline)
		return 0;
	session->close = true;
	br_problem_set(&response, 408, NULL, "the body did not arrive within %d seconds",
		       BR_HTTP_BODY_SECONDS);
	return br_http_send(wsi, session, &response);
}

/* Another protocol was asked for; "h2c" is all that HTTP libraries try on their own. */
static int br_http_upgrade(struct lws *wsi, struct br_http_session *session)
{
	struct br_response response = {0};

	session->close = true;
	session->route = NULL;
	session->head.method = BR_METHOD_COUNT;
	br_problem_set(&response, 501, "Upgrade", "expected HTTP/1.1 without an upgrade");
	return br_http_send(wsi, session, &response);
}

static int br_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			    size_t length)
{
	struct br_http_session *session = lws_get_opaque_user_data(wsi);

	(void)user;
	if (!session)
		return 0;
	switch (reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return br_http_upgrade(wsi, session);
	case LWS_CALLBACK_HTTP:
		return br_http_begin(wsi, session, in, length);
	case LWS_CALLBACK_HTTP_BODY:
		return br_http_body(wsi, session, in, length);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		if (session->lingering)
			return -1;
		return session->answered || !session->route ? 0 : br_http_run(wsi, session);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return session->stream ? br_http_stream(wsi, session) : 0;
	case LWS_CALLBACK_WSI_DESTROY:
		if (session->stream)
			session->stream->close(session->stream);
		lws_set_opaque_user_data(wsi, NULL);
		br_listen_done(session->listener);
		free(session->body);
		free(session);
		return 0;
	default:
		return 0;
	}
}

const struct lws_protocols *br_http_protocols(void)
{
	static const struct lws_protocols protocols[] = {
		{.name = "http", .callback = br_http_callback},
		{0},
	};

	return protocols;
}

bool br_http_adopt(struct br_listener *listener, int fd)
{
	struct br_http *http = listener->context;
	struct br_http_session *session = calloc(1, sizeof(*session));
	struct lws *wsi;

	if (!session) {
		close(fd);
		return false;
	}
	session->listener = listener;
	/* takes the descriptor in any case */
	wsi = lws_adopt_socket_vhost(http->vhost, fd);
	if (!wsi) {
		free(session);
		return false;
	}
	lws_set_opaque_user_data(wsi, session);
	return true;
}
