/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plane: legs, edges, routes and counters in the kernel. Knows nothing of rooms.
 * The only caller of BPF in the daemon. Not thread-safe: call from the event loop.
 */
#ifndef BR_PLANE_H
#define BR_PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <blindrelay/abi.h>
#include <blindrelay/reasons.h>
#include <blindrelay/state.h>

#include "lib/addr.h"
#include "lib/error.h"
#include "plane/named_hop.h"

enum br_xdp_mode {
	BR_XDP_AUTO,	/* native, else generic, else none */
	BR_XDP_NATIVE,	/* in the driver */
	BR_XDP_GENERIC, /* in the stack; works on nearly every interface */
	BR_XDP_NONE,	/* nowhere: the daemon forwards everything */
};

struct br_plane_options {
	const char *interfaces[BR_EGRESS_MAX]; /* names of the media interfaces */
	size_t interface_count;		       /* 1..BR_EGRESS_MAX */
	enum br_xdp_mode mode;
	uint16_t media_port;  /* host byte order */
	uint32_t max_legs;    /* slots, 2..BR_TICKET_INDEX_MAX */
	uint32_t max_streams; /* slots */
	uint32_t max_edges;   /* slots, up to BR_TICKET_INDEX_MAX */
	uint32_t chunk;	      /* copies per turn of the egress ring, 1..BR_CHUNK_MAX */
	bool peers_run_xdp;   /* of veth interfaces: then XDP_TX reaches them */
	uint32_t burst_ms;    /* what rates of legs and strangers let come early */
	/* STUN and DTLS of whoever is no leg, packets per second; 0: no limit */
	uint32_t strangers_per_source;
	uint32_t strangers_per_cpu;
	const char *state; /* directory to pin everything in; NULL or "": nothing outlives us */
	bool reset;	   /* throw away what is pinned there instead of adopting it */
};

/* Rates that the kernel can keep, beside 0: no limit. */
#define BR_PACKETS_PER_S_MAX 10000000u
#define BR_BITS_PER_S_MIN    10000u
#define BR_BITS_PER_S_MAX    4000000000u

/* What may change while a leg lives. All zero: no limit, no end. */
struct br_leg_terms {
	uint32_t max_packets_per_s; /* what it may send; 0: no limit */
	uint32_t max_bits_per_s;    /* of IP packets; 0: no limit */
	uint64_t expires_ns;	    /* CLOCK_MONOTONIC; 0: never */
	bool feedback_up;	    /* its RTCP goes to the daemon's socket, not along its route */
};

/* What the plane should do for one UDP five-tuple. */
struct br_leg_spec {
	struct br_endpoint remote;
	/* family 0: chosen by the routing table; with a named hop the first of its interface */
	struct br_addr local;
	struct br_named_hop hop; /* no interface: the routing table says where */
	bool publish;		 /* may send RTP */
	bool fixed_ssrcs;	 /* only SSRCs added with br_plane_stream_add */
	uint16_t ssrc_limit;	 /* SSRCs to learn when not fixed */
	struct br_leg_terms terms;
};

enum br_leg_reach {
	BR_REACH_READY,	    /* next hop known: copies go out */
	BR_REACH_RESOLVING, /* neighbour asked for, no answer yet */
	BR_REACH_NONE,	    /* no route, or over an interface that is not ours */
};

struct br_leg_info {
	struct br_endpoint remote;
	struct br_endpoint local;
	enum br_leg_reach reach;
	char interface[16]; /* "" when not known */
	/* summed over CPUs and the daemon; last_seen_ns is the latest */
	struct br_leg_counters counters;
	struct br_leg_counters slow; /* of these, by the daemon */
	bool slow_path;		     /* the daemon sends to it now */
};

struct br_stream_info {
	uint32_t leg;
	__be32 ssrc;
	uint32_t slot;
	bool learned;			    /* by the kernel; false: added by br_plane_stream_add */
	struct br_stream_counters counters; /* by the kernel and the daemon */
};

struct br_interface_info {
	char name[16];
	uint32_t ifindex;
	enum br_xdp_mode mode; /* in use; not BR_XDP_AUTO */
	bool up;
	bool transmits; /* false: frames that XDP sends to it vanish */
};

struct br_plane_fill {
	uint32_t legs, max_legs;
	uint32_t streams, max_streams;
	uint32_t edges, max_edges; /* edges in runs that are used or still resting */
};

struct br_plane;

/**
 * br_plane_open - load the programs, create the tables, attach to the interfaces
 * @options: copied
 * @plane: set on success; owned by the caller, freed by br_plane_close
 * @error: says which interface or limit is at fault
 *
 * When an earlier daemon has left its state in options->state, that is adopted: programs are
 * replaced one by one, tables and counters stay, no packet is lost.
 *
 * Return: 0, or a negative errno: -EBUSY when another XDP program or another relay is
 * attached, -ENODEV for an unknown interface, -EPERM without the capabilities, -EPROTO when
 * the state is not one that can be adopted with these options. On failure nothing stays
 * attached, but a state that was to be adopted is left as it was and goes on forwarding.
 */
int br_plane_open(const struct br_plane_options *options, struct br_plane **plane,
		  struct br_error *error);
/** br_plane_close - detach, unpin and free everything; NULL is ignored */
void br_plane_close(struct br_plane *plane);
/**
 * br_plane_set_keep - whether br_plane_close leaves attached and pinned what is pinned
 *
 * Without a state directory nothing can be kept and this has no effect.
 */
void br_plane_set_keep(struct br_plane *plane, bool keep);
/** br_plane_adopted - has br_plane_open gone on with an earlier daemon's state? */
bool br_plane_adopted(const struct br_plane *plane);

/* Called by br_plane_dispatch. */
struct br_plane_events {
	/* the kernel has learned an SSRC on a leg */
	void (*stream_learned)(void *context, uint32_t leg, __be32 ssrc);
	void *context;
};
/** br_plane_set_events - who is told; @events is copied */
void br_plane_set_events(struct br_plane *plane, const struct br_plane_events *events);

#define BR_PLANE_FDS 3
/** br_plane_fds - descriptors to poll for reading (netlink, events, the tap); returns how many */
size_t br_plane_fds(const struct br_plane *plane, int fds[static BR_PLANE_FDS]);
/** br_plane_dispatch - handle what @fd, one of br_plane_fds, has to say */
void br_plane_dispatch(struct br_plane *plane, int fd);
/**
 * br_plane_tick - time-driven work: resting slots are freed, unresolved neighbours asked again
 *
 * Call every 100 ms or so.
 */
void br_plane_tick(struct br_plane *plane);

/**
 * br_plane_leg_add - let the kernel know a five-tuple
 * @spec: copied
 * @leg: set on success: slot of the leg, also the index of its own route
 *
 * The route of a new leg is empty. A next hop that is not resolved is asked for; the
 * call does not wait for it.
 *
 * Return: 0; -EEXIST when the five-tuple is a leg already, -ENOSPC when the tables are
 * full, -EHOSTUNREACH when no route leads to the address over a media interface; for a named
 * hop -EINVAL: field "next_hop.interface", "next_hop.source_address", or "next_hop" when the
 * daemon serves all receivers itself, as its socket cannot name a next hop.
 */
int br_plane_leg_add(struct br_plane *plane, const struct br_leg_spec *spec, uint32_t *leg,
		     struct br_error *error);
/**
 * br_plane_leg_name_hop - say again which next hop a leg of an earlier daemon has
 * @leg: one with a named hop that was adopted; it goes on with what it has until then
 *
 * Return: 0 or as br_plane_leg_add.
 */
int br_plane_leg_name_hop(struct br_plane *plane, uint32_t leg, const struct br_named_hop *hop,
			  struct br_error *error);
/** br_plane_leg_remove - forget a leg, its streams and its routes; edges to it must be gone first
 */
void br_plane_leg_remove(struct br_plane *plane, uint32_t leg);
/**
 * br_plane_leg_set_terms - other rates, another end; counts for the next packet
 * @terms: rates inside of the BR_..._PER_S bounds; copied
 *
 * No packet is lost by it. A leg that has expired is alive again when it expires later.
 */
void br_plane_leg_set_terms(struct br_plane *plane, uint32_t leg, const struct br_leg_terms *terms);
/** br_plane_leg_info - state and counters; -ENOENT when the slot is empty */
int br_plane_leg_info(const struct br_plane *plane, uint32_t leg, struct br_leg_info *info);
/** br_plane_leg_spec - what was asked for; -ENOENT when the slot is empty */
int br_plane_leg_spec(const struct br_plane *plane, uint32_t leg, struct br_leg_spec *spec);

/**
 * br_plane_leg_route - who receives what a leg sends, where no stream says otherwise
 * @receivers: legs in any order, without duplicates; not kept
 * @count: up to BR_ROUTE_MAX; 0: nobody
 *
 * The new run of edges is complete before one store switches to it, so a packet sees
 * the old receivers or the new ones, never a mixture.
 *
 * Return: 0, -ENOSPC when edges run out (the old route stays).
 */
int br_plane_leg_route(struct br_plane *plane, uint32_t leg, const uint32_t *receivers,
		       size_t count, struct br_error *error);

/** br_plane_stream_add - register an SSRC that the leg may send; -EEXIST, -ENOSPC */
int br_plane_stream_add(struct br_plane *plane, uint32_t leg, __be32 ssrc, struct br_error *error);
/** br_plane_stream_remove - forget an SSRC; its route goes with it */
void br_plane_stream_remove(struct br_plane *plane, uint32_t leg, __be32 ssrc);
/** br_plane_stream_route - receivers of one stream, as br_plane_leg_route; -ENOENT if unknown */
int br_plane_stream_route(struct br_plane *plane, uint32_t leg, __be32 ssrc,
			  const uint32_t *receivers, size_t count, struct br_error *error);
/** br_plane_stream_inherit - back to the route of the leg; -ENOENT if unknown */
int br_plane_stream_inherit(struct br_plane *plane, uint32_t leg, __be32 ssrc);

typedef void (*br_stream_visit)(void *context, const struct br_stream_info *stream);
/** br_plane_streams - visit the streams of one leg, by slot */
void br_plane_streams(const struct br_plane *plane, uint32_t leg, br_stream_visit visit,
		      void *context);

/*
 * The store: records of upper layers that outlive the daemon. Without a state directory it
 * takes everything and keeps nothing.
 */

/**
 * br_plane_store_put - write or replace a record
 * @data: @size bytes, 1..6400; copied
 *
 * Return: 0, or -ENOSPC when the store is full; the record is then what it was before.
 */
int br_plane_store_put(struct br_plane *plane, enum br_store_kind kind, uint32_t id,
		       const void *data, size_t size, struct br_error *error);
/** br_plane_store_delete - forget a record, if there is one */
void br_plane_store_delete(struct br_plane *plane, enum br_store_kind kind, uint32_t id);
/** br_plane_store_each - visit the records of one kind by id; 0, or a negative errno */
int br_plane_store_each(struct br_plane *plane, enum br_store_kind kind,
			void (*visit)(void *context, uint32_t id, const void *data, size_t size),
			void *context);

/*
 * Capture: what legs send and receive, shown with what became of it, without leaving the
 * fast path: the kernel copies packets of the legs asked for into rings.
 */

#define BR_CAPTURE_ETHERNET 14u /* bytes of a frame that the link header stands for */

/* A packet, as it came in or as it goes out. */
struct br_capture_packet {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint32_t leg;	  /* sender of a packet that came in, receiver of a copy */
	uint32_t from;	  /* sender */
	enum br_reason reason;
	enum br_capture_point point;
	int action;		       /* enum xdp_action that the program returned */
	uint8_t link[BR_CAPTURE_LINK]; /* Ethernet header that stands before @frame */
	size_t link_length;	       /* bytes; 0: @frame begins with its own */
	const uint8_t *frame;	       /* @shown bytes; gone when the callback returns */
	size_t shown;
	size_t length; /* of the whole, link header included; more than is shown when cut */
};

struct br_capture_events {
	void (*packet)(void *context, const struct br_capture_packet *packet);
	/* so many packets found no room in a ring, of which legs is not known */
	void (*lost)(void *context, uint64_t packets);
	void *context;
};

/**
 * br_plane_capture_open - make the rings; no packet comes before br_plane_capture_leg
 * @events: called by br_plane_capture_drain; copied
 *
 * Return: 0, -EBUSY when they are open, or what the kernel says.
 */
int br_plane_capture_open(struct br_plane *plane, const struct br_capture_events *events,
			  struct br_error *error);
/** br_plane_capture_close - no leg is captured any more; nothing happens when not open */
void br_plane_capture_close(struct br_plane *plane);
/** br_plane_capture_fd - readable when much has come; drain on a timer as well; -1: not open */
int br_plane_capture_fd(const struct br_plane *plane);
/** br_plane_capture_drain - hand over what has come so far */
void br_plane_capture_drain(struct br_plane *plane);
/**
 * br_plane_capture_leg - show a leg's packets, or no longer
 *
 * Counted: a leg is shown until it has been switched off as often as on, or is removed.
 */
void br_plane_capture_leg(struct br_plane *plane, uint32_t leg, bool on);
/** br_plane_captured - are this leg's packets to be shown? False for what is no leg. */
bool br_plane_captured(const struct br_plane *plane, uint32_t leg);
/** br_plane_capture_show - show a packet that the daemon forwards, or not, itself; sets action */
void br_plane_capture_show(struct br_plane *plane, struct br_capture_packet *packet);

/** br_plane_counters - packets and bytes by reason, summed over CPUs */
void br_plane_counters(const struct br_plane *plane,
		       struct br_counter counters[static BR_REASON_COUNT]);
/** br_plane_legs_end - slots of legs from here on have never been used */
uint32_t br_plane_legs_end(const struct br_plane *plane);
/**
 * br_plane_leg_counters - counters of @count slots from @first, summed as in br_plane_leg_info
 * @first: @first + @count is at most br_plane_legs_end
 *
 * One system call for all of them. What an empty slot gives is what its last leg left.
 *
 * Return: 0, or a negative errno and @counters are not set.
 */
int br_plane_leg_counters(const struct br_plane *plane, uint32_t first, uint32_t count,
			  struct br_leg_counters *counters);
/** br_plane_fill - how full the tables are */
void br_plane_fill(const struct br_plane *plane, struct br_plane_fill *fill);
/** br_plane_interfaces - the media interfaces; returns how many were written */
size_t br_plane_interfaces(const struct br_plane *plane,
			   struct br_interface_info interfaces[static BR_EGRESS_MAX]);

/** br_xdp_mode_name - as in the configuration and the API: "auto", "native", "generic", "none" */
const char *br_xdp_mode_name(enum br_xdp_mode mode);

/** br_reason_name - as in the API and the metrics, e.g. "unknown_leg" */
const char *br_reason_name(enum br_reason reason);
/** br_reason_meaning - one sentence for people */
const char *br_reason_meaning(enum br_reason reason);
/** br_reason_verdict - pass, drop or sent */
enum br_verdict br_reason_verdict(enum br_reason reason);

#endif
