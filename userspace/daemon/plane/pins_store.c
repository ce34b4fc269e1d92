// SPDX-License-Identifier: BSD-2-Clause
/* The store in a pinned hash map, and its face in plane.h. */
#include "plane/plane_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/log.h"

static int br_pins_map_put(void *context, const struct br_store_key *key,
			   const struct br_store_part *part)
{
	return bpf_map_update_elem(*(const int *)context, key, part, BPF_ANY) ? -errno : 0;
}

static int br_pins_map_get(void *context, const struct br_store_key *key,
			   struct br_store_part *part)
{
	return bpf_map_lookup_elem(*(const int *)context, key, part) ? -errno : 0;
}

static int br_pins_map_remove(void *context, const struct br_store_key *key)
{
	return bpf_map_delete_elem(*(const int *)context, key) ? -errno : 0;
}

static int br_pins_map_next(void *context, const struct br_store_key *key,
			    struct br_store_key *next)
{
	return bpf_map_get_next_key(*(const int *)context, key, next) ? -errno : 0;
}

bool br_pins_store(const struct br_pins *pins, struct br_store_map *map)
{
	*map = (struct br_store_map){
		.put = br_pins_map_put,
		.get = br_pins_map_get,
		.remove = br_pins_map_remove,
		.next = br_pins_map_next,
		.context = (void *)&pins->store_map,
	};
	return pins->store_map >= 0;
}

int br_pins_open_store(struct br_pins *pins, uint32_t entries)
{
	/* without preallocation: most relays keep far less than there is room for */
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);

	if (!br_pins_in_use(pins))
		return 0;
	if (pins->found) {
		pins->store_map = br_pins_get(pins, BR_PIN_STORE);
		if (pins->store_map < 0)
			return pins->store_map;
		if (bpf_obj_get_info_by_fd(pins->store_map, &info, &length))
			return -errno;
		return info.key_size == sizeof(struct br_store_key) &&
				       info.value_size == sizeof(struct br_store_part)
			       ? 0
			       : -EPROTO;
	}
	pins->store_map = bpf_map_create(BPF_MAP_TYPE_HASH, "br_store", sizeof(struct br_store_key),
					 sizeof(struct br_store_part), entries, &options);
	if (pins->store_map < 0)
		return -errno;
	return br_pins_put(pins, pins->store_map, BR_PIN_STORE);
}

int br_plane_store_put(struct br_plane *plane, enum br_store_kind kind, uint32_t id,
		       const void *data, size_t size, struct br_error *error)
{
	struct br_store_map map;
	int err;

	if (!br_pins_store(&plane->pins, &map))
		return 0;
	err = br_store_put(&map, kind, id, data, size);
	if (err == -E2BIG)
		return br_error_set(error, -ENOSPC, NULL,
				    "no room to remember this for the next start: the store is "
				    "full (tables.legs: %u)",
				    plane->options.max_legs);
	return err ? br_error_set(error, err, NULL, "cannot be remembered for the next start: %s",
				  strerror(-err))
		   : 0;
}

void br_plane_store_delete(struct br_plane *plane, enum br_store_kind kind, uint32_t id)
{
	struct br_store_map map;
	int err;

	if (!br_pins_store(&plane->pins, &map))
		return;
	err = br_store_delete(&map, kind, id);
	if (err)
		br_log_error("state: a record cannot be deleted: %s", strerror(-err));
}

int br_plane_store_each(struct br_plane *plane, enum br_store_kind kind, br_store_visit visit,
			void *context)
{
	struct br_store_map map;
	size_t dropped = 0;
	int err;

	if (!br_pins_store(&plane->pins, &map))
		return 0;
	err = br_store_each(&map, kind, visit, context, &dropped);
	if (dropped)
		br_log_warn("state: %zu record%s written only in part; dropped", dropped,
			    dropped == 1 ? " was" : "s were");
	return err;
}
