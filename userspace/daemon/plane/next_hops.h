/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Next hops: which MAC addresses, interface and MTU lead to a remote address. Kept true
 * from rtnetlink (routes, neighbours, links, addresses) over libmnl, written into the
 * table that the stamp reads. Shared: legs behind one gateway hold one next hop, so a
 * change of neighbour is one write.
 */
#ifndef BR_NEXT_HOPS_H
#define BR_NEXT_HOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <blindrelay/abi.h>

#include "lib/addr.h"
#include "lib/error.h"
#include "plane/named_hop.h"

struct br_next_hops;

/* A media interface: its ifindex may change when it is deleted and made anew. */
struct br_next_hops_interface {
	char name[16];
	uint32_t ifindex;
	bool absent; /* it may be gone at the moment: that is no error */
};

struct br_next_hops_options {
	struct br_next_hop *table; /* written in place; entry 0 is never used and stays NONE */
	uint32_t capacity;	   /* entries of table */
	struct br_next_hops_interface interfaces[BR_EGRESS_MAX]; /* slot = index */
	size_t interface_count;
};

struct br_next_hop_info {
	uint32_t index;
	bool ready;	      /* the neighbour is resolved and the link is up */
	bool waits;	      /* the link is up, but the neighbour has not answered */
	uint16_t egress;      /* slot of the interface */
	struct br_addr local; /* source address the routing table prefers */
};

/* Called while br_next_hops_dispatch, _tick or _get runs; never afterwards. */
struct br_next_hops_events {
	/* a remote address now leads to another next hop, egress or local address (route change) */
	void (*moved)(void *context, const struct br_addr *remote,
		      const struct br_next_hop_info *info);
	/* whether entry @index waits for its neighbour while its link is up */
	void (*waits_changed)(void *context, uint32_t index, bool waits);
	/* a media interface went up, down, away or came back; ifindex 0: it is gone */
	void (*interface_changed)(void *context, size_t slot, uint32_t ifindex, bool up);
	/* addresses of some interface, or which one is a media interface, may have changed; may be
	 * NULL */
	void (*addresses_changed)(void *context);
	void *context;
};

/** br_next_hops_open - subscribe to rtnetlink in the current network namespace; owned by caller */
int br_next_hops_open(const struct br_next_hops_options *options,
		      const struct br_next_hops_events *events, struct br_next_hops **hops,
		      struct br_error *error);
/** br_next_hops_close - NULL is ignored; entries of the table are set to NONE */
void br_next_hops_close(struct br_next_hops *hops);
/** br_next_hops_abandon - as br_next_hops_close, but the table stays as it is */
void br_next_hops_abandon(struct br_next_hops *hops);

/**
 * br_next_hops_reserve - entries that an earlier daemon filled and packets still use
 * @uses: entry i stays untouched and is not handed out when uses[i] is not 0
 * @count: entries of @uses, up to the capacity
 *
 * Before the first br_next_hops_get. Return: 0 or -ENOMEM.
 */
int br_next_hops_reserve(struct br_next_hops *hops, const uint32_t *uses, uint32_t count);
/** br_next_hops_release - a reserved entry is not used any more: set to NONE, free after a rest */
void br_next_hops_release(struct br_next_hops *hops, uint32_t index);

/**
 * br_next_hops_get - take a reference on the next hop of an address
 * @remote: where packets shall go
 * @info: set on success
 *
 * A neighbour that is not known is asked for; the entry becomes ready when it answers.
 *
 * Return: 0; -EHOSTUNREACH when no route leads there over a media interface, -ENOSPC
 * when the table is full.
 */
int br_next_hops_get(struct br_next_hops *hops, const struct br_addr *remote,
		     struct br_next_hop_info *info, struct br_error *error);
/**
 * br_next_hops_hold - as br_next_hops_get, also when no route leads there now
 * @info: index 0 and no local address then; `moved` tells when a route appears
 *
 * Return: 0 or -ENOMEM.
 */
int br_next_hops_hold(struct br_next_hops *hops, const struct br_addr *remote,
		      struct br_next_hop_info *info);
/** br_next_hops_put - give the reference for @remote back */
void br_next_hops_put(struct br_next_hops *hops, const struct br_addr *remote);
/** br_next_hops_info - present state for an address that is held; -ENOENT otherwise */
int br_next_hops_info(const struct br_next_hops *hops, const struct br_addr *remote,
		      struct br_next_hop_info *info);

/**
 * br_next_hops_name - take a reference on a next hop that somebody has named
 * @named: all bytes count, also those behind the name of the interface
 * @info: set on success; without a local address
 *
 * Return: 0; -EINVAL (field "next_hop.interface") when the interface is none of ours, -ENOSPC
 * when the table is full, -ENOMEM.
 */
int br_next_hops_name(struct br_next_hops *hops, const struct br_named_hop *named,
		      struct br_next_hop_info *info, struct br_error *error);
/** br_next_hops_unname - give the reference back */
void br_next_hops_unname(struct br_next_hops *hops, uint32_t index);
/** br_next_hops_named_info - present state of a named next hop; -ENOENT when it is none */
int br_next_hops_named_info(const struct br_next_hops *hops, uint32_t index,
			    struct br_next_hop_info *info);

/** br_next_hops_fd - to poll for reading */
int br_next_hops_fd(const struct br_next_hops *hops);
/** br_next_hops_dispatch - read and apply what the kernel says; does not block */
void br_next_hops_dispatch(struct br_next_hops *hops);
/** br_next_hops_busy - is there more to apply at once? The descriptor is readable then */
bool br_next_hops_busy(const struct br_next_hops *hops);
/** br_next_hops_tick - ask again for what is unresolved; keep used neighbours fresh */
void br_next_hops_tick(struct br_next_hops *hops);

#endif
