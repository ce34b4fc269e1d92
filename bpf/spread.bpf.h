/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* Writing the ticket and handing the packet to a copier. From here on: never PASS. */
#ifndef BR_SPREAD_BPF_H
#define BR_SPREAD_BPF_H

#include <linux/if_ether.h>

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

/**
 * br_spread - send a packet on to the first segment of a route
 * @leg: index of the sender
 * @first: first edge
 * @count: edges, at least 1
 * @action: set on success
 *
 * The frame begins with 12 bytes of addresses and the ethertype; tags are gone.
 *
 * Return: 0, or the reason to drop.
 */
static __always_inline int br_spread(struct xdp_md *ctx, struct br_cpu *cpu, __u32 leg, __u32 first,
				     __u32 count, int *action)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct br_edge *edge = bpf_map_lookup_elem(&edges, &first);
	struct br_ticket ticket;
	__u32 run, key, copies;
	void *replicator;
	__u16 nonce;

	if (!edge)
		return BR_NO_COPIER;
	run = edge->run;
	if (run == 0 || run > count || edge->egress >= BR_EGRESS_MAX || run > BR_CHUNK_MAX)
		return BR_NO_COPIER;
	copies = run + (run < count);
	key = BR_REPLICATOR(edge->egress, run, run < count);
	replicator = bpf_map_lookup_elem(&replicators, &key);
	if (!replicator)
		return BR_NO_COPIER;
	if (data + ETH_HLEN > end)
		return BR_NO_HEADROOM;

	nonce = ++cpu->nonce;
	/* Even if no copy of the last ticket with this nonce ever came to the stamp. */
	cpu->cursors[nonce % BR_CURSORS] = (struct br_cursor){.nonce = nonce};
	ticket.mark = br_ticket_mark;
	ticket.count = count;
	ticket.first_nonce = (first & BR_TICKET_INDEX_MASK) | (__u32)(nonce >> 8) << 24;
	ticket.leg_nonce = (leg & BR_TICKET_INDEX_MASK) | (__u32)(nonce & 0xff) << 24;
	__builtin_memcpy(data, &ticket, sizeof(ticket));
	*action = bpf_redirect_map(replicator, 0, copies > 1 ? BPF_F_BROADCAST : 0);
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
