/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A body that is made while it is sent. A handler leaves one in its response; http.c reads it
 * whenever the client can take more, so a slow client is the maker's to deal with.
 */
#ifndef BR_STREAM_H
#define BR_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct lws;

struct br_stream {
	/*
	 * Up to @room bytes into @out; returns how many. 0: nothing now, br_stream_wake
	 * follows when there is. @end: nothing comes after these.
	 */
	size_t (*read)(struct br_stream *stream, void *out, size_t room, bool *end);
	/* All was sent, or the client is gone: free it. Called once, also if never read. */
	void (*close)(struct br_stream *stream);
	struct lws *wsi; /* of http.c: the connection */
};

/**
 * br_stream_wake - there is something to read
 *
 * Also a few times a second when there is not: a client that is gone is noticed then.
 */
void br_stream_wake(struct br_stream *stream);

/*
 * For http.c.
 */

/** br_stream_open - the head of the response has been sent; the rest is for br_stream_send */
void br_stream_open(struct br_stream *stream, struct lws *wsi);
/**
 * br_stream_send - send what is ready, when the connection is writable
 * @chunked: frame it as chunks (RFC 9112 section 7.1)
 *
 * Return: 1 when more will come, 0 when all was sent, -1 when the connection is broken.
 */
int br_stream_send(struct br_stream *stream, bool chunked);

#endif
