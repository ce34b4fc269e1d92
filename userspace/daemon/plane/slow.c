// SPDX-License-Identifier: BSD-2-Clause
/*
 * The packet path once more, for what the daemon forwards itself: the same checks in the same
 * order as bpf/relay.bpf.c, from the same tables.
 */
#include "plane/slow.h"

#include <arpa/inet.h>
#include <string.h>

#include <bpf/bpf.h>

#include "blindrelay/wire.h"
#include "lib/rtp.h"
#include "plane/plane_private.h"
#include "relay.skel.h"

static bool br_slow_alive(const struct br_leg *leg)
{
	uint64_t expires_ns = __atomic_load_n(&leg->expires_ns, __ATOMIC_ACQUIRE);

	return expires_ns == BR_NEVER || (expires_ns && br_now_ns() < expires_ns);
}

/* 0: *leg is set; else the reason for a five-tuple that is no leg. */
static int br_slow_find_leg(const struct br_plane *plane, const struct br_datagram *datagram,
			    uint32_t *leg)
{
	struct br_tuple tuple = {
		.remote_port = datagram->remote.port,
		.local_port = datagram->local.port,
	};
	uint32_t ours;

	memcpy(tuple.remote, datagram->remote.addr.words, sizeof(tuple.remote));
	memcpy(tuple.local, datagram->local.addr.words, sizeof(tuple.local));
	if (!bpf_map_lookup_elem(bpf_map__fd(plane->bpf->maps.tuples), &tuple, leg) &&
	    *leg < plane->options.max_legs)
		return 0;
	return bpf_map_lookup_elem(bpf_map__fd(plane->bpf->maps.locals), tuple.local, &ours)
		       ? BR_NOT_MEDIA
		       : BR_UNKNOWN_LEG;
}

/* Class and SSRC, as bpf/inspect.bpf.h finds them. 0 for RTP and RTCP. */
static int br_slow_inspect(const struct br_datagram *datagram, enum br_class *class, __be32 *ssrc)
{
	const uint8_t *payload = datagram->payload;
	struct br_rtp rtp;

	if (datagram->length < 2)
		return BR_BAD_CLASS;
	*class = br_classify(payload[0], payload[1]);
	switch (*class) {
	case BR_CLASS_RTP:
		if (br_rtp_parse(payload, datagram->length, &rtp))
			return BR_BAD_RTP;
		*ssrc = htonl(rtp.ssrc);
		return 0;
	case BR_CLASS_RTCP:
		if (datagram->length < BR_RTCP_HEADER)
			return BR_BAD_RTCP;
		memcpy(ssrc, payload + BR_RTCP_SSRC, sizeof(*ssrc));
		return 0;
	case BR_CLASS_STUN:
		return BR_STUN;
	case BR_CLASS_DTLS:
		return BR_DTLS;
	default:
		return BR_BAD_CLASS;
	}
}

/* The stream of a packet; BR_NO_STREAM where RTCP belongs to none. */
static int br_slow_find_stream(struct br_plane *plane, uint32_t leg, enum br_class class,
			       __be32 ssrc, uint32_t *slot)
{
	uint8_t flags = plane->leg_table[leg].flags;

	if (!br_plane_stream_find(plane, leg, ssrc, slot))
		return 0;
	*slot = BR_NO_STREAM;
	if (class == BR_CLASS_RTCP)
		return 0; /* a receiver report may carry an SSRC that never sends RTP */
	if (flags & BR_LEG_FIXED_SSRCS)
		return BR_SSRC_REFUSED;
	return br_plane_stream_learn(plane, leg, ssrc, slot);
}

static void br_slow_count_stream(struct br_plane *plane, uint32_t slot, uint64_t bytes)
{
	struct br_stream_counters *counters = &plane->slow_streams[slot];

	counters->rx.packets++;
	counters->rx.bytes += bytes;
	counters->last_seen_ns = br_now_ns();
}

/* All edges of the route, those of the kernel and those of the daemon. */
static int br_slow_find_route(const struct br_plane *plane, uint32_t leg, uint32_t slot,
			      struct br_slow_route *out)
{
	uint64_t whole = BR_ROUTE_INHERIT;
	struct br_route route;

	if (slot != BR_NO_STREAM)
		whole = plane->route_table[plane->options.max_legs + slot];
	if (whole == BR_ROUTE_INHERIT)
		whole = plane->route_table[leg];
	memcpy(&route, &whole, sizeof(route));
	out->leg = leg;
	out->edges = &plane->edge_table[route.first];
	out->count = route.count;
	if (route.flags & BR_ROUTE_TAP)
		out->count += out->edges[route.count].run;
	return out->count ? 0 : BR_NO_RECEIVER;
}

/* As br_admit of the kernel, for a leg that is known. */
static int br_slow_admit_leg(struct br_plane *plane, const struct br_datagram *datagram,
			     enum br_class class, __be32 ssrc, uint64_t bytes,
			     struct br_slow_route *route)
{
	uint32_t index = route->leg, slot = BR_NO_STREAM;
	const struct br_leg *leg = &plane->leg_table[index];
	int reason;

	if (!br_slow_alive(leg))
		return BR_LEG_EXPIRED;
	if (leg->family != datagram->remote.addr.family)
		return BR_UNKNOWN_LEG;
	if (datagram->ttl <= 1)
		return BR_TTL;
	if (class == BR_CLASS_RTP && !(leg->flags & BR_LEG_PUBLISH))
		return BR_NOT_PUBLISHER;
	/* where XDP runs it comes from there and has been paid for */
	if (class == BR_CLASS_RTCP && leg->flags & BR_LEG_FEEDBACK_UP)
		return BR_FEEDBACK;
	if (!br_plane_police(plane, index, bytes))
		return BR_RATE;
	if (leg->flags & BR_LEG_PUBLISH) {
		reason = br_slow_find_stream(plane, index, class, ssrc, &slot);
		if (reason)
			return reason;
	}
	if (slot != BR_NO_STREAM)
		br_slow_count_stream(plane, slot, bytes);
	return br_slow_find_route(plane, index, slot, route);
}

int br_plane_slow_admit(struct br_plane *plane, const struct br_datagram *datagram,
			struct br_slow_route *route)
{
	uint64_t bytes = br_datagram_ip_length(datagram->remote.addr.family, datagram->length);
	int unknown = br_slow_find_leg(plane, datagram, &route->leg), reason;
	struct br_leg_counters *counters;
	enum br_class class;
	__be32 ssrc = 0;

	if (unknown == BR_NOT_MEDIA)
		return unknown;
	reason = br_slow_inspect(datagram, &class, &ssrc);
	if (reason)
		return reason;
	if (unknown)
		return unknown;
	reason = br_slow_admit_leg(plane, datagram, class, ssrc, bytes, route);
	counters = &plane->slow_legs[route->leg];
	if (reason) {
		counters->rx_dropped++;
		return reason;
	}
	counters->rx.packets++;
	counters->rx.bytes += bytes;
	counters->last_seen_ns = br_now_ns();
	return 0;
}

static bool br_slow_is_link_local(const struct br_addr *addr)
{
	return addr->family == 6 && (ntohl(addr->words[0]) & 0xffc00000u) == 0xfe800000u;
}

int br_plane_slow_target(const struct br_plane *plane, uint32_t index, uint32_t from,
			 struct br_slow_target *target)
{
	const struct br_plane_leg *leg = &plane->legs[index];

	if (index == from)
		return BR_OWN_PACKET;
	if (!leg->used || !br_slow_alive(&plane->leg_table[index]))
		return BR_RECEIVER_EXPIRED;
	target->remote = leg->spec.remote;
	target->local = leg->spec.local.family ? leg->spec.local : leg->hop.local;
	target->ifindex = br_slow_is_link_local(&target->remote.addr)
				  ? plane->interfaces[leg->hop.egress].ifindex
				  : 0;
	return 0;
}

void br_plane_slow_count(struct br_plane *plane, int reason, uint64_t bytes)
{
	struct br_counter *counter = &plane->slow_totals->reasons[reason];

	counter->packets++;
	counter->bytes += bytes;
}

void br_plane_slow_count_copy(struct br_plane *plane, uint32_t leg, int reason, uint64_t bytes)
{
	struct br_leg_counters *counters = &plane->slow_legs[leg];

	br_plane_slow_count(plane, reason ? reason : BR_COPIED, bytes);
	/* the kernel counts a copy to its sender as nobody's, too */
	if (reason == BR_OWN_PACKET)
		return;
	if (reason) {
		counters->tx_dropped++;
		return;
	}
	counters->tx.packets++;
	counters->tx.bytes += bytes;
}

const struct br_slow_totals *br_plane_slow_totals(const struct br_plane *plane)
{
	return plane->slow_totals;
}
