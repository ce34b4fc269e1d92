/* SPDX-License-Identifier: BSD-2-Clause */
/* Next hops in use: hash, slots of the table, references, and the one place that writes entries. */
#include "plane/next_hops_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/if.h>

#define BR_HASH_BUCKETS_MIN 64u
/*
 * A slot given back is not used for another next hop before this time is over: a packet
 * that has read it from its leg must not go to somebody else's MAC address.
 */
#define BR_HOP_REST_NS	(100 * 1000000ull)
#define BR_HOP_ROOM_MIN 64u

uint32_t br_hash_addr(const struct br_next_hops *hops, const struct br_addr *addr, uint32_t salt)
{
	return br_addr_hash(addr, hops->seed ^ salt);
}

static int br_hash_grow(struct br_hash *hash)
{
	size_t count = hash->bucket_count ? hash->bucket_count * 2 : BR_HASH_BUCKETS_MIN;
	struct br_hash_node **buckets = calloc(count, sizeof(struct br_hash_node *));

	if (!buckets)
		return -ENOMEM;
	for (size_t i = 0; i < hash->bucket_count; i++) {
		for (struct br_hash_node *node = hash->buckets[i], *next; node; node = next) {
			next = node->next;
			node->next = buckets[node->hash & (count - 1)];
			buckets[node->hash & (count - 1)] = node;
		}
	}
	free(hash->buckets);
	hash->buckets = buckets;
	hash->bucket_count = count;
	return 0;
}

int br_hash_insert(struct br_hash *hash, struct br_hash_node *node, uint32_t value)
{
	/* without memory to grow, longer chains are still right */
	if (hash->count >= hash->bucket_count && br_hash_grow(hash) && !hash->bucket_count)
		return -ENOMEM;
	node->hash = value;
	node->next = hash->buckets[value & (hash->bucket_count - 1)];
	hash->buckets[value & (hash->bucket_count - 1)] = node;
	hash->count++;
	return 0;
}

void br_hash_remove(struct br_hash *hash, struct br_hash_node *node)
{
	struct br_hash_node **at = &hash->buckets[node->hash & (hash->bucket_count - 1)];

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	hash->count--;
}

struct br_hash_node *br_hash_chain(const struct br_hash *hash, uint32_t value)
{
	return hash->bucket_count ? hash->buckets[value & (hash->bucket_count - 1)] : NULL;
}

void br_hash_free(struct br_hash *hash)
{
	free(hash->buckets);
	memset(hash, 0, sizeof(*hash));
}

/* The stamp reads entries while we write: not READY before and while anything else changes. */
static void br_hop_store(struct br_next_hop *entry, const struct br_next_hop *want)
{
	struct br_next_hop body = *want;

	if (!memcmp(entry, want, sizeof(*entry)))
		return;
	__atomic_store_n(&entry->state, BR_NEXT_HOP_NONE, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	body.state = BR_NEXT_HOP_NONE;
	memcpy(entry, &body, sizeof(body));
	__atomic_store_n(&entry->state, want->state, __ATOMIC_RELEASE);
}

void br_hop_via(const struct br_next_hops *hops, const struct br_hop *hop, struct br_via *via)
{
	uint32_t unknown;

	/* another slot: the VLAN device stands on another interface now; its remotes will ask */
	if (br_hops_via(hops, hop->ifindex, via, &unknown) || via->slot != hop->slot)
		via->up = false;
}

/* The largest IP packet, where a named hop or the route allows less than the devices. */
static uint16_t br_hop_mtu(const struct br_hop *hop, const struct br_via *via)
{
	uint32_t mtu = via->mtu;

	if (hop->route_mtu && hop->route_mtu < mtu)
		mtu = hop->route_mtu;
	/* an Ethernet device has room for one tag beyond its MTU */
	if (hop->named && hop->named->vlans > 1)
		mtu -= BR_VLAN_TAG_BYTES;
	if (hop->named && hop->named->mtu && hop->named->mtu < mtu)
		mtu = hop->named->mtu;
	return mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu; /* 65536 on lo */
}

void br_hop_write(struct br_next_hops *hops, struct br_hop *hop)
{
	const struct br_link *link = &hops->links[hop->slot];
	bool waited = hop->waits;
	struct br_next_hop want;
	struct br_via via;

	if (hop->named)
		hop->ifindex = link->ifindex; /* it is whatever has the interface's name */
	br_hop_via(hops, hop, &via);
	hop->ready = via.up && hop->has_mac;
	hop->waits = via.up && !hop->has_mac;
	memset(&want, 0, sizeof(want));
	memcpy(want.destination, hop->mac, sizeof(want.destination));
	memcpy(want.source, via.mac, sizeof(want.source));
	want.vlans = via.vlans;
	for (unsigned int i = 0; i < via.vlans; i++)
		want.vlan_tci[i] = htons(via.vlan[i]);
	if (hop->named)
		br_hop_apply_name(hop, &want);
	want.mtu = br_hop_mtu(hop, &via);
	want.state = hop->ready ? BR_NEXT_HOP_READY : BR_NEXT_HOP_NONE;
	want.egress = hop->slot;
	want.ifindex = link->ifindex;
	br_hop_store(&hops->table[hop->index], &want);
	if (hop->waits != waited && hops->told.waits_changed)
		hops->told.waits_changed(hops->told.context, hop->index, hop->waits);
}

void br_hop_doubt(struct br_next_hops *hops, struct br_hop *hop)
{
	if (hop->in_doubt || hop->named)
		return;
	hop->in_doubt = true;
	TAILQ_INSERT_TAIL(&hops->doubtful_hops, hop, doubt);
}

static int br_hops_make_room(struct br_next_hops *hops, uint32_t indices)
{
	uint32_t room = hops->index_room ? hops->index_room : BR_HOP_ROOM_MIN;
	struct br_hop **grown;

	if (indices <= hops->index_room)
		return 0;
	while (room < indices)
		room *= 2;
	grown = reallocarray(hops->by_index, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memset(grown + hops->index_room, 0, (room - hops->index_room) * sizeof(struct br_hop *));
	hops->by_index = grown;
	hops->index_room = room;
	return 0;
}

/* A slot for @hop: one never used, or one that has rested long enough. */
static int br_hop_index(struct br_next_hops *hops, struct br_hop *hop)
{
	struct br_hop *rested = TAILQ_FIRST(&hops->resting);

	if (rested && br_hops_now() - rested->queued_ns >= BR_HOP_REST_NS) {
		TAILQ_REMOVE(&hops->resting, rested, queued);
		hop->index = rested->index;
		free(rested);
		return 0;
	}
	if (hops->index_top >= hops->capacity)
		return -ENOSPC;
	if (br_hops_make_room(hops, hops->index_top + 1))
		return -ENOMEM;
	hop->index = hops->index_top++;
	return 0;
}

/* An index without a hop, free since @since_ns. */
static int br_hop_lay_to_rest(struct br_next_hops *hops, uint32_t index, uint64_t since_ns)
{
	struct br_hop *hop = calloc(1, sizeof(*hop));

	if (!hop)
		return -ENOMEM;
	hop->index = index;
	hop->queued_ns = since_ns;
	TAILQ_INSERT_TAIL(&hops->resting, hop, queued);
	return 0;
}

int br_next_hops_reserve(struct br_next_hops *hops, const uint32_t *uses, uint32_t count)
{
	static const struct br_next_hop none;
	uint32_t top = count;

	while (top > 1 && !uses[top - 1])
		top--;
	if (top <= 1)
		return 0;
	if (br_hops_make_room(hops, top))
		return -ENOMEM;
	for (uint32_t i = 1; i < top; i++) {
		if (uses[i])
			continue;
		if (br_hop_lay_to_rest(hops, i, 0))
			return -ENOMEM;
		br_hop_store(&hops->table[i], &none);
	}
	hops->index_top = top;
	return 0;
}

void br_next_hops_release(struct br_next_hops *hops, uint32_t index)
{
	static const struct br_next_hop none;

	br_hop_store(&hops->table[index], &none);
	/* without memory the entry stays unused until the next start */
	(void)br_hop_lay_to_rest(hops, index, br_hops_now());
}

int br_hop_enter(struct br_next_hops *hops, struct br_hop *hop, uint32_t hash)
{
	int rc = br_hash_insert(&hops->hops, &hop->node, hash);

	if (rc)
		return rc;
	rc = br_hop_index(hops, hop);
	if (rc) {
		br_hash_remove(&hops->hops, &hop->node);
		return rc;
	}
	hop->references = 1;
	hops->by_index[hop->index] = hop;
	return 0;
}

static int br_hop_new(struct br_next_hops *hops, size_t slot, uint32_t ifindex,
		      const struct br_addr *neighbour, uint16_t route_mtu, struct br_hop **out)
{
	struct br_hop *hop = calloc(1, sizeof(*hop));
	int rc;

	if (!hop)
		return -ENOMEM;
	hop->neighbour = *neighbour;
	hop->ifindex = ifindex;
	hop->slot = (uint8_t)slot;
	hop->route_mtu = route_mtu;
	rc = br_hop_enter(hops, hop, br_hash_addr(hops, neighbour, ifindex));
	if (rc) {
		free(hop);
		return rc;
	}
	br_hop_first_look(hops, hop);
	*out = hop;
	return 0;
}

int br_hop_take(struct br_next_hops *hops, size_t slot, uint32_t ifindex,
		const struct br_addr *neighbour, uint16_t route_mtu, struct br_hop **out)
{
	uint32_t hash = br_hash_addr(hops, neighbour, ifindex);

	for (struct br_hash_node *node = br_hash_chain(&hops->hops, hash); node;
	     node = node->next) {
		struct br_hop *hop = br_container(node, struct br_hop, node);

		if (node->hash == hash && !hop->named && hop->ifindex == ifindex &&
		    hop->slot == slot && hop->route_mtu == route_mtu &&
		    br_addr_equal(&hop->neighbour, neighbour)) {
			hop->references++;
			*out = hop;
			return 0;
		}
	}
	return br_hop_new(hops, slot, ifindex, neighbour, route_mtu, out);
}

/* The slot becomes NONE at once; the structure stays to remember since when it rests. */
static void br_hop_retire(struct br_next_hops *hops, struct br_hop *hop)
{
	static const struct br_next_hop none;

	br_hop_leave_queue(hops, hop);
	if (hop->in_doubt)
		TAILQ_REMOVE(&hops->doubtful_hops, hop, doubt);
	hop->in_doubt = false;
	br_hash_remove(&hops->hops, &hop->node);
	hops->by_index[hop->index] = NULL;
	free(hop->named);
	hop->named = NULL;
	if (!hops->abandoned)
		br_hop_store(&hops->table[hop->index], &none);
	hop->queued_ns = br_hops_now();
	TAILQ_INSERT_TAIL(&hops->resting, hop, queued);
}

void br_hop_give(struct br_next_hops *hops, struct br_hop *hop)
{
	if (hop && --hop->references == 0)
		br_hop_retire(hops, hop);
}

void br_hops_free_table(struct br_next_hops *hops)
{
	struct br_hop *hop;

	for (uint32_t i = 1; i < hops->index_top; i++) {
		if (hops->by_index[i])
			br_hop_retire(hops, hops->by_index[i]);
	}
	while ((hop = TAILQ_FIRST(&hops->resting))) {
		TAILQ_REMOVE(&hops->resting, hop, queued);
		free(hop);
	}
	free(hops->by_index);
	hops->by_index = NULL;
	br_hash_free(&hops->hops);
}
