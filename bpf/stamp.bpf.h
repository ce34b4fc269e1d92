/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * The stamp: turns one copy with a ticket into the packet for one leg. The only place
 * that rewrites headers. DSCP, ECN and the IPv4 identification stay as they came.
 */
#ifndef BR_STAMP_BPF_H
#define BR_STAMP_BPF_H

#include "admit.bpf.h"
#include "capture.bpf.h"
#include "csum.bpf.h"
#include "spread.bpf.h"

#define BR_IP_DF 0x4000 /* RFC 791: don't fragment */

/* What the stamp keeps of the old headers while it writes the new ones. */
struct br_copy {
	__u32 leg;	 /* index of the receiver */
	__u16 ip_length; /* of the new packet */
	__u16 udp_length;
	__u16 old_header; /* 20 or 40 */
	__u16 new_header;
	__u16 old_sum; /* of the old addresses */
	__u8 tos;      /* DSCP and ECN */
	__u8 ttl;
	__u8 vlans; /* tags to push; read once, as the daemon may rewrite the next hop */
};

/* Which edge is this copy for? The copies of one ticket pass in order on one CPU. */
static __always_inline int br_stamp_edge(struct xdp_md *ctx, struct br_cpu *cpu,
					 struct br_edge *out)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct br_cursor *cursor;
	struct br_ticket ticket;
	struct br_edge *edge;
	__u32 index, first;
	__u16 nonce;

	if (data + ETH_HLEN > end)
		return BR_NO_TICKET;
	__builtin_memcpy(&ticket, data, sizeof(ticket));
	if (ticket.mark != br_ticket_mark)
		return BR_NO_TICKET;
	nonce = br_ticket_nonce(&ticket);
	cursor = &cpu->cursors[nonce % BR_CURSORS];
	if (cursor->nonce != nonce) {
		cursor->nonce = nonce;
		cursor->passed = 0;
	}
	index = cursor->passed++;
	if (index >= (ticket.count & BR_TICKET_COUNT))
		return BR_TICKET_SPENT;
	first = br_ticket_first(&ticket) + index;
	edge = bpf_map_lookup_elem(&edges, &first);
	if (!edge || (index && edge->run))
		return BR_TICKET_SPENT; /* the next segment is the loop's */
	*out = *edge;
	return edge->leg == br_ticket_leg(&ticket) ? BR_OWN_PACKET : 0;
}

/* Read the old headers of the copy. */
static __always_inline int br_stamp_read(struct xdp_md *ctx, struct br_copy *copy)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct ipv6hdr *ip6 = data + ETH_HLEN;
	struct iphdr *ip4 = data + ETH_HLEN;

	if ((void *)(ip4 + 1) + sizeof(struct udphdr) > end)
		return BR_NO_TICKET;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		copy->old_header = sizeof(*ip4);
		copy->old_sum = br_csum_fold(br_csum_words(&ip4->saddr, 2));
		copy->udp_length = bpf_ntohs(ip4->tot_len) - sizeof(*ip4);
		copy->tos = ip4->tos;
		copy->ttl = ip4->ttl;
		return 0;
	}
	if ((void *)(ip6 + 1) + sizeof(struct udphdr) > end)
		return BR_NO_TICKET;
	copy->old_header = sizeof(*ip6);
	copy->old_sum = br_csum_fold(br_csum_words(ip6->saddr.in6_u.u6_addr32, 8));
	copy->udp_length = bpf_ntohs(ip6->payload_len);
	copy->tos = ip6->priority << 4 | ip6->flow_lbl[0] >> 4;
	copy->ttl = ip6->hop_limit;
	return 0;
}

static __always_inline void br_write_ipv4(struct iphdr *ip, const struct br_copy *copy,
					  const struct br_leg *leg)
{
	__u16 old_ttl, new_ttl;

	if (copy->old_header == sizeof(*ip)) {
		old_ttl = *(__u16 *)&ip->ttl;
		ip->ttl = copy->ttl - 1;
		new_ttl = *(__u16 *)&ip->ttl;
		ip->check = br_csum_replace(ip->check, br_csum_fold((__u64)copy->old_sum + old_ttl),
					    (__u64)leg->addr_sum + new_ttl);
	} else {
		ip->version = 4;
		ip->ihl = 5;
		ip->tos = copy->tos;
		ip->tot_len = bpf_htons(copy->ip_length);
		ip->id = 0; /* RFC 6864 section 4.1: atomic datagram */
		ip->frag_off = bpf_htons(BR_IP_DF);
		ip->ttl = copy->ttl - 1;
		ip->protocol = IPPROTO_UDP;
		ip->check = ~br_csum_fold(br_csum_words((__be32 *)ip, 2) + *(__u16 *)&ip->ttl +
					  leg->addr_sum);
	}
	ip->saddr = leg->tuple.local[3];
	ip->daddr = leg->tuple.remote[3];
}

static __always_inline void br_write_ipv6(struct ipv6hdr *ip, const struct br_copy *copy,
					  const struct br_leg *leg)
{
	if (copy->old_header != sizeof(*ip)) {
		ip->version = 6;
		ip->priority = copy->tos >> 4;
		ip->flow_lbl[0] = copy->tos << 4;
		ip->flow_lbl[1] = 0;
		ip->flow_lbl[2] = 0;
		ip->payload_len = bpf_htons(copy->udp_length);
		ip->nexthdr = IPPROTO_UDP;
	}
	ip->hop_limit = copy->ttl - 1;
	__builtin_memcpy(&ip->saddr, leg->tuple.local, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, leg->tuple.remote, sizeof(ip->daddr));
}

/*
 * Ports and checksum. The pseudo-headers of IPv4 and IPv6 differ in their addresses only:
 * length and protocol add the same to the sum (RFC 768, RFC 8200 section 8.1).
 */
static __always_inline int br_write_udp(struct udphdr *udp, const struct br_copy *copy,
					const struct br_leg *leg)
{
	__u64 old_sum = (__u64)copy->old_sum + udp->source + udp->dest;
	__sum16 check;

	if (udp->check) {
		check = br_csum_replace(udp->check, br_csum_fold(old_sum), leg->tuple_sum);
		udp->check = check ? check : 0xffff;
	} else if (leg->family == 6) {
		return BR_NO_CHECKSUM;
	}
	udp->source = leg->tuple.local_port;
	udp->dest = leg->tuple.remote_port;
	return 0;
}

/* Write Ethernet header and tags; returns the network header, or NULL when the frame is short. */
static __always_inline void *br_write_ethernet(void *data, void *end, const struct br_next_hop *hop,
					       __u8 vlans, __be16 ethertype_be)
{
	struct ethhdr *eth = data;
	struct br_vlan_header *vlan = (void *)(eth + 1);

	if ((void *)(vlan + BR_VLAN_MAX) > end)
		return 0;
	__builtin_memcpy(eth, hop->destination, 2 * ETH_ALEN);
	switch (vlans) {
	case 0:
		eth->h_proto = ethertype_be;
		return vlan;
	case 1:
		eth->h_proto = bpf_htons(ETH_P_8021Q);
		vlan[0].tci = hop->vlan_tci[0];
		vlan[0].ethertype_be = ethertype_be;
		return vlan + 1;
	default:
		eth->h_proto = bpf_htons(ETH_P_8021AD);
		vlan[0].tci = hop->vlan_tci[0];
		vlan[0].ethertype_be = bpf_htons(ETH_P_8021Q);
		vlan[1].tci = hop->vlan_tci[1];
		vlan[1].ethertype_be = ethertype_be;
		return vlan + 2;
	}
}

/* Move the head where the new headers need it and write them. */
static __always_inline int br_stamp_write(struct xdp_md *ctx, const struct br_copy *copy,
					  const struct br_leg *leg, const struct br_next_hop *hop)
{
	int grow = copy->new_header - copy->old_header +
		   (int)sizeof(struct br_vlan_header) * copy->vlans;
	__be16 ethertype_be = leg->family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	void *data, *end, *l3, *udp;

	if (grow && bpf_xdp_adjust_head(ctx, -grow))
		return BR_NO_HEADROOM;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	l3 = br_write_ethernet(data, end, hop, copy->vlans, ethertype_be);
	if (!l3)
		return BR_NO_HEADROOM;
	if (leg->family == 4) {
		udp = l3 + sizeof(struct iphdr);
		if (udp + sizeof(struct udphdr) > end)
			return BR_NO_HEADROOM;
		br_write_ipv4(l3, copy, leg);
	} else {
		udp = l3 + sizeof(struct ipv6hdr);
		if (udp + sizeof(struct udphdr) > end)
			return BR_NO_HEADROOM;
		br_write_ipv6(l3, copy, leg);
	}
	return br_write_udp(udp, copy, leg);
}

/* Are the leg of an edge and its next hop fit to receive? Either may be NULL. */
static __always_inline int br_stamp_receiver(const struct br_edge *edge, const struct br_leg *leg,
					     const struct br_next_hop *hop)
{
	if (!leg || !br_alive(leg))
		return BR_RECEIVER_EXPIRED;
	if (!hop || *(volatile __u8 *)&hop->state != BR_NEXT_HOP_READY)
		return BR_NO_NEXT_HOP;
	return hop->egress == edge->egress ? 0 : BR_WRONG_EGRESS;
}

/* From here on the packet is written to. */
static __always_inline int br_stamp_packet(struct xdp_md *ctx, struct br_copy *copy,
					   const struct br_leg *leg, const struct br_next_hop *hop)
{
	int reason;

	copy->vlans = *(volatile __u8 *)&hop->vlans;
	if (copy->vlans > BR_VLAN_MAX)
		copy->vlans = BR_VLAN_MAX;
	reason = br_stamp_read(ctx, copy);
	if (reason)
		return reason;
	copy->new_header = leg->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	copy->ip_length = copy->new_header + copy->udp_length;
	if (copy->ip_length > hop->mtu)
		return BR_TOO_BIG;
	return br_stamp_write(ctx, copy, leg, hop);
}

/**
 * br_stamp - make a copy the packet of its leg
 * @copy: zeroed by the caller; leg and ip_length are set as soon as they are known
 *
 * Return: 0, or the reason to drop the copy.
 */
static __always_inline int br_stamp(struct xdp_md *ctx, struct br_cpu *cpu, struct br_copy *copy)
{
	struct br_next_hop *hop = 0;
	struct br_edge edge = {};
	struct br_leg *leg;
	int reason;

	reason = br_stamp_edge(ctx, cpu, &edge);
	if (reason)
		return reason;
	copy->leg = edge.leg;
	leg = bpf_map_lookup_elem(&legs, &edge.leg);
	br_capture_out(ctx, cpu, leg, edge.leg, BR_CAPTURE_TICKET);
	if (leg)
		hop = bpf_map_lookup_elem(&next_hops, &leg->next_hop);
	reason = br_stamp_receiver(&edge, leg, hop);
	/* The verifier (6.18) does not know that 0 means that both are there. */
	if (reason || !leg || !hop)
		return reason;
	return br_stamp_packet(ctx, copy, leg, hop);
}

#endif
