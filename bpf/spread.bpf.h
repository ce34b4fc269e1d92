/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* Writing the ticket and handing the packet to a copier. From here on: never PASS. */
#ifndef BR_SPREAD_BPF_H
#define BR_SPREAD_BPF_H

#include <linux/if_ether.h>
#include <stdbool.h>

#include "count.bpf.h"

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

/* Where a packet of a long route stands. */
enum br_turn {
	BR_TURN_NEW,	/* it has just come in */
	BR_TURN_PARKED, /* it has waited on the loop */
	BR_TURN_NEXT,	/* it has waited, and is the next */
	BR_TURN_BEGUN,	/* it comes back for its next segment */
};

/* A loop on which nothing begins or ends for this long has lost its packets: count afresh. */
#define BR_LOOP_STUCK_NS 50000000LL

/*
 * May this packet of a long route begin? More of them at once than the egress ring has
 * room for would take the copies from the last receivers of every room. So the others wait
 * on the loop in the order in which they came; a new one goes behind those that wait.
 * Each CPU works off its own queue of the loop, so these counts need no lock.
 */
static __always_inline bool br_loop_begin(struct br_cpu *cpu, enum br_turn turn)
{
	__u64 now_ns = bpf_ktime_get_coarse_ns();

	if ((cpu->loop_active || cpu->loop_parked) &&
	    (__s64)(now_ns - cpu->loop_ns) >= BR_LOOP_STUCK_NS) {
		cpu->loop_active = cpu->loop_parked = 0;
		cpu->loop_rest = BR_LOOP_RESTED;
	}
	if (cpu->loop_active >= BR_LOOP_ACTIVE || (turn == BR_TURN_NEW && cpu->loop_parked) ||
	    (turn == BR_TURN_PARKED && cpu->loop_rest))
		return false;
	if (turn != BR_TURN_NEW && cpu->loop_parked)
		cpu->loop_parked--;
	cpu->loop_active++;
	cpu->loop_rest = BR_LOOP_RESTED;
	cpu->loop_ns = now_ns;
	return true;
}

static __always_inline void br_loop_end(struct br_cpu *cpu)
{
	if (!cpu->loop_active)
		return; /* counted afresh in between */
	cpu->loop_active--;
	cpu->loop_rest = BR_LOOP_ENDED;
	cpu->loop_ns = bpf_ktime_get_coarse_ns();
}

/* Writes over the addresses of the frame, which is at least an Ethernet header long. */
static __always_inline void br_write_ticket(void *data, struct br_cpu *cpu, __u32 leg, __u32 first,
					    __u16 count)
{
	__u16 nonce = ++cpu->nonce;
	struct br_ticket ticket = {
		.mark = br_ticket_mark,
		.count = count,
		.first_nonce = (first & BR_TICKET_INDEX_MASK) | (__u32)(nonce >> 8) << 24,
		.leg_nonce = (leg & BR_TICKET_INDEX_MASK) | (__u32)(nonce & 0xff) << 24,
	};

	/* Even if no copy of the last ticket with this nonce ever came to the stamp. */
	cpu->cursors[nonce % BR_CURSORS] = (struct br_cursor){.nonce = nonce};
	__builtin_memcpy(data, &ticket, sizeof(ticket));
}

/* Let a packet wait on the loop, or refuse a new one when the queue is full. */
static __always_inline int br_park(void *data, struct br_cpu *cpu, __u32 leg, __u32 first,
				   __u32 count, enum br_turn turn, int *action)
{
	__u32 key = BR_REPLICATOR(0, 0, 0, 1);
	void *loop = bpf_map_lookup_elem(&replicators, &key);

	if (!loop)
		return BR_NO_COPIER;
	if (turn == BR_TURN_NEW) {
		if (cpu->loop_parked >= BR_LOOP_PARKED)
			return BR_OVERLOAD;
		cpu->loop_parked++;
	}
	count |= BR_TICKET_PARKED;
	if (turn == BR_TURN_PARKED && !cpu->loop_active && cpu->loop_rest == BR_LOOP_ENDED) {
		cpu->loop_rest = BR_LOOP_CHOSEN;
		count |= BR_TICKET_NEXT;
	}
	br_write_ticket(data, cpu, leg, first, count);
	*action = bpf_redirect_map(loop, 0, 0);
	return *action == XDP_REDIRECT ? BR_PARKED : BR_NO_COPIER;
}

/**
 * br_spread - send a packet on to the first segment of a route
 * @leg: index of the sender
 * @first: first edge
 * @count: edges, at least 1
 * @turn: whether it may have to wait
 * @action: set on success
 *
 * The frame begins with 12 bytes of addresses and the ethertype; tags are gone.
 *
 * Return: 0, BR_PARKED when it waits for its turn, or the reason to drop.
 */
static __always_inline int br_spread(struct xdp_md *ctx, struct br_cpu *cpu, __u32 leg, __u32 first,
				     __u32 count, enum br_turn turn, int *action)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct br_edge *edge = bpf_map_lookup_elem(&edges, &first);
	void *replicator;
	__u32 run, key;

	if (!edge)
		return BR_NO_COPIER;
	run = edge->run;
	if (turn == BR_TURN_BEGUN && run >= count)
		br_loop_end(cpu);
	if (run == 0 || run > count || edge->egress >= BR_EGRESS_MAX || run > BR_CHUNK_MAX)
		return BR_NO_COPIER;
	key = BR_REPLICATOR(edge->egress, run, 0, run < count);
	replicator = bpf_map_lookup_elem(&replicators, &key);
	if (!replicator)
		return BR_NO_COPIER;
	if (data + ETH_HLEN > end)
		return BR_NO_HEADROOM;
	if (run < count && turn != BR_TURN_BEGUN && !br_loop_begin(cpu, turn))
		return br_park(data, cpu, leg, first, count, turn, action);
	br_write_ticket(data, cpu, leg, first, count);
	*action = bpf_redirect_map(replicator, 0, count > 1 ? BPF_F_BROADCAST : 0);
	return *action == XDP_REDIRECT ? 0 : BR_NO_COPIER;
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
