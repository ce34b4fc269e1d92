// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copiers. A device map that lists one interface N times makes N copies of a packet that
 * is redirected into it with BPF_F_BROADCAST (kernel 5.14); `stamp`, named by every entry
 * (5.8), runs on each copy. One copier per interface, number of copies, and whether the
 * packet goes into the tap and into the loop as well.
 *
 * All of them are made at the start: whoever writes an entry of an array of maps waits for a
 * grace period of RCU (10 to 20 ms, more on a busy machine), which a join must not. Written as
 * one batch they wait once (kernel 5.19). Where there are no batches, a copier is made when a
 * route first needs it. The descriptors are kept, so that the entries can be filled again
 * without waiting when an interface is made anew.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "relay.skel.h"

/* Copiers of one interface, at most. */
#define BR_COPIERS_MAX ((BR_CHUNK_MAX + 1) * 4)
/* Of the kernel, not in the libc: the map has no batches. */
#define BR_ENOTSUPP 524

/* New copiers on their way into the kernel's array. */
struct br_copier_batch {
	__u32 keys[BR_COPIERS_MAX];
	int maps[BR_COPIERS_MAX];
	__u32 count;
};

static __u32 br_copier_key(const struct br_copier *copier)
{
	return BR_REPLICATOR(copier->egress, copier->copies, copier->tap, copier->loop);
}

/* Where packets wait for their turn. */
static bool br_copier_waits(const struct br_copier *copier)
{
	return !copier->copies && copier->loop;
}

static __u32 br_copier_entries(const struct br_copier *copier)
{
	return br_copier_waits(copier) ? BR_LOOP_ENDS : copier->copies + copier->tap + copier->loop;
}

static int br_copier_set(int map, __u32 key, __u32 ifindex, int program)
{
	struct bpf_devmap_val value = {.ifindex = ifindex, .bpf_prog.fd = program};

	return bpf_map_update_elem(map, &key, &value, BPF_ANY) ? -errno : 0;
}

/* The entries behind the copies: the tap and the loop. */
static int br_copier_fill_tail(const struct br_plane *plane, int map,
			       const struct br_copier *copier)
{
	const struct br_plane_loop_end *loop = plane->loop.ends;
	__u32 key = copier->copies;
	int err = 0;

	for (__u32 i = 0; i < BR_LOOP_ENDS && br_copier_waits(copier) && !err; i++)
		err = br_copier_set(map, i, loop[i].ifindex, -1);
	if (br_copier_waits(copier))
		return err;
	/* the ticket stays on the daemon's copy */
	if (copier->tap)
		err = br_copier_set(map, key++, plane->tap.ifindex, -1);
	/* Last, so that the packet itself goes round and no further copy of it is made. */
	if (copier->loop && !err)
		err = br_copier_set(map, key, loop[BR_LOOP_CLOCK].ifindex, -1);
	return err;
}

static int br_copier_fill(const struct br_plane *plane, int map, const struct br_copier *copier)
{
	uint32_t ifindex = plane->interfaces[copier->egress].ifindex;
	int stamp = bpf_program__fd(plane->bpf->progs.stamp), err = 0;

	/* an interface that is gone: the entries are filled when it comes back */
	for (__u32 i = 0; i < copier->copies && ifindex && !err; i++)
		err = br_copier_set(map, i, ifindex, stamp);
	return err ? err : br_copier_fill_tail(plane, map, copier);
}

/* Descriptor of a new copier that is not in the kernel's array yet; or a negative errno. */
static int br_copier_new(const struct br_plane *plane, const struct br_copier *copier)
{
	int map = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "br_replicator", sizeof(__u32),
				 sizeof(struct bpf_devmap_val), br_copier_entries(copier), NULL);
	int err;

	if (map < 0)
		return -errno;
	err = br_copier_fill(plane, map, copier);
	if (!err)
		return map;
	close(map);
	return err;
}

static int br_copier_install(struct br_plane *plane, __u32 key, int map)
{
	if (bpf_map_update_elem(bpf_map__fd(plane->bpf->maps.replicators), &key, &map, BPF_ANY))
		return -errno;
	plane->replicators[key] = map;
	return 0;
}

int br_plane_replicator(struct br_plane *plane, const struct br_copier *copier,
			struct br_error *error)
{
	__u32 key = br_copier_key(copier);
	int map, err;

	if (plane->replicators[key] >= 0)
		return 0;
	map = br_copier_new(plane, copier);
	err = map < 0 ? map : br_copier_install(plane, key, map);
	if (err && map >= 0)
		close(map);
	return err ? br_error_set(error, err, NULL, "cannot make a copier for %u copies: %s",
				  copier->copies, strerror(-err))
		   : 0;
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

static bool br_copier_exists(const struct br_plane *plane, __u32 key, __u32 *id)
{
	return !bpf_map_lookup_elem(bpf_map__fd(plane->bpf->maps.replicators), &key, id);
}

/* Is this program, by its id, the same code as our stamp? */
static bool br_copier_stamps(struct br_plane *plane, __u32 id)
{
	struct bpf_prog_info ours = {0}, theirs = {0};
	__u32 ours_size = sizeof(ours), theirs_size = sizeof(theirs);
	int program;

	if (id && id == plane->same_stamp)
		return true; /* asked before, for another copier */
	program = bpf_prog_get_fd_by_id(id);
	if (program < 0)
		return false;
	if (!bpf_obj_get_info_by_fd(bpf_program__fd(plane->bpf->progs.stamp), &ours, &ours_size) &&
	    !bpf_obj_get_info_by_fd(program, &theirs, &theirs_size) &&
	    !memcmp(ours.tag, theirs.tag, sizeof(ours.tag)))
		plane->same_stamp = id;
	close(program);
	return id == plane->same_stamp;
}

/*
 * Do the copies of a copier get already what ours would? Most restarts are of the same version:
 * then its thousands of entries need not be written again. They are written in order, so the first
 * and the last one speak for all. The stamp reads its settings from the state that is adopted.
 */
static bool br_copier_is_current(struct br_plane *plane, int map, const struct br_copier *copier)
{
	uint32_t ifindex = plane->interfaces[copier->egress].ifindex;
	struct bpf_devmap_val first, last;
	__u32 end = copier->copies - 1, zero = 0;

	if (!copier->copies)
		return true;
	return !bpf_map_lookup_elem(map, &zero, &first) && !bpf_map_lookup_elem(map, &end, &last) &&
	       first.ifindex == ifindex && last.ifindex == ifindex &&
	       br_copier_stamps(plane, first.bpf_prog.id) &&
	       br_copier_stamps(plane, last.bpf_prog.id);
}

/*
 * A copier that an earlier daemon made: our `stamp` takes the place of the old one, entry by
 * entry, each at once. Both use the same tables and the same ticket mark, so a packet may
 * meet either. Without CAP_SYS_ADMIN an inner map cannot be opened; then a new copier, once
 * complete, takes its place.
 */
static int br_copier_adopt(struct br_plane *plane, const struct br_copier *copier, __u32 id)
{
	int map = br_copier_open(id, copier), err;

	if (map < 0)
		return map;
	err = br_copier_is_current(plane, map, copier) ? br_copier_fill_tail(plane, map, copier)
						       : br_copier_fill(plane, map, copier);
	if (err)
		close(map);
	else
		plane->replicators[br_copier_key(copier)] = map;
	return err;
}

/* Adopt a copier, or make it and have it wait in the batch. */
static int br_copier_prepare(struct br_plane *plane, const struct br_copier *copier,
			     struct br_copier_batch *batch)
{
	__u32 key = br_copier_key(copier), id;
	int map;

	if (plane->replicators[key] >= 0 || (plane->adopting && br_copier_exists(plane, key, &id) &&
					     !br_copier_adopt(plane, copier, id)))
		return 0;
	map = br_copier_new(plane, copier);
	if (map < 0)
		return map;
	batch->keys[batch->count] = key;
	batch->maps[batch->count++] = map;
	return 0;
}

/* No batches here: one by one those that have a predecessor, the others when they are needed. */
static int br_copier_batch_singly(struct br_plane *plane, const struct br_copier_batch *batch)
{
	int err = 0;
	__u32 id;

	for (__u32 i = 0; i < batch->count; i++) {
		bool needed = !err && br_copier_exists(plane, batch->keys[i], &id);

		if (needed)
			err = br_copier_install(plane, batch->keys[i], batch->maps[i]);
		if (!needed || err)
			close(batch->maps[i]);
	}
	return err;
}

static int br_copier_batch_install(struct br_plane *plane, struct br_copier_batch *batch)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	__u32 count = batch->count;
	int err = 0;

	if (!count)
		return 0;
	if (bpf_map_update_batch(bpf_map__fd(plane->bpf->maps.replicators), batch->keys,
				 batch->maps, &count, &options))
		err = -errno;
	if (err == -BR_ENOTSUPP) {
		br_log_info("this kernel has no batches for arrays of maps (5.19 has): the first "
			    "route of each size takes some 10 ms longer");
		return br_copier_batch_singly(plane, batch);
	}
	for (__u32 i = 0; i < batch->count; i++)
		if (err)
			close(batch->maps[i]);
		else
			plane->replicators[batch->keys[i]] = batch->maps[i];
	return err;
}

/*
 * Every copier of an interface that a route can need. The one for the tap alone and the one
 * for the loop alone, where packets wait for their turn, belong to the first interface.
 */
static int br_copiers_each(struct br_plane *plane, unsigned int egress,
			   int (*visit)(struct br_plane *plane, const struct br_copier *copier,
					struct br_copier_batch *batch),
			   struct br_copier_batch *batch)
{
	struct br_copier copier = {.egress = egress};
	int err = 0;

	for (unsigned int i = 0; i < (plane->options.chunk + 1) * 4 && !err; i++) {
		copier.copies = i / 4;
		copier.tap = i & 1;
		copier.loop = i & 2;
		if (copier.tap && !plane->tap.ifindex)
			continue;
		if (!copier.copies && (egress || copier.tap == copier.loop))
			continue;
		err = visit(plane, &copier, batch);
	}
	return err;
}

/* A descriptor each: more than many a system grants without being asked. */
static void br_copiers_raise_limit(const struct br_plane *plane)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return;
	limit.rlim_cur += plane->options.interface_count * BR_COPIERS_MAX;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int br_copiers_check_adopted(const struct br_plane *plane, struct br_error *error)
{
	__u32 first = BR_REPLICATOR(plane->options.interface_count, 0, false, false), id;

	for (__u32 key = first; plane->adopting && key < BR_REPLICATORS; key++)
		if (br_copier_exists(plane, key, &id))
			return br_error_set(error, -EPROTO, "state.path",
					    "a copier for more than %zu interfaces is pinned",
					    plane->options.interface_count);
	return 0;
}

int br_plane_replicators_open(struct br_plane *plane, struct br_error *error)
{
	int err = br_copiers_check_adopted(plane, error);

	if (err)
		return err;
	br_copiers_raise_limit(plane);
	for (unsigned int egress = 0; egress < plane->options.interface_count; egress++) {
		struct br_copier_batch batch = {.count = 0};

		err = br_copiers_each(plane, egress, br_copier_prepare, &batch);
		if (!err)
			err = br_copier_batch_install(plane, &batch);
		else
			while (batch.count)
				close(batch.maps[--batch.count]);
		if (err == -EMFILE)
			return br_error_set(error, err, NULL,
					    "too few file descriptors for the copiers: raise the "
					    "limit (ulimit -n, LimitNOFILE=) by %u per interface",
					    BR_COPIERS_MAX);
		if (err)
			return br_error_set(error, err, NULL,
					    "cannot make the copiers of interface \"%s\": %s",
					    plane->interfaces[egress].name, strerror(-err));
	}
	return 0;
}

static int br_copier_refill(struct br_plane *plane, const struct br_copier *copier,
			    struct br_copier_batch *batch)
{
	int map = plane->replicators[br_copier_key(copier)];

	(void)batch;
	return map >= 0 ? br_copier_fill(plane, map, copier) : 0;
}

int br_plane_replicators_rebuild(struct br_plane *plane, unsigned int egress)
{
	return br_copiers_each(plane, egress, br_copier_refill, NULL);
}

void br_plane_replicators_close(struct br_plane *plane)
{
	for (size_t i = 0; i < BR_REPLICATORS; i++)
		if (plane->replicators[i] >= 0)
			close(plane->replicators[i]);
}
