// SPDX-License-Identifier: BSD-2-Clause
/*
 * The loop: a veth pair on which a packet comes back for its next segment or its turn, so
 * that the egress ring can drain in between and several interfaces can serve one room.
 * relay_loop listens at both ends, for the two directions do different things:
 *
 *   queue   packets that wait go in here and come out at the other end
 *   clock   the one packet goes in here whose return means that the kernel has polled the
 *           other devices meanwhile: of a long route, or the first of those that wait
 *
 * In the queue it could come round twice in one poll: the kernel hands frames on whenever it
 * has 16 of them, and the poll would find them again.
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
	for (int i = 0; i < BR_LOOP_ENDS; i++) {
		const char *name = loop->ends[i].name;
		int ifindex = (int)if_nametoindex(name);
		__u32 program = 0;

		if (ifindex && !bpf_xdp_query_id(ifindex, 0, &program) && program)
			return br_error_set(error, -EBUSY, "media.port",
					    "another blindrelayd serves this port here: interface "
					    "\"%s\" is in use",
					    name);
	}
	return br_pair_delete(loop->ends[BR_LOOP_QUEUE].name);
}

static const char *br_loop_pin(int end)
{
	return end == BR_LOOP_QUEUE ? BR_PIN_LOOP_QUEUE : BR_PIN_LOOP_CLOCK;
}

/* The pair of an earlier daemon, if it is whole and its links are pinned. */
static bool br_loop_adopt(struct br_plane *plane)
{
	for (int i = 0; i < BR_LOOP_ENDS; i++) {
		struct br_plane_loop_end *end = &plane->loop.ends[i];

		end->ifindex = if_nametoindex(end->name);
		if (!end->ifindex)
			return false;
		end->link = br_plane_attach_adopt(plane, plane->bpf->progs.relay_loop, end->ifindex,
						  br_loop_pin(i));
		if (end->link < 0)
			return false;
	}
	return true;
}

static int br_loop_make(struct br_plane *plane, struct br_error *error)
{
	const char *queue = plane->loop.ends[BR_LOOP_QUEUE].name;
	int err = br_loop_remove_stale(&plane->loop, error);

	if (err == -EBUSY) {
		plane->loop.ends[BR_LOOP_QUEUE].name[0] = '\0'; /* somebody else's */
		return err;
	}
	if (err)
		return br_error_set(error, err, NULL, "cannot remove the old veth pair \"%s\": %s",
				    queue, strerror(-err));
	err = br_pair_make(queue, plane->loop.ends[BR_LOOP_CLOCK].name, (uint32_t)plane->cpus);
	return err ? br_error_set(error, err, NULL,
				  "cannot make the veth pair \"%s\" for packets that wait: %s",
				  queue, strerror(-err))
		   : 0;
}

static int br_loop_attach(struct br_plane *plane, int i, struct br_error *error)
{
	struct br_plane_loop_end *end = &plane->loop.ends[i];
	int err;

	end->ifindex = if_nametoindex(end->name);
	end->link = br_plane_attach_program(plane, plane->bpf->progs.relay_loop, end->ifindex,
					    end->name, error);
	if (end->link < 0)
		return end->link;
	err = br_pins_put(&plane->pins, end->link, br_loop_pin(i));
	return err ? br_error_set(error, err, "state.path", "cannot pin the link of \"%s\": %s",
				  end->name, strerror(-err))
		   : 0;
}

static void br_loop_close_links(struct br_plane_loop *loop)
{
	for (int i = 0; i < BR_LOOP_ENDS; i++) {
		if (loop->ends[i].link >= 0)
			close(loop->ends[i].link);
		loop->ends[i].link = -1;
	}
}

int br_plane_loop_open(struct br_plane *plane, struct br_error *error)
{
	struct br_plane_loop *loop = &plane->loop;
	int err;

	snprintf(loop->ends[BR_LOOP_QUEUE].name, sizeof(loop->ends[0].name), BR_LOOP_QUEUE_NAME,
		 plane->options.media_port);
	snprintf(loop->ends[BR_LOOP_CLOCK].name, sizeof(loop->ends[0].name), BR_LOOP_CLOCK_NAME,
		 plane->options.media_port);
	if (plane->adopting && br_loop_adopt(plane))
		return 0;
	if (plane->adopting) {
		br_log_warn("the veth pair \"%s\" is not whole; it is made anew",
			    loop->ends[BR_LOOP_QUEUE].name);
		br_loop_close_links(loop);
		br_pair_delete(loop->ends[BR_LOOP_QUEUE].name);
	}
	err = br_loop_make(plane, error);
	for (int i = 0; i < BR_LOOP_ENDS && !err; i++)
		err = br_loop_attach(plane, i, error);
	return err;
}

void br_plane_loop_close(struct br_plane *plane)
{
	br_loop_close_links(&plane->loop);
	if (plane->loop.ends[BR_LOOP_QUEUE].name[0] && !plane->keep)
		br_pair_delete(plane->loop.ends[BR_LOOP_QUEUE].name);
}
