/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * One receiver, behind the interface that the packet came from: nothing is copied, so the
 * packet needs no ticket and no copier. It is stamped where it is and turned round (XDP_TX).
 *
 * Over another interface this would not do: packets stamped here and packets with a ticket
 * would leave in the same queue of the device, and the kernel runs the program of the first
 * one on all of them.
 *
 * Nor on veth: the kernel (6.18, veth_xdp_flush) does not wake a peer that has GRO but no XDP
 * program after XDP_TX. Packets lie in its ring until the stack sends something; once the ring is
 * full nothing wakes it ever. The daemon leaves veth out of br_turn_back.
 */
#ifndef BR_DIRECT_BPF_H
#define BR_DIRECT_BPF_H

#include "stamp.bpf.h"

/**
 * br_direct - send a packet straight back out
 * @sender: index of its leg
 * @edge: of the only receiver
 * @action: set when it was sent or dropped
 *
 * The frame begins with 12 bytes of addresses and the ethertype; tags are gone. The copy is
 * counted here, as the stamp's would be.
 *
 * Return: false when the packet has to take the copier.
 */
static __always_inline bool br_direct(struct xdp_md *ctx, struct br_cpu *cpu, __u32 sender,
				      const struct br_edge *edge, int *action)
{
	struct br_copy copy = {.leg = ~0U};
	struct br_edge only = *edge;
	struct br_next_hop *hop;
	struct br_leg *leg;
	int reason;

	if (!only.run) /* or more: one has come since the route was read */
		return false;
	leg = bpf_map_lookup_elem(&legs, &only.leg);
	hop = leg ? bpf_map_lookup_elem(&next_hops, &leg->next_hop) : 0;
	if (!hop || hop->ifindex != ctx->ingress_ifindex || hop->egress >= BR_EGRESS_MAX ||
	    !(br_turn_back & 1u << hop->egress))
		return false;
	if (cpu->captured)
		br_capture_verdict(ctx, cpu, BR_FORWARDED); /* while it is as it came */
	br_capture_out(ctx, cpu, leg, only.leg, sender);
	reason = only.leg == sender ? BR_OWN_PACKET : 0;
	if (!reason) {
		copy.leg = only.leg;
		reason = br_stamp_receiver(&only, leg, hop);
	}
	if (!reason)
		reason = br_stamp_packet(ctx, &copy, leg, hop);
	br_count(cpu, reason ? reason : BR_COPIED, copy.ip_length);
	br_count_leg_tx(copy.leg, copy.ip_length, reason);
	if (cpu->captured)
		br_capture_copy(ctx, cpu, reason);
	*action = reason ? XDP_DROP : XDP_TX;
	return true;
}

#endif
