// SPDX-License-Identifier: BSD-2-Clause
#include "packet.h"

#include <assert.h>
#include <string.h>

#define IPV4_HEADER 20u
#define IPV6_HEADER 40u
#define PROTO_UDP   17u

void put16(uint8_t *out, uint16_t value)
{
	out[0] = value >> 8;
	out[1] = value & 0xff;
}

void put32(uint8_t *out, uint32_t value)
{
	put16(out, value >> 16);
	put16(out + 2, value & 0xffff);
}

uint16_t get16(const uint8_t *in)
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

uint32_t get32(const uint8_t *in)
{
	return (uint32_t)get16(in) << 16 | get16(in + 2);
}

uint16_t packet_sum(uint32_t sum, const void *data, size_t length)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i + 1 < length; i += 2) {
		sum += get16(byte + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (length % 2)
		sum += (uint32_t)byte[length - 1] << 8;
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

size_t packet_l3(const struct packet *packet)
{
	return 14 + 4 * (size_t)packet->tags;
}

size_t packet_udp(const struct packet *packet)
{
	return packet_l3(packet) + (packet->family == 4 ? IPV4_HEADER : IPV6_HEADER);
}

size_t packet_ip_length(const struct packet *packet)
{
	return packet_udp(packet) - packet_l3(packet) + UDP_HEADER + packet->payload_length;
}

/* Sum of the pseudo-header and the datagram, RFC 768 and RFC 8200 section 8.1. */
static uint16_t udp_sum(const uint8_t *addresses, size_t address_bytes, const uint8_t *udp,
			size_t length)
{
	uint32_t sum = packet_sum(0, addresses, address_bytes);

	sum = packet_sum(sum + PROTO_UDP + (uint32_t)(length & 0xffff), NULL, 0);
	return packet_sum(sum, udp, length);
}

static void build_ipv4(const struct packet *packet, uint8_t *ip)
{
	ip[0] = 0x45;
	ip[1] = packet->tos;
	put16(ip + 2, (uint16_t)packet_ip_length(packet));
	put16(ip + 4, packet->id);
	put16(ip + 6, packet->frag);
	ip[8] = packet->ttl;
	ip[9] = PROTO_UDP;
	put16(ip + 10, 0);
	memcpy(ip + 12, &packet->source[3], 4);
	memcpy(ip + 16, &packet->destination[3], 4);
	put16(ip + 10, (uint16_t)~packet_sum(0, ip, IPV4_HEADER));
}

static void build_ipv6(const struct packet *packet, uint8_t *ip)
{
	put32(ip, 6u << 28 | (uint32_t)packet->tos << 20 | packet->flow);
	put16(ip + 4, (uint16_t)(UDP_HEADER + packet->payload_length));
	ip[6] = PROTO_UDP;
	ip[7] = packet->ttl;
	memcpy(ip + 8, packet->source, 16);
	memcpy(ip + 24, packet->destination, 16);
}

static void build_udp(const struct packet *packet, const uint8_t *ip, uint8_t *udp)
{
	size_t length = UDP_HEADER + packet->payload_length;
	uint16_t check;

	put16(udp, packet->source_port);
	put16(udp + 2, packet->destination_port);
	put16(udp + 4, (uint16_t)length);
	put16(udp + 6, 0);
	memcpy(udp + UDP_HEADER, packet->payload, packet->payload_length);
	if (packet->no_checksum)
		return;
	check = (uint16_t)~udp_sum(packet->family == 4 ? ip + 12 : ip + 8,
				   packet->family == 4 ? 8 : 32, udp, length);
	put16(udp + 6, check ? check : 0xffff);
}

size_t packet_build(const struct packet *packet, uint8_t out[static PACKET_MAX])
{
	uint8_t *next = out + 12;
	uint8_t *ip;
	size_t length = packet_l3(packet) + packet_ip_length(packet);

	assert(length + packet->padding <= PACKET_MAX);
	memcpy(out, packet->ethernet, 12);
	for (unsigned int i = 0; i < packet->tags; i++) {
		put16(next, packet->tpid[i]);
		put16(next + 2, packet->tci[i]);
		next += 4;
	}
	put16(next, packet->family == 4 ? TYPE_IPV4 : TYPE_IPV6);
	ip = next + 2;
	if (packet->family == 4)
		build_ipv4(packet, ip);
	else
		build_ipv6(packet, ip);
	build_udp(packet, ip, out + packet_udp(packet));
	memset(out + length, 0xee, packet->padding);
	return length + packet->padding;
}

bool packet_checksums_valid(const uint8_t *frame, size_t length, size_t l3)
{
	const uint8_t *ip = frame + l3;
	bool ipv4 = ip[0] >> 4 == 4;
	const uint8_t *udp = ip + (ipv4 ? IPV4_HEADER : IPV6_HEADER);
	size_t udp_length = get16(udp + 4);

	if (udp + udp_length > frame + length)
		return false;
	if (ipv4 && packet_sum(0, ip, IPV4_HEADER) != 0xffff)
		return false;
	if (!get16(udp + 6))
		return ipv4;
	return udp_sum(ipv4 ? ip + 12 : ip + 8, ipv4 ? 8 : 32, udp, udp_length) == 0xffff;
}

/* Bytes without a pattern that could hide a shift. */
static void fill(uint8_t *out, size_t length, uint32_t seed)
{
	for (size_t i = 0; i < length; i++) {
		seed = seed * 1664525u + 1013904223u;
		out[i] = seed >> 24;
	}
}

size_t payload_rtp(uint8_t *out, uint32_t ssrc, unsigned int csrcs, int ext, size_t body)
{
	size_t length = PACKET_RTP_MIN;

	out[0] = (uint8_t)(0x80 | (ext == PACKET_NO_EXT ? 0 : 0x10) | csrcs);
	out[1] = 96;
	put16(out + 2, 0x1234);
	put32(out + 4, 0x89abcdef);
	put32(out + 8, ssrc);
	fill(out + length, 4 * csrcs, 1);
	length += 4 * csrcs;
	if (ext != PACKET_NO_EXT) {
		put16(out + length, 0xbede);
		put16(out + length + 2, (uint16_t)ext);
		fill(out + length + 4, 4 * (size_t)ext, 2);
		length += 4 + 4 * (size_t)ext;
	}
	fill(out + length, body, 3);
	return length + body;
}

size_t payload_rtcp(uint8_t *out, uint8_t type, uint32_t ssrc, size_t body)
{
	out[0] = 0x80;
	out[1] = type;
	put16(out + 2, (uint16_t)((8 + body) / 4 - 1));
	put32(out + 4, ssrc);
	fill(out + 8, body, 4);
	return 8 + body;
}

size_t payload_stun(uint8_t *out)
{
	put16(out, 0x0001);
	put16(out + 2, 0);
	put32(out + 4, 0x2112a442);
	fill(out + 8, 12, 5);
	return 20;
}

size_t payload_dtls(uint8_t *out)
{
	out[0] = 22;
	put16(out + 1, 0xfefd);
	fill(out + 3, 30, 6);
	return 33;
}
