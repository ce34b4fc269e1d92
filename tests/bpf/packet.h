/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames, built from a description with every checksum computed from scratch. What the
 * kernel updates incrementally is compared with this.
 */
#ifndef TEST_BPF_PACKET_H
#define TEST_BPF_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#define PACKET_MAX     2048u /* bytes of a frame */
#define PACKET_TAGS    3u    /* one more than the relay strips */
#define PACKET_RTP_MIN 12u
#define PACKET_NO_EXT  (-1) /* RTP without header extension */

#define TPID_C	   0x8100u /* IEEE 802.1Q customer tag */
#define TPID_S	   0x88a8u /* IEEE 802.1ad service tag */
#define TYPE_IPV4  0x0800u
#define TYPE_IPV6  0x86ddu
#define IPV4_DF	   0x4000u
#define UDP_HEADER 8u

/* A frame. Integers in host byte order, addresses as in struct br_tuple. */
struct packet {
	uint8_t ethernet[12]; /* destination and source, or a ticket */
	uint8_t tags;
	uint16_t tpid[PACKET_TAGS];
	uint16_t tci[PACKET_TAGS];
	uint8_t family; /* 4 or 6 */
	__be32 source[4];
	__be32 destination[4];
	uint16_t source_port;
	uint16_t destination_port;
	uint8_t tos; /* DSCP and ECN; the traffic class of IPv6 */
	uint8_t ttl;
	uint16_t id;	  /* IPv4 */
	uint16_t frag;	  /* IPv4: flags and offset */
	uint32_t flow;	  /* IPv6: flow label */
	bool no_checksum; /* UDP checksum 0 */
	const uint8_t *payload;
	size_t payload_length;
	size_t padding; /* bytes behind the IP packet */
};

/** packet_build - write the frame into @out; returns its length, at most PACKET_MAX */
size_t packet_build(const struct packet *packet, uint8_t out[static PACKET_MAX]);
/** packet_l3 - offset of the IP header */
size_t packet_l3(const struct packet *packet);
/** packet_udp - offset of the UDP header */
size_t packet_udp(const struct packet *packet);
/** packet_ip_length - length of the IP packet */
size_t packet_ip_length(const struct packet *packet);

/** packet_sum - RFC 1071 sum of @length bytes, added to @sum and folded; not complemented */
uint16_t packet_sum(uint32_t sum, const void *data, size_t length);
/**
 * packet_checksums_valid - recompute the checksums of an untagged or tagged UDP frame
 * @l3: offset of the IP header
 *
 * A zero UDP checksum over IPv4 counts as valid, over IPv6 not (RFC 8200 section 8.1).
 */
bool packet_checksums_valid(const uint8_t *frame, size_t length, size_t l3);

/**
 * payload_rtp - SRTP: header, CSRCs, extension of @ext words, @body bytes that look sealed
 *
 * Return: its length.
 */
size_t payload_rtp(uint8_t *out, uint32_t ssrc, unsigned int csrcs, int ext, size_t body);
/** payload_rtcp - SRTCP of packet type @type with @body bytes behind the clear 8 */
size_t payload_rtcp(uint8_t *out, uint8_t type, uint32_t ssrc, size_t body);
/** payload_stun - a STUN binding request without attributes, RFC 8489 section 5 */
size_t payload_stun(uint8_t *out);
/** payload_dtls - the head of a DTLS 1.2 handshake record, RFC 6347 section 4.1 */
size_t payload_dtls(uint8_t *out);

/** put16 - write 16 bits in network order */
void put16(uint8_t *out, uint16_t value);
/** put32 - write 32 bits in network order */
void put32(uint8_t *out, uint32_t value);
/** get16 - read 16 bits in network order */
uint16_t get16(const uint8_t *in);
/** get32 - read 32 bits in network order */
uint32_t get32(const uint8_t *in);

#endif
