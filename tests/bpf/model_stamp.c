// SPDX-License-Identifier: BSD-2-Clause
/* The reference model of the stamp. */
#include "model_private.h"

#include <string.h>

#include <linux/bpf.h>

bool model_alive(const struct br_leg *leg, uint64_t now_ns)
{
	if (leg->expires_ns == BR_NEVER)
		return true;
	return leg->expires_ns > now_ns;
}

bool model_read_ticket(const uint8_t *in, size_t length, struct br_ticket *ticket)
{
	if (length < 14)
		return false;
	memcpy(ticket, in, sizeof(*ticket));
	return ticket->mark == TICKET_MARK;
}

/* Ones' complement numbers are numbers modulo 65535: RFC 1071 by school arithmetic. */
static uint32_t modular(const uint8_t *data, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i += 2)
		sum = (sum + get16(data + i)) % 65535;
	return sum;
}

/* The checksum that keeps check + words what it was; 0 to 65534. */
static uint16_t carry_over(uint16_t check, uint32_t old_words, uint32_t new_words)
{
	return (uint16_t)((check + old_words + 65535 - new_words % 65535) % 65535);
}

struct fields {
	bool ipv4;
	size_t header;
	uint16_t udp_length; /* as the IP header says */
	uint8_t tos;
	uint8_t ttl;
	uint32_t sum; /* of the addresses, modulo 65535 */
};

static bool read_fields(const uint8_t *in, size_t length, struct fields *fields)
{
	const uint8_t *ip = in + 14;

	fields->ipv4 = get16(in + 12) == TYPE_IPV4;
	fields->header = fields->ipv4 ? 20 : 40;
	if (length < 14 + 20 + UDP_HEADER || length < 14 + fields->header + UDP_HEADER)
		return false;
	fields->udp_length = fields->ipv4 ? (uint16_t)(get16(ip + 2) - 20) : get16(ip + 4);
	fields->tos = fields->ipv4 ? ip[1] : (uint8_t)(get16(ip) >> 4);
	fields->ttl = fields->ipv4 ? ip[8] : ip[7];
	fields->sum = modular(fields->ipv4 ? ip + 12 : ip + 8, fields->ipv4 ? 8 : 32);
	return true;
}

static void write_ipv4(const struct br_leg *leg, const struct fields *old, const uint8_t *in,
		       uint8_t *ip)
{
	if (old->ipv4) {
		memcpy(ip, in + 14, 20);
	} else {
		memcpy(ip, "\x45\0\0\0\0\0\x40\0\0\x11\0\0", 12);
		ip[1] = old->tos;
		put16(ip + 2, (uint16_t)(20 + old->udp_length));
	}
	ip[8] = (uint8_t)(old->ttl - 1);
	memcpy(ip + 12, &leg->tuple.local[3], 4);
	memcpy(ip + 16, &leg->tuple.remote[3], 4);
	if (old->ipv4) /* damage stays: only TTL and addresses may change the checksum */
		put16(ip + 10, carry_over(get16(in + 24), modular(in + 22, 2) + old->sum,
					  modular(ip + 8, 2) + modular(ip + 12, 8)));
	else
		put16(ip + 10, carry_over(0, 65535, modular(ip, 20)));
}

static void write_ipv6(const struct br_leg *leg, const struct fields *old, const uint8_t *in,
		       uint8_t *ip)
{
	if (old->ipv4) {
		put32(ip, 6u << 28 | (uint32_t)old->tos << 20);
		put16(ip + 4, old->udp_length);
		ip[6] = 17;
	} else {
		memcpy(ip, in + 14, 40);
	}
	ip[7] = (uint8_t)(old->ttl - 1);
	memcpy(ip + 8, leg->tuple.local, 16);
	memcpy(ip + 24, leg->tuple.remote, 16);
}

static uint32_t rewrite(struct model_run *run, const uint8_t *in, size_t length,
			const struct br_leg *leg, const struct br_next_hop *hop,
			const struct fields *old)
{
	uint8_t *out = run->out->bytes, *udp, *next = out + 12;
	const uint8_t *old_udp = in + 14 + old->header;
	bool ipv4 = leg->family == 4;
	uint16_t check = get16(old_udp + 6);
	unsigned int tags = hop->vlans > 2 ? 2 : hop->vlans;

	if (!check && !ipv4)
		return BR_NO_CHECKSUM;
	memcpy(out, hop->destination, 6);
	memcpy(out + 6, hop->source, 6);
	for (unsigned int i = 0; i < tags; i++) {
		put16(next, tags == 2 && !i ? TPID_S : TPID_C);
		memcpy(next + 2, &hop->vlan_tci[i], 2);
		next += 4;
	}
	put16(next, ipv4 ? TYPE_IPV4 : TYPE_IPV6);
	udp = next + 2 + (ipv4 ? 20 : 40);
	if (ipv4)
		write_ipv4(leg, old, in, next + 2);
	else
		write_ipv6(leg, old, in, next + 2);
	memcpy(udp, old_udp, length - (size_t)(old_udp - in));
	memcpy(udp, &leg->tuple.local_port, 2);
	memcpy(udp + 2, &leg->tuple.remote_port, 2);
	if (check) {
		check = carry_over(check, old->sum + modular(old_udp, 4),
				   modular(next + 2 + (ipv4 ? 12 : 8), ipv4 ? 8 : 32) +
					   modular(udp, 4));
		put16(udp + 6, check ? check : 0xffff);
	}
	run->out->length = (size_t)(udp - out) + length - (size_t)(old_udp - in);
	run->out->verdict = XDP_PASS;
	run->out->bytes_known = true;
	return 0;
}

/* The edge of a copy, by its ticket. */
static uint32_t find_edge(struct model_run *run, const uint8_t *in, size_t length, uint32_t *from,
			  const struct br_edge **edge)
{
	const struct tables *tables = run->tables;
	struct br_cursor *cursor;
	struct br_ticket ticket;
	uint32_t index;
	uint16_t nonce;

	if (!model_read_ticket(in, length, &ticket))
		return BR_NO_TICKET;
	nonce = (uint16_t)((ticket.first_nonce >> 24) * 256 + (ticket.leg_nonce >> 24));
	cursor = &run->counters->cpu.cursors[nonce % BR_CURSORS];
	if (cursor->nonce != nonce)
		*cursor = (struct br_cursor){.nonce = nonce};
	index = ticket.first_nonce % BR_TICKET_INDEX_MAX + cursor->passed;
	if (cursor->passed++ >= ticket.count % 0x2000 || index >= T_EDGES)
		return BR_TICKET_SPENT;
	if (cursor->passed > 1 && tables->edges[index].run)
		return BR_TICKET_SPENT;
	*edge = &tables->edges[index];
	*from = ticket.leg_nonce % BR_TICKET_INDEX_MAX;
	return 0;
}

static uint32_t stamp(struct model_run *run, const uint8_t *in, size_t length, uint32_t from,
		      const struct br_edge *edge, uint32_t *leg_index, uint16_t *ip_length)
{
	const struct tables *tables = run->tables;
	const struct br_leg *leg;
	const struct br_next_hop *hop;
	struct fields fields;

	if (edge->leg == from)
		return BR_OWN_PACKET;
	*leg_index = edge->leg;
	if (*leg_index >= T_LEGS)
		return BR_RECEIVER_EXPIRED;
	leg = &tables->legs[*leg_index];
	if (!model_alive(leg, run->now_ns))
		return BR_RECEIVER_EXPIRED;
	if (leg->next_hop >= T_HOPS)
		return BR_NO_NEXT_HOP;
	hop = &tables->hops[leg->next_hop];
	if (hop->state != BR_NEXT_HOP_READY)
		return BR_NO_NEXT_HOP;
	if (hop->egress != edge->egress)
		return BR_WRONG_EGRESS;
	if (!read_fields(in, length, &fields))
		return BR_NO_TICKET;
	*ip_length = (uint16_t)((leg->family == 4 ? 20 : 40) + fields.udp_length);
	if (*ip_length > hop->mtu)
		return BR_TOO_BIG;
	return rewrite(run, in, length, leg, hop, &fields);
}

static void count(struct model_run *run, uint32_t reason, uint32_t leg, uint16_t bytes)
{
	struct br_counter *counter = &run->counters->cpu.reasons[reason ? reason : BR_COPIED];

	if (leg < T_LEGS && reason) {
		run->counters->legs[leg].tx_dropped++;
	} else if (leg < T_LEGS) {
		run->counters->legs[leg].tx.packets++;
		run->counters->legs[leg].tx.bytes += bytes;
	}
	counter->packets++;
	counter->bytes += bytes;
}

void model_stamp_edge(struct model_run *run, const uint8_t *in, size_t length, uint32_t from,
		      const struct br_edge *edge)
{
	uint32_t leg = NOBODY, reason;
	uint16_t bytes = 0;

	run->out->bytes_known = false;
	reason = stamp(run, in, length, from, edge, &leg, &bytes);
	count(run, reason, leg, bytes);
}

void model_stamp(struct model_run *run, const uint8_t *in, size_t length)
{
	const struct br_edge *edge = NULL;
	uint32_t leg = NOBODY, from = NOBODY, reason;
	uint16_t bytes = 0;

	run->out->bytes_known = false;
	reason = find_edge(run, in, length, &from, &edge);
	if (!reason)
		reason = stamp(run, in, length, from, edge, &leg, &bytes);
	count(run, reason, leg, bytes);
	run->out->reason = reason ? reason : BR_COPIED;
}
