// SPDX-License-Identifier: BSD-2-Clause
#include "plane/tap_frame.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>

/* Returns the UDP header's offset in the packet and the packet's length, or 0. */
static size_t br_tap_ipv4(const uint8_t *packet, size_t length, struct br_datagram *out,
			  size_t *ip_length)
{
	struct ip ip;

	if (length < sizeof(ip))
		return 0;
	memcpy(&ip, packet, sizeof(ip));
	if (ip.ip_v != 4 || ip.ip_hl != 5 || ip.ip_p != IPPROTO_UDP)
		return 0;
	*ip_length = ntohs(ip.ip_len);
	out->remote.addr = br_addr_from_bytes(4, &ip.ip_src);
	out->local.addr = br_addr_from_bytes(4, &ip.ip_dst);
	out->ttl = ip.ip_ttl;
	out->tos = ip.ip_tos;
	out->dont_fragment = ntohs(ip.ip_off) & IP_DF;
	return sizeof(ip);
}

static size_t br_tap_ipv6(const uint8_t *packet, size_t length, struct br_datagram *out,
			  size_t *ip_length)
{
	struct ip6_hdr ip;

	if (length < sizeof(ip))
		return 0;
	memcpy(&ip, packet, sizeof(ip));
	if (ip.ip6_vfc >> 4 != 6 || ip.ip6_nxt != IPPROTO_UDP)
		return 0;
	*ip_length = sizeof(ip) + ntohs(ip.ip6_plen);
	out->remote.addr = br_addr_from_bytes(6, &ip.ip6_src);
	out->local.addr = br_addr_from_bytes(6, &ip.ip6_dst);
	out->ttl = ip.ip6_hlim;
	out->tos = (uint8_t)(ntohl(ip.ip6_flow) >> 20);
	out->dont_fragment = true; /* RFC 8200 section 5: nobody cuts it on its way */
	return sizeof(ip);
}

int br_tap_frame_parse(const uint8_t *frame, size_t length, struct br_datagram *out)
{
	const uint8_t *packet = frame + ETH_HLEN;
	size_t ip_length = 0, header = 0;
	struct udphdr udp;
	uint16_t type;

	if (length < ETH_HLEN)
		return -EBADMSG;
	memcpy(&type, frame + ETH_HLEN - sizeof(type), sizeof(type));
	if (ntohs(type) == ETH_P_IP)
		header = br_tap_ipv4(packet, length - ETH_HLEN, out, &ip_length);
	else if (ntohs(type) == ETH_P_IPV6)
		header = br_tap_ipv6(packet, length - ETH_HLEN, out, &ip_length);
	if (!header || ip_length > length - ETH_HLEN || ip_length < header + sizeof(udp))
		return -EBADMSG;
	memcpy(&udp, packet + header, sizeof(udp));
	if (ntohs(udp.len) != ip_length - header)
		return -EBADMSG;
	out->remote.port = udp.source;
	out->local.port = udp.dest;
	out->payload = packet + header + sizeof(udp);
	out->length = ip_length - header - sizeof(udp);
	return 0;
}
