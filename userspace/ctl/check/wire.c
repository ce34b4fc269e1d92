// SPDX-License-Identifier: BSD-2-Clause
#include "ctl/check/wire.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>

/* Headers of one frame; the IP header in the middle is 20 or 40 bytes. */
#define BR_ETHERTYPE_AT 12u
#define BR_IPV4_HEADER	20u
#define BR_IPV6_HEADER	40u
#define BR_UDP_HEADER	8u

/* Ones' complement sum, RFC 1071; @data of odd length is padded with zero. */
static uint32_t br_wire_add(uint32_t sum, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | (i + 1 < length ? bytes[i + 1] : 0);
	return sum;
}

static uint16_t br_wire_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Sum over pseudo-header and datagram: RFC 768, RFC 8200 section 8.1; 0xffff when right. */
static uint16_t br_wire_udp_sum(const void *addresses, size_t addresses_length,
				const uint8_t *datagram, size_t length)
{
	uint32_t sum = IPPROTO_UDP + (uint32_t)length;

	sum = br_wire_add(sum, addresses, addresses_length);
	return br_wire_fold(br_wire_add(sum, datagram, length));
}

static void br_wire_ipv4(const struct br_wire *wire, size_t length, uint8_t *out)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = BR_IPV4_HEADER / 4,
		.tot_len = htons((uint16_t)(BR_IPV4_HEADER + length)),
		.frag_off = htons(IP_DF),
		.ttl = wire->hops,
		.protocol = IPPROTO_UDP,
		.saddr = wire->source.addr.words[3],
		.daddr = wire->destination.addr.words[3],
	};

	ip.check = htons((uint16_t)~br_wire_fold(br_wire_add(0, &ip, sizeof(ip))));
	memcpy(out, &ip, sizeof(ip));
}

static void br_wire_ipv6(const struct br_wire *wire, size_t length, uint8_t *out)
{
	struct ip6_hdr ip = {0};

	ip.ip6_flow = htonl(6u << 28);
	ip.ip6_plen = htons((uint16_t)length);
	ip.ip6_nxt = IPPROTO_UDP;
	ip.ip6_hlim = wire->hops;
	memcpy(&ip.ip6_src, wire->source.addr.words, sizeof(ip.ip6_src));
	memcpy(&ip.ip6_dst, wire->destination.addr.words, sizeof(ip.ip6_dst));
	memcpy(out, &ip, sizeof(ip));
}

size_t br_wire_build(const struct br_wire *wire, const void *payload, size_t length,
		     uint8_t out[static BR_WIRE_FRAME_MAX])
{
	bool v4 = wire->source.addr.family == 4;
	size_t header = v4 ? BR_IPV4_HEADER : BR_IPV6_HEADER;
	uint16_t ethertype = htons(v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	uint8_t *ip = out + ETH_HLEN, *udp = ip + header;
	uint16_t check;
	struct udphdr head = {
		.source = wire->source.port,
		.dest = wire->destination.port,
	};

	if (length > BR_WIRE_FRAME_MAX - ETH_HLEN - BR_IPV6_HEADER - BR_UDP_HEADER)
		return 0;
	head.len = htons((uint16_t)(BR_UDP_HEADER + length));
	memcpy(out, wire->destination_mac, ETH_ALEN);
	memcpy(out + ETH_ALEN, wire->source_mac, ETH_ALEN);
	memcpy(out + BR_ETHERTYPE_AT, &ethertype, sizeof(ethertype));
	if (v4)
		br_wire_ipv4(wire, BR_UDP_HEADER + length, ip);
	else
		br_wire_ipv6(wire, BR_UDP_HEADER + length, ip);
	memcpy(udp, &head, sizeof(head));
	memcpy(udp + BR_UDP_HEADER, payload, length);
	check = (uint16_t)~br_wire_udp_sum(ip + (v4 ? 12 : 8), v4 ? 8 : 32, udp,
					   BR_UDP_HEADER + length);
	check = htons(check ? check : 0xffff); /* 0 would say that there is none */
	memcpy(udp + offsetof(struct udphdr, check), &check, sizeof(check));
	return ETH_HLEN + header + BR_UDP_HEADER + length;
}

/* Where the parts of a frame are; family 0 when it is no UDP that we understand. */
struct br_wire_parts {
	int family;
	const uint8_t *ip, *udp;
	size_t udp_length; /* bytes of the frame from there on */
};

static struct br_wire_parts br_wire_parse(const uint8_t *frame, size_t length)
{
	struct br_wire_parts parts = {0};
	const uint8_t *ip = frame + ETH_HLEN;
	size_t header;
	int family;

	if (length < ETH_HLEN + BR_IPV4_HEADER + BR_UDP_HEADER)
		return parts;
	if (frame[BR_ETHERTYPE_AT] == 0x08 && frame[BR_ETHERTYPE_AT + 1] == 0x00 && ip[0] == 0x45 &&
	    ip[9] == IPPROTO_UDP) {
		family = 4;
		header = BR_IPV4_HEADER;
	} else if (frame[BR_ETHERTYPE_AT] == 0x86 && frame[BR_ETHERTYPE_AT + 1] == 0xdd &&
		   ip[0] >> 4 == 6 && ip[6] == IPPROTO_UDP) {
		family = 6;
		header = BR_IPV6_HEADER;
	} else {
		return parts;
	}
	if (length < ETH_HLEN + header + BR_UDP_HEADER)
		return parts;
	parts.family = family;
	parts.ip = ip;
	parts.udp = ip + header;
	parts.udp_length = length - ETH_HLEN - header;
	return parts;
}

bool br_wire_is_udp(const uint8_t *frame, size_t length)
{
	return br_wire_parse(frame, length).family != 0;
}

static bool br_wire_number(const char *what, unsigned int got, unsigned int expected,
			   char why[static BR_CHECK_TEXT])
{
	if (got == expected)
		return true;
	snprintf(why, BR_CHECK_TEXT, "%s is %u instead of %u", what, got, expected);
	return false;
}

static unsigned int br_wire_u16(const uint8_t *bytes)
{
	return (unsigned int)bytes[0] << 8 | bytes[1];
}

static bool br_wire_mac(const char *what, const uint8_t *got, const uint8_t *expected,
			char why[static BR_CHECK_TEXT])
{
	if (!memcmp(got, expected, ETH_ALEN))
		return true;
	snprintf(why, BR_CHECK_TEXT,
		 "%s MAC address is %02x:%02x:%02x:%02x:%02x:%02x instead of "
		 "%02x:%02x:%02x:%02x:%02x:%02x",
		 what, got[0], got[1], got[2], got[3], got[4], got[5], expected[0], expected[1],
		 expected[2], expected[3], expected[4], expected[5]);
	return false;
}

static bool br_wire_address(const char *what, int family, const uint8_t *got,
			    const struct br_addr *expected, char why[static BR_CHECK_TEXT])
{
	struct br_addr addr = br_addr_from_bytes(family, got);
	char text[BR_ADDR_TEXT], wanted[BR_ADDR_TEXT];

	if (br_addr_equal(&addr, expected))
		return true;
	snprintf(why, BR_CHECK_TEXT, "%s address is %s instead of %s", what,
		 br_addr_format(&addr, text), br_addr_format(expected, wanted));
	return false;
}

static bool br_wire_verify_ip(const struct br_wire *wire, const struct br_wire_parts *parts,
			      size_t udp_length, char why[static BR_CHECK_TEXT])
{
	const uint8_t *ip = parts->ip;

	if (parts->family == 4)
		return br_wire_number("IPv4 total length", br_wire_u16(ip + 2),
				      (unsigned int)(BR_IPV4_HEADER + udp_length), why) &&
		       br_wire_number("fragment offset", br_wire_u16(ip + 6) & 0x3fff, 0, why) &&
		       br_wire_number("TTL", ip[8], wire->hops, why) &&
		       br_wire_address("source", 4, ip + 12, &wire->source.addr, why) &&
		       br_wire_address("destination", 4, ip + 16, &wire->destination.addr, why) &&
		       br_wire_number("sum over the IPv4 header",
				      br_wire_fold(br_wire_add(0, ip, BR_IPV4_HEADER)), 0xffff,
				      why);
	return br_wire_number("IPv6 payload length", br_wire_u16(ip + 4), (unsigned int)udp_length,
			      why) &&
	       br_wire_number("hop limit", ip[7], wire->hops, why) &&
	       br_wire_address("source", 6, ip + 8, &wire->source.addr, why) &&
	       br_wire_address("destination", 6, ip + 24, &wire->destination.addr, why);
}

/* The addresses have been compared: the checksum is over them as they stand. */
static bool br_wire_verify_udp(const struct br_wire *wire, const struct br_wire_parts *parts,
			       size_t length, char why[static BR_CHECK_TEXT])
{
	const uint8_t *udp = parts->udp;
	const uint8_t *addresses = parts->ip + (parts->family == 4 ? 12 : 8);

	if (!br_wire_number("source port", br_wire_u16(udp), ntohs(wire->source.port), why) ||
	    !br_wire_number("destination port", br_wire_u16(udp + 2), ntohs(wire->destination.port),
			    why) ||
	    !br_wire_number("UDP length", br_wire_u16(udp + 4), (unsigned int)length, why))
		return false;
	if (!br_wire_u16(udp + 6)) {
		snprintf(why, BR_CHECK_TEXT, "UDP checksum is missing");
		return false;
	}
	return br_wire_number("sum over the UDP datagram",
			      br_wire_udp_sum(addresses, parts->family == 4 ? 8 : 32, udp, length),
			      0xffff, why);
}

bool br_wire_verify(const struct br_wire *wire, const void *payload, size_t length,
		    const uint8_t *frame, size_t frame_length, char why[static BR_CHECK_TEXT])
{
	struct br_wire_parts parts = br_wire_parse(frame, frame_length);
	size_t udp_length = BR_UDP_HEADER + length;

	why[0] = '\0';
	if (!parts.family) {
		snprintf(why, BR_CHECK_TEXT, "it is no UDP over IPv4 or IPv6");
		return false;
	}
	/* Ethernet pads frames to 60 bytes, so there may be more */
	if (parts.udp_length < udp_length) {
		snprintf(why, BR_CHECK_TEXT, "it is %zu bytes too short",
			 udp_length - parts.udp_length);
		return false;
	}
	if (!br_wire_number("IP version", (unsigned int)parts.family, wire->source.addr.family,
			    why) ||
	    !br_wire_mac("destination", frame, wire->destination_mac, why) ||
	    !br_wire_mac("source", frame + ETH_ALEN, wire->source_mac, why) ||
	    !br_wire_verify_ip(wire, &parts, udp_length, why))
		return false;
	/* before the checksum: it says more */
	if (br_wire_u16(parts.udp + 4) == udp_length &&
	    memcmp(parts.udp + BR_UDP_HEADER, payload, length) != 0) {
		snprintf(why, BR_CHECK_TEXT, "payload differs");
		return false;
	}
	return br_wire_verify_udp(wire, &parts, udp_length, why);
}
