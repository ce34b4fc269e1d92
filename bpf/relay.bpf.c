// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
/*
 * The packet path.
 *
 *   relay       every frame that enters a media interface
 *   stamp       every copy on its way out of one
 *   relay_loop  packets that come back for the next segment of a long route
 *
 * Helpers return 0 or a reason; only this file turns reasons into verdicts and counts.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "admit.bpf.h"
#include "capture.bpf.h"
#include "direct.bpf.h"
#include "spread.bpf.h"

/* To all receivers of the route. */
static __always_inline int br_send(struct xdp_md *ctx, struct br_cpu *cpu, __u32 leg,
				   const struct br_route *route, int *action)
{
	struct br_spread spread = {
		.leg = leg,
		.first = route->first,
		.count = route->count,
		.tap = route->flags & BR_ROUTE_TAP,
		.turn = BR_TURN_NEW,
	};
	struct br_edge *edge;

	if (spread.count == 1 && !spread.tap) {
		edge = bpf_map_lookup_elem(&edges, &spread.first);
		if (edge && br_direct(ctx, cpu, leg, edge, action))
			return 0;
	}
	return br_spread(ctx, cpu, &spread, action);
}

static __always_inline int br_relay(struct xdp_md *ctx, struct br_cpu *cpu,
				    struct br_packet *packet, int *action)
{
	struct br_route route = {};
	struct br_leg *leg = 0;
	__u32 *known, index = 0;
	int reason;

	reason = br_parse(ctx, packet);
	if (reason)
		return reason;
	known = bpf_map_lookup_elem(&tuples, &packet->tuple);
	if (!known && !bpf_map_lookup_elem(&locals, &packet->tuple.local))
		return BR_NOT_MEDIA;
	packet->now_ns = bpf_ktime_get_coarse_ns();
	reason = br_inspect(ctx, packet);
	if (known) {
		index = *known;
		leg = bpf_map_lookup_elem(&legs, &index);
		br_capture_in(ctx, cpu, leg, index, packet->l3_offset);
	}
	if (reason == BR_STUN || reason == BR_DTLS) {
		int refused = br_admit_signal(cpu, packet, leg, index);

		if (refused == BR_RATE)
			br_count_leg_rx(index, packet->ip_length, refused, packet->now_ns);
		return refused ? refused : reason;
	}
	if (reason)
		return reason;
	if (!known)
		return BR_UNKNOWN_LEG;
	reason = br_admit(packet, leg, index, &route);
	if (!reason)
		reason = br_strip_tags(ctx, packet->l3_offset, packet->ethertype_be);
	if (!reason)
		reason = br_send(ctx, cpu, index, &route, action);
	if (reason == BR_PARKED)
		reason = 0; /* it has been admitted; the loop counts its turns */
	br_count_leg_rx(index, packet->ip_length, reason == BR_FEEDBACK ? 0 : reason,
			packet->now_ns);
	return reason;
}

SEC("xdp")
int relay(struct xdp_md *ctx)
{
	struct br_packet packet = {};
	struct br_cpu *cpu = br_cpu();
	int action = XDP_PASS;
	int reason;

	if (!cpu)
		return XDP_PASS;
	reason = br_relay(ctx, cpu, &packet, &action);
	br_count(cpu, reason, packet.ip_length);
	if (cpu->captured)
		br_capture_verdict(ctx, cpu, reason);
	switch (reason) {
	case BR_FORWARDED:
		return action;
	case BR_NOT_MEDIA:
	case BR_FRAGMENT:
	case BR_IP_OPTIONS:
	case BR_STUN:
	case BR_DTLS:
	case BR_FEEDBACK:
		return XDP_PASS;
	default:
		return XDP_DROP;
	}
}

static __always_inline int br_loop(struct xdp_md *ctx, struct br_cpu *cpu, int *action)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct br_spread spread = {};
	struct br_ticket ticket;
	struct br_edge *edge;
	__u32 run;

	if (data + ETH_HLEN > end)
		return BR_NO_TICKET;
	__builtin_memcpy(&ticket, data, sizeof(ticket));
	if (ticket.mark != br_ticket_mark)
		return BR_NO_TICKET;
	spread.leg = br_ticket_leg(&ticket);
	spread.first = br_ticket_first(&ticket);
	spread.count = ticket.count & BR_TICKET_COUNT;
	if (ticket.count & BR_TICKET_PARKED) {
		spread.tap = ticket.count & BR_TICKET_TAP;
		spread.turn = ticket.count & BR_TICKET_NEXT ? BR_TURN_NEXT : BR_TURN_PARKED;
		return spread.count ? br_spread(ctx, cpu, &spread, action) : BR_TICKET_SPENT;
	}
	edge = bpf_map_lookup_elem(&edges, &spread.first);
	run = edge ? edge->run : 0;
	if (!run || run >= spread.count)
		return BR_TICKET_SPENT; /* the count only shrinks: none goes round for ever */
	spread.first += run;
	spread.count -= run;
	spread.turn = BR_TURN_BEGUN;
	return br_spread(ctx, cpu, &spread, action);
}

SEC("xdp")
int relay_loop(struct xdp_md *ctx)
{
	struct br_cpu *cpu = br_cpu();
	int action = XDP_DROP;
	int reason;

	if (!cpu)
		return XDP_DROP;
	reason = br_loop(ctx, cpu, &action);
	br_count(cpu, reason ? reason : BR_LOOPED, ctx->data_end - ctx->data - ETH_HLEN);
	return reason && reason != BR_PARKED ? XDP_DROP : action;
}

SEC("xdp/devmap")
int stamp(struct xdp_md *ctx)
{
	struct br_copy copy = {.leg = ~0U};
	struct br_cpu *cpu = br_cpu();
	int reason;

	if (!cpu)
		return XDP_DROP;
	reason = br_stamp(ctx, cpu, &copy);
	br_count(cpu, reason ? reason : BR_COPIED, copy.ip_length);
	br_count_leg_tx(copy.leg, copy.ip_length, reason);
	if (cpu->captured)
		br_capture_copy(ctx, cpu, reason);
	return reason ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
