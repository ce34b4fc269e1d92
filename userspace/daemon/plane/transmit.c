// SPDX-License-Identifier: BSD-2-Clause
/*
 * Do frames that XDP sends to an interface go out? A veth end gives them to its peer, which
 * takes them only with GRO or an XDP program of its own; some drivers take none at all. They
 * vanish then without a trace, so it is said aloud, when it begins and when it is over.
 */
#include "plane/plane_private.h"

#include "lib/log.h"

/* The kernel tells only who asks. */
#define BR_TRANSMIT_NS BR_SECOND_NS

static void br_transmit_say(const struct br_plane_interface *interface)
{
	if (!interface->silent)
		br_log_info("interface %s takes frames that XDP sends again", interface->name);
	else if (br_plane_is_veth(interface->name))
		br_log_warn("interface %s: frames that XDP sends vanish, as its veth peer has "
			    "neither GRO nor an XDP program, or the kernel missed it (no "
			    "NDO_XMIT). Where the peer is, with it up: ethtool -K PEER gro off, "
			    "then ethtool -K PEER gro on; or media.xdp_mode \"generic\"",
			    interface->name);
	else
		br_log_warn("interface %s: frames that XDP sends vanish, as its driver does not "
			    "take them now (no NDO_XMIT): media.xdp_mode \"generic\" works, or "
			    "another interface; `blindrelay check` looks closer",
			    interface->name);
}

void br_plane_transmit_tick(struct br_plane *plane)
{
	uint64_t now = br_now_ns(), flags;

	/* generic mode sends through the stack */
	if (plane->mode != BR_XDP_NATIVE || now - plane->transmit_ns < BR_TRANSMIT_NS)
		return;
	plane->transmit_ns = now;
	for (size_t i = 0; i < plane->options.interface_count; i++) {
		struct br_plane_interface *interface = &plane->interfaces[i];
		bool silent;

		if (!interface->up || interface->link < 0 ||
		    !br_features_read(&plane->features, interface->ifindex, &flags))
			continue;
		silent = !(flags & BR_XDP_ACT_NDO_XMIT);
		if (silent == interface->silent)
			continue;
		interface->silent = silent;
		br_transmit_say(interface);
	}
}
