// SPDX-License-Identifier: BSD-2-Clause
#include "lib/datagram.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <string.h>

/* Ones' complement sum of 16-bit words (RFC 1071), not complemented. */
static uint32_t br_datagram_sum(uint32_t sum, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (length & 1)
		sum += (uint32_t)(bytes[length - 1] << 8);
	return (sum & 0xffff) + (sum >> 16);
}

static uint16_t br_datagram_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static size_t br_datagram_ipv4(const struct br_datagram *datagram, uint8_t *out, uint16_t udp)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tos = datagram->tos,
		.tot_len = htons((uint16_t)(sizeof(ip) + udp)),
		.frag_off = htons(datagram->dont_fragment ? 0x4000 : 0),
		.ttl = datagram->ttl,
		.protocol = IPPROTO_UDP,
		.saddr = datagram->remote.addr.words[3],
		.daddr = datagram->local.addr.words[3],
	};
	uint16_t check;

	memcpy(out, &ip, sizeof(ip));
	check = br_datagram_fold(br_datagram_sum(0, out, sizeof(ip)));
	memcpy(out + offsetof(struct iphdr, check), &check, sizeof(check));
	return sizeof(ip);
}

static size_t br_datagram_ipv6(const struct br_datagram *datagram, uint8_t *out, uint16_t udp)
{
	struct ipv6hdr ip = {
		.version = 6,
		.priority = datagram->tos >> 4,
		.flow_lbl = {(uint8_t)(datagram->tos << 4)},
		.payload_len = htons(udp),
		.nexthdr = IPPROTO_UDP,
		.hop_limit = datagram->ttl,
	};

	memcpy(&ip.saddr, datagram->remote.addr.words, sizeof(ip.saddr));
	memcpy(&ip.daddr, datagram->local.addr.words, sizeof(ip.daddr));
	memcpy(out, &ip, sizeof(ip));
	return sizeof(ip);
}

size_t br_datagram_headers(const struct br_datagram *datagram,
			   uint8_t out[static BR_DATAGRAM_HEADERS])
{
	bool v4 = datagram->remote.addr.family == 4;
	uint16_t length = (uint16_t)(BR_UDP_HEADER + datagram->length);
	struct udphdr udp = {
		.source = datagram->remote.port,
		.dest = datagram->local.port,
		.len = htons(length),
	};
	size_t used = ETH_HLEN;
	uint32_t sum;

	memset(out, 0, ETH_HLEN);
	out[12] = v4 ? ETH_P_IP >> 8 : ETH_P_IPV6 >> 8;
	out[13] = v4 ? ETH_P_IP & 0xff : ETH_P_IPV6 & 0xff;
	used += v4 ? br_datagram_ipv4(datagram, out + used, length)
		   : br_datagram_ipv6(datagram, out + used, length);
	/* the pseudo-header; an IPv4-mapped address adds 0xffff, which is nothing: both do */
	sum = br_datagram_sum(IPPROTO_UDP + length, datagram->remote.addr.words, 16);
	sum = br_datagram_sum(sum, datagram->local.addr.words, 16);
	sum = br_datagram_sum(sum, &udp, sizeof(udp));
	udp.check = br_datagram_fold(br_datagram_sum(sum, datagram->payload, datagram->length));
	if (!udp.check)
		udp.check = 0xffff;
	memcpy(out + used, &udp, sizeof(udp));
	return used + sizeof(udp);
}
