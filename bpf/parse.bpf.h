/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* From a frame to a five-tuple. Reads only; whatever is not UDP to the media port passes. */
#ifndef BR_PARSE_BPF_H
#define BR_PARSE_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.bpf.h"

#define BR_IP_MF     0x2000 /* RFC 791: more fragments */
#define BR_IP_OFFSET 0x1fff /* RFC 791: fragment offset */

struct br_vlan_header {
	__be16 tci;
	__be16 ethertype_be;
};

struct br_packet {
	struct br_tuple tuple;
	__u64 now_ns; /* CLOCK_MONOTONIC (coarse), once it is known to be for us */
	__be32 ssrc;
	__u16 l3_offset;
	__u16 ip_length;  /* of the whole IP packet, as its header says */
	__u16 udp_length; /* as the UDP header says */
	__u16 ip_header;  /* 20 or 40 */
	__be16 ethertype_be;
	__sum16 udp_check;
	__u8 ttl;
	__u8 class; /* enum br_class; set by br_inspect */
};

static __always_inline int br_parse_ipv4(void *l3, void *end, struct br_packet *packet)
{
	struct iphdr *ip = l3;

	if ((void *)(ip + 1) > end || ip->version != 4)
		return BR_NOT_MEDIA;
	if (ip->protocol != IPPROTO_UDP)
		return BR_NOT_MEDIA;
	if (ip->ihl != 5)
		return BR_IP_OPTIONS;
	if (ip->frag_off & bpf_htons(BR_IP_MF | BR_IP_OFFSET))
		return BR_FRAGMENT;
	packet->tuple.remote[2] = bpf_htonl(0xffff);
	packet->tuple.remote[3] = ip->saddr;
	packet->tuple.local[2] = bpf_htonl(0xffff);
	packet->tuple.local[3] = ip->daddr;
	packet->ip_length = bpf_ntohs(ip->tot_len);
	packet->ip_header = sizeof(*ip);
	packet->ttl = ip->ttl;
	return 0;
}

static __always_inline int br_parse_ipv6(void *l3, void *end, struct br_packet *packet)
{
	struct ipv6hdr *ip = l3;
	__u32 length;

	if ((void *)(ip + 1) > end || ip->version != 6)
		return BR_NOT_MEDIA;
	switch (ip->nexthdr) {
	case IPPROTO_UDP:
		break;
	case IPPROTO_FRAGMENT:
		return BR_FRAGMENT;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return BR_IP_OPTIONS;
	default:
		return BR_NOT_MEDIA;
	}
	__builtin_memcpy(packet->tuple.remote, &ip->saddr, sizeof(ip->saddr));
	__builtin_memcpy(packet->tuple.local, &ip->daddr, sizeof(ip->daddr));
	length = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	packet->ip_length = length > 0xffff ? 0xffff : length;
	packet->ip_header = sizeof(*ip);
	packet->ttl = ip->hop_limit;
	return 0;
}

/* Skips up to BR_VLAN_MAX tags; returns the network header, or NULL when the frame is too short. */
static __always_inline void *br_parse_ethernet(void *data, void *end, __be16 *ethertype_be)
{
	struct ethhdr *eth = data;
	struct br_vlan_header *vlan = (void *)(eth + 1);

	if ((void *)(eth + 1) > end)
		return 0;
	*ethertype_be = eth->h_proto;
#pragma unroll
	for (unsigned int i = 0; i < BR_VLAN_MAX; i++) {
		if (*ethertype_be != bpf_htons(ETH_P_8021Q) &&
		    *ethertype_be != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(vlan + 1) > end)
			return 0;
		*ethertype_be = vlan->ethertype_be;
		vlan++;
	}
	return vlan;
}

/**
 * br_parse - find the five-tuple of a frame
 * @packet: zeroed by the caller; filled as far as the result allows
 *
 * Return: 0 for UDP to the media port, else the reason to pass it up.
 */
static __always_inline int br_parse(struct xdp_md *ctx, struct br_packet *packet)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	void *l3 = br_parse_ethernet(data, end, &packet->ethertype_be);
	struct udphdr *udp;
	int reason;

	if (!l3)
		return BR_NOT_MEDIA;
	packet->l3_offset = l3 - data;
	if (packet->ethertype_be == bpf_htons(ETH_P_IP)) {
		reason = br_parse_ipv4(l3, end, packet);
		udp = l3 + sizeof(struct iphdr);
	} else if (packet->ethertype_be == bpf_htons(ETH_P_IPV6)) {
		reason = br_parse_ipv6(l3, end, packet);
		udp = l3 + sizeof(struct ipv6hdr);
	} else {
		return BR_NOT_MEDIA;
	}
	if (reason)
		return reason;
	if ((void *)(udp + 1) > end || udp->dest != br_media_port)
		return BR_NOT_MEDIA;
	packet->tuple.remote_port = udp->source;
	packet->tuple.local_port = udp->dest;
	packet->udp_length = bpf_ntohs(udp->len);
	packet->udp_check = udp->check;
	return 0;
}

#endif
