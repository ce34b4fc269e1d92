// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copiers. A device map that lists one interface N times makes N copies of a packet that
 * is redirected into it with BPF_F_BROADCAST (kernel 5.14); `stamp`, named by every entry
 * (5.8), runs on each copy. One copier per interface, number of copies, and whether the
 * packet goes into the tap or the loop as well; made when a route first needs it.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "relay.skel.h"

static __u32 br_copier_key(const struct br_copier *copier)
{
	return BR_REPLICATOR(copier->egress, copier->copies, copier->tap, copier->loop);
}

static __u32 br_copier_entries(const struct br_copier *copier)
{
	return copier->copies + copier->tap + copier->loop;
}

static int br_copier_entry(int map, __u32 key, uint32_t ifindex, int program)
{
	struct bpf_devmap_val value = {.ifindex = ifindex, .bpf_prog.fd = program};

	return bpf_map_update_elem(map, &key, &value, BPF_ANY) ? -errno : 0;
}

static int br_copier_fill(const struct br_plane *plane, int map, const struct br_copier *copier)
{
	uint32_t ifindex = plane->interfaces[copier->egress].ifindex;
	int stamp = bpf_program__fd(plane->bpf->progs.stamp), err = 0;
	__u32 key;

	/* an interface that is gone: the entries are filled when it comes back */
	for (key = 0; key < copier->copies && ifindex && !err; key++)
		err = br_copier_entry(map, key, ifindex, stamp);
	key = copier->copies;
	/* the ticket stays on the daemon's copy */
	if (copier->tap && !err)
		err = br_copier_entry(map, key++, plane->tap.ifindex, -1);
	/* Last, so that the packet itself goes round and no further copy of it is made. */
	if (copier->loop && !err)
		err = br_copier_entry(map, key, plane->loop.ifindex, -1);
	return err;
}

/* Make sure that a copier exists. */
int br_plane_replicator(struct br_plane *plane, const struct br_copier *copier,
			struct br_error *error)
{
	__u32 key = br_copier_key(copier);
	int map, err;

	if (plane->replicators[key] >= 0)
		return 0;
	map = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "br_replicator", sizeof(__u32),
			     sizeof(struct bpf_devmap_val), br_copier_entries(copier), NULL);
	if (map < 0)
		return br_error_set(error, -errno, NULL, "cannot make a copier for %u copies: %s",
				    copier->copies, strerror(errno));
	err = br_copier_fill(plane, map, copier);
	if (!err &&
	    bpf_map_update_elem(bpf_map__fd(plane->bpf->maps.replicators), &key, &map, BPF_ANY))
		err = -errno;
	if (err) {
		close(map);
		return br_error_set(error, err, NULL, "cannot set up a copier for %u copies: %s",
				    copier->copies, strerror(-err));
	}
	plane->replicators[key] = map;
	return 0;
}

/* The interface of a slot has a new ifindex: the kernel has emptied the copiers' entries. */
int br_plane_replicators_rebuild(struct br_plane *plane, unsigned int egress)
{
	int err = 0;

	for (unsigned int copies = 1; copies <= BR_CHUNK_MAX; copies++)
		for (unsigned int also = 0; also < 4; also++) {
			struct br_copier copier = {egress, copies, also & 1, also & 2};
			int map = plane->replicators[br_copier_key(&copier)];

			if (map >= 0 && !err)
				err = br_copier_fill(plane, map, &copier);
		}
	return err;
}

/* The copier with this id; a negative errno when it cannot be had or is not what it should be. */
static int br_copier_open(__u32 id, const struct br_copier *copier)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	int map = bpf_map_get_fd_by_id(id), err = 0;

	if (map < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(map, &info, &length))
		err = -errno;
	else if (info.type != BPF_MAP_TYPE_DEVMAP ||
		 info.max_entries != br_copier_entries(copier) ||
		 info.value_size != sizeof(struct bpf_devmap_val))
		err = -EPROTO;
	if (!err)
		return map;
	close(map);
	return err;
}

/*
 * A copier that an earlier daemon made: our `stamp` takes the place of the old one, entry by
 * entry, each at once. Both use the same tables and the same ticket mark, so a packet may
 * meet either. Without CAP_SYS_ADMIN an inner map cannot be opened; then a new copier, once
 * complete, takes its place, which costs a grace period of RCU (some 10 ms) each.
 */
static int br_copier_adopt(struct br_plane *plane, const struct br_copier *copier,
			   struct br_error *error)
{
	__u32 key = br_copier_key(copier), id;
	int map, err;

	if (bpf_map_lookup_elem(bpf_map__fd(plane->bpf->maps.replicators), &key, &id))
		return 0;
	if (copier->egress >= plane->options.interface_count)
		return br_error_set(error, -EPROTO, "state.path",
				    "a copier for interface %u of %zu is pinned", copier->egress,
				    plane->options.interface_count);
	map = br_copier_open(id, copier);
	if (map < 0)
		return br_plane_replicator(plane, copier, error);
	err = br_copier_fill(plane, map, copier);
	if (err) {
		close(map);
		return br_error_set(error, err, NULL, "cannot adopt a copier for %u copies: %s",
				    copier->copies, strerror(-err));
	}
	plane->replicators[key] = map;
	return 0;
}

int br_plane_replicators_adopt(struct br_plane *plane, struct br_error *error)
{
	int err = 0;

	for (unsigned int egress = 0; egress < BR_EGRESS_MAX; egress++)
		for (unsigned int copies = 0; copies <= BR_CHUNK_MAX; copies++)
			for (unsigned int also = 0; also < 4 && !err; also++) {
				struct br_copier copier = {egress, copies, also & 1, also & 2};

				err = br_copier_adopt(plane, &copier, error);
			}
	return err;
}

void br_plane_replicators_close(struct br_plane *plane)
{
	for (size_t i = 0; i < BR_REPLICATORS; i++)
		if (plane->replicators[i] >= 0)
			close(plane->replicators[i]);
}
