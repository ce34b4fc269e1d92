// SPDX-License-Identifier: BSD-2-Clause
/*
 * Going on where an earlier daemon ended: its maps are used by our programs, and its links
 * get our programs in place of its own. Both are there all the time, so no packet is lost.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "lib/version.h"
#include "relay.skel.h"

/*
 * The mark of our tickets stands where frames have the first two bytes of their destination.
 * Neither a group address nor one that is administered locally, as veth's are: so the stack
 * takes no frame of ours for its own where it gets to see one.
 */
static __u16 br_state_mark(void)
{
	unsigned char bytes[2] = {0};
	__u16 mark;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		bytes[1] = 0xb1;
	bytes[0] = (unsigned char)((bytes[0] & ~0x03u) | 0x04u);
	memcpy(&mark, bytes, sizeof(mark));
	return mark;
}

/* Of a state that begins with us. */
static void br_state_describe(struct br_settings *settings, const struct br_plane_options *options)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	settings->magic = BR_SETTINGS_MAGIC;
	settings->abi_version = BR_ABI_VERSION;
	settings->size = sizeof(*settings);
	settings->max_legs = options->max_legs;
	settings->max_streams = options->max_streams;
	settings->max_edges = options->max_edges;
	settings->chunk = options->chunk;
	settings->media_port = options->media_port;
	settings->interface_count = (__u8)options->interface_count;
	settings->netns = br_pins_netns();
	settings->since_ms = (__s64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	for (size_t i = 0; i < options->interface_count; i++)
		snprintf(settings->interfaces[i], sizeof(settings->interfaces[i]), "%s",
			 options->interfaces[i]);
	settings->ticket_mark = br_state_mark();
}

/* What an earlier daemon left, if it may be adopted; else what the next one shall find. */
int br_plane_open_state(struct br_plane *plane, struct br_error *error)
{
	const struct br_plane_options *options = &plane->options;
	struct br_settings *settings = &plane->pins.settings;
	int err = br_pins_open(&plane->pins, options->state, options->reset, error);

	plane->options.state = plane->pins.path; /* the caller's text need not last */
	if (err)
		return err;
	plane->adopting = plane->pins.found;
	if (plane->adopting)
		err = br_pins_check(settings, options, plane->pins.path, error);
	else
		br_state_describe(settings, options);
	snprintf(settings->version, sizeof(settings->version), "%s", BR_VERSION);
	return err;
}

/* The ABI version says that it fits; look all the same before programs write into it. */
static int br_adopt_check_map(const struct bpf_map *map, const struct bpf_map_info *info,
			      const char *path, struct br_error *error)
{
	if (info->type == bpf_map__type(map) && info->key_size == bpf_map__key_size(map) &&
	    info->value_size == bpf_map__value_size(map) &&
	    info->max_entries == bpf_map__max_entries(map) &&
	    info->map_flags == bpf_map__map_flags(map))
		return 0;
	return br_error_set(error, -EPROTO, "state.path",
			    "the map \"%s\" in %s has another layout than this version's (key %u, "
			    "value %u, entries %u, flags 0x%x). Start the version that made it, or "
			    "throw its rooms away with blindrelayd --reset; `blindrelay doctor` "
			    "shows more",
			    bpf_map__name(map), path, info->key_size, info->value_size,
			    info->max_entries, info->map_flags);
}

static int br_adopt_map(struct br_plane *plane, struct bpf_map *map, struct br_error *error)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	int fd = br_pins_get(&plane->pins, bpf_map__name(map));
	int err = 0;

	if (fd < 0)
		return br_error_set(error, -EPROTO, "state.path",
				    "the map \"%s\" cannot be had from %s: %s. Start the version "
				    "that made the rest, or throw its rooms away with blindrelayd "
				    "--reset",
				    bpf_map__name(map), plane->pins.path, strerror(-fd));
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		err = br_error_set(error, -errno, "state.path", "the map \"%s\": %s",
				   bpf_map__name(map), strerror(errno));
	if (!err)
		err = br_adopt_check_map(map, &info, plane->pins.path, error);
	if (!err && bpf_map__reuse_fd(map, fd))
		err = br_error_set(error, -ENOMEM, NULL, "no memory");
	close(fd);
	return err;
}

/* Before loading, once the sizes are set: our programs will use the maps of before. */
int br_plane_adopt_maps(struct br_plane *plane, struct br_error *error)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, plane->bpf->obj)
	{
		if (bpf_map__is_internal(map))
			continue;
		err = br_adopt_map(plane, map, error);
		if (err)
			break;
	}
	return err;
}

/* The settings of a program are maps of its own: they go with it and are not pinned. */
static int br_plane_pin_maps(struct br_plane *plane, struct br_error *error)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, plane->bpf->obj)
	{
		int err;

		if (bpf_map__is_internal(map))
			continue;
		err = br_pins_put(&plane->pins, bpf_map__fd(map), bpf_map__name(map));
		if (err)
			return br_error_set(error, err, "state.path",
					    "cannot pin the map \"%s\" in %s: %s",
					    bpf_map__name(map), plane->pins.path, strerror(-err));
	}
	return 0;
}

/*
 * Interfaces. One that was deleted meanwhile has lost its link: attach to the one that has
 * the name now, if any.
 */
int br_plane_adopt_links(struct br_plane *plane, struct br_error *error)
{
	plane->mode = br_pins_mode(&plane->pins.settings);
	if (plane->mode == BR_XDP_NONE)
		return 0;
	for (size_t i = 0; i < plane->options.interface_count; i++) {
		struct br_plane_interface *interface = &plane->interfaces[i];
		char pin[32];
		int err;

		snprintf(pin, sizeof(pin), BR_PIN_LINK "%zu", i);
		interface->link = br_plane_attach_adopt(plane, plane->bpf->progs.relay,
							interface->ifindex, pin);
		if (interface->link >= 0)
			continue;
		if (!interface->ifindex) {
			br_log_warn("interface %s is gone", interface->name);
			continue;
		}
		if (interface->link != -ENODEV && interface->link != -ENOENT)
			return br_error_set(error, interface->link, "media.interfaces",
					    "the program on \"%s\" cannot be replaced: %s",
					    interface->name, strerror(-interface->link));
		interface->link = -1;
		br_log_warn("interface %s was made anew since; attaching to it", interface->name);
		err = br_plane_attach(plane, i, error);
		if (err)
			return err;
	}
	return 0;
}

/* Last: what makes the state valid for the next daemon, or what an adopted one still lacks. */
int br_plane_finish_state(struct br_plane *plane, struct br_error *error)
{
	int err;

	err = plane->mode == BR_XDP_NONE ? 0 : br_plane_replicators_open(plane, error);
	if (err)
		return err;
	if (plane->adopting)
		err = br_plane_adopt_hops(plane, error);
	else
		err = br_pins_in_use(&plane->pins) ? br_plane_pin_maps(plane, error) : 0;
	if (err)
		return err;
	/* two parts per leg and what rooms need: enough unless most legs list many SSRCs */
	err = br_pins_open_store(&plane->pins, plane->options.max_legs * 2 + 1024);
	if (err)
		return br_error_set(error, err, "state.path", "no store for rooms in %s: %s",
				    plane->pins.path, strerror(-err));
	br_pins_set_mode(&plane->pins.settings, plane->mode);
	err = br_pins_save(&plane->pins);
	return err ? br_error_set(error, err, "state.path", "cannot save the settings in %s: %s",
				  plane->pins.path, strerror(-err))
		   : 0;
}
