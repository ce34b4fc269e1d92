// SPDX-License-Identifier: BSD-2-Clause
#include "media/slow_capture.h"

#include <string.h>
#include <time.h>

static void br_slow_show_packet(struct br_plane *plane, const struct br_datagram *datagram,
				struct br_capture_packet *packet)
{
	uint8_t frame[BR_CAPTURE_MAX];
	size_t headers = br_datagram_headers(datagram, frame), payload = datagram->length;
	struct timespec now;

	packet->length = headers + payload;
	if (payload > sizeof(frame) - headers)
		payload = sizeof(frame) - headers;
	memcpy(frame + headers, datagram->payload, payload);
	clock_gettime(CLOCK_MONOTONIC, &now);
	packet->time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	packet->frame = frame;
	packet->shown = headers + payload;
	br_plane_capture_show(plane, packet);
}

void br_slow_show(struct br_plane *plane, const struct br_datagram *datagram, uint32_t leg,
		  int reason)
{
	struct br_capture_packet packet = {
		.leg = leg,
		.from = leg,
		.reason = (enum br_reason)reason,
		.point = BR_CAPTURE_IN,
	};

	br_slow_show_packet(plane, datagram, &packet);
}

void br_slow_show_copy(struct br_plane *plane, const struct br_datagram *datagram, uint32_t leg,
		       uint32_t from, int reason, const struct br_port_copy *copy)
{
	struct br_capture_packet packet = {
		.leg = leg,
		.from = from,
		.reason = reason ? (enum br_reason)reason : BR_COPIED,
		.point = BR_CAPTURE_OUT,
	};
	struct br_datagram out = *datagram;

	if (copy && !reason) {
		out.remote =
			(struct br_endpoint){.addr = copy->local, .port = datagram->local.port};
		out.local = copy->remote;
		out.ttl--;
	}
	br_slow_show_packet(plane, &out, &packet);
}
