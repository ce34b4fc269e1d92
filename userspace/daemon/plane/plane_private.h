/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the plane: included by its own files only. */
#ifndef BR_PLANE_PRIVATE_H
#define BR_PLANE_PRIVATE_H

#include <time.h>

#include <bpf/libbpf.h>

#include "plane/features.h"
#include "plane/next_hops.h"
#include "plane/pins.h"
#include "plane/plane.h"
#include "plane/slots.h"
#include "plane/slow.h"

/* A slot or run may still be named by a packet on its way; it rests this long. */
#define BR_GRACE_NS  1000000000ULL
#define BR_SECOND_NS 1000000000ULL
#define BR_MS_NS     1000000ULL

#define BR_NO_STREAM (~0U)
#define BR_NO_LEG    (~0U)

struct br_plane_local;
struct br_plane_local_use;
struct relay_bpf;
struct ring_buffer;
struct perf_buffer;

/*
 * A route as the daemon keeps it: where its edges are. Indexed like the kernel's routes. The
 * last ones, of receivers that the daemon serves, are a segment of the egress BR_EGRESS_TAP.
 */
struct br_plane_route {
	uint32_t first;
	uint32_t count; /* edges, of both kinds */
	uint32_t taken; /* edges of the run: count, or more after a squeeze */
	bool inherit;	/* a stream's: the leg's route counts */
};

struct br_plane_leg {
	bool used;
	bool waits; /* for its next hop: the daemon sends to it, the kernel's stack queues */
	uint64_t waits_since_ns;
	uint32_t hop_next,
		hop_previous; /* legs on the same next hop, or BR_NO_LEG; see waiting.c */
	struct br_leg_spec spec;
	struct br_next_hop_info hop;
	bool held;	      /* hop is a reference on the next hops, by remote address */
	bool named;	      /* spec.hop counts, and hop is a reference on it unless pending */
	bool pending;	      /* adopted, and not on a next hop of ours yet; see adopt_hops.c */
	uint32_t adopted_hop; /* pending: entry of the earlier daemon that is in use, or 0 */
	uint32_t streams;     /* first of a list of stream slots, or BR_NO_STREAM */
	uint32_t captures;    /* how many want to see its packets */
	/* legs whose remote address has the same hash, or BR_NO_LEG; see leg_index.c */
	uint32_t remote_next, remote_previous;
};

struct br_plane_stream {
	bool used;
	bool learned;
	uint32_t leg;
	__be32 ssrc;
	uint32_t next; /* of the same leg */
};

struct br_plane_interface {
	char name[16];
	uint32_t ifindex; /* 0: gone */
	bool up;
	bool silent; /* frames that XDP sends to it vanish; see transmit.c */
	int link;    /* descriptor; -1: not attached */
};

/* As the entries of the copier where packets wait. */
enum { BR_LOOP_QUEUE = BR_WAIT_QUEUE, BR_LOOP_CLOCK = BR_WAIT_CLOCK, BR_LOOP_ENDS };

/* One end of the loop. */
struct br_plane_loop_end {
	char name[16]; /* "" when there is no loop */
	uint32_t ifindex;
	int link; /* of relay_loop, which listens here; -1: not attached */
};

/* The pair of devices on which packets go round; see loop.c. By what is sent into each end. */
struct br_plane_loop {
	struct br_plane_loop_end ends[BR_LOOP_ENDS];
};

/* The pair of devices over which the daemon gets packets with their tickets; see tap.c. */
struct br_plane_tap {
	char name[16]; /* copiers send here; "" when there is no tap */
	char peer[16]; /* the daemon's socket listens here */
	uint32_t ifindex;
	int socket; /* -1: none */
	struct br_tap_batch *batch;
	br_plane_tapped tapped; /* NULL: nobody wants them */
	void *context;
};

/* Legs that still use next hops of the earlier daemon; see adopt_hops.c. */
struct br_plane_adopted_hops {
	uint32_t *uses;	    /* legs per entry of the earlier daemon */
	uint32_t pending;   /* legs left */
	uint32_t cursor;    /* leg to look at next */
	uint64_t since_ns;  /* of the adoption */
	uint64_t paused_ns; /* end of the last pass over all legs */
};

/* The search for stream slots that nobody owns; see adopt_streams.c. */
struct br_plane_slot_search {
	bool *known;	  /* per slot: free, or seen in use; NULL: no search */
	uint64_t left;	  /* turns of the queue of free slots */
	uint64_t done_ns; /* end of the turns; 0: not yet */
};

struct br_plane_capture {
	struct perf_buffer *buffer; /* NULL: nobody captures */
	struct br_capture_events events;
};

struct br_plane {
	struct br_plane_options options;
	struct br_pins pins;
	bool adopting; /* the tables were filled by an earlier daemon */
	bool keep;     /* br_plane_close leaves them */
	struct br_plane_adopted_hops adopted_hops;
	struct br_plane_slot_search slot_search;
	struct br_plane_events events;
	struct relay_bpf *bpf;
	struct ring_buffer *ring;
	struct br_next_hops *hops;
	enum br_xdp_mode mode; /* in use */
	bool slow_all;	       /* the daemon serves every receiver */
	struct br_plane_capture capture;

	struct br_plane_interface interfaces[BR_EGRESS_MAX];
	struct br_features features;
	uint64_t transmit_ns; /* when it was last looked whether they transmit */
	struct br_plane_loop loop;
	struct br_plane_tap tap;
	int replicators[BR_REPLICATORS]; /* map descriptors, -1 where not made */
	uint32_t same_stamp; /* id of an earlier stamp that is the same code as ours; 0: none */

	/* memory of the kernel's tables */
	struct br_leg *leg_table;
	uint64_t *route_table;
	struct br_edge *edge_table;
	struct br_next_hop *hop_table;
	struct br_leg_state *state_table;
	struct br_leg_counters *slow_legs;
	struct br_stream_counters *slow_streams;
	struct br_slow_totals *slow_totals;

	struct br_plane_leg *legs;
	struct br_plane_stream *streams;
	struct br_plane_route *routes; /* max_legs + max_streams */
	struct br_slots *leg_slots;
	struct br_runs *edge_runs;
	struct br_plane_local *locals; /* addresses of the media interfaces, as counted */
	size_t local_count;
	struct br_plane_local_use *local_uses; /* addresses that are ours, and how often */
	size_t local_use_count;
	bool locals_changed; /* or may have */
	uint32_t leg_count;
	uint32_t stream_count;
	uint32_t *hop_legs;	/* per next hop: first of the list of its legs, or BR_NO_LEG */
	uint32_t waiting_count; /* legs that wait for their next hop */
	struct br_leg_index *leg_index; /* by remote address */
	uint64_t *moved;		/* bit per leg: edges that name it must be laid again */
	bool routes_moved;		/* some bit of moved is set */
	uint64_t relaid_ns;		/* end of the last pass over all routes for them */
	uint32_t *marks;		/* per leg: last mark it was given; see br_route_is */
	uint32_t mark;
	int cpus;
};

static inline uint64_t br_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* What one of @per_s things costs when all of them take @second_ns; rounded up, 0: no limit. */
static inline uint32_t br_plane_cost_ns(uint64_t second_ns, uint32_t per_s)
{
	uint64_t cost = per_s ? (second_ns + per_s - 1) / per_s : 0;

	return cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost;
}

static inline size_t br_plane_moved_size(const struct br_plane_options *options)
{
	return (options->max_legs + 63) / 64 * sizeof(uint64_t);
}

/* attach.c */
int br_plane_choose_mode(struct br_plane *plane, struct br_error *error);
int br_plane_attach(struct br_plane *plane, size_t slot, struct br_error *error);
int br_plane_attach_program(const struct br_plane *plane, const struct bpf_program *program,
			    uint32_t ifindex, const char *name, struct br_error *error);
void br_plane_detach(struct br_plane *plane, size_t slot);
/* Take over a pinned link; the new program replaces the old one without a gap. */
int br_plane_attach_adopt(struct br_plane *plane, const struct bpf_program *program,
			  uint32_t ifindex, const char *pin);

bool br_plane_is_veth(const char *name);
uint32_t br_plane_turn_back(const struct br_plane *plane);

/* loop.c */
int br_plane_loop_open(struct br_plane *plane, struct br_error *error);
void br_plane_loop_close(struct br_plane *plane);

/* tap.c */
int br_plane_tap_open(struct br_plane *plane, struct br_error *error);
void br_plane_tap_close(struct br_plane *plane);
void br_plane_tap_read(struct br_plane *plane);

/* clones.c */
bool br_plane_clones_private(struct br_plane *plane);

/* replicators.c */
struct br_copier {
	unsigned int egress;
	unsigned int copies;
	bool tap, loop; /* one entry more for each */
};
/* Make or adopt the copiers of all interfaces. */
int br_plane_replicators_open(struct br_plane *plane, struct br_error *error);
/* Make sure that a copier exists. */
int br_plane_replicator(struct br_plane *plane, const struct br_copier *copier,
			struct br_error *error);
/* The interface of a slot has a new ifindex: the kernel has emptied the copiers' entries. */
int br_plane_replicators_rebuild(struct br_plane *plane, unsigned int egress);
void br_plane_replicators_close(struct br_plane *plane);

/* transmit.c */
void br_plane_transmit_tick(struct br_plane *plane);

/* leg_index.c */
struct br_leg_index *br_leg_index_new(uint32_t legs);
void br_leg_index_add(struct br_plane *plane, uint32_t leg);
void br_leg_index_remove(struct br_plane *plane, uint32_t leg);
/* Legs that may have this remote address, by remote_next; BR_NO_LEG when there is none. */
uint32_t br_leg_index_first(const struct br_plane *plane, const struct br_addr *remote);

/* leg_hops.c */
/* A reference on the next hop of spec, and the local address that goes with it. */
int br_leg_take_hop(struct br_plane *plane, struct br_plane_leg *leg, struct br_error *error);
void br_leg_give_hop(struct br_plane *plane, struct br_plane_leg *leg);
enum br_leg_reach br_leg_reach(const struct br_plane *plane, const struct br_plane_leg *leg,
			       uint16_t *egress);

/* legs.c */
void br_plane_leg_moved(struct br_plane *plane, const struct br_addr *remote,
			const struct br_next_hop_info *info);
void br_plane_leg_follow(struct br_plane *plane, uint32_t leg, const struct br_next_hop_info *info);
int br_plane_leg_adopt(struct br_plane *plane, uint32_t leg);
void br_plane_leg_repair(struct br_plane *plane, uint32_t leg);

/* waiting.c */
void br_plane_leg_join_hop(struct br_plane *plane, uint32_t leg);
void br_plane_leg_leave_hop(struct br_plane *plane, uint32_t leg);
void br_plane_leg_wait(struct br_plane *plane, uint32_t leg, bool waits);
void br_plane_hop_changed(struct br_plane *plane, uint32_t hop, bool waits);
void br_plane_waiting_tick(struct br_plane *plane);

/* Where the copies for a leg go: a slot of the interfaces, or BR_EGRESS_TAP. */
static inline uint8_t br_plane_leg_egress(const struct br_plane *plane, uint32_t leg)
{
	const struct br_plane_leg *to = &plane->legs[leg];

	return plane->slow_all || to->waits ? BR_EGRESS_TAP : (uint8_t)to->hop.egress;
}

/* counters.c: add to a sum what each CPU has counted */
void br_plane_leg_sum(const struct br_leg_counters *each, int cpus, struct br_leg_counters *sum);

/* police.c */
bool br_plane_police(struct br_plane *plane, uint32_t leg, uint64_t bytes);

/* locals.c */
/* One user more, or one less, of an address. */
int br_plane_local_get(struct br_plane *plane, const __be32 local[static 4]);
void br_plane_local_put(struct br_plane *plane, const __be32 local[static 4]);
/* The first address of a media interface that fits @remote; false when there is none. */
bool br_plane_local_of(const struct br_plane *plane, size_t slot, const struct br_addr *remote,
		       struct br_addr *local);
void br_plane_locals_refresh(struct br_plane *plane);
int br_plane_locals_adopt(struct br_plane *plane);

/* routes.c */
int br_plane_route_lay(struct br_plane *plane, uint32_t route, const uint32_t *receivers,
		       size_t count, struct br_error *error);
void br_plane_route_drop(struct br_plane *plane, uint32_t route, bool inherit);
/* Edges that name the leg must be laid again: at the next br_plane_routes_relay. */
void br_plane_leg_mark_moved(struct br_plane *plane, uint32_t leg);
void br_plane_routes_relay(struct br_plane *plane);
bool br_plane_route_adopt(struct br_plane *plane, uint32_t route, bool used, uint64_t none);

/* streams.c */
int br_plane_streams_open(struct br_plane *plane);
/* Learn an SSRC as the kernel would. 0, or the reason why not; the slot in @slot. */
int br_plane_stream_learn(struct br_plane *plane, uint32_t leg, __be32 ssrc, uint32_t *slot);
/* -ENOENT when the SSRC is not known */
int br_plane_stream_find(const struct br_plane *plane, uint32_t leg, __be32 ssrc, uint32_t *slot);
void br_plane_streams_drop(struct br_plane *plane, uint32_t leg);
void br_plane_stream_note(struct br_plane *plane, uint32_t leg, __be32 ssrc, uint32_t slot,
			  bool learned);
int br_plane_stream_event(void *context, void *data, size_t size);

/* capture.c */
void br_plane_capture_forget(struct br_plane *plane, uint32_t leg);

/* adopt.c */
int br_plane_open_state(struct br_plane *plane, struct br_error *error);
int br_plane_adopt_maps(struct br_plane *plane, struct br_error *error);
int br_plane_adopt_links(struct br_plane *plane, struct br_error *error);
int br_plane_finish_state(struct br_plane *plane, struct br_error *error);

/* adopt_tables.c */
int br_plane_adopt_tables(struct br_plane *plane, struct br_error *error);

/* adopt_hops.c */
int br_plane_adopt_hops(struct br_plane *plane, struct br_error *error);
void br_plane_adopt_hops_tick(struct br_plane *plane);
void br_plane_adopted_hop_left(struct br_plane *plane, uint32_t leg);

/* adopt_streams.c */
int br_plane_slot_search_begin(struct br_plane *plane);
void br_plane_slot_search_tick(struct br_plane *plane);

#endif
