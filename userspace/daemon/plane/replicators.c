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
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "lib/text.h"
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

/* A copier's name says whose it is and which, so that the next daemon finds it. */
static void br_copier_name(const struct br_plane *plane, __u32 key,
			   char name[static BPF_OBJ_NAME_LEN])
{
	snprintf(name, BPF_OBJ_NAME_LEN, "br_%04x_%u", plane->pins.settings.ticket_mark, key);
}

/* Descriptor of a new copier that is not in the kernel's array yet; or a negative errno. */
static int br_copier_new(const struct br_plane *plane, const struct br_copier *copier)
{
	char name[BPF_OBJ_NAME_LEN];
	int map, err;

	br_copier_name(plane, br_copier_key(copier), name);
	map = bpf_map_create(BPF_MAP_TYPE_DEVMAP, name, sizeof(__u32),
			     sizeof(struct bpf_devmap_val), br_copier_entries(copier), NULL);
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

/* The key of a copier of an earlier daemon by the name of the map; false when it is none. */
static bool br_copier_is_named(const struct br_plane *plane, const char *name, __u32 *key)
{
	char expected[BPF_OBJ_NAME_LEN];
	const char *number = strrchr(name, '_');

	if (!number || !br_text_to_u32(number + 1, 0, BR_REPLICATORS - 1, key))
		return false;
	br_copier_name(plane, *key, expected);
	return !strcmp(name, expected);
}

/*
 * Find the copiers of an earlier daemon among all maps. The array would tell their ids, but up to
 * kernel 6.7 each look-up in it waits for a grace period of RCU: half a minute for all.
 */
static void br_copiers_find(struct br_plane *plane)
{
	__u32 id = 0, key;

	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = {0};
		__u32 length = sizeof(info);
		int map = bpf_map_get_fd_by_id(id);

		if (map < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(map, &info, &length) &&
		    br_copier_is_named(plane, info.name, &key) && plane->replicators[key] < 0)
			plane->replicators[key] = map;
		else
			close(map);
	}
}

static bool br_copier_fits(int map, const struct br_copier *copier)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);

	return !bpf_obj_get_info_by_fd(map, &info, &length) && info.type == BPF_MAP_TYPE_DEVMAP &&
	       info.max_entries == br_copier_entries(copier) &&
	       info.value_size == sizeof(struct bpf_devmap_val);
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
 * meet either. Without CAP_SYS_ADMIN none is found; then a new copier, once complete, takes
 * its place.
 */
static int br_copier_adopt(struct br_plane *plane, const struct br_copier *copier, int map)
{
	if (!br_copier_fits(map, copier))
		return -EPROTO;
	return br_copier_is_current(plane, map, copier) ? br_copier_fill_tail(plane, map, copier)
							: br_copier_fill(plane, map, copier);
}

/* Adopt a copier, or make it and have it wait in the batch. */
static int br_copier_prepare(struct br_plane *plane, const struct br_copier *copier,
			     struct br_copier_batch *batch)
{
	__u32 key = br_copier_key(copier);
	int map = plane->replicators[key];

	if (map >= 0) {
		if (!br_copier_adopt(plane, copier, map))
			return 0;
		close(map);
		plane->replicators[key] = -1;
	}
	map = br_copier_new(plane, copier);
	if (map < 0)
		return map;
	batch->keys[batch->count] = key;
	batch->maps[batch->count++] = map;
	return 0;
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
	if (err == -BR_ENOTSUPP)
		br_log_info("this kernel has no batches for arrays of maps (5.19 has): the first "
			    "route of each size takes some 10 ms longer");
	for (__u32 i = 0; i < batch->count; i++)
		if (err)
			close(batch->maps[i]);
		else
			plane->replicators[batch->keys[i]] = batch->maps[i];
	return err == -BR_ENOTSUPP ? 0 : err; /* they are made when they are needed */
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
	__u32 first = BR_REPLICATOR(plane->options.interface_count, 0, false, false);

	for (__u32 key = first; key < BR_REPLICATORS; key++)
		if (plane->replicators[key] >= 0)
			return br_error_set(error, -EPROTO, "state.path",
					    "a copier for more than %zu interfaces is pinned",
					    plane->options.interface_count);
	return 0;
}

int br_plane_replicators_open(struct br_plane *plane, struct br_error *error)
{
	int err;

	br_copiers_raise_limit(plane);
	if (plane->adopting)
		br_copiers_find(plane);
	err = br_copiers_check_adopted(plane, error);
	if (err)
		return err;
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
