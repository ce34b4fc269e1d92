/* SPDX-License-Identifier: BSD-2-Clause */
/* Next hops that somebody has named: resolved from the start, true while their interface is up. */
#include "plane/next_hops_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

/* The hash of next hops is over addresses: one that no neighbour has stands for the bytes. */
static uint32_t br_named_hash(const struct br_next_hops *hops, const struct br_named_hop *named,
			      size_t slot)
{
	struct br_addr key = {0};

	memcpy(key.words, named->mac, sizeof(named->mac));
	memcpy(&key.words[2], named->vlan, sizeof(named->vlan));
	return br_hash_addr(hops, &key, (uint32_t)slot);
}

static int br_named_slot(const struct br_next_hops *hops, const struct br_named_hop *named,
			 size_t *slot, struct br_error *error)
{
	char list[BR_HOPS_LIST_TEXT];

	for (*slot = 0; *slot < hops->link_count; (*slot)++)
		if (!strcmp(hops->links[*slot].name, named->interface))
			return 0;
	return br_error_set(error, -EINVAL, "next_hop.interface",
			    "expected one of the media interfaces (%s), got %s",
			    br_hops_list_links(hops, list), named->interface);
}

static struct br_hop *br_named_find(const struct br_next_hops *hops,
				    const struct br_named_hop *named, uint32_t hash)
{
	for (struct br_hash_node *node = br_hash_chain(&hops->hops, hash); node;
	     node = node->next) {
		struct br_hop *hop = br_container(node, struct br_hop, node);

		if (node->hash == hash && hop->named && !memcmp(hop->named, named, sizeof(*named)))
			return hop;
	}
	return NULL;
}

static int br_named_new(struct br_next_hops *hops, const struct br_named_hop *named, size_t slot,
			uint32_t hash, struct br_hop **out)
{
	struct br_hop *hop = calloc(1, sizeof(*hop));
	int rc = -ENOMEM;

	if (hop)
		hop->named = malloc(sizeof(*hop->named));
	if (!hop || !hop->named)
		goto out;
	*hop->named = *named;
	hop->slot = (uint8_t)slot;
	hop->has_mac = true;
	memcpy(hop->mac, named->mac, sizeof(hop->mac));
	rc = br_hop_enter(hops, hop, hash);
	if (rc)
		goto out;
	br_hop_write(hops, hop);
	*out = hop;
	return 0;
out:
	if (hop)
		free(hop->named);
	free(hop);
	return rc;
}

static void br_named_info(const struct br_hop *hop, struct br_next_hop_info *info)
{
	*info = (struct br_next_hop_info){
		.index = hop->index,
		.ready = hop->ready,
		.egress = hop->slot,
	};
}

int br_next_hops_name(struct br_next_hops *hops, const struct br_named_hop *named,
		      struct br_next_hop_info *info, struct br_error *error)
{
	struct br_hop *hop;
	uint32_t hash;
	size_t slot;
	int rc = br_named_slot(hops, named, &slot, error);

	if (rc)
		return rc;
	hash = br_named_hash(hops, named, slot);
	hop = br_named_find(hops, named, hash);
	if (hop) {
		hop->references++;
	} else {
		rc = br_named_new(hops, named, slot, hash, &hop);
		if (rc == -ENOSPC)
			return br_error_set(error, rc, NULL, "all %u next hops are in use",
					    hops->capacity - 1);
		if (rc)
			return br_error_set(error, rc, NULL, "out of memory");
	}
	br_named_info(hop, info);
	return 0;
}

void br_next_hops_unname(struct br_next_hops *hops, uint32_t index)
{
	if (index < hops->index_top && hops->by_index[index] && hops->by_index[index]->named)
		br_hop_give(hops, hops->by_index[index]);
}

int br_next_hops_named_info(const struct br_next_hops *hops, uint32_t index,
			    struct br_next_hop_info *info)
{
	const struct br_hop *hop = index < hops->index_top ? hops->by_index[index] : NULL;

	if (!hop || !hop->named)
		return -ENOENT;
	br_named_info(hop, info);
	return 0;
}

void br_hop_apply_name(const struct br_hop *hop, struct br_next_hop *entry)
{
	static const uint8_t none[6];
	const struct br_named_hop *named = hop->named;

	if (memcmp(named->source_mac, none, sizeof(none)) != 0)
		memcpy(entry->source, named->source_mac, sizeof(entry->source));
	entry->vlans = (uint8_t)named->vlans;
	for (unsigned int i = 0; i < named->vlans; i++)
		entry->vlan_tci[i] = htons(named->vlan[i]);
}
