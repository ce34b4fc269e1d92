/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole state that the three programs read, as plain memory: tests edit it, world.c
 * writes it into the kernel's maps, and the reference model (model.c) reads it.
 */
#ifndef TEST_BPF_TABLES_H
#define TEST_BPF_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <blindrelay/abi.h>
#include <blindrelay/reasons.h>

#include "packet.h"

#define MEDIA_PORT  3478u
#define TICKET_MARK 0xb11du

/* Sizes of the maps. Small: an index out of range is then easy to make. */
#define T_LEGS	       24u
#define T_HOPS	       T_LEGS
#define T_STREAMS      8u
#define T_EDGES	       192u
#define T_ROUTES       (T_LEGS + T_STREAMS)
#define T_TUPLES       T_LEGS
#define T_LOCALS       8u
#define T_SOURCES      256u
#define T_SOURCE_SLOTS (4 * T_SOURCES) /* of the map: so many that none is evicted */
#define T_TURN_BACK    0x0bu	       /* egress slots with XDP_TX: 0, 1 and 3 */

/* Buckets of strangers. A tick of the coarse clock is up to 10 ms. */
#define T_BURST_NS     100000000u
#define T_STRANGER_NS  40000000u
#define T_STRANGERS_NS 15000000u

struct table_tuple {
	struct br_tuple tuple;
	uint32_t leg;
};

struct table_stream {
	struct br_stream_key key;
	uint32_t slot;
};

/* A source of STUN or DTLS that is no leg. */
struct table_stranger {
	__be32 source[4];
	uint64_t due_ns;
};

struct tables {
	struct br_leg legs[T_LEGS];
	uint64_t routes[T_ROUTES]; /* struct br_route; the streams' follow the legs' */
	struct br_edge edges[T_EDGES];
	struct br_next_hop hops[T_HOPS];
	struct table_tuple tuples[T_TUPLES];
	size_t tuple_count;
	__be32 locals[T_LOCALS][4];
	size_t local_count;
	struct table_stream streams[T_STREAMS];
	size_t stream_count;
	uint32_t free[T_STREAMS]; /* slots that are free, the next to be taken first */
	size_t free_count;
	struct br_leg_state states[T_LEGS];
	struct table_stranger strangers[T_SOURCES];
	size_t stranger_count;
};

/* What the kernel counts. */
struct counters {
	struct br_cpu cpu;
	struct br_leg_counters legs[T_LEGS];
	struct br_stream_counters streams[T_STREAMS];
};

enum program { PROGRAM_RELAY, PROGRAM_LOOP, PROGRAM_STAMP, PROGRAM_COUNT };

enum copier {
	COPIER_NONE,  /* no entry in replicators */
	COPIER_READY, /* a device map with all its entries */
	COPIER_EMPTY, /* a device map without entries, as after its interface was deleted */
};

/* The interface that test runs come from: of hops there, packets are turned round. */
#define INGRESS_IFINDEX 1u

/* Writing to replicators waits for RCU, so the copiers are the same in all tests. */
enum copier tables_copier(unsigned int egress, unsigned int copies, bool tap, bool loop);

/* The legs of tables_base(). "C" and "Q": next hop with one tag, or two. */
enum {
	PUB4 = 1, /* publishes, IPv4 */
	PUB6 = 2,
	SUB4 = 3, /* receives only */
	SUB6 = 4,
	SUB4C = 5,
	SUB6C = 6,
	SUB4Q = 7,
	SUB6Q = 8,
	FAR4 = 9, /* behind egress 1 */
	FAR6 = 10,
	MANY = 11, /* and the rest: IPv4 and IPv6 in turn */
};

enum { HOP_PLAIN = 0, HOP_TAG = 1, HOP_QINQ = 2, HOP_FAR = 3, HOP_NONE = 4 };

#define EDGES_SIX  10u	/* SUB4, SUB6, SUB4C, SUB6C, SUB4Q, SUB6Q: one segment */
#define EDGES_LONG 40u	/* segments of 64, 5 and 2 (egress 1): 71 edges */
#define EDGES_ONE  120u /* SUB4 alone */

/** tables_base - legs as above; PUB4 and PUB6 may learn two SSRCs and send to EDGES_SIX */
void tables_base(struct tables *tables);
/** tables_leg - set a leg and its tuple: remote 198.51.100.@index or 2001:db8:1::@index */
void tables_leg(struct tables *tables, uint32_t index, int family, uint8_t flags,
		uint32_t next_hop);
/** tables_tuple - let a leg have this five-tuple and the sums that belong to it */
void tables_tuple(struct tables *tables, uint32_t index, const struct br_tuple *tuple);
/** tables_route - route of a leg, or of stream slot s as T_LEGS + s; without flags */
void tables_route(struct tables *tables, uint32_t index, uint32_t first, uint16_t count);
/** tables_segment - write a segment of edges to @legs */
void tables_segment(struct tables *tables, uint32_t first, uint8_t egress, const uint32_t *legs,
		    uint16_t count);
/** tables_stream - register an SSRC (host byte order); the slot must not be free */
void tables_stream(struct tables *tables, uint32_t leg, uint32_t ssrc, uint32_t slot);

/** tables_packet_from - a packet from the leg to us, 802.3 addresses filled, no payload */
void tables_packet_from(const struct tables *tables, uint32_t leg, struct packet *packet);
/** tables_packet_to - what the stamp makes of @in for this leg, by description */
void tables_packet_to(const struct tables *tables, uint32_t leg, const struct packet *in,
		      struct packet *out);
/** tables_ticket - write a ticket */
void tables_ticket(uint8_t out[static 12], uint32_t leg, uint32_t first, uint16_t count,
		   uint16_t nonce);

#endif
