// SPDX-License-Identifier: BSD-2-Clause
/* relay: a valid packet, and one mutation of it per row. */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "check.h"

#define SSRC 0xcafe0001u
#define SLOT 5u /* of the stream (publisher, SSRC) */
#define BODY 40u

/* Where a poke is counted from. */
enum base { NOWHERE, ETHERNET, IP, UDP, PAYLOAD };

struct poke {
	enum base base;
	uint8_t offset;
	uint8_t width; /* 1 or 2 bytes */
	uint16_t value;
};

enum content {
	RTP,
	RTP_CSRC,
	RTP_EXT,
	RTCP,
	RTCP_OTHER,
	STUN,
	DTLS,
	EMPTY,
	ONE_BYTE,
	RTP_SHORT,
	RTCP_SHORT
};

#define V4   1
#define V6   2
#define BOTH (V4 | V6)

/* Who counts what, beside the reason. */
enum counts { NOTHING, STRANGER, STREAM_SENT, LEG_SENT, LEG_DROPPED, STREAM_DROPPED };

#define IP_LENGTH (-1L)

struct row {
	const char *name;
	int families;
	enum content content;
	struct poke poke;
	void (*edit)(struct tables *tables, uint32_t publisher);
	uint32_t reason;
	long bytes; /* counted with the reason; IP_LENGTH: what the IP packet has */
	enum counts counts;
};

static void no_tuple(struct tables *tables, uint32_t publisher)
{
	tables->tuples[publisher - 1].tuple.remote_port ^= 1;
}

static void not_ours(struct tables *tables, uint32_t publisher)
{
	no_tuple(tables, publisher);
	tables->local_count = 0;
}

static void only_tuple(struct tables *tables, uint32_t publisher)
{
	(void)publisher;
	tables->local_count = 0;
}

/* As an IPv4-mapped address inside IPv6 would match the five-tuple of an IPv4 leg. */
static void other_family(struct tables *tables, uint32_t publisher)
{
	tables->legs[publisher].family ^= 4 ^ 6;
}

static void expired(struct tables *tables, uint32_t publisher)
{
	tables->legs[publisher].expires_ns = 1;
}

static void not_alive(struct tables *tables, uint32_t publisher)
{
	tables->legs[publisher].expires_ns = 0;
}

static void lives_long(struct tables *tables, uint32_t publisher)
{
	tables->legs[publisher].expires_ns = 1ULL << 62;
}

static void leg_out_of_range(struct tables *tables, uint32_t publisher)
{
	tables->tuples[publisher - 1].leg = T_LEGS;
}

static void receiver_only(struct tables *tables, uint32_t publisher)
{
	tables->legs[publisher].flags = 0;
}

static void fixed(struct tables *tables, uint32_t publisher)
{
	tables->legs[publisher].flags |= BR_LEG_FIXED_SSRCS;
}

static void fixed_unknown(struct tables *tables, uint32_t publisher)
{
	fixed(tables, publisher);
	tables->streams[0].key.ssrc ^= 1;
}

static void limit_reached(struct tables *tables, uint32_t publisher)
{
	tables->streams[0].key.ssrc ^= 1;
	tables->states[publisher].learned = 2;
}

static void no_free_slot(struct tables *tables, uint32_t publisher)
{
	(void)publisher;
	tables->streams[0].key.ssrc ^= 1;
	tables->free_count = 0;
}

static void other_leg_owns_ssrc(struct tables *tables, uint32_t publisher)
{
	fixed(tables, publisher);
	tables->streams[0].key.leg = SUB4;
}

static void no_route(struct tables *tables, uint32_t publisher)
{
	tables_route(tables, publisher, EDGES_SIX, 0);
}

static void stream_without_route(struct tables *tables, uint32_t publisher)
{
	(void)publisher;
	tables_route(tables, T_LEGS + SLOT, EDGES_SIX, 0);
}

static void stream_route_empty(struct tables *tables, uint32_t publisher)
{
	(void)publisher;
	tables->routes[T_LEGS + SLOT] = 0; /* not the same as to inherit */
}

static void run_zero(struct tables *tables, uint32_t publisher)
{
	(void)publisher;
	tables->edges[EDGES_SIX].run = 0;
}

static void run_over_chunk(struct tables *tables, uint32_t publisher)
{
	tables->edges[EDGES_LONG].run = BR_CHUNK_MAX + 1;
	tables_route(tables, publisher, EDGES_LONG, BR_CHUNK_MAX + 1);
}

static void egress_out_of_range(struct tables *tables, uint32_t publisher)
{
	(void)publisher;
	tables->edges[EDGES_SIX].egress = BR_EGRESS_MAX;
}

static void edge_out_of_range(struct tables *tables, uint32_t publisher)
{
	tables_route(tables, publisher, T_EDGES, 1);
}

static void inherit_of_leg(struct tables *tables, uint32_t publisher)
{
	tables->routes[publisher] = BR_ROUTE_INHERIT; /* makes no sense there */
}

/* clang-format off */
static const struct row rows[] = {
	{"RTP", BOTH, RTP, {0}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"RTP with CSRCs", BOTH, RTP_CSRC, {0}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"RTP with extension", BOTH, RTP_EXT, {0}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"RTCP of a stream", BOTH, RTCP, {0}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"RTCP of no stream", BOTH, RTCP_OTHER, {0}, NULL, BR_FORWARDED, IP_LENGTH, LEG_SENT},
	{"RTCP of a receiver", BOTH, RTCP, {0}, receiver_only, BR_FORWARDED, IP_LENGTH, LEG_SENT},
	{"tuple but no local", BOTH, RTP, {0}, only_tuple, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"expires later", BOTH, RTP, {0}, lives_long, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"listed SSRC", BOTH, RTP, {0}, fixed, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	/* classes */
	{"STUN", BOTH, STUN, {0}, NULL, BR_STUN, IP_LENGTH, NOTHING},
	{"STUN of a stranger", BOTH, STUN, {0}, no_tuple, BR_STUN, IP_LENGTH, STRANGER},
	{"DTLS", BOTH, DTLS, {0}, NULL, BR_DTLS, IP_LENGTH, NOTHING},
	{"DTLS of a stranger", BOTH, DTLS, {0}, no_tuple, BR_DTLS, IP_LENGTH, STRANGER},
	{"class 0", BOTH, RTP, {PAYLOAD, 0, 1, 0}, NULL, BR_STUN, IP_LENGTH, NOTHING},
	{"class 3", BOTH, RTP, {PAYLOAD, 0, 1, 3}, NULL, BR_STUN, IP_LENGTH, NOTHING},
	{"class 4", BOTH, RTP, {PAYLOAD, 0, 1, 4}, NULL, BR_BAD_CLASS, IP_LENGTH, NOTHING},
	{"class 19", BOTH, RTP, {PAYLOAD, 0, 1, 19}, NULL, BR_BAD_CLASS, IP_LENGTH, NOTHING},
	{"class 20", BOTH, RTP, {PAYLOAD, 0, 1, 20}, NULL, BR_DTLS, IP_LENGTH, NOTHING},
	{"class 63", BOTH, RTP, {PAYLOAD, 0, 1, 63}, NULL, BR_DTLS, IP_LENGTH, NOTHING},
	{"class 64 (TURN)", BOTH, RTP, {PAYLOAD, 0, 1, 64}, NULL, BR_BAD_CLASS, IP_LENGTH, NOTHING},
	{"class 127", BOTH, RTP, {PAYLOAD, 0, 1, 127}, NULL, BR_BAD_CLASS, IP_LENGTH, NOTHING},
	{"class 160", BOTH, RTP, {PAYLOAD, 0, 1, 160}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"class 191", BOTH, RTP, {PAYLOAD, 0, 1, 191}, NULL, BR_BAD_RTP, IP_LENGTH, NOTHING},
	{"class 192", BOTH, RTP, {PAYLOAD, 0, 1, 192}, NULL, BR_BAD_CLASS, IP_LENGTH, NOTHING},
	{"type 191", BOTH, RTP, {PAYLOAD, 1, 1, 191}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"type 192: RTCP", BOTH, RTCP, {PAYLOAD, 1, 1, 192}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"type 223: RTCP", BOTH, RTCP, {PAYLOAD, 1, 1, 223}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"no payload", BOTH, EMPTY, {0}, NULL, BR_BAD_CLASS, IP_LENGTH, NOTHING},
	{"one byte", BOTH, ONE_BYTE, {0}, NULL, BR_BAD_CLASS, IP_LENGTH, NOTHING},
	{"11 bytes of RTP", BOTH, RTP_SHORT, {0}, NULL, BR_BAD_RTP, IP_LENGTH, NOTHING},
	{"7 bytes of RTCP", BOTH, RTCP_SHORT, {0}, NULL, BR_BAD_RTCP, IP_LENGTH, NOTHING},
	{"extension too long", BOTH, RTP_EXT, {PAYLOAD, 14, 2, 14}, NULL, BR_BAD_RTP, IP_LENGTH, NOTHING},
	{"extension just fits", BOTH, RTP_EXT, {PAYLOAD, 14, 2, 13}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"extension of 65535", BOTH, RTP_EXT, {PAYLOAD, 14, 2, 0xffff}, NULL, BR_BAD_RTP, IP_LENGTH, NOTHING},
	{"15 CSRCs", BOTH, RTP, {PAYLOAD, 0, 1, 0x8f}, NULL, BR_BAD_RTP, IP_LENGTH, NOTHING},
	{"10 CSRCs just fit", BOTH, RTP, {PAYLOAD, 0, 1, 0x8a}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"extension behind the end", BOTH, RTP, {PAYLOAD, 0, 1, 0x9a}, NULL, BR_BAD_RTP, IP_LENGTH, NOTHING},
	/* network */
	{"ARP", BOTH, RTP, {ETHERNET, 12, 2, 0x0806}, NULL, BR_NOT_MEDIA, 0, NOTHING},
	{"the other IP", V4, RTP, {ETHERNET, 12, 2, TYPE_IPV6}, NULL, BR_NOT_MEDIA, 0, NOTHING},
	{"the other IP", V6, RTP, {ETHERNET, 12, 2, TYPE_IPV4}, NULL, BR_NOT_MEDIA, 0, NOTHING},
	{"tag without its end", BOTH, RTP, {ETHERNET, 12, 2, TPID_C}, NULL, BR_NOT_MEDIA, 0, NOTHING},
	{"version 5", V4, RTP, {IP, 0, 1, 0x55}, NULL, BR_NOT_MEDIA, 0, NOTHING},
	{"version 7", V6, RTP, {IP, 0, 1, 0x70}, NULL, BR_NOT_MEDIA, 0, NOTHING},
	{"options", V4, RTP, {IP, 0, 1, 0x46}, NULL, BR_IP_OPTIONS, 0, NOTHING},
	{"header of 16 bytes", V4, RTP, {IP, 0, 1, 0x44}, NULL, BR_IP_OPTIONS, 0, NOTHING},
	{"TCP", V4, RTP, {IP, 9, 1, 6}, NULL, BR_NOT_MEDIA, 0, NOTHING},
	{"TCP", V6, RTP, {IP, 6, 1, 6}, NULL, BR_NOT_MEDIA, 0, NOTHING},
	{"hop-by-hop options", V6, RTP, {IP, 6, 1, 0}, NULL, BR_IP_OPTIONS, 0, NOTHING},
	{"routing header", V6, RTP, {IP, 6, 1, 43}, NULL, BR_IP_OPTIONS, 0, NOTHING},
	{"destination options", V6, RTP, {IP, 6, 1, 60}, NULL, BR_IP_OPTIONS, 0, NOTHING},
	{"fragment header", V6, RTP, {IP, 6, 1, 44}, NULL, BR_FRAGMENT, 0, NOTHING},
	{"more fragments", V4, RTP, {IP, 6, 2, 0x2000}, NULL, BR_FRAGMENT, 0, NOTHING},
	{"fragment offset", V4, RTP, {IP, 6, 2, 0x0001}, NULL, BR_FRAGMENT, 0, NOTHING},
	{"no DF", V4, RTP, {IP, 6, 2, 0}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"TTL 0", V4, RTP, {IP, 8, 1, 0}, NULL, BR_TTL, IP_LENGTH, LEG_DROPPED},
	{"TTL 1", V4, RTP, {IP, 8, 1, 1}, NULL, BR_TTL, IP_LENGTH, LEG_DROPPED},
	{"TTL 2", V4, RTP, {IP, 8, 1, 2}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"hop limit 0", V6, RTP, {IP, 7, 1, 0}, NULL, BR_TTL, IP_LENGTH, LEG_DROPPED},
	{"hop limit 1", V6, RTP, {IP, 7, 1, 1}, NULL, BR_TTL, IP_LENGTH, LEG_DROPPED},
	{"IP length 28", V4, RTP, {IP, 2, 2, 28}, NULL, BR_BAD_LENGTH, 28, NOTHING},
	{"IP length 0", V4, RTP, {IP, 2, 2, 0}, NULL, BR_BAD_LENGTH, 0, NOTHING},
	{"IP length 65535", V4, RTP, {IP, 2, 2, 0xffff}, NULL, BR_BAD_LENGTH, 65535, NOTHING},
	{"jumbogram", V6, RTP, {IP, 4, 2, 0}, NULL, BR_BAD_LENGTH, 40, NOTHING},
	{"IP length 65535", V6, RTP, {IP, 4, 2, 0xffff}, NULL, BR_BAD_LENGTH, 65535, NOTHING},
	/* UDP */
	{"another port", BOTH, RTP, {UDP, 2, 2, MEDIA_PORT + 1}, NULL, BR_NOT_MEDIA, IP_LENGTH, NOTHING},
	{"another source port", BOTH, RTP, {UDP, 0, 2, 1}, NULL, BR_UNKNOWN_LEG, IP_LENGTH, NOTHING},
	{"UDP length 0", BOTH, RTP, {UDP, 4, 2, 0}, NULL, BR_BAD_LENGTH, IP_LENGTH, NOTHING},
	{"UDP length 7", BOTH, RTP, {UDP, 4, 2, 7}, NULL, BR_BAD_LENGTH, IP_LENGTH, NOTHING},
	{"UDP length 8", BOTH, RTP, {UDP, 4, 2, 8}, NULL, BR_BAD_LENGTH, IP_LENGTH, NOTHING},
	{"UDP length 65535", BOTH, RTP, {UDP, 4, 2, 65535}, NULL, BR_BAD_LENGTH, IP_LENGTH, NOTHING},
	{"no checksum", V4, RTP, {UDP, 6, 2, 0}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	{"no checksum", V6, RTP, {UDP, 6, 2, 0}, NULL, BR_NO_CHECKSUM, IP_LENGTH, NOTHING},
	{"wrong checksum", BOTH, RTP, {UDP, 6, 2, 0x5555}, NULL, BR_FORWARDED, IP_LENGTH, STREAM_SENT},
	/* tables */
	{"not our address", BOTH, RTP, {0}, not_ours, BR_NOT_MEDIA, IP_LENGTH, NOTHING},
	{"STUN not to us", BOTH, STUN, {0}, not_ours, BR_NOT_MEDIA, IP_LENGTH, NOTHING},
	{"no leg", BOTH, RTP, {0}, no_tuple, BR_UNKNOWN_LEG, IP_LENGTH, NOTHING},
	{"no leg, RTCP", BOTH, RTCP, {0}, no_tuple, BR_UNKNOWN_LEG, IP_LENGTH, NOTHING},
	{"leg out of range", BOTH, RTP, {0}, leg_out_of_range, BR_LEG_EXPIRED, IP_LENGTH, NOTHING},
	{"leg of the other family", BOTH, RTP, {0}, other_family, BR_UNKNOWN_LEG, IP_LENGTH, LEG_DROPPED},
	{"expired", BOTH, RTP, {0}, expired, BR_LEG_EXPIRED, IP_LENGTH, LEG_DROPPED},
	{"not alive", BOTH, RTCP, {0}, not_alive, BR_LEG_EXPIRED, IP_LENGTH, LEG_DROPPED},
	{"no publisher", BOTH, RTP, {0}, receiver_only, BR_NOT_PUBLISHER, IP_LENGTH, LEG_DROPPED},
	{"SSRC not listed", BOTH, RTP, {0}, fixed_unknown, BR_SSRC_REFUSED, IP_LENGTH, LEG_DROPPED},
	{"SSRC of another leg", BOTH, RTP, {0}, other_leg_owns_ssrc, BR_SSRC_REFUSED, IP_LENGTH, LEG_DROPPED},
	{"SSRC limit", BOTH, RTP, {0}, limit_reached, BR_SSRC_LIMIT, IP_LENGTH, LEG_DROPPED},
	{"no free stream", BOTH, RTP, {0}, no_free_slot, BR_SSRC_LIMIT, IP_LENGTH, LEG_DROPPED},
	{"no receiver", BOTH, RTP, {0}, no_route, BR_NO_RECEIVER, IP_LENGTH, STREAM_DROPPED},
	{"no receiver of the stream", BOTH, RTP, {0}, stream_without_route, BR_NO_RECEIVER, IP_LENGTH, STREAM_DROPPED},
	{"empty route of the stream", BOTH, RTP, {0}, stream_route_empty, BR_NO_RECEIVER, IP_LENGTH, STREAM_DROPPED},
	{"edge inside a segment", BOTH, RTP, {0}, run_zero, BR_NO_COPIER, IP_LENGTH, STREAM_DROPPED},
	{"segment over the chunk", BOTH, RTP, {0}, run_over_chunk, BR_NO_COPIER, IP_LENGTH, STREAM_DROPPED},
	{"egress out of range", BOTH, RTP, {0}, egress_out_of_range, BR_NO_COPIER, IP_LENGTH, STREAM_DROPPED},
	{"edge out of range", BOTH, RTP, {0}, edge_out_of_range, BR_NO_COPIER, IP_LENGTH, STREAM_DROPPED},
	{"leg route inherits", BOTH, RTP, {0}, inherit_of_leg, BR_NO_COPIER, IP_LENGTH, STREAM_DROPPED},
};
/* clang-format on */

static size_t build_content(enum content content, uint8_t *out)
{
	switch (content) {
	case RTP:
		return payload_rtp(out, SSRC, 0, PACKET_NO_EXT, BODY);
	case RTP_CSRC:
		return payload_rtp(out, SSRC, 15, PACKET_NO_EXT, 0);
	case RTP_EXT:
		return payload_rtp(out, SSRC, 0, 3, BODY);
	case RTCP:
		return payload_rtcp(out, 200, SSRC, 20);
	case RTCP_OTHER:
		return payload_rtcp(out, 201, SSRC + 7, 0);
	case STUN:
		return payload_stun(out);
	case DTLS:
		return payload_dtls(out);
	case RTP_SHORT:
		return payload_rtp(out, SSRC, 0, PACKET_NO_EXT, 0) - 1;
	case RTCP_SHORT:
		return payload_rtcp(out, 200, SSRC, 0) - 1;
	case ONE_BYTE:
		out[0] = 0x80;
		return 1;
	default:
		return 0;
	}
}

static void apply_poke(const struct poke *poke, const struct packet *packet, uint8_t *frame)
{
	const size_t bases[] = {0, 0, packet_l3(packet), packet_udp(packet),
				packet_udp(packet) + UDP_HEADER};
	uint8_t *at = frame + bases[poke->base] + poke->offset;

	if (poke->width == 2)
		put16(at, poke->value);
	else if (poke->width == 1)
		*at = (uint8_t)poke->value;
}

static void expect_row(const struct row *row, uint32_t publisher, uint32_t ip_length,
		       struct expect *expect)
{
	bool sent = row->counts == STREAM_SENT || row->counts == LEG_SENT;
	bool dropped = row->counts == LEG_DROPPED || row->counts == STREAM_DROPPED;
	bool stream = row->counts == STREAM_SENT || row->counts == STREAM_DROPPED;

	*expect = *EXPECT(.reason = row->reason, .leg_bytes = ip_length);
	expect->bytes = row->bytes == IP_LENGTH ? ip_length : (uint64_t)row->bytes;
	expect->rx = sent ? publisher : NO_LEG;
	expect->rx_dropped = dropped ? publisher : NO_LEG;
	expect->stream = stream ? STREAM(SLOT) : 0;
	expect->tickets = sent;
	expect->stranger = row->counts == STRANGER;
}

static void run_row(struct world *world, const struct row *row, uint32_t publisher)
{
	uint8_t payload[256], frame[PACKET_MAX], forwarded[PACKET_MAX];
	struct world_run run = {.program = PROGRAM_RELAY, .in = frame};
	struct expect expect;
	struct packet packet;
	struct tables tables;

	print_message("  IPv%d %s\n", publisher == PUB4 ? 4 : 6, row->name);
	tables_base(&tables);
	tables_stream(&tables, publisher, SSRC, SLOT);
	tables_packet_from(&tables, publisher, &packet);
	if (row->edit)
		row->edit(&tables, publisher);
	world_write(world, &tables);
	packet.payload = payload;
	packet.payload_length = build_content(row->content, payload);
	run.length = packet_build(&packet, frame);
	apply_poke(&row->poke, &packet, frame);
	expect_row(row, publisher, (uint32_t)packet_ip_length(&packet), &expect);
	check_run(world, &run, &expect);
	assert_int_equal(world_events(world), 0);
	check_dynamic(world, &tables);
	if (row->reason) {
		check_unchanged(&run);
		return;
	}
	memcpy(forwarded, frame, run.length);
	tables_ticket(forwarded, publisher, EDGES_SIX, 6, 1);
	check_bytes(&run, forwarded, run.length);
}

void test_relay_rows(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].families & V4)
			run_row(*state, &rows[i], PUB4);
		if (rows[i].families & V6)
			run_row(*state, &rows[i], PUB6);
	}
}
