// SPDX-License-Identifier: BSD-2-Clause
/*
 * The loop: a veth pair on which a packet of a long route comes back for its next segment,
 * so that the egress ring can drain in between and several interfaces can serve one room.
 * Copiers send into one end; relay_loop listens at the other.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "plane/pair.h"
#include "relay.skel.h"

/* A pair of this name may be left from a daemon that was killed: then nothing is attached. */
static int br_loop_remove_stale(const struct br_plane_loop *loop, struct br_error *error)
{
	int ifindex = (int)if_nametoindex(loop->peer);
	__u32 program = 0;

	if (ifindex && !bpf_xdp_query_id(ifindex, 0, &program) && program)
		return br_error_set(error, -EBUSY, "media.port",
				    "another blindrelayd serves this port here: interface \"%s\" "
				    "is in use",
				    loop->peer);
	return br_pair_delete(loop->name);
}

/* The pair of an earlier daemon, if it is whole and its link is pinned. */
static bool br_loop_adopt(struct br_plane *plane)
{
	struct br_plane_loop *loop = &plane->loop;

	loop->ifindex = if_nametoindex(loop->name);
	if (!loop->ifindex)
		return false;
	loop->link = br_plane_attach_adopt(plane, plane->bpf->progs.relay_loop,
					   if_nametoindex(loop->peer), BR_PIN_LOOP);
	return loop->link >= 0;
}

int br_plane_loop_open(struct br_plane *plane, struct br_error *error)
{
	struct br_plane_loop *loop = &plane->loop;
	int err;

	snprintf(loop->name, sizeof(loop->name), "br-loop-%u", plane->options.media_port);
	snprintf(loop->peer, sizeof(loop->peer), "br-back-%u", plane->options.media_port);
	if (plane->adopting && br_loop_adopt(plane))
		return 0;
	if (plane->adopting)
		br_log_warn("the veth pair \"%s\" is gone; it is made anew", loop->name);
	err = br_loop_remove_stale(loop, error);
	if (!err) {
		err = br_pair_make(loop->name, loop->peer, (uint32_t)plane->cpus);
		if (err)
			br_error_set(error, err, NULL,
				     "cannot make the veth pair \"%s\" for long routes: %s",
				     loop->name, strerror(-err));
	} else if (err != -EBUSY) {
		br_error_set(error, err, NULL, "cannot remove the old veth pair \"%s\": %s",
			     loop->name, strerror(-err));
	}
	if (err) {
		if (err == -EBUSY)
			loop->name[0] = '\0'; /* somebody else's */
		return err;
	}
	loop->ifindex = if_nametoindex(loop->name);
	loop->link = br_plane_attach_program(plane, plane->bpf->progs.relay_loop,
					     if_nametoindex(loop->peer), loop->peer, error);
	if (loop->link < 0)
		return loop->link;
	err = br_pins_put(&plane->pins, loop->link, BR_PIN_LOOP);
	return err ? br_error_set(error, err, "state.path", "cannot pin the link of \"%s\": %s",
				  loop->peer, strerror(-err))
		   : 0;
}

void br_plane_loop_close(struct br_plane *plane)
{
	if (plane->loop.link >= 0)
		close(plane->loop.link);
	if (plane->loop.name[0] && !plane->keep)
		br_pair_delete(plane->loop.name);
}
