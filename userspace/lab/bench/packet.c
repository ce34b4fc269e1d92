// SPDX-License-Identifier: BSD-2-Clause
/* Packets and addresses of the benchmark's publishers and receivers. */
#include "bench.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <string.h>

#define BR_BENCH_PORT		  40000
#define BR_BENCH_LEGS_PER_ADDRESS 16384u

struct br_endpoint br_bench_endpoint(uint8_t family, bool publisher, uint32_t number)
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

static uint16_t br_bench_checksum(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

void br_bench_headers(const struct br_bench_case *spec, uint32_t sender,
		      const uint8_t mac[static 6], uint8_t out[static 80])
{
	struct br_endpoint from = br_bench_endpoint(spec->from, true, sender);
	uint16_t udp_length = (uint16_t)(sizeof(struct udphdr) + spec->bytes);
	struct ethhdr *eth = (void *)out;
	struct udphdr *udp;
	uint8_t *rtp;
	uint32_t ssrc = htonl(sender + 1);

	memset(out, 0, 80);
	memcpy(eth->h_dest, mac, ETH_ALEN);
	eth->h_source[0] = 2;
	if (spec->from == 4) {
		struct iphdr *ip = (void *)(eth + 1);

		eth->h_proto = htons(ETH_P_IP);
		*ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};
		ip->tot_len = htons((uint16_t)(sizeof(*ip) + udp_length));
		ip->saddr = from.addr.words[3];
		inet_pton(AF_INET, "10.10.0.1", &ip->daddr);
		ip->check = br_bench_checksum(ip, sizeof(*ip));
		udp = (void *)(ip + 1);
	} else {
		struct ipv6hdr *ip = (void *)(eth + 1);

		eth->h_proto = htons(ETH_P_IPV6);
		ip->version = 6;
		ip->payload_len = htons(udp_length);
		ip->nexthdr = IPPROTO_UDP;
		ip->hop_limit = 64;
		memcpy(&ip->saddr, from.addr.words, 16);
		inet_pton(AF_INET6, "fd00:10::1", &ip->daddr);
		udp = (void *)(ip + 1);
	}
	udp->source = from.port;
	udp->dest = htons(BR_BENCH_PORT);
	udp->len = htons(udp_length);
	udp->check = htons(0x1234); /* updated incrementally, never verified here */
	rtp = (uint8_t *)(udp + 1);
	rtp[0] = 0x80;
	rtp[1] = 96;
	memcpy(rtp + 8, &ssrc, sizeof(ssrc));
}
