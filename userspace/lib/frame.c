// SPDX-License-Identifier: BSD-2-Clause
#include "lib/frame.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

/* Bytes not yet parsed. */
struct cursor {
	const uint8_t *at;
	size_t left;
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The next @length bytes, or NULL without moving when there are fewer. */
static const uint8_t *take(struct cursor *cursor, size_t length)
{
	const uint8_t *at = cursor->at;

	if (cursor->left < length)
		return NULL;
	cursor->at += length;
	cursor->left -= length;
	return at;
}

/* EtherType of what follows the link header and VLAN tags; -1 when cut short. */
static int parse_link(enum br_link link, struct cursor *cursor, uint8_t *vlans)
{
	static const struct {
		uint8_t length, protocol;
	} layouts[] = {
		[BR_LINK_ETHERNET] = {14, 12},
		[BR_LINK_SLL] = {16, 14},
		[BR_LINK_SLL2] = {20, 0},
	};
	const uint8_t *header;
	int type;

	*vlans = 0;
	if (link == BR_LINK_RAW) {
		if (!cursor->left)
			return -1;
		return cursor->at[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
	}
	header = take(cursor, layouts[link].length);
	if (!header)
		return -1;
	type = get16(header + layouts[link].protocol);
	while (type == ETH_P_8021Q || type == ETH_P_8021AD) {
		header = take(cursor, 4);
		if (!header)
			return -1;
		type = get16(header + 2);
		++*vlans;
	}
	return type;
}

static enum br_frame_verdict parse_ipv4(struct cursor *cursor, size_t *ip_payload)
{
	const uint8_t *header = take(cursor, 20);
	size_t length, total;

	if (!header || header[0] >> 4 != 4)
		return BR_FRAME_BROKEN;
	length = (size_t)4 * (header[0] & 0x0f);
	total = get16(header + 2);
	if (length < 20 || total < length || !take(cursor, length - 20))
		return BR_FRAME_BROKEN;
	if (get16(header + 6) & 0x3fff) /* more fragments, or an offset */
		return BR_FRAME_FRAGMENT;
	if (header[9] != IPPROTO_UDP)
		return BR_FRAME_OTHER;
	*ip_payload = total - length;
	return BR_FRAME_DATAGRAM;
}

static enum br_frame_verdict parse_ipv6(struct cursor *cursor, size_t *ip_payload)
{
	const uint8_t *header = take(cursor, 40);
	uint8_t next;

	if (!header || header[0] >> 4 != 6)
		return BR_FRAME_BROKEN;
	next = header[6];
	*ip_payload = get16(header + 4);
	while (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
		size_t length;

		header = take(cursor, 8);
		if (!header)
			return BR_FRAME_BROKEN;
		length = (size_t)8 * (header[1] + 1u);
		if (*ip_payload < length || !take(cursor, length - 8))
			return BR_FRAME_BROKEN;
		*ip_payload -= length;
		next = header[0];
	}
	if (next == IPPROTO_FRAGMENT)
		return BR_FRAME_FRAGMENT;
	return next == IPPROTO_UDP ? BR_FRAME_DATAGRAM : BR_FRAME_OTHER;
}

enum br_frame_verdict br_frame_parse(enum br_link link, const void *data, size_t captured,
				     struct br_datagram *out)
{
	struct cursor cursor = {.at = data, .left = captured};
	struct br_datagram datagram = {0};
	enum br_frame_verdict verdict;
	const uint8_t *udp;
	size_t ip_payload, udp_length;
	int type;

	type = parse_link(link, &cursor, &datagram.vlans);
	if (type < 0)
		return BR_FRAME_BROKEN;
	if (type != ETH_P_IP && type != ETH_P_IPV6)
		return BR_FRAME_OTHER;
	datagram.family = type == ETH_P_IP ? 4 : 6;
	verdict = type == ETH_P_IP ? parse_ipv4(&cursor, &ip_payload)
				   : parse_ipv6(&cursor, &ip_payload);
	if (verdict != BR_FRAME_DATAGRAM)
		return verdict;
	udp = take(&cursor, 8);
	if (!udp)
		return BR_FRAME_BROKEN;
	udp_length = get16(udp + 4);
	if (udp_length < 8 || udp_length > ip_payload)
		return BR_FRAME_BROKEN;
	datagram.source_port = get16(udp);
	datagram.destination_port = get16(udp + 2);
	datagram.payload = cursor.at;
	datagram.length = udp_length - 8;
	/* What the capture holds beyond the datagram is Ethernet padding. */
	datagram.captured = cursor.left < datagram.length ? cursor.left : datagram.length;
	*out = datagram;
	return BR_FRAME_DATAGRAM;
}
