// SPDX-License-Identifier: BSD-2-Clause
#include "packet.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define BR_BENCH_LEGS_PER_ADDRESS 16384u

struct br_endpoint br_packet_endpoint(uint8_t family, bool publisher, uint32_t number)
{
	struct br_endpoint endpoint = {
		.port = htons((uint16_t)(1024 + number % BR_BENCH_LEGS_PER_ADDRESS)),
	};
	char text[BR_ADDR_TEXT];
	uint32_t host = number / BR_BENCH_LEGS_PER_ADDRESS + 1;

	if (family == 4)
		snprintf(text, sizeof(text), "10.%d.0.%u", publisher ? 20 : 30, host);
	else
		snprintf(text, sizeof(text), "fd00:%d::%x", publisher ? 20 : 30, host);
	br_addr_parse(text, &endpoint.addr);
	return endpoint;
}

static uint16_t br_packet_checksum(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

uint32_t br_packet_length(uint8_t family, uint32_t bytes)
{
	return (uint32_t)(sizeof(struct ethhdr) + sizeof(struct udphdr)) + bytes +
	       (uint32_t)(family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
}

static struct udphdr *br_packet_ipv4(struct iphdr *ip, const struct br_addr *from, uint32_t length)
{
	*ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};
	ip->tot_len = htons((uint16_t)(sizeof(*ip) + length));
	ip->saddr = from->words[3];
	inet_pton(AF_INET, BR_BENCH_RELAY4, &ip->daddr);
	ip->check = br_packet_checksum(ip, sizeof(*ip));
	return (void *)(ip + 1);
}

static struct udphdr *br_packet_ipv6(struct ipv6hdr *ip, const struct br_addr *from,
				     uint32_t length)
{
	ip->version = 6;
	ip->payload_len = htons((uint16_t)length);
	ip->nexthdr = IPPROTO_UDP;
	ip->hop_limit = 64;
	memcpy(&ip->saddr, from->words, 16);
	inet_pton(AF_INET6, BR_BENCH_RELAY6, &ip->daddr);
	return (void *)(ip + 1);
}

void br_packet_headers(uint8_t family, uint32_t sender, uint32_t bytes, bool checksum,
		       const uint8_t mac[static 6], uint8_t out[static BR_BENCH_HEADERS])
{
	struct br_endpoint from = br_packet_endpoint(family, true, sender);
	uint32_t length = (uint32_t)sizeof(struct udphdr) + bytes;
	struct ethhdr *eth = (void *)out;
	struct udphdr *udp;
	uint8_t *rtp;
	uint32_t ssrc = htonl(sender + 1);

	memset(out, 0, BR_BENCH_HEADERS);
	memcpy(eth->h_dest, mac, ETH_ALEN);
	eth->h_source[0] = 2;
	eth->h_proto = htons(family == 4 ? ETH_P_IP : ETH_P_IPV6);
	udp = family == 4 ? br_packet_ipv4((void *)(eth + 1), &from.addr, length)
			  : br_packet_ipv6((void *)(eth + 1), &from.addr, length);
	udp->source = from.port;
	udp->dest = htons(BR_BENCH_PORT);
	udp->len = htons((uint16_t)length);
	udp->check = checksum ? htons(0x1234) : 0;
	rtp = (uint8_t *)(udp + 1);
	rtp[0] = 0x80;
	rtp[1] = 96;
	memcpy(rtp + 8, &ssrc, sizeof(ssrc));
}
