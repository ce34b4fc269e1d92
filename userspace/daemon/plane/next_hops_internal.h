/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of next_hops share.
 *
 *   next_hops.c            public functions, the order of work, time
 *   next_hops_table.c      next hops in use: references, slots, entries of the table
 *   next_hops_neighbour.c  neighbours: read, ask for, keep fresh
 *   next_hops_named.c      next hops that somebody has named
 *   next_hops_path.c       paths: what the routing table says about an address
 *   next_hops_remote.c     remote addresses: their next hops, following the routes
 *   next_hops_vlan.c       VLAN devices on media interfaces
 *   next_hops_events.c     rtnetlink announcements and links
 *
 * A remote address has a next hop, found by (interface, neighbour, MTU of the route).
 * Nothing of the kernel's tables is copied except the entries in use; a change is a
 * reason to ask again. What must be asked again stands in one of two queues of doubt,
 * worked off in bounded steps so that the event loop is never held up.
 */
#ifndef BR_NEXT_HOPS_INTERNAL_H
#define BR_NEXT_HOPS_INTERNAL_H

#include <sys/queue.h>

#include "plane/netlink.h"
#include "plane/next_hops.h"

/* Chained hash table, doubled when chains get longer than one entry on average. */
struct br_hash_node {
	struct br_hash_node *next;
	uint32_t hash;
};

struct br_hash {
	struct br_hash_node **buckets;
	size_t bucket_count; /* power of two, or 0 before the first insertion */
	size_t count;
};

#define br_container(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* A media interface as the kernel last described it. */
struct br_link {
	char name[16];
	uint32_t ifindex; /* 0: it is gone */
	uint32_t flags;	  /* IFF_* */
	uint32_t mtu;
	uint8_t mac[6];
	uint8_t broadcast[6];
	bool up;
};

/* An interface that is none of ours, but that a route has named. */
struct br_device {
	TAILQ_ENTRY(br_device) all;
	struct br_link link;
	uint32_t lower;	   /* ifindex of the device underneath; 0: it is no VLAN device */
	uint16_t vlan;	   /* its id */
	uint16_t protocol; /* ETH_P_8021Q or ETH_P_8021AD */
};
TAILQ_HEAD(br_device_list, br_device);

#define BR_VLAN_TAG_BYTES 4u

/* What a packet meets on its way over a device: the media interface underneath, and tags. */
struct br_via {
	size_t slot;
	bool up;	/* all of them are */
	uint32_t mtu;	/* the smallest */
	uint32_t flags; /* IFF_* of the device itself, and its addresses */
	uint8_t mac[6];
	uint8_t broadcast[6];
	uint8_t vlans;
	uint16_t vlan[BR_VLAN_MAX]; /* outermost first */
};

enum br_hop_queue {
	BR_HOP_IDLE,  /* nothing to ask: permanent, or its link is down */
	BR_HOP_KEEP,  /* in use: show the kernel so before its entry grows old */
	BR_HOP_RETRY, /* not resolved: ask again */
	BR_HOP_QUEUES,
};

/* A next hop in use. */
struct br_hop {
	struct br_hash_node node;
	TAILQ_ENTRY(br_hop) doubt;  /* in hops->doubtful_hops, when in_doubt */
	TAILQ_ENTRY(br_hop) queued; /* in hops->queues[queue], when not IDLE; resting: in resting */
	struct br_addr neighbour;   /* the gateway, or the remote itself */
	struct br_named_hop *named; /* somebody has named it; NULL: from the routing table */
	uint32_t ifindex;	    /* of the media interface, or a VLAN device on it */
	uint32_t index;		    /* of the table */
	uint32_t references;
	uint16_t route_mtu; /* 0: the route names none */
	uint8_t slot;
	uint8_t queue; /* enum br_hop_queue */
	uint8_t mac[6];
	uint16_t nud; /* NUD_*, 0: the kernel has no entry */
	bool has_mac;
	bool in_doubt;
	bool ready;	    /* as written to the table */
	bool waits;	    /* for the neighbour only */
	uint64_t queued_ns; /* entered the queue; resting: given back */
	uint64_t asked_ns;
};
TAILQ_HEAD(br_hop_list, br_hop);

/* An address that somebody holds. */
struct br_remote {
	struct br_hash_node node;
	TAILQ_ENTRY(br_remote) doubt; /* in hops->doubtful_remotes, when in_doubt */
	struct br_addr addr;
	struct br_addr local;
	struct br_hop *hop; /* NULL: no way leads there now */
	uint32_t references;
	uint16_t egress; /* of the last way */
	bool held;	 /* somebody has been told where it leads */
	bool in_doubt;
};
TAILQ_HEAD(br_remote_list, br_remote);

struct br_next_hops {
	struct br_next_hops_events told;
	struct br_next_hop *table;
	uint32_t capacity;
	struct br_link links[BR_EGRESS_MAX];
	size_t link_count;
	struct br_device_list devices;

	struct br_netlink events;
	struct br_netlink requests;
	int poll_fd; /* epoll over events and timer */
	int timer_fd;
	bool abandoned;	     /* being closed, entries stay as they are */
	bool lost;	     /* announcements were lost: ask for everything */
	uint64_t armed_ns;   /* what the timer waits for; 0: nothing */
	uint64_t recheck_ns; /* put all remotes in doubt then; 0: not planned */
	uint64_t retry_ns;   /* a request failed: go on then; 0: not planned */

	uint64_t seed; /* of the hashes: addresses are chosen by strangers */
	struct br_hash remotes;
	struct br_hash hops;
	struct br_hop **by_index; /* hops in use by index, grows with them */
	uint32_t index_top;	  /* indexes below have been used */
	uint32_t index_room;	  /* length of by_index */
	struct br_hop_list resting;
	struct br_hop_list queues[BR_HOP_QUEUES];
	struct br_hop_list doubtful_hops;
	struct br_remote_list doubtful_remotes;
};

/* --- next_hops.c --- */
/** br_hops_now - CLOCK_MONOTONIC in nanoseconds */
uint64_t br_hops_now(void);

/* --- next_hops_table.c --- */
uint32_t br_hash_addr(const struct br_next_hops *hops, const struct br_addr *addr, uint32_t salt);
/** br_hash_insert - 0, or -ENOMEM when the first buckets cannot be had */
int br_hash_insert(struct br_hash *hash, struct br_hash_node *node, uint32_t value);
void br_hash_remove(struct br_hash *hash, struct br_hash_node *node);
/** br_hash_chain - first node of the chain that may hold @value */
struct br_hash_node *br_hash_chain(const struct br_hash *hash, uint32_t value);
void br_hash_free(struct br_hash *hash);

/**
 * br_hop_take - reference on a next hop, made when it is not in use yet
 * @ifindex: of the interface in @slot, or of a VLAN device on it
 * @route_mtu: 0 when the route names none
 * @hop: set on success; its entry is written and its neighbour asked for
 *
 * Return: 0, -ENOSPC when no index is free, -ENOMEM.
 */
int br_hop_take(struct br_next_hops *hops, size_t slot, uint32_t ifindex,
		const struct br_addr *neighbour, uint16_t route_mtu, struct br_hop **hop);
/** br_hop_via - the way of its packets; @via->up is false when there is none now */
void br_hop_via(const struct br_next_hops *hops, const struct br_hop *hop, struct br_via *via);
/** br_hop_enter - give a new hop an index and its first reference; 0, -ENOSPC, -ENOMEM */
int br_hop_enter(struct br_next_hops *hops, struct br_hop *hop, uint32_t hash);
/** br_hop_give - give a reference back; NULL is ignored */
void br_hop_give(struct br_next_hops *hops, struct br_hop *hop);
/** br_hop_write - make the table's entry say what the hop and its link say */
void br_hop_write(struct br_next_hops *hops, struct br_hop *hop);
/** br_hop_doubt - have the kernel's neighbour entry read again soon */
void br_hop_doubt(struct br_next_hops *hops, struct br_hop *hop);
/** br_hops_free_table - all next hops, in use or resting; entries become NONE */
void br_hops_free_table(struct br_next_hops *hops);

/* --- next_hops_neighbour.c --- */
/** br_hop_first_look - read the neighbour of a new hop and ask for it */
void br_hop_first_look(struct br_next_hops *hops, struct br_hop *hop);
/** br_hop_reset - its link went down: what was known of the neighbour is void */
void br_hop_reset(struct br_next_hops *hops, struct br_hop *hop);
/** br_hop_leave_queue - before it is freed */
void br_hop_leave_queue(struct br_next_hops *hops, struct br_hop *hop);
/** br_hops_neighbour_event - RTM_NEWNEIGH or RTM_DELNEIGH */
void br_hops_neighbour_event(struct br_next_hops *hops, const struct nlmsghdr *message);
/** br_hops_work_neighbours - settle up to BR_NETLINK_BATCH doubtful hops; negative errno on failure
 */
int br_hops_work_neighbours(struct br_next_hops *hops);
/** br_hops_ask_due - ask for what is due in the queues, bounded */
void br_hops_ask_due(struct br_next_hops *hops);

/* --- next_hops_named.c --- */
/** br_hop_apply_name - what a named hop says beside its neighbour's MAC address and MTU */
void br_hop_apply_name(const struct br_hop *hop, struct br_next_hop *entry);

/* --- next_hops_path.c --- */
#define BR_HOPS_LIST_TEXT (BR_EGRESS_MAX * 18)
/** br_hops_list_links - the media interfaces for people; returns @out */
const char *br_hops_list_links(const struct br_next_hops *hops, char out[static BR_HOPS_LIST_TEXT]);
/* Why no way leads to an address. */
enum br_path_fault {
	BR_PATH_OK,
	BR_PATH_NO_ROUTE,
	BR_PATH_NOT_UNICAST,
	BR_PATH_NO_SCOPE, /* link-local, and several links to choose from */
	BR_PATH_FOREIGN,  /* over an interface that is not ours */
	BR_PATH_HOST,	  /* an address of this host, and lo is not ours */
	BR_PATH_TAGS,	  /* VLAN tags that cannot be pushed */
	BR_PATH_TUNNEL,	  /* the route puts packets into another protocol */
	BR_PATH_NO_SOURCE,
};

/* What the routing table says about one address. */
struct br_path {
	enum br_path_fault fault;
	int error; /* of the kernel, with NO_ROUTE */
	uint32_t ifindex;
	size_t slot;
	uint16_t mtu; /* 0: the route names none */
	bool tunnel;
	struct br_addr neighbour;
	struct br_addr local; /* family 0: none usable */
};

/* Remotes asked about in one system call. */
struct br_path_batch {
	const struct br_next_hops *hops;
	struct br_remote *remotes[BR_NETLINK_BATCH];
	struct br_path paths[BR_NETLINK_BATCH];
	bool closed[BR_NETLINK_BATCH];	     /* false: the request failed */
	size_t of_request[BR_NETLINK_BATCH]; /* request → remote */
	size_t count;
};

/** br_path_ask - ask the routing table about all remotes of @paths; fills paths and closed */
int br_path_ask(struct br_next_hops *hops, struct br_path_batch *paths);
/** br_path_refuse - say why no path leads to @remote; returns -EHOSTUNREACH */
int br_path_refuse(struct br_next_hops *hops, const struct br_addr *remote,
		   const struct br_path *path, struct br_error *error);

/* --- next_hops_remote.c --- */
struct br_remote *br_remote_find(const struct br_next_hops *hops, const struct br_addr *addr);
/** br_remote_settle - ask the routing table now; error as br_next_hops_get */
int br_remote_settle(struct br_next_hops *hops, struct br_remote *remote, struct br_error *error);
void br_remote_give(struct br_next_hops *hops, struct br_remote *remote);
void br_remote_info(const struct br_remote *remote, struct br_next_hop_info *info);
void br_remote_doubt(struct br_next_hops *hops, struct br_remote *remote);
/** br_remotes_doubt - those of @family (0: both) inside @prefix bits of @network */
void br_remotes_doubt(struct br_next_hops *hops, uint8_t family, const struct br_addr *network,
		      unsigned int prefix);
/** br_hops_work_remotes - settle up to BR_NETLINK_BATCH doubtful remotes; negative errno on failure
 */
int br_hops_work_remotes(struct br_next_hops *hops);
void br_hops_free_remotes(struct br_next_hops *hops);

/* --- next_hops_vlan.c --- */
/** br_device_read - a link message; lower 0 when it is no VLAN device; 0 or -EBADMSG */
int br_device_read(const struct nlmsghdr *message, struct br_device *device);
/**
 * br_hops_via - the way over a device, as far as devices are known
 * @unknown: set to the device that must be asked for first, or 0
 *
 * Return: 0; -ENODEV when it leads to no media interface, -EPROTONOSUPPORT when it takes tags
 * that the stamp cannot push.
 */
int br_hops_via(const struct br_next_hops *hops, uint32_t ifindex, struct br_via *via,
		uint32_t *unknown);
/** br_hops_find_via - the same; asks for what is unknown */
int br_hops_find_via(struct br_next_hops *hops, uint32_t ifindex, struct br_via *via);
/** br_hops_device_event - RTM_NEWLINK or RTM_DELLINK */
void br_hops_device_event(struct br_next_hops *hops, const struct nlmsghdr *message);
/** br_hops_devices_reread - announcements were lost */
void br_hops_devices_reread(struct br_next_hops *hops);
void br_hops_free_devices(struct br_next_hops *hops);

/* --- next_hops_events.c --- */
/**
 * br_link_read - a link message, name included
 *
 * Return: 0; -EPROTONOSUPPORT when it has no Ethernet addresses, -EBADMSG.
 */
int br_link_read(const struct nlmsghdr *message, struct br_link *link);
/** br_link_add_question - by index, or by name where that is 0 */
void br_link_add_question(struct br_netlink_batch *batch, uint32_t ifindex, const char *name);
extern const int br_hops_groups[];
extern const size_t br_hops_group_count;
/** br_hops_event - one announcement; a br_netlink_visit */
void br_hops_event(void *context, const struct nlmsghdr *message);
/** br_hops_links_read - ask for all media interfaces; says which changed */
int br_hops_links_read(struct br_next_hops *hops);
/** br_hops_link_name - name of any interface, "interface 7" when it has none now */
void br_hops_link_name(struct br_next_hops *hops, uint32_t ifindex, char name[static 32]);
/** br_hops_tell_addresses - have the owner read the addresses of interfaces again */
void br_hops_tell_addresses(struct br_next_hops *hops);
/** br_hops_link_slot - slot of a media interface; -1 when it is none */
int br_hops_link_slot(const struct br_next_hops *hops, uint32_t ifindex);

#endif
