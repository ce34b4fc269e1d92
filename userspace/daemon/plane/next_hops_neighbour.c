/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbours: read the kernel's entries for next hops in use, ask it to resolve what is
 * missing, and keep what is used fresh. Packets that XDP sends do not pass the kernel's
 * neighbour code, which would otherwise take the entries for unused.
 */
#include "plane/next_hops_internal.h"

#include <errno.h>
#include <string.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

/*
 * The kernel probes an entry by itself when its time is up and it was used within the
 * last 5 s (delay_first_probe_time): we say "used" a little more often than that.
 */
#define BR_HOP_KEEP_NS (4 * 1000000000ull)
/*
 * The kernel solicits three times in three seconds and then gives up (FAILED). Asking
 * once per second restarts that without adding to it: asking again meanwhile sends nothing.
 */
#define BR_HOP_RETRY_NS (1000000000ull)
/*
 * An entry that is deleted over and over is not asked for more often than this: with more
 * neighbours than the kernel has room for (gc_thresh3), each question drives another out.
 */
#define BR_HOP_ASK_MIN_NS (200 * 1000000ull)
/* Most questions of one tick. */
#define BR_HOP_ASK_MAX 1024u

#define BR_NUD_USABLE                                                                              \
	(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)
/*
 * NTF_USE on a permanent entry takes its permanence away (since 5.16 `new = old &
 * ~NUD_PERMANENT` in __neigh_update), so these are never asked for.
 */
#define BR_NUD_FIXED (NUD_PERMANENT | NUD_NOARP)

/* Links on which nobody answers: the neighbour's address follows from the link. */
static bool br_via_is_silent(const struct br_via *via)
{
	return via->flags & (IFF_LOOPBACK | IFF_NOARP | IFF_POINTOPOINT);
}

static void br_hop_enter_queue(struct br_next_hops *hops, struct br_hop *hop,
			       enum br_hop_queue queue)
{
	br_hop_leave_queue(hops, hop);
	hop->queue = (uint8_t)queue;
	hop->queued_ns = br_hops_now();
	if (queue != BR_HOP_IDLE)
		TAILQ_INSERT_TAIL(&hops->queues[queue], hop, queued);
}

void br_hop_leave_queue(struct br_next_hops *hops, struct br_hop *hop)
{
	if (hop->queue != BR_HOP_IDLE)
		TAILQ_REMOVE(&hops->queues[hop->queue], hop, queued);
	hop->queue = BR_HOP_IDLE;
}

static enum br_hop_queue br_hop_proper_queue(const struct br_next_hops *hops,
					     const struct br_hop *hop)
{
	struct br_via via;

	br_hop_via(hops, hop, &via);
	if (!via.up || br_via_is_silent(&via) || hop->nud & BR_NUD_FIXED)
		return BR_HOP_IDLE;
	return hop->has_mac && hop->nud & BR_NUD_USABLE ? BR_HOP_KEEP : BR_HOP_RETRY;
}

/* Into the queue it belongs to; one that stands there already keeps its place. */
static void br_hop_requeue(struct br_next_hops *hops, struct br_hop *hop)
{
	enum br_hop_queue queue = br_hop_proper_queue(hops, hop);

	if (queue != hop->queue)
		br_hop_enter_queue(hops, hop, queue);
}

static void br_hop_put_key(struct nlmsghdr *message, struct ndmsg *header, const struct br_hop *hop)
{
	bool v4 = hop->neighbour.family == 4;

	header->ndm_family = v4 ? AF_INET : AF_INET6;
	header->ndm_ifindex = (int)hop->ifindex;
	if (v4)
		mnl_attr_put(message, NDA_DST, 4, &hop->neighbour.words[3]);
	else
		mnl_attr_put(message, NDA_DST, 16, hop->neighbour.words);
}

/* A question the kernel refuses (neighbour table full) is repeated by the queue. */
static void br_hop_asked(void *context, size_t index, const struct nlmsghdr *message, int error)
{
	(void)context;
	(void)index;
	(void)message;
	(void)error;
}

static void br_hop_add_question(struct br_netlink_batch *batch, struct br_hop *hop, uint64_t now)
{
	struct nlmsghdr *message;
	struct ndmsg *header;

	/* CREATE without REPLACE: an entry with an address keeps it */
	message = br_netlink_batch_add(batch, RTM_NEWNEIGH, NLM_F_CREATE, sizeof(*header),
				       (void **)&header);
	header->ndm_flags = NTF_USE;
	header->ndm_state = NUD_NONE;
	br_hop_put_key(message, header, hop);
	hop->asked_ns = now;
}

/* Take over what the kernel's entry says; @mac is NULL when it has none. */
static void br_hop_learn(struct br_next_hops *hops, struct br_hop *hop, uint16_t nud,
			 const uint8_t *mac)
{
	hop->nud = nud;
	if (mac && nud & BR_NUD_USABLE) {
		memcpy(hop->mac, mac, sizeof(hop->mac));
		hop->has_mac = true;
	} else if (nud & NUD_FAILED && hop->has_mac) {
		/* an administrator's deletion says FAILED as well: look and ask at once */
		hop->has_mac = false;
		br_hop_doubt(hops, hop);
	}
	/* INCOMPLETE: being asked again; a MAC known until now serves until the answer */
	br_hop_write(hops, hop);
	br_hop_requeue(hops, hop);
}

/*
 * The kernel has no entry (any more). It drops entries for lack of room or of use, which
 * says nothing about the neighbour: the MAC serves on until the answer or its absence.
 */
static void br_hop_unlearn(struct br_next_hops *hops, struct br_hop *hop)
{
	struct br_via via;

	hop->nud = NUD_NONE;
	br_hop_via(hops, hop, &via);
	if (br_via_is_silent(&via)) {
		/* what arp_constructor() and ndisc_constructor() would fill in */
		bool point = !(via.flags & (IFF_LOOPBACK | IFF_NOARP));

		memcpy(hop->mac, point ? via.broadcast : via.mac, sizeof(hop->mac));
		hop->has_mac = true;
	}
	br_hop_write(hops, hop);
	br_hop_requeue(hops, hop);
}

void br_hop_reset(struct br_next_hops *hops, struct br_hop *hop)
{
	if (hop->named) {
		br_hop_write(hops, hop);
		return;
	}
	hop->nud = NUD_NONE;
	hop->has_mac = false;
	br_hop_write(hops, hop);
	br_hop_requeue(hops, hop);
}

/* State and MAC address of a neighbour message; NULL when it has none. */
static const uint8_t *br_neighbour_mac(const struct nlmsghdr *message)
{
	const struct nlattr *table[NDA_LLADDR + 1];

	br_netlink_attributes(message, sizeof(struct ndmsg), table, NDA_LLADDR);
	if (!table[NDA_LLADDR] || mnl_attr_get_payload_len(table[NDA_LLADDR]) != 6)
		return NULL;
	return mnl_attr_get_payload(table[NDA_LLADDR]);
}

struct br_hop_looks {
	struct br_next_hops *hops;
	struct br_hop *hops_asked[BR_NETLINK_BATCH];
	bool found[BR_NETLINK_BATCH];
	bool closed[BR_NETLINK_BATCH];
};

static void br_hop_looked(void *context, size_t index, const struct nlmsghdr *message, int error)
{
	struct br_hop_looks *looks = context;

	(void)error; /* no entry, or no such interface: nothing known either way */
	if (!message) {
		looks->closed[index] = true;
		if (!looks->found[index])
			br_hop_unlearn(looks->hops, looks->hops_asked[index]);
	} else if (message->nlmsg_type == RTM_NEWNEIGH &&
		   mnl_nlmsg_get_payload_len(message) >= sizeof(struct ndmsg)) {
		const struct ndmsg *header = mnl_nlmsg_get_payload(message);

		looks->found[index] = true;
		br_hop_learn(looks->hops, looks->hops_asked[index], header->ndm_state,
			     br_neighbour_mac(message));
	}
}

/* Read the entries of the hops of @looks, then ask for those that are not fixed. */
static int br_hops_look(struct br_hop_looks *looks, size_t count)
{
	struct br_next_hops *hops = looks->hops;
	struct br_netlink_batch batch;
	uint64_t now = br_hops_now();
	int rc;

	br_netlink_batch_begin(&batch, &hops->requests);
	for (size_t i = 0; i < count; i++) {
		struct ndmsg *header;
		struct nlmsghdr *message = br_netlink_batch_add(&batch, RTM_GETNEIGH, 0,
								sizeof(*header), (void **)&header);

		br_hop_put_key(message, header, looks->hops_asked[i]);
	}
	rc = br_netlink_batch_send(&batch, br_hop_looked, looks);
	for (size_t i = 0; i < count; i++) {
		struct br_hop *hop = looks->hops_asked[i];

		if (!looks->closed[i])
			br_hop_doubt(hops, hop);
		else if (hop->queue != BR_HOP_IDLE)
			br_hop_add_question(&batch, hop, now);
	}
	return rc ? rc : br_netlink_batch_send(&batch, br_hop_asked, NULL);
}

void br_hop_first_look(struct br_next_hops *hops, struct br_hop *hop)
{
	struct br_hop_looks looks = {.hops = hops, .hops_asked = {hop}};

	br_hop_write(hops, hop);
	/* on failure the hop is in doubt and the next dispatch tries again */
	(void)br_hops_look(&looks, 1);
}

int br_hops_work_neighbours(struct br_next_hops *hops)
{
	struct br_hop_looks looks = {.hops = hops};
	size_t count = 0;
	struct br_hop *hop;

	while (count < BR_NETLINK_BATCH && (hop = TAILQ_FIRST(&hops->doubtful_hops))) {
		TAILQ_REMOVE(&hops->doubtful_hops, hop, doubt);
		hop->in_doubt = false;
		looks.hops_asked[count++] = hop;
	}
	return count ? br_hops_look(&looks, count) : 0;
}

static void br_hop_neighbour_event(struct br_next_hops *hops, struct br_hop *hop,
				   const struct nlmsghdr *message)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type == RTM_NEWNEIGH) {
		br_hop_learn(hops, hop, header->ndm_state, br_neighbour_mac(message));
		return;
	}
	br_hop_unlearn(hops, hop);
	if (hop->queue != BR_HOP_IDLE && br_hops_now() - hop->asked_ns >= BR_HOP_ASK_MIN_NS)
		br_hop_doubt(hops, hop);
}

void br_hops_neighbour_event(struct br_next_hops *hops, const struct nlmsghdr *message)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *table[NDA_DST + 1];
	struct br_addr addr;
	uint32_t hash, ifindex;
	size_t want;

	/* AF_BRIDGE: forwarding database, not neighbours; NTF_PROXY: whom we answer for */
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header) || header->ndm_flags & NTF_PROXY ||
	    (header->ndm_family != AF_INET && header->ndm_family != AF_INET6))
		return;
	want = header->ndm_family == AF_INET ? 4 : 16;
	br_netlink_attributes(message, sizeof(*header), table, NDA_DST);
	if (!table[NDA_DST] || mnl_attr_get_payload_len(table[NDA_DST]) != want)
		return;
	addr = br_addr_from_bytes(want == 4 ? 4 : 6, mnl_attr_get_payload(table[NDA_DST]));
	ifindex = (uint32_t)header->ndm_ifindex;
	hash = br_hash_addr(hops, &addr, ifindex);
	for (struct br_hash_node *node = br_hash_chain(&hops->hops, hash), *next; node;
	     node = next) {
		struct br_hop *hop = br_container(node, struct br_hop, node);

		/* several when routes over one gateway differ in MTU */
		next = node->next;
		if (node->hash == hash && hop->ifindex == ifindex &&
		    br_addr_equal(&hop->neighbour, &addr))
			br_hop_neighbour_event(hops, hop, message);
	}
}

/* Ask for the head of a queue as far as it is due; returns how many were asked. */
static size_t br_hops_ask_queue(struct br_next_hops *hops, enum br_hop_queue queue,
				uint64_t interval, size_t most)
{
	uint64_t now = br_hops_now();
	size_t asked = 0;
	struct br_hop *hop;

	while (asked < most) {
		struct br_netlink_batch batch;

		br_netlink_batch_begin(&batch, &hops->requests);
		while (batch.count < BR_NETLINK_BATCH &&
		       (hop = TAILQ_FIRST(&hops->queues[queue])) &&
		       hop->queued_ns + interval <= now) {
			br_hop_enter_queue(hops, hop, queue);
			br_hop_add_question(&batch, hop, now);
		}
		if (!batch.count)
			break;
		asked += batch.count;
		if (br_netlink_batch_send(&batch, br_hop_asked, NULL))
			break;
	}
	return asked;
}

void br_hops_ask_due(struct br_next_hops *hops)
{
	size_t asked = br_hops_ask_queue(hops, BR_HOP_RETRY, BR_HOP_RETRY_NS, BR_HOP_ASK_MAX);

	if (asked < BR_HOP_ASK_MAX)
		br_hops_ask_queue(hops, BR_HOP_KEEP, BR_HOP_KEEP_NS, BR_HOP_ASK_MAX - asked);
}
