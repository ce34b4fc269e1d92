/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures: sealed packets of a room, in and out, as pcapng, to any number of clients up to
 * BR_CAPTURES_MAX. A client that reads too slowly loses packets, and its file says how many:
 * memory never grows, and forwarding is not touched.
 *
 * In the file every leg is an interface: what it sent comes in there, what it got goes out
 * there. Interface 0 is the room; its statistics are those of the whole capture.
 */
#ifndef BR_CAPTURE_H
#define BR_CAPTURE_H

#include <uv.h>

#include "control/stream.h"
#include "lib/error.h"
#include "plane/plane.h"
#include "room/room.h"

#define BR_CAPTURES_MAX		8u
#define BR_CAPTURE_SNAPLEN_MIN	64u
#define BR_CAPTURE_DURATION_MAX 86400u /* seconds */

struct br_captures;

struct br_capture_options {
	const struct br_room *room;
	const struct br_room_leg *leg; /* only this one, also when it comes back; NULL: all */
	uint32_t snaplen;	       /* bytes kept of a packet; 0: all */
	uint32_t count;		       /* packets, then it ends; 0: no limit */
	uint32_t duration;	       /* seconds, then it ends; 0: no limit */
};

/** br_captures_new - none yet; takes the events of @rooms; NULL without memory */
struct br_captures *br_captures_new(uv_loop_t *loop, struct br_plane *plane,
				    struct br_rooms *rooms);
/** br_captures_free - their streams must be closed; run the loop once more; NULL is ignored */
void br_captures_free(struct br_captures *captures);

/**
 * br_capture_begin - capture from now on
 * @options: copied
 * @stream: set on success: the file
 *
 * It ends with the room, at its limits, or when the stream is closed.
 *
 * Return: 0, -ENOSPC when BR_CAPTURES_MAX run, -ENOMEM, or what the kernel says.
 */
int br_capture_begin(struct br_captures *captures, const struct br_capture_options *options,
		     struct br_stream **stream, struct br_error *error);
/** br_captures_count - how many run now */
size_t br_captures_count(const struct br_captures *captures);

#endif
