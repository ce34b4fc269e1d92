/* SPDX-License-Identifier: BSD-2-Clause */
/* Remote addresses that are held: their next hops, and following when the routes change. */
#include "plane/next_hops_internal.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Make the remote follow the path and tell, if that is news; the old hop is given back last. */
static int br_remote_follow(struct br_next_hops *hops, struct br_remote *remote,
			    const struct br_path *path)
{
	bool moved = false;
	struct br_hop *old = remote->hop, *hop = NULL;
	struct br_next_hop_info info;
	int rc = path->fault == BR_PATH_OK ? 0 : -EHOSTUNREACH;

	if (!rc)
		rc = br_hop_take(hops, path->slot, path->ifindex, &path->neighbour, path->mtu,
				 &hop);
	remote->hop = hop;
	if (hop) {
		moved = remote->egress != hop->slot;
		remote->egress = hop->slot;
	}
	/* without a usable source for the moment, the one in use is the best guess */
	if (hop && path->local.family && !br_addr_equal(&remote->local, &path->local)) {
		remote->local = path->local;
		moved = true;
	}
	if (remote->held && (moved || old != hop)) {
		br_remote_info(remote, &info);
		if (hops->told.moved)
			hops->told.moved(hops->told.context, &remote->addr, &info);
	}
	br_hop_give(hops, old);
	return rc;
}

void br_remote_info(const struct br_remote *remote, struct br_next_hop_info *info)
{
	memset(info, 0, sizeof(*info));
	info->index = remote->hop ? remote->hop->index : 0;
	info->ready = remote->hop && remote->hop->ready;
	info->waits = remote->hop && remote->hop->waits;
	info->egress = remote->egress;
	info->local = remote->local;
}

struct br_remote *br_remote_find(const struct br_next_hops *hops, const struct br_addr *addr)
{
	uint32_t hash = br_hash_addr(hops, addr, 0);

	for (struct br_hash_node *node = br_hash_chain(&hops->remotes, hash); node;
	     node = node->next) {
		struct br_remote *remote = br_container(node, struct br_remote, node);

		if (node->hash == hash && br_addr_equal(&remote->addr, addr))
			return remote;
	}
	return NULL;
}

int br_remote_settle(struct br_next_hops *hops, struct br_remote *remote, struct br_error *error)
{
	struct br_path_batch paths = {.remotes = {remote}, .count = 1};
	struct br_path *path = &paths.paths[0];
	int rc = br_path_ask(hops, &paths);

	if (rc)
		return br_error_set(error, rc, NULL,
				    "the kernel's routing table cannot be asked: %s",
				    strerror(-rc));
	if (path->fault == BR_PATH_OK && !path->local.family && !remote->local.family)
		path->fault = BR_PATH_NO_SOURCE;
	rc = br_remote_follow(hops, remote, path);
	if (path->fault != BR_PATH_OK)
		return br_path_refuse(hops, &remote->addr, path, error);
	if (rc == -ENOSPC)
		return br_error_set(error, rc, NULL, "all %u next hops are in use",
				    hops->capacity - 1);
	return rc ? br_error_set(error, rc, NULL, "out of memory") : 0;
}

void br_remote_give(struct br_next_hops *hops, struct br_remote *remote)
{
	if (--remote->references)
		return;
	if (remote->in_doubt)
		TAILQ_REMOVE(&hops->doubtful_remotes, remote, doubt);
	br_hash_remove(&hops->remotes, &remote->node);
	br_hop_give(hops, remote->hop);
	free(remote);
}

void br_remote_doubt(struct br_next_hops *hops, struct br_remote *remote)
{
	if (remote->in_doubt)
		return;
	remote->in_doubt = true;
	TAILQ_INSERT_TAIL(&hops->doubtful_remotes, remote, doubt);
}

/* Do the first @prefix bits agree? IPv4 sits behind 96 bits that always do. */
static bool br_addr_shares_prefix(const struct br_addr *a, const struct br_addr *b,
				  unsigned int prefix)
{
	for (size_t i = 0; i < 4 && prefix; i++) {
		unsigned int bits = prefix > 32 ? 32 : prefix;

		if (be32toh(a->words[i] ^ b->words[i]) >> (32 - bits))
			return false;
		prefix -= bits;
	}
	return true;
}

void br_remotes_doubt(struct br_next_hops *hops, uint8_t family, const struct br_addr *network,
		      unsigned int prefix)
{
	for (size_t i = 0; i < hops->remotes.bucket_count; i++) {
		for (struct br_hash_node *node = hops->remotes.buckets[i]; node;
		     node = node->next) {
			struct br_remote *remote = br_container(node, struct br_remote, node);

			if ((!family || remote->addr.family == family) &&
			    (!prefix || br_addr_shares_prefix(&remote->addr, network, prefix)))
				br_remote_doubt(hops, remote);
		}
	}
}

int br_hops_work_remotes(struct br_next_hops *hops)
{
	struct br_path_batch paths = {0};
	struct br_remote *remote;
	int rc;

	while (paths.count < BR_NETLINK_BATCH && (remote = TAILQ_FIRST(&hops->doubtful_remotes))) {
		TAILQ_REMOVE(&hops->doubtful_remotes, remote, doubt);
		remote->in_doubt = false;
		remote->references++; /* who is told of a move may give addresses back */
		paths.remotes[paths.count++] = remote;
	}
	if (!paths.count)
		return 0;
	rc = br_path_ask(hops, &paths);
	for (size_t i = 0; i < paths.count; i++) {
		int followed = 0;

		remote = paths.remotes[i];
		if (paths.closed[i] && remote->references > 1)
			followed = br_remote_follow(hops, remote, &paths.paths[i]);
		/* no memory or no slot: there may be one when others have let go */
		if (!paths.closed[i] || followed == -ENOMEM || followed == -ENOSPC) {
			br_remote_doubt(hops, remote);
			rc = rc ? rc : followed;
		}
		br_remote_give(hops, remote);
	}
	return rc;
}

void br_hops_free_remotes(struct br_next_hops *hops)
{
	for (size_t i = 0; i < hops->remotes.bucket_count; i++) {
		struct br_hash_node *next;

		for (struct br_hash_node *node = hops->remotes.buckets[i]; node; node = next) {
			next = node->next;
			free(br_container(node, struct br_remote, node));
		}
	}
	br_hash_free(&hops->remotes);
}
