// SPDX-License-Identifier: BSD-2-Clause
#include "media/slow.h"

#include <errno.h>
#include <stdlib.h>

#include "media/port.h"
#include "media/slow_capture.h"
#include "plane/slow.h"

struct br_slow {
	struct br_plane *plane;
	struct br_port *port;
	/* the batch that is being filled */
	struct br_port_copy copies[BR_PORT_COPIES];
	uint32_t legs[BR_PORT_COPIES];
	uint32_t count;
	uint32_t from; /* leg of the sender */
};

/* Why a copy that the socket did not take goes nowhere. */
static int br_slow_send_reason(int error)
{
	switch (error) {
	case 0:
		return 0;
	case -EMSGSIZE:
		return BR_TOO_BIG;
	case -EAGAIN:
	case -ENOBUFS:
	case -ENOMEM:
		return BR_OVERLOAD;
	default: /* no route, link down, source address gone */
		return BR_NO_NEXT_HOP;
	}
}

static void br_slow_flush(struct br_slow *slow, const struct br_datagram *datagram)
{
	if (slow->count)
		br_port_send(slow->port, datagram, slow->copies, slow->count);
	for (uint32_t i = 0; i < slow->count; i++) {
		const struct br_port_copy *copy = &slow->copies[i];
		uint32_t length = br_datagram_ip_length(copy->remote.addr.family, datagram->length);

		int reason = br_slow_send_reason(copy->error);

		br_plane_slow_count_copy(slow->plane, slow->legs[i], reason, length);
		if (br_plane_captured(slow->plane, slow->legs[i]))
			br_slow_show_copy(slow->plane, datagram, slow->legs[i], slow->from, reason,
					  copy);
	}
	slow->count = 0;
}

/* Copies to everybody on the route; returns how many were tried. */
static uint32_t br_slow_spread(struct br_slow *slow, const struct br_datagram *datagram,
			       const struct br_slow_route *route)
{
	slow->from = route->leg;
	for (uint32_t i = 0; i < route->count; i++) {
		uint32_t leg = route->edges[i].leg;
		struct br_slow_target target;
		int reason = br_plane_slow_target(slow->plane, leg, route->leg, &target);

		if (reason) {
			br_plane_slow_count_copy(slow->plane, leg, reason, 0);
			if (br_plane_captured(slow->plane, leg))
				br_slow_show_copy(slow->plane, datagram, leg, route->leg, reason,
						  NULL);
			continue;
		}
		slow->legs[slow->count] = leg;
		slow->copies[slow->count++] = (struct br_port_copy){
			.remote = target.remote,
			.local = target.local,
			.ifindex = target.ifindex,
		};
		if (slow->count == BR_PORT_COPIES)
			br_slow_flush(slow, datagram);
	}
	br_slow_flush(slow, datagram);
	return route->count;
}

/* A packet that the kernel has admitted, for those that the daemon serves. */
static uint32_t br_slow_tapped(void *context, const struct br_datagram *datagram,
			       const struct br_slow_route *route)
{
	return br_slow_spread(context, datagram, route);
}

/* A packet that came up the stack, for everybody. */
static uint32_t br_slow_read(void *context, const struct br_datagram *datagram)
{
	struct br_slow *slow = context;
	struct br_slow_route route = {.leg = UINT32_MAX};
	int reason = br_plane_slow_admit(slow->plane, datagram, &route);

	br_plane_slow_count(slow->plane, reason,
			    br_datagram_ip_length(datagram->remote.addr.family, datagram->length));
	if (br_plane_captured(slow->plane, route.leg))
		br_slow_show(slow->plane, datagram, route.leg, reason);
	return reason ? 0 : br_slow_spread(slow, datagram, &route);
}

struct br_slow *br_slow_open(struct br_plane *plane, struct br_port *port)
{
	struct br_slow *slow = calloc(1, sizeof(*slow));

	if (!slow)
		return NULL;
	slow->plane = plane;
	slow->port = port;
	br_plane_set_tapped(plane, br_slow_tapped, slow);
	br_port_set_reader(port, br_slow_read, slow);
	return slow;
}

void br_slow_close(struct br_slow *slow)
{
	if (!slow)
		return;
	br_plane_set_tapped(slow->plane, NULL, NULL);
	br_port_set_reader(slow->port, NULL, NULL);
	free(slow);
}
