/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* Writing the ticket and handing the packet to a copier. From here on: never PASS. */
#ifndef BR_SPREAD_BPF_H
#define BR_SPREAD_BPF_H

#include <linux/if_ether.h>

#include "turns.bpf.h"

#define BR_TICKET_INDEX_MASK (BR_TICKET_INDEX_MAX - 1)

static __always_inline __u32 br_ticket_first(const struct br_ticket *ticket)
{
	return ticket->first_nonce & BR_TICKET_INDEX_MASK;
}

static __always_inline __u32 br_ticket_leg(const struct br_ticket *ticket)
{
	return ticket->leg_nonce & BR_TICKET_INDEX_MASK;
}

static __always_inline __u16 br_ticket_nonce(const struct br_ticket *ticket)
{
	return (ticket->first_nonce >> 24) << 8 | ticket->leg_nonce >> 24;
}

/* A packet with the part of its route that is still to be served. */
struct br_spread {
	__u32 leg;   /* sender */
	__u32 first; /* edge */
	__u32 count; /* edges; 0 only with tap */
	bool tap;    /* a copy goes to the daemon */
	enum br_turn turn;
};

/* Writes over the addresses of the frame, which is at least an Ethernet header long. */
static __always_inline void br_write_ticket(void *data, const struct br_spread *spread, __u16 flags,
					    __u16 nonce)
{
	struct br_ticket ticket = {
		.mark = br_ticket_mark,
		.count = spread->count | flags | (spread->tap ? BR_TICKET_TAP : 0),
		.first_nonce = (spread->first & BR_TICKET_INDEX_MASK) | (__u32)(nonce >> 8) << 24,
		.leg_nonce = (spread->leg & BR_TICKET_INDEX_MASK) | (__u32)(nonce & 0xff) << 24,
	};

	__builtin_memcpy(data, &ticket, sizeof(ticket));
}

/* Let a packet wait on the loop, or refuse a new one when the queue is full. */
static __always_inline int br_park(void *data, struct br_cpu *cpu, const struct br_spread *spread,
				   int *action)
{
	__u32 key = BR_REPLICATOR(0, 0, 0, 1);
	void *loop = bpf_map_lookup_elem(&replicators, &key);
	__u16 flags;

	if (!loop)
		return BR_NO_COPIER;
	if (!br_turn_wait(cpu, spread->turn, &flags))
		return BR_OVERLOAD;
	br_write_ticket(data, spread, flags, 0);
	*action = bpf_redirect_map(loop, flags & BR_TICKET_NEXT ? BR_WAIT_CLOCK : BR_WAIT_QUEUE, 0);
	return *action == XDP_REDIRECT ? BR_PARKED : BR_NO_COPIER;
}

/* Hand the packet to a copier of @copies entries. */
static __always_inline int br_copy_out(void *data, struct br_cpu *cpu,
				       const struct br_spread *spread, void *replicator,
				       __u32 copies, int *action)
{
	__u16 nonce = ++cpu->nonce;

	/* Even if no copy of the last ticket with this nonce ever came to the stamp. */
	cpu->cursors[nonce % BR_CURSORS] = (struct br_cursor){.nonce = nonce};
	br_write_ticket(data, spread, 0, nonce);
	*action = bpf_redirect_map(replicator, 0, copies > 1 ? BPF_F_BROADCAST : 0);
	return *action == XDP_REDIRECT ? 0 : BR_NO_COPIER;
}

/* A route that the daemon serves alone. */
static __always_inline int br_spread_tap(void *data, struct br_cpu *cpu,
					 const struct br_spread *spread, int *action)
{
	__u32 key = BR_REPLICATOR(0, 0, 1, 0);
	void *tap = bpf_map_lookup_elem(&replicators, &key);

	return tap ? br_copy_out(data, cpu, spread, tap, 1, action) : BR_NO_COPIER;
}

/* The copier of the segment that begins here, and the segment's length; NULL when there is none. */
static __always_inline void *br_segment_copier(const struct br_spread *spread, __u32 *run)
{
	struct br_edge *edge = bpf_map_lookup_elem(&edges, &spread->first);
	__u32 key;

	if (!edge)
		return 0;
	*run = edge->run;
	/* a receiver may have come to the segment since the route was read */
	if (*run > spread->count)
		*run = spread->count;
	if (*run == 0 || *run > BR_CHUNK_MAX || edge->egress >= BR_EGRESS_MAX)
		return 0;
	key = BR_REPLICATOR(edge->egress, *run, spread->tap, *run < spread->count);
	return bpf_map_lookup_elem(&replicators, &key);
}

static __always_inline int br_spread_segment(void *data, struct br_cpu *cpu,
					     const struct br_spread *spread, int *action)
{
	__u32 run = 0;
	void *replicator = br_segment_copier(spread, &run);
	bool more = run < spread->count;
	int reason;

	if (!replicator) {
		br_turn_lost(cpu, spread->turn);
		return BR_NO_COPIER;
	}
	if (spread->turn == BR_TURN_BEGUN)
		br_turn_go_on(cpu, run, more);
	else if ((spread->count > 1 || spread->turn != BR_TURN_NEW) &&
		 !br_turn_begin(cpu, run, more, spread->turn))
		return br_park(data, cpu, spread, action);
	reason = br_copy_out(data, cpu, spread, replicator, run + spread->tap + more, action);
	if (reason && more)
		br_turn_end(cpu);
	return reason;
}

/**
 * br_spread - send a packet on to the first segment of what is left of its route
 * @spread: not 0 edges, unless there is the tap
 * @action: set on success
 *
 * The frame begins with 12 bytes of addresses and the ethertype; tags are gone.
 *
 * Return: 0, BR_PARKED when it waits for its turn, or the reason to drop.
 */
static __always_inline int br_spread(struct xdp_md *ctx, struct br_cpu *cpu,
				     const struct br_spread *spread, int *action)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (data + ETH_HLEN > end)
		return BR_NO_HEADROOM;
	return spread->count ? br_spread_segment(data, cpu, spread, action)
			     : br_spread_tap(data, cpu, spread, action);
}

/**
 * br_strip_tags - bring the frame to addresses, ethertype, IP
 *
 * Return: 0, or the reason to drop.
 */
static __always_inline int br_strip_tags(struct xdp_md *ctx, __u32 l3_offset, __be16 ethertype_be)
{
	void *data, *end;

	if (l3_offset == ETH_HLEN)
		return 0;
	if (bpf_xdp_adjust_head(ctx, l3_offset - ETH_HLEN))
		return BR_NO_HEADROOM;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + ETH_HLEN > end)
		return BR_NO_HEADROOM;
	((struct ethhdr *)data)->h_proto = ethertype_be;
	return 0;
}

#endif
