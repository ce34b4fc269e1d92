// SPDX-License-Identifier: BSD-2-Clause
#include "control/stream.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BR_STREAM_PIECE 32768 /* bytes written at a time; libwebsockets may have to keep them */
#define BR_STREAM_HEAD	10    /* "00008000\r\n" */

void br_stream_wake(struct br_stream *stream)
{
	if (stream->wsi)
		lws_callback_on_writable(stream->wsi);
}

void br_stream_open(struct br_stream *stream, struct lws *wsi)
{
	stream->wsi = wsi;
	/* it may have nothing to say, or a client that takes nothing, for as long as it likes */
	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	br_stream_wake(stream);
}

/* Put a piece of @length bytes between the marks of a chunk; returns its begin. */
static unsigned char *br_stream_frame(unsigned char *piece, size_t *length, bool end)
{
	static const unsigned char line[] = {'\r', '\n'}, last[] = {'0', '\r', '\n', '\r', '\n'};
	char head[BR_STREAM_HEAD + 1];
	size_t framed = 0;

	if (*length) {
		snprintf(head, sizeof(head), "%08x\r\n", (unsigned int)*length);
		memcpy(piece - BR_STREAM_HEAD, head, BR_STREAM_HEAD);
		memcpy(piece + *length, line, sizeof(line));
		piece -= BR_STREAM_HEAD;
		framed = BR_STREAM_HEAD + *length + sizeof(line);
	}
	if (end) {
		memcpy(piece + framed, last, sizeof(last));
		framed += sizeof(last);
	}
	*length = framed;
	return piece;
}

/* libwebsockets reads nothing while a response is on its way, so it misses the end. */
static bool br_stream_hung_up(const struct br_stream *stream)
{
	char byte;

	return !recv(lws_get_socket_fd(stream->wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

int br_stream_send(struct br_stream *stream, bool chunked)
{
	unsigned char memory[LWS_PRE + BR_STREAM_HEAD + BR_STREAM_PIECE + 16];
	unsigned char *piece = memory + LWS_PRE + BR_STREAM_HEAD;
	bool end = false;
	size_t length;

	if (br_stream_hung_up(stream))
		return -1;
	length = stream->read(stream, piece, BR_STREAM_PIECE, &end);
	if (length == BR_STREAM_PIECE && !end)
		br_stream_wake(stream);
	if (chunked)
		piece = br_stream_frame(piece, &length, end);
	if (length &&
	    lws_write(stream->wsi, piece, length, end ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
		return -1;
	return !end;
}
