/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* May this leg send this packet, and which route does it take? */
#ifndef BR_ADMIT_BPF_H
#define BR_ADMIT_BPF_H

#include <stdbool.h>

#include "count.bpf.h"
#include "inspect.bpf.h"
#include "police.bpf.h"

static __always_inline bool br_alive(const struct br_leg *leg)
{
	__u64 expires_ns = leg->expires_ns;

	return expires_ns == BR_NEVER || (expires_ns && bpf_ktime_get_coarse_ns() < expires_ns);
}

/* An IPv4-mapped address inside IPv6 is no IPv4 leg, though its tuple looks the same. */
static __always_inline int br_same_family(const struct br_leg *leg, const struct br_packet *packet)
{
	return (leg->family == 4) == (packet->ip_header == sizeof(struct iphdr));
}

/*
 * First packet of an SSRC on a leg without a list: give it a stream slot, tell the daemon.
 * Two CPUs may try at once; the loser returns its slot and uses the winner's.
 */
static __noinline int br_learn(const struct br_stream_key *key, __u32 limit, __u32 *slot)
{
	struct br_leg_state *state;
	struct br_event event = {.type = BR_EVENT_STREAM};
	__u32 *winner, taken;
	__u64 first;
	__u32 leg;

	if (!key || !slot)
		return BR_SSRC_LIMIT;
	leg = key->leg;
	state = bpf_map_lookup_elem(&leg_states, &leg);
	if (!state || state->learned >= limit)
		return BR_SSRC_LIMIT;
	if (__sync_fetch_and_add(&state->learned, 1) >= limit)
		goto undo;
	if (bpf_map_pop_elem(&free_streams, &taken))
		goto undo;
	if (bpf_map_update_elem(&streams, key, &taken, BPF_NOEXIST)) {
		bpf_map_push_elem(&free_streams, &taken, 0);
		winner = bpf_map_lookup_elem(&streams, key);
		if (!winner)
			goto undo;
		*slot = *winner;
		__sync_fetch_and_add(&state->learned, -1);
		return 0;
	}
	*slot = taken;
	first = BR_FIRST_STREAM(key->ssrc, taken);
	if (!state->first_stream)
		state->first_stream = first;
	event.leg = leg;
	event.ssrc = key->ssrc;
	event.slot = taken;
	if (!bpf_ringbuf_output(&events, &event, sizeof(event), 0))
		return 0;
	/* Nobody would ever free what the daemon has not heard of. */
	if (state->first_stream == first)
		state->first_stream = 0;
	bpf_map_delete_elem(&streams, key);
	bpf_map_push_elem(&free_streams, &taken, 0);
undo:
	__sync_fetch_and_add(&state->learned, -1);
	return BR_SSRC_LIMIT;
}

/* The stream of a packet; -1 where RTCP belongs to none. */
static __always_inline int br_find_stream(const struct br_packet *packet, const struct br_leg *leg,
					  __u32 leg_index, __s64 *stream)
{
	struct br_leg_state *state = bpf_map_lookup_elem(&leg_states, &leg_index);
	struct br_stream_key key = {.leg = leg_index, .ssrc = packet->ssrc};
	__u64 first = state ? *(volatile __u64 *)&state->first_stream : 0;
	__u32 slot = 0, *known;
	int reason;

	if (first && first >> 32 == packet->ssrc) {
		*stream = (__u32)first - 1;
		return 0;
	}
	*stream = -1;
	known = bpf_map_lookup_elem(&streams, &key);
	if (known) {
		*stream = *known;
		return 0;
	}
	if (packet->class == BR_CLASS_RTCP)
		return 0; /* a receiver report may carry an SSRC that never sends RTP */
	if (leg->flags & BR_LEG_FIXED_SSRCS)
		return BR_SSRC_REFUSED;
	reason = br_learn(&key, leg->ssrc_limit, &slot);
	if (!reason)
		*stream = slot;
	return reason;
}

/**
 * br_admit_signal - may STUN or DTLS go up to the daemon?
 * @leg: of the sender, with its slot; NULL when there is none
 *
 * An expired leg is a stranger again: it may ask to be let in, no more often than others.
 *
 * Return: 0, or the reason to drop.
 */
static __always_inline int br_admit_signal(struct br_cpu *cpu, const struct br_packet *packet,
					   const struct br_leg *leg, __u32 leg_index)
{
	if (leg && br_alive(leg) && br_same_family(leg, packet))
		return br_police_leg(leg, leg_index, packet);
	return br_police_stranger(cpu, packet);
}

/**
 * br_admit - decide on RTP or RTCP of a known leg
 * @leg: its entry, or NULL
 * @route: set on success: somebody receives
 *
 * Return: 0, BR_FEEDBACK for RTCP that goes up to the daemon, or the reason to drop.
 */
static __always_inline int br_admit(const struct br_packet *packet, const struct br_leg *leg,
				    __u32 leg_index, struct br_route *route)
{
	__u64 *value, whole = BR_ROUTE_INHERIT;
	__s64 stream = -1;
	__u32 index;
	int reason;

	if (!leg || !br_alive(leg))
		return BR_LEG_EXPIRED;
	if (!br_same_family(leg, packet))
		return BR_UNKNOWN_LEG;
	if (packet->ttl <= 1)
		return BR_TTL;
	if (packet->class == BR_CLASS_RTP && !(leg->flags & BR_LEG_PUBLISH))
		return BR_NOT_PUBLISHER;
	reason = br_police_leg(leg, leg_index, packet);
	if (reason)
		return reason;
	if (packet->class == BR_CLASS_RTCP && leg->flags & BR_LEG_FEEDBACK_UP)
		return BR_FEEDBACK;
	if (leg->flags & BR_LEG_PUBLISH) {
		reason = br_find_stream(packet, leg, leg_index, &stream);
		if (reason)
			return reason;
	}
	if (stream >= 0) {
		index = stream;
		br_count_stream(index, packet->ip_length, packet->now_ns);
		index += br_stream_routes;
		value = bpf_map_lookup_elem(&routes, &index);
		if (value)
			whole = *(volatile __u64 *)value;
	}
	if (whole == BR_ROUTE_INHERIT) {
		value = bpf_map_lookup_elem(&routes, &leg_index);
		whole = value ? *(volatile __u64 *)value : 0;
	}
	__builtin_memcpy(route, &whole, sizeof(*route));
	return route->count || route->flags & BR_ROUTE_TAP ? 0 : BR_NO_RECEIVER;
}

#endif
