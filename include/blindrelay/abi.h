/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract between the XDP programs and the daemon: keys and values of every
 * BPF map, and the ticket that travels inside a packet from `relay` to `stamp`.
 *
 * One truth for both sides. Integers are in host byte order unless their type is
 * __be16 or __be32. Every size is asserted; change a layout and BR_ABI_VERSION
 * changes with it.
 */
#ifndef BLINDRELAY_ABI_H
#define BLINDRELAY_ABI_H

#include <linux/types.h>

#define BR_ABI_VERSION 3u

/* Copies made in one turn of the egress ring; a longer route continues in the loop. */
#define BR_CHUNK_MAX 64u
/* Egress interfaces that one relay serves, the loop's devices not counted. */
#define BR_EGRESS_MAX 8u
/* In an edge: the receiver is served by the daemon from the tap. */
#define BR_EGRESS_TAP BR_EGRESS_MAX
/* VLAN tags on one packet: 802.1Q, or QinQ with an 802.1ad service tag outside. */
#define BR_VLAN_MAX 2u
/*
 * Packets of long routes that one CPU spreads at once. One: a poll of the loop then makes
 * BR_CHUNK_MAX copies, and a poll of the device behind the egress takes BR_RING_DRAIN.
 */
#define BR_LOOP_ACTIVE 1u
/* Packets that may wait on the loop for their turn; its ring holds 256. */
#define BR_LOOP_PARKED 128u
/* Frames that a poll of the kernel takes from a ring. */
#define BR_RING_DRAIN 64u
/* Copies that may be in an egress ring of 256; the rest is for packets with one receiver. */
#define BR_RING_BUDGET 160u
_Static_assert(BR_RING_BUDGET >= BR_RING_DRAIN + BR_CHUNK_MAX, "who waited finds room");
/* Receivers of one route. */
#define BR_ROUTE_MAX 4096u

/*
 * A UDP five-tuple as the relay sees it. IPv4 addresses are IPv4-mapped IPv6
 * addresses (RFC 4291 section 2.5.5.2), so one table serves both families.
 */
struct br_tuple {
	__be32 remote[4];
	__be32 local[4];
	__be16 remote_port;
	__be16 local_port;
};
_Static_assert(sizeof(struct br_tuple) == 36, "br_tuple is a hash key without padding");

enum br_leg_flags {
	BR_LEG_PUBLISH = 1 << 0,     /* may send RTP */
	BR_LEG_FIXED_SSRCS = 1 << 1, /* only SSRCs the daemon registered; none is learned */
	BR_LEG_FIXED_LOCAL = 1 << 2, /* for the daemon: the local address does not follow routes */
	BR_LEG_FEEDBACK_UP = 1 << 3, /* RTCP from the leg goes to the daemon, not along its route */
	BR_LEG_CAPTURE = 1 << 4,     /* what it sends and receives is shown to `captured` */
	BR_LEG_NAMED_HOP = 1 << 5,   /* for the daemon: the next hop does not follow routes */
};

#define BR_NEVER (~0ULL) /* br_leg.expires_ns of a leg that does not expire */

/*
 * A leg as the kernel reads it; written by the daemon only. One cache line, so that
 * the stamp of one copy touches one line of this table.
 */
struct br_leg {
	struct br_tuple tuple;
	__u8 family;	  /* 4 or 6; 0 when the slot is empty */
	__u8 flags;	  /* enum br_leg_flags */
	__u16 addr_sum;	  /* ones' complement sum of both addresses (RFC 1071), folded */
	__u16 tuple_sum;  /* the same with both ports */
	__u16 ssrc_limit; /* SSRCs the kernel may learn on this leg */
	__u32 next_hop;	  /* index into next_hops */
	__u64 expires_ns; /* CLOCK_MONOTONIC; 0: not alive, BR_NEVER: no expiry */
	/* token bucket, as what one packet and 1024 bytes cost in time; 0: no limit */
	__u32 packet_ns;
	__u32 kibibyte_ns;
};
_Static_assert(sizeof(struct br_leg) == 64, "br_leg is one cache line");

enum br_next_hop_state {
	BR_NEXT_HOP_NONE = 0, /* unresolved: copies are dropped and counted */
	BR_NEXT_HOP_READY = 1,
};

/* Where to send on the link layer. Shared by all legs behind the same neighbour. */
struct br_next_hop {
	__u8 destination[6];	      /* MAC of the neighbour; source follows, as on the wire */
	__u8 source[6];		      /* MAC of our interface */
	__be16 vlan_tci[BR_VLAN_MAX]; /* outermost first */
	__u16 mtu;		      /* largest IP packet, bytes */
	__u8 vlans;		      /* tags to push: 0 to BR_VLAN_MAX */
	__u8 state;		      /* enum br_next_hop_state */
	__u16 egress;		      /* slot of the interface, below BR_EGRESS_MAX */
	__u16 reserved16;
	__u32 ifindex;
	__u32 reserved;
};
_Static_assert(sizeof(struct br_next_hop) == 32, "br_next_hop is half a cache line");

enum br_route_flags {
	/*
	 * A copy goes into the tap, for the receivers that the daemon serves itself. Their edges
	 * follow those of the route, in a segment of the egress BR_EGRESS_TAP.
	 */
	BR_ROUTE_TAP = 1 << 0,
};

/*
 * A route is a run of edges, replaced by one 64-bit store. Index below the number of
 * legs: the leg's own route. Above: routes of single streams.
 */
struct br_route {
	__u32 first; /* index of the first edge */
	__u16 count; /* edges that the kernel serves; 0 and no flag: nobody receives */
	__u16 flags; /* enum br_route_flags */
};
_Static_assert(sizeof(struct br_route) == 8, "br_route is switched by one store");

#define BR_ROUTE_INHERIT (~0ULL) /* stream route: use the route of the leg */

/*
 * One receiver of a route. Edges of one egress interface stand together and are cut
 * into segments of at most BR_CHUNK_MAX; the first edge of a segment says how long it
 * is, so no table of segments is needed.
 */
struct br_edge {
	__u32 leg;
	__u16 run;   /* edges in the segment that begins here, it may grow; 0 inside a segment */
	__u8 egress; /* interface slot of the whole segment */
	__u8 reserved;
};
_Static_assert(sizeof(struct br_edge) == 8, "br_edge");

/* A stream: one SSRC on one leg. */
struct br_stream_key {
	__u32 leg;
	__be32 ssrc;
};
_Static_assert(sizeof(struct br_stream_key) == 8, "br_stream_key");

/*
 * The ticket: 12 bytes over the two Ethernet addresses of an admitted packet. Its
 * nonce tells the copies of one packet from those of the next on the same CPU.
 */
struct br_ticket {
	__u16 mark;	   /* random per load; a frame without it is not ours */
	__u16 count;	   /* edges left, counted from first; flags: not begun */
	__u32 first_nonce; /* first edge (24 bits) | nonce bits 8..15 */
	__u32 leg_nonce;   /* source leg (24 bits) | nonce bits 0..7 */
};
_Static_assert(sizeof(struct br_ticket) == 12, "br_ticket covers exactly two MAC addresses");

/* In the count of a ticket on the loop: the packet waits for its turn; the ring has drained when
 * it comes back. */
#define BR_TICKET_PARKED 0x8000u
#define BR_TICKET_NEXT	 0x4000u
/* The daemon gets a copy too: not made yet on a parked packet, this one in the tap. */
#define BR_TICKET_TAP	0x2000u
#define BR_TICKET_COUNT 0x1fffu
_Static_assert(BR_ROUTE_MAX <= BR_TICKET_COUNT, "a count leaves the flags free");

#define BR_TICKET_INDEX_MAX (1u << 24) /* edges and legs that a ticket can name */

struct br_counter {
	__u64 packets;
	/* of the IP packet as its header says, without link layer and padding; on the loop,
	 * where that header is not read, of the frame behind the ethertype */
	__u64 bytes;
};
_Static_assert(sizeof(struct br_counter) == 16, "br_counter");

/* Per CPU and leg; written by the kernel only. */
struct br_leg_counters {
	struct br_counter rx; /* admitted from the leg */
	struct br_counter tx; /* copies sent to the leg */
	__u64 rx_dropped;     /* packets */
	__u64 tx_dropped;     /* copies */
	__u64 last_seen_ns;   /* CLOCK_MONOTONIC (coarse) of the last packet from the leg */
};
_Static_assert(sizeof(struct br_leg_counters) == 56, "br_leg_counters");

/* Per CPU and stream slot; written by the kernel only. */
struct br_stream_counters {
	struct br_counter rx;
	__u64 last_seen_ns;
};
_Static_assert(sizeof(struct br_stream_counters) == 24, "br_stream_counters");

/*
 * Shared by all CPUs, per leg; cleared by the daemon with the slot. Both write it: the daemon,
 * which maps it, for packets that it admits itself. Each member is read and written whole.
 */
struct br_leg_state {
	__u32 learned; /* SSRCs learned so far */
	__u32 reserved;
	/* One stream of the leg, so that most legs need no look-up in `streams`: BR_FIRST_STREAM,
	 * or 0. The daemon clears it before it takes the stream out of there. */
	__u64 first_stream;
	/* CLOCK_MONOTONIC: when the bucket of packets, and that of bytes, will be full again */
	__u64 packets_due_ns;
	__u64 bytes_due_ns;
};
_Static_assert(sizeof(struct br_leg_state) == 32, "br_leg_state");

/* SSRC in network byte order, and the slot of the stream. */
#define BR_FIRST_STREAM(ssrc_be, slot) ((__u64)(ssrc_be) << 32 | ((__u64)(slot) + 1))

#define BR_REASON_SLOTS 64u /* more than BR_REASON_COUNT, so that a new reason moves nothing */

/*
 * What the daemon forwards itself; written by the daemon only. Per leg and stream it keeps
 * struct br_leg_counters and struct br_stream_counters beside the kernel's.
 */
struct br_slow_totals {
	struct br_counter reasons[BR_REASON_SLOTS]; /* of what its socket read, and of its copies */
	struct br_counter tapped;		    /* packets that came over the tap */
	__u64 tap_lost;				    /* packets that the tap had no room for */
	__u64 reserved;
};
_Static_assert(sizeof(struct br_slow_totals) == 16 * BR_REASON_SLOTS + 32, "br_slow_totals");

/*
 * Where the copies of one ticket stand. One egress interface has one queue per CPU, but with
 * several of them the copies of different packets pass the stamp interleaved: the kernel runs
 * it when a queue of 16 is full or the poll ends. So each ticket under way has a cursor of its
 * own. A poll takes 64 packets; BR_CURSORS is more.
 */
#define BR_CURSORS 128u

struct br_cursor {
	__u16 nonce;  /* of the ticket */
	__u16 passed; /* copies of it that have passed */
};
_Static_assert(sizeof(struct br_cursor) == 4, "br_cursor");

/* Does a packet go round on the loop to show when the egress ring has drained? */
enum br_loop_rest {
	BR_LOOP_RESTED = 0,
	BR_LOOP_CHOSEN =
		1, /* it bears BR_TICKET_NEXT; until it is back those that wait go on waiting */
};

/* What one CPU keeps for itself: where the stamp stands, and the counters by reason. */
struct br_cpu {
	__u64 loop_ns;	   /* CLOCK_MONOTONIC (coarse): when a packet last began or ended there */
	__u32 loop_active; /* packets of long routes that are being spread */
	__u32 loop_parked; /* packets that wait for their turn */
	__u16 nonce;	   /* of the last ticket written */
	__u16 loop_rest;   /* enum br_loop_rest */
	__u16 backlog;	   /* copies that may still be in the egress ring */
	__u16 captured;	   /* BR_LEG_CAPTURE of the packet or copy being worked on */
	__u64 strangers_due_ns; /* CLOCK_MONOTONIC: as in br_leg_state, for all strangers together
				 */
	struct br_cursor cursors[BR_CURSORS]; /* by nonce modulo BR_CURSORS */
	struct br_counter reasons[BR_REASON_SLOTS];
};
_Static_assert(sizeof(struct br_cpu) == 32 + 4 * BR_CURSORS + 16 * BR_REASON_SLOTS, "br_cpu");

enum br_event_type {
	BR_EVENT_STREAM = 1, /* the kernel learned an SSRC */
};

/* An entry of the ring buffer. */
struct br_event {
	__u32 type; /* enum br_event_type */
	__u32 leg;
	__be32 ssrc;
	__u32 slot; /* of the stream */
};
_Static_assert(sizeof(struct br_event) == 16, "br_event");

enum br_capture_point {
	BR_CAPTURE_IN = 1,  /* as it came in, with the verdict */
	BR_CAPTURE_OUT = 2, /* a copy as it goes out, or as it came to the stamp when dropped */
};

#define BR_CAPTURE_LINK 22u    /* Ethernet header with BR_VLAN_MAX tags */
#define BR_CAPTURE_MAX	16384u /* bytes shown of one frame; a perf record cannot exceed 64 KiB */

/*
 * What `captured` says of a packet; the frame follows. The Ethernet header of one that came
 * in may have become a ticket by then, so it is kept here.
 */
struct br_captured {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 leg;     /* sender of a packet that came in, receiver of a copy */
	__u32 from;    /* sender */
	__u16 reason;  /* enum br_reason */
	__u16 point;   /* enum br_capture_point */
	__u16 length;  /* of the frame, bytes */
	__u8 link[BR_CAPTURE_LINK];
	__u8 link_length; /* bytes of link that stand for the first 14 of the frame; 0: none */
	__u8 reserved;
	__u16 shown; /* bytes of the frame that follow, at most BR_CAPTURE_MAX */
};
_Static_assert(sizeof(struct br_captured) == 48, "br_captured");

/*
 * Index into `replicators`: who copies `copies` times to `egress`, then maybe to the tap, then
 * maybe to the loop (its clock). 0 copies and the loop is where packets wait for their turn; 0
 * copies and the tap serves routes that the daemon serves alone.
 */
#define BR_REPLICATOR(egress, copies, tap, loop)                                                   \
	(((((__u32)(egress) * (BR_CHUNK_MAX + 1)) + (__u32)(copies)) * 2 + ((tap) ? 1 : 0)) * 2 +  \
	 ((loop) ? 1 : 0))
/* Entries of the one where packets wait. The clock is for the one with BR_TICKET_NEXT. */
#define BR_WAIT_QUEUE  0u
#define BR_WAIT_CLOCK  1u
#define BR_REPLICATORS (BR_EGRESS_MAX * (BR_CHUNK_MAX + 1) * 4)

#endif
