// SPDX-License-Identifier: BSD-2-Clause
#include "model_private.h"

#include <string.h>

#include <arpa/inet.h>
#include <linux/bpf.h>

/* ---- ingress: RFC 894, 802.1Q, RFC 791, RFC 8200, RFC 768 ---- */

static uint32_t see_ipv4(const uint8_t *ip, size_t left, struct model_seen *seen)
{
	if (left < 20 || ip[0] >> 4 != 4 || ip[9] != 17)
		return BR_NOT_MEDIA;
	if ((ip[0] & 15) != 5)
		return BR_IP_OPTIONS;
	if (get16(ip + 6) & 0x3fff)
		return BR_FRAGMENT;
	seen->tuple.remote[2] = seen->tuple.local[2] = htonl(0xffff);
	memcpy(&seen->tuple.remote[3], ip + 12, 4);
	memcpy(&seen->tuple.local[3], ip + 16, 4);
	seen->header = 20;
	seen->ip_length = get16(ip + 2);
	seen->ttl = ip[8];
	return 0;
}

static uint32_t see_ipv6(const uint8_t *ip, size_t left, struct model_seen *seen)
{
	if (left < 40 || ip[0] >> 4 != 6)
		return BR_NOT_MEDIA;
	if (ip[6] == 44)
		return BR_FRAGMENT;
	if (ip[6] == 0 || ip[6] == 43 || ip[6] == 60)
		return BR_IP_OPTIONS;
	if (ip[6] != 17)
		return BR_NOT_MEDIA;
	memcpy(seen->tuple.remote, ip + 8, 16);
	memcpy(seen->tuple.local, ip + 24, 16);
	seen->header = 40;
	seen->ip_length = 40u + get16(ip + 4);
	if (seen->ip_length > 65535)
		seen->ip_length = 65535;
	seen->ttl = ip[7];
	return 0;
}

static uint32_t see(const uint8_t *in, size_t length, struct model_seen *seen)
{
	const uint8_t *udp;
	uint32_t reason;
	size_t l3 = 14;

	if (length < l3)
		return BR_NOT_MEDIA;
	while (l3 < 22 && (get16(in + l3 - 2) == TPID_C || get16(in + l3 - 2) == TPID_S)) {
		l3 += 4;
		if (length < l3)
			return BR_NOT_MEDIA;
	}
	seen->l3 = l3;
	seen->type = get16(in + l3 - 2);
	if (seen->type == TYPE_IPV4)
		reason = see_ipv4(in + l3, length - l3, seen);
	else if (seen->type == TYPE_IPV6)
		reason = see_ipv6(in + l3, length - l3, seen);
	else
		return BR_NOT_MEDIA;
	if (reason)
		return reason;
	udp = in + l3 + seen->header;
	if (length < l3 + seen->header + UDP_HEADER || get16(udp + 2) != MEDIA_PORT)
		return BR_NOT_MEDIA;
	memcpy(&seen->tuple.remote_port, udp, 2);
	memcpy(&seen->tuple.local_port, udp + 2, 2);
	seen->udp_length = get16(udp + 4);
	seen->check = get16(udp + 6);
	return 0;
}

/* RFC 7983 section 7, RFC 5761 section 4, RFC 3550 sections 5.1 and 6.4.1. */
static uint32_t look_inside(const uint8_t *in, size_t length, struct model_seen *seen)
{
	const uint8_t *p = in + seen->l3 + seen->header + UDP_HEADER;
	size_t n, need = PACKET_RTP_MIN;

	if (seen->udp_length < UDP_HEADER || seen->ip_length != seen->header + seen->udp_length ||
	    seen->l3 + seen->ip_length > length)
		return BR_BAD_LENGTH;
	if (seen->type == TYPE_IPV6 && !seen->check)
		return BR_NO_CHECKSUM;
	n = seen->udp_length - UDP_HEADER;
	if (n < 2 || p[0] > 191 || (p[0] > 3 && p[0] < 20) || (p[0] > 63 && p[0] < 128))
		return BR_BAD_CLASS;
	seen->class = p[0] <= 63 ? MODEL_SIGNAL : MODEL_RTP;
	if (p[0] <= 3)
		return BR_STUN;
	if (p[0] <= 63)
		return BR_DTLS;
	if (p[1] >= 192 && p[1] <= 223) {
		if (n < 8)
			return BR_BAD_RTCP;
		seen->class = MODEL_RTCP;
		memcpy(&seen->ssrc, p + 4, 4);
		return 0;
	}
	if (n < need)
		return BR_BAD_RTP;
	need += 4u * (p[0] % 16);
	if (p[0] & 16) {
		if (n < need + 4)
			return BR_BAD_RTP;
		need += 4 + 4u * get16(p + need + 2);
	}
	if (n < need)
		return BR_BAD_RTP;
	memcpy(&seen->ssrc, p + 8, 4);
	return 0;
}

static uint32_t find_leg(const struct tables *tables, const struct br_tuple *tuple, bool *local)
{
	*local = false;
	for (size_t i = 0; i < tables->local_count; i++)
		*local |= !memcmp(tables->locals[i], tuple->local, 16);
	for (size_t i = 0; i < tables->tuple_count; i++)
		if (!memcmp(&tables->tuples[i].tuple, tuple, sizeof(*tuple)))
			return tables->tuples[i].leg;
	return NOBODY;
}

/* ---- ticket and copier ---- */

#define MODEL_LOOP_STUCK_NS 50000000ULL /* a loop that stands still so long is counted afresh */

enum turn { NEW, PARKED, NEXT, BEGUN };

/* What is to be spread. */
struct part {
	uint32_t leg, first, count;
	bool tap;
	enum turn turn;
};

/* A ticket for copies has a number; one that waits has none yet. */
static void write_ticket(struct model_run *run, const struct part *part, uint32_t flags)
{
	struct br_cpu *cpu = &run->counters->cpu;
	uint16_t nonce = 0;

	if (!flags) {
		nonce = ++cpu->nonce;
		cpu->cursors[nonce % BR_CURSORS] = (struct br_cursor){.nonce = nonce};
	}
	if (part->tap)
		flags |= 0x2000;
	tables_ticket(run->out->bytes, part->leg, part->first, (uint16_t)(part->count | flags),
		      nonce);
}

static void drained(struct br_cpu *cpu)
{
	cpu->backlog = (uint16_t)(cpu->backlog < 64 ? 0 : cpu->backlog - 64);
}

static bool must_wait(struct model_run *run, uint32_t copies, bool more, enum turn turn)
{
	struct br_cpu *cpu = &run->counters->cpu;
	bool busy = cpu->loop_active || cpu->loop_parked;

	if (busy && run->now_ns >= cpu->loop_ns + MODEL_LOOP_STUCK_NS) {
		cpu->loop_active = cpu->loop_parked = 0;
		cpu->loop_rest = BR_LOOP_RESTED;
		cpu->backlog = 0;
	}
	if (turn == NEXT) {
		drained(cpu);
		cpu->loop_rest = BR_LOOP_RESTED;
	}
	if (more && cpu->loop_active >= BR_LOOP_ACTIVE)
		return true;
	if (turn == NEW && cpu->loop_parked)
		return true;
	if (turn == PARKED && cpu->loop_rest != BR_LOOP_RESTED)
		return true;
	if (cpu->backlog + copies > 160)
		return true;
	if (turn != NEW && cpu->loop_parked)
		cpu->loop_parked--;
	cpu->backlog = (uint16_t)(cpu->backlog + copies);
	if (more)
		cpu->loop_active++;
	if (busy || more)
		cpu->loop_ns = MODEL_NOW;
	return false;
}

static uint32_t park(struct model_run *run, const struct part *part)
{
	struct br_cpu *cpu = &run->counters->cpu;
	bool marks = !cpu->loop_active && cpu->loop_rest == BR_LOOP_RESTED;

	if (part->turn == NEW) {
		if (cpu->loop_parked >= BR_LOOP_PARKED)
			return BR_OVERLOAD;
		if (cpu->loop_parked)
			marks = false;
		else if (!cpu->loop_active)
			cpu->loop_ns = MODEL_NOW;
		cpu->loop_parked++;
	}
	if (marks)
		cpu->loop_rest = BR_LOOP_CHOSEN;
	write_ticket(run, part, marks ? 0xc000 : 0x8000);
	run->out->verdict = XDP_REDIRECT;
	return BR_PARKED;
}

static void end(struct br_cpu *cpu)
{
	if (!cpu->loop_active)
		return;
	cpu->loop_active--;
	cpu->loop_ns = MODEL_NOW;
}

/* The packet ends before it was copied. */
static uint32_t lose(struct br_cpu *cpu, enum turn turn)
{
	if (turn == BEGUN)
		end(cpu);
	if ((turn == PARKED || turn == NEXT) && cpu->loop_parked)
		cpu->loop_parked--;
	if (turn == NEXT)
		cpu->loop_rest = BR_LOOP_RESTED;
	return BR_NO_COPIER;
}

static uint32_t copy_out(struct model_run *run, const struct part *part, enum copier copier)
{
	if (copier == COPIER_NONE)
		return BR_NO_COPIER;
	write_ticket(run, part, 0);
	if (copier == COPIER_EMPTY)
		return BR_NO_COPIER;
	run->out->verdict = XDP_REDIRECT;
	return 0;
}

static uint32_t spread(struct model_run *run, const struct part *part)
{
	struct br_cpu *cpu = &run->counters->cpu;
	const struct br_edge *edge;
	enum copier copier;
	uint32_t reason, run_length;
	bool more;

	if (!part->count)
		return copy_out(run, part, tables_copier(0, 0, true, false));
	if (part->first >= T_EDGES)
		return lose(cpu, part->turn);
	edge = &run->tables->edges[part->first];
	run_length = edge->run < part->count ? edge->run : part->count;
	more = run_length < part->count;
	if (!run_length || run_length > BR_CHUNK_MAX || edge->egress >= BR_EGRESS_MAX)
		return lose(cpu, part->turn);
	copier = tables_copier(edge->egress, run_length, part->tap, more);
	if (copier == COPIER_NONE)
		return lose(cpu, part->turn);
	if (part->turn == BEGUN) {
		drained(cpu);
		cpu->backlog = (uint16_t)(cpu->backlog + run_length);
		if (!more)
			end(cpu);
	} else if ((part->turn != NEW || part->count > 1) &&
		   must_wait(run, run_length, more, part->turn)) {
		return park(run, part);
	}
	reason = copy_out(run, part, copier);
	if (reason && more)
		end(cpu);
	return reason;
}

/* A single receiver behind the interface of the packet: stamped and turned round at once. */
static bool turn_round(struct model_run *run, uint32_t leg, const struct br_route *route)
{
	const struct tables *tables = run->tables;
	const struct br_edge *edge;
	uint32_t hop;
	uint8_t in[PACKET_MAX];

	if (route->count != 1 || route->flags & BR_ROUTE_TAP || route->first >= T_EDGES)
		return false;
	edge = &tables->edges[route->first];
	if (!edge->run || edge->leg >= T_LEGS)
		return false;
	hop = tables->legs[edge->leg].next_hop;
	if (hop >= T_HOPS || tables->hops[hop].ifindex != INGRESS_IFINDEX)
		return false;
	if (tables->hops[hop].egress == 2 || tables->hops[hop].egress > 3) /* T_TURN_BACK */
		return false;
	memcpy(in, run->out->bytes, run->out->length);
	model_stamp_edge(run, in, run->out->length, leg, edge);
	if (run->out->verdict == XDP_PASS)
		run->out->verdict = XDP_TX;
	return true;
}

static uint32_t spread_all(struct model_run *run, uint32_t leg, const struct br_route *route)
{
	struct part part = {
		.leg = leg,
		.first = route->first,
		.count = route->count,
		.tap = route->flags & BR_ROUTE_TAP,
	};
	uint32_t reason = spread(run, &part);

	run->out->bytes_known = !reason || reason == BR_PARKED;
	return reason == BR_PARKED ? 0 : reason;
}

static uint32_t relay(struct model_run *run, struct model_seen *seen)
{
	struct outcome *out = run->out;
	struct br_leg_counters *counted;
	struct br_route route = {};
	uint32_t reason, leg;
	bool local;

	reason = see(out->bytes, out->length, seen);
	if (reason)
		return reason;
	leg = find_leg(run->tables, &seen->tuple, &local);
	if (leg == NOBODY && !local)
		return BR_NOT_MEDIA;
	reason = look_inside(out->bytes, out->length, seen);
	if (reason == BR_STUN || reason == BR_DTLS) {
		uint32_t refused = model_signal(run, seen, leg);

		if (refused == BR_RATE)
			run->counters->legs[leg].rx_dropped++;
		return refused ? refused : reason;
	}
	if (reason)
		return reason;
	if (leg == NOBODY)
		return BR_UNKNOWN_LEG;
	reason = model_admit(run, seen, leg, &route);
	if (!reason) {
		/* addresses, type, IP: the tags in between go */
		out->length -= seen->l3 - 14;
		memmove(out->bytes + 12, out->bytes + seen->l3 - 2, out->length - 12);
		reason = turn_round(run, leg, &route) ? 0 : spread_all(run, leg, &route);
	}
	if (leg >= T_LEGS)
		return reason;
	counted = &run->counters->legs[leg];
	if (reason && reason != BR_FEEDBACK) {
		counted->rx_dropped++;
		return reason;
	}
	counted->rx.packets++;
	counted->rx.bytes += seen->ip_length;
	counted->last_seen_ns = MODEL_NOW;
	return reason;
}

static uint32_t loop(struct model_run *run)
{
	const struct br_edge *edges = run->tables->edges;
	struct br_ticket ticket;
	struct part part = {};
	uint32_t reason;

	if (!model_read_ticket(run->out->bytes, run->out->length, &ticket))
		return BR_NO_TICKET;
	part.first = ticket.first_nonce % BR_TICKET_INDEX_MAX;
	part.count = ticket.count % 0x2000;
	part.leg = ticket.leg_nonce % BR_TICKET_INDEX_MAX;
	if (ticket.count & 0x8000) {
		if (!part.count)
			return BR_TICKET_SPENT;
		part.tap = ticket.count & 0x2000;
		part.turn = ticket.count & 0x4000 ? NEXT : PARKED;
	} else {
		if (part.first >= T_EDGES || !edges[part.first].run ||
		    edges[part.first].run >= part.count)
			return BR_TICKET_SPENT;
		part.count -= edges[part.first].run;
		part.first += edges[part.first].run;
		part.turn = BEGUN;
	}
	reason = spread(run, &part);
	run->out->bytes_known = !reason || reason == BR_PARKED;
	return reason;
}

void model_run(struct tables *tables, struct counters *counters, uint64_t now_ns,
	       enum program program, const uint8_t *in, size_t length, struct outcome *out)
{
	struct model_run run = {
		.tables = tables, .counters = counters, .now_ns = now_ns, .out = out};
	struct model_seen seen = {};
	uint64_t bytes;

	memset(out, 0, sizeof(*out));
	memcpy(out->bytes, in, length);
	out->length = length;
	out->bytes_known = true;
	out->verdict = XDP_DROP;
	switch (program) {
	case PROGRAM_STAMP:
		model_stamp(&run, in, length);
		return;
	case PROGRAM_LOOP:
		out->reason = loop(&run);
		bytes = length - 14;
		if (!out->reason)
			out->reason = BR_LOOPED;
		break;
	default:
		out->reason = relay(&run, &seen);
		bytes = seen.ip_length;
		if (out->reason == BR_NOT_MEDIA || out->reason == BR_FRAGMENT ||
		    out->reason == BR_IP_OPTIONS || out->reason == BR_STUN ||
		    out->reason == BR_DTLS || out->reason == BR_FEEDBACK)
			out->verdict = XDP_PASS;
		break;
	}
	counters->cpu.reasons[out->reason].packets++;
	counters->cpu.reasons[out->reason].bytes += bytes;
}
