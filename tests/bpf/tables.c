// SPDX-License-Identifier: BSD-2-Clause
#include "tables.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

enum copier tables_copier(unsigned int egress, unsigned int copies, bool tap, bool loop)
{
	switch (egress) {
	case 0:
		if (!copies) /* where packets wait, and routes without edges in the kernel */
			return loop != tap ? COPIER_READY : COPIER_NONE;
		return (copies <= 8 || copies == BR_CHUNK_MAX) ? COPIER_READY : COPIER_NONE;
	case 1:
		return copies && copies + tap + loop <= 3 ? COPIER_READY : COPIER_NONE;
	case 2:
		return copies == 1 && !tap && !loop ? COPIER_EMPTY : COPIER_NONE;
	default:
		return COPIER_NONE;
	}
}

static void address(__be32 out[static 4], const char *text)
{
	memset(out, 0, 16);
	if (inet_pton(AF_INET6, text, out) == 1)
		return;
	out[2] = htonl(0xffff);
	assert(inet_pton(AF_INET, text, &out[3]) == 1);
}

/* Folded sum of 16-bit words as they lie in memory, for the incremental update. */
static uint16_t raw_sum(const void *data, size_t length)
{
	uint16_t word;
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i += 2) {
		memcpy(&word, (const uint8_t *)data + i, 2);
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

void tables_tuple(struct tables *tables, uint32_t index, const struct br_tuple *tuple)
{
	struct br_leg *leg = &tables->legs[index];
	/* IPv4: without ::ffff, which is no part of the packet */
	size_t skip = leg->family == 4 ? 12 : 0;
	uint8_t words[36];
	size_t i, half = 16 - skip;

	leg->tuple = *tuple;
	memcpy(words, (const uint8_t *)tuple->remote + skip, half);
	memcpy(words + half, (const uint8_t *)tuple->local + skip, half);
	memcpy(words + 2 * half, &tuple->remote_port, 2);
	memcpy(words + 2 * half + 2, &tuple->local_port, 2);
	leg->addr_sum = raw_sum(words, 2 * half);
	leg->tuple_sum = raw_sum(words, 2 * half + 4);
	for (i = 0; i < tables->tuple_count && tables->tuples[i].leg != index; i++)
		;
	assert(i < T_TUPLES);
	tables->tuples[i] = (struct table_tuple){.tuple = *tuple, .leg = index};
	if (i == tables->tuple_count)
		tables->tuple_count++;
}

void tables_leg(struct tables *tables, uint32_t index, int family, uint8_t flags, uint32_t next_hop)
{
	struct br_leg *leg = &tables->legs[index];
	struct br_tuple tuple = {.remote_port = htons((uint16_t)(40000 + index)),
				 .local_port = htons(MEDIA_PORT)};

	address(tuple.remote, family == 4 ? "198.51.100.0" : "2001:db8:1::");
	tuple.remote[3] |= htonl(index);
	address(tuple.local, family == 4 ? "192.0.2.1" : "2001:db8::1");
	*leg = (struct br_leg){
		.family = (uint8_t)family,
		.flags = flags,
		.ssrc_limit = 2,
		.next_hop = next_hop,
		.expires_ns = BR_NEVER,
	};
	tables_tuple(tables, index, &tuple);
}

void tables_route(struct tables *tables, uint32_t index, uint32_t first, uint16_t count)
{
	struct br_route route = {.first = first, .count = count};

	memcpy(&tables->routes[index], &route, sizeof(route));
}

void tables_segment(struct tables *tables, uint32_t first, uint8_t egress, const uint32_t *legs,
		    uint16_t count)
{
	for (uint16_t i = 0; i < count; i++)
		tables->edges[first + i] = (struct br_edge){
			.leg = legs[i],
			.run = i ? 0 : count,
			.egress = egress,
		};
}

void tables_stream(struct tables *tables, uint32_t leg, uint32_t ssrc, uint32_t slot)
{
	assert(tables->stream_count < T_STREAMS);
	tables->streams[tables->stream_count++] = (struct table_stream){
		.key = {.leg = leg, .ssrc = htonl(ssrc)},
		.slot = slot,
	};
	for (size_t i = 0; i < tables->free_count; i++)
		if (tables->free[i] == slot) {
			tables->free_count--;
			memmove(&tables->free[i], &tables->free[i + 1],
				(tables->free_count - i) * sizeof(tables->free[0]));
			return;
		}
}

static void base_hops(struct tables *tables)
{
	for (uint32_t i = 0; i < HOP_NONE; i++) {
		struct br_next_hop *hop = &tables->hops[i];

		memcpy(hop->destination, "\x02\xaa\x00\x00\x00", 5);
		memcpy(hop->source, "\x02\xbb\x00\x00\x00", 5);
		hop->destination[5] = hop->source[5] = (uint8_t)(0x10 + i);
		hop->mtu = 1500;
		hop->state = BR_NEXT_HOP_READY;
		hop->ifindex = INGRESS_IFINDEX + 1;
	}
	tables->hops[HOP_TAG].vlans = 1;
	tables->hops[HOP_TAG].vlan_tci[0] = htons(0xa064); /* priority 5, VLAN 100 */
	tables->hops[HOP_QINQ].vlans = 2;
	tables->hops[HOP_QINQ].vlan_tci[0] = htons(0x00c8);
	tables->hops[HOP_QINQ].vlan_tci[1] = htons(0x612c);
	tables->hops[HOP_FAR].egress = 1;
}

static void base_edges(struct tables *tables)
{
	static const uint32_t six[] = {SUB4, SUB6, SUB4C, SUB6C, SUB4Q, SUB6Q};
	static const uint32_t far[] = {FAR4, FAR6};
	uint32_t many[BR_CHUNK_MAX];

	for (uint32_t i = 0; i < BR_CHUNK_MAX; i++)
		many[i] = MANY + i % (T_LEGS - MANY);
	tables_segment(tables, EDGES_SIX, 0, six, 6);
	tables_segment(tables, EDGES_LONG, 0, many, BR_CHUNK_MAX);
	tables_segment(tables, EDGES_LONG + BR_CHUNK_MAX, 0, six, 5);
	tables_segment(tables, EDGES_LONG + BR_CHUNK_MAX + 5, 1, far, 2);
	tables_segment(tables, EDGES_ONE, 0, six, 1);
}

void tables_base(struct tables *tables)
{
	static const uint32_t hops[] = {HOP_PLAIN, HOP_TAG, HOP_QINQ, HOP_FAR};

	memset(tables, 0, sizeof(*tables));
	address(tables->locals[0], "192.0.2.1");
	address(tables->locals[1], "2001:db8::1");
	tables->local_count = 2;
	tables_leg(tables, PUB4, 4, BR_LEG_PUBLISH, HOP_PLAIN);
	tables_leg(tables, PUB6, 6, BR_LEG_PUBLISH, HOP_PLAIN);
	for (uint32_t i = SUB4; i <= FAR6; i++)
		tables_leg(tables, i, i % 2 ? 4 : 6, 0, hops[(i - SUB4) / 2]);
	for (uint32_t i = MANY; i < T_LEGS; i++)
		tables_leg(tables, i, i % 2 ? 4 : 6, 0, HOP_PLAIN);
	base_hops(tables);
	base_edges(tables);
	tables_route(tables, PUB4, EDGES_SIX, 6);
	tables_route(tables, PUB6, EDGES_SIX, 6);
	for (uint32_t slot = 0; slot < T_STREAMS; slot++) {
		tables->routes[T_LEGS + slot] = BR_ROUTE_INHERIT;
		tables->free[tables->free_count++] = slot;
	}
}

void tables_packet_from(const struct tables *tables, uint32_t leg, struct packet *packet)
{
	const struct br_tuple *tuple = &tables->legs[leg].tuple;

	*packet = (struct packet){
		.ethernet = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2},
		.family = tables->legs[leg].family,
		.source_port = ntohs(tuple->remote_port),
		.destination_port = ntohs(tuple->local_port),
		.tos = 0xb9, /* DSCP EF, ECT(1) */
		.ttl = 64,
		.id = 0x3141,
		.frag = IPV4_DF,
		.flow = 0x5a5a5,
	};
	memcpy(packet->source, tuple->remote, 16);
	memcpy(packet->destination, tuple->local, 16);
}

void tables_packet_to(const struct tables *tables, uint32_t leg, const struct packet *in,
		      struct packet *out)
{
	const struct br_tuple *tuple = &tables->legs[leg].tuple;
	const struct br_next_hop *hop = &tables->hops[tables->legs[leg].next_hop];

	*out = *in;
	memcpy(out->ethernet, hop->destination, 6);
	memcpy(out->ethernet + 6, hop->source, 6);
	out->tags = hop->vlans;
	for (unsigned int i = 0; i < out->tags; i++) {
		out->tpid[i] = out->tags == 2 && i == 0 ? TPID_S : TPID_C;
		out->tci[i] = ntohs(hop->vlan_tci[i]);
	}
	out->family = tables->legs[leg].family;
	memcpy(out->source, tuple->local, 16);
	memcpy(out->destination, tuple->remote, 16);
	out->source_port = ntohs(tuple->local_port);
	out->destination_port = ntohs(tuple->remote_port);
	out->ttl = in->ttl - 1;
	if (in->family == out->family)
		return;
	out->flow = 0;
	out->id = 0; /* RFC 6864: an atomic datagram needs none */
	out->frag = IPV4_DF;
}

void tables_ticket(uint8_t out[static 12], uint32_t leg, uint32_t first, uint16_t count,
		   uint16_t nonce)
{
	struct br_ticket ticket = {
		.mark = TICKET_MARK,
		.count = count,
		.first_nonce = first | (uint32_t)(nonce >> 8) << 24,
		.leg_nonce = leg | (uint32_t)(nonce & 0xff) << 24,
	};

	memcpy(out, &ticket, sizeof(ticket));
}
