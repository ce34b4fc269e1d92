// SPDX-License-Identifier: BSD-2-Clause
/* Judging an interface: what would XDP do on it? No look at it here, so all can be tested. */
#include "ctl/check/link.h"

#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "ctl/check/link_private.h"

static bool br_is_veth(const struct br_check_link *link)
{
	return !strcmp(link->device.kind, "veth");
}

static bool br_is_loopback(const struct br_check_link *link)
{
	return link->device.flags & IFF_LOOPBACK;
}

/* The kernel clears it when the carrier is gone, too. */
static bool br_is_running(const struct br_check_link *link)
{
	return (link->device.flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
}

bool br_check_link_candidate(const struct br_check_link *link)
{
	if (!(link->device.flags & IFF_UP) || br_is_loopback(link))
		return false;
	return !link->device.master[0] || link->ipv4 || link->ipv6;
}

const char *br_check_link_part(const struct br_check_link *link, char out[static 32])
{
	snprintf(out, 32, "interface %s", link->device.name);
	return out;
}

/* --- native or generic --- */

/* On veth the kernel looks at the MTU of the peer: frames of that size will arrive. */
static bool br_veth_refuses(const struct br_check_link *link, char why[static BR_CHECK_TEXT])
{
	const struct br_check_device *peer = &link->peer;

	if (peer->ifindex && peer->mtu > BR_CHECK_XDP_MTU)
		snprintf(why, BR_CHECK_TEXT,
			 "the MTU of its peer %s is %u and native XDP on veth takes up to %u",
			 peer->name, peer->mtu, BR_CHECK_XDP_MTU);
	else if (!peer->ifindex && link->device.mtu > BR_CHECK_XDP_MTU)
		snprintf(why, BR_CHECK_TEXT,
			 "its MTU, so probably its peer's, is %u and native XDP on veth takes up "
			 "to %u",
			 link->device.mtu, BR_CHECK_XDP_MTU);
	else if (peer->ifindex && peer->ethtool.tx_queues > link->device.ethtool.rx_queues)
		snprintf(why, BR_CHECK_TEXT,
			 "its peer %s sends on %u queues and it receives on %u only", peer->name,
			 peer->ethtool.tx_queues, link->device.ethtool.rx_queues);
	else if (link->features_known && !(link->features & BR_XDP_ACT_BASIC))
		snprintf(why, BR_CHECK_TEXT,
			 "the kernel offers none here: its peer sends on more queues than the %u "
			 "it receives on",
			 link->device.ethtool.rx_queues);
	return *why;
}

static bool br_virtio_refuses(const struct br_check_link *link, char why[static BR_CHECK_TEXT])
{
	const struct br_check_offload *merge = &link->device.ethtool.offloads[BR_FEATURE_RX_GRO_HW];

	if (link->device.mtu > BR_CHECK_XDP_MTU)
		snprintf(why, BR_CHECK_TEXT,
			 "its MTU is %u and native XDP on virtio_net takes up to %u",
			 link->device.mtu, BR_CHECK_XDP_MTU);
	else if (merge->on && merge->fixed)
		snprintf(why, BR_CHECK_TEXT,
			 "the hypervisor merges packets (rx-gro-hw) and virtio_net cannot stop it");
	return *why;
}

enum br_check_known br_check_link_native(const struct br_check_link *link,
					 char why[static BR_CHECK_TEXT])
{
	const char *driver = link->device.ethtool.driver;

	why[0] = '\0';
	if (br_is_loopback(link)) {
		snprintf(why, BR_CHECK_TEXT, "the loopback interface has no native XDP");
		return BR_CHECK_NO;
	}
	if (br_is_veth(link))
		return br_veth_refuses(link, why) ? BR_CHECK_NO : BR_CHECK_YES;
	if (!strcmp(driver, "virtio_net") && br_virtio_refuses(link, why))
		return BR_CHECK_NO;
	if (!link->features_known) {
		snprintf(why, BR_CHECK_TEXT, "this kernel does not tell, 6.3 and newer do");
		return BR_CHECK_UNKNOWN;
	}
	if ((link->features & (BR_XDP_ACT_BASIC | BR_XDP_ACT_REDIRECT)) ==
	    (BR_XDP_ACT_BASIC | BR_XDP_ACT_REDIRECT))
		return BR_CHECK_YES;
	snprintf(why, BR_CHECK_TEXT, "the driver %s has no native XDP%s",
		 *driver ? driver : link->device.kind,
		 link->features & BR_XDP_ACT_BASIC ? " with redirect" : "");
	return BR_CHECK_NO;
}

/*
 * Frames that an XDP program sends to it (ndo_xdp_xmit). veth gives them to its peer, which
 * takes them only with a NAPI context: GRO or an XDP program of its own. Drivers of network
 * cards may announce it only once a program is attached.
 */
enum br_check_known br_check_link_transmits(const struct br_check_link *link)
{
	const struct br_check_device *peer = &link->peer;

	if (link->features_known && link->features & BR_XDP_ACT_NDO_XMIT)
		return BR_CHECK_YES;
	if (br_is_veth(link) && link->features_known)
		return BR_CHECK_NO;
	if (br_is_veth(link) && peer->ifindex)
		return peer->ethtool.offloads[BR_FEATURE_RX_GRO].on || peer->xdp == XDP_ATTACHED_DRV
			       ? BR_CHECK_YES
			       : BR_CHECK_NO;
	if (link->features_known && link->device.xdp == XDP_ATTACHED_DRV)
		return BR_CHECK_NO;
	return BR_CHECK_UNKNOWN;
}

enum br_check_mode br_check_link_mode(const struct br_check_link *link,
				      char why[static BR_CHECK_TEXT])
{
	enum br_check_known native = br_check_link_native(link, why);

	if (link->device.xdp != XDP_ATTACHED_NONE && !link->device.xdp_ours) {
		snprintf(why, BR_CHECK_TEXT, "%s XDP program is attached",
			 link->device.xdp_name[0] ? "another" : "an unknown");
		return BR_CHECK_MODE_NONE;
	}
	if (native == BR_CHECK_NO)
		return BR_CHECK_MODE_GENERIC;
	if (br_check_link_transmits(link) == BR_CHECK_NO) {
		snprintf(why, BR_CHECK_TEXT,
			 "native XDP can be attached, but every copy would vanish");
		return BR_CHECK_MODE_NONE;
	}
	return native == BR_CHECK_YES ? BR_CHECK_MODE_NATIVE : BR_CHECK_MODE_UNKNOWN;
}

static void br_judge_up(const struct br_check_link *link, const char *part,
			struct br_check_report *report)
{
	struct br_check_line *line;

	if (br_is_running(link)) {
		br_check_add(report, part, "link", BR_CHECK_OK, "up");
	} else if (link->device.flags & IFF_UP) {
		line = br_check_add(report, part, "link", BR_CHECK_FAIL,
				    "up, but without a carrier: nothing is connected");
		br_check_todo(line, br_is_veth(link) ? "bring its peer up"
						     : "look at the cable or the other end");
	} else {
		line = br_check_add(report, part, "link", BR_CHECK_FAIL, "down");
		br_check_todo(line, "ip link set dev %s up", link->device.name);
	}
}

static void br_judge_addresses(const struct br_check_link *link, const char *part,
			       struct br_check_report *report)
{
	struct br_check_line *line;

	if (link->ipv4 || link->ipv6) {
		br_check_add(report, part, "addresses", BR_CHECK_OK, "%s%s%s",
			     link->ipv4 ? "IPv4" : "", link->ipv4 && link->ipv6 ? " and " : "",
			     link->ipv6 ? "IPv6" : "");
		return;
	}
	if (link->device.master[0]) {
		line = br_check_add(report, part, "addresses", BR_CHECK_WARN,
				    "none: it is a port of %s, so no leg can be reached over it",
				    link->device.master);
		br_check_todo(line, "give %s to the relay, or take this interface out of it",
			      link->device.master);
		return;
	}
	line = br_check_add(report, part, "addresses", BR_CHECK_WARN,
			    "none (link-local ones do not count): no leg can be reached over it");
	br_check_todo(line, "ip address add ADDRESS/PREFIX dev %s", link->device.name);
}

static const char *br_attached_name(uint8_t xdp)
{
	switch (xdp) {
	case XDP_ATTACHED_DRV:
		return "native";
	case XDP_ATTACHED_SKB:
		return "generic";
	case XDP_ATTACHED_HW:
		return "hardware";
	default:
		return "more than one";
	}
}

static void br_judge_program(const struct br_check_link *link, const char *part,
			     struct br_check_report *report)
{
	const struct br_check_device *device = &link->device;
	const char *mode = br_attached_name(device->xdp);
	struct br_check_line *line;

	if (device->xdp == XDP_ATTACHED_NONE) {
		br_check_add(report, part, "program", BR_CHECK_OK, "no XDP program is attached");
		return;
	}
	if (device->xdp_ours) {
		br_check_add(report, part, "program", BR_CHECK_OK,
			     "blindrelayd is running here in %s mode (program %u)", mode,
			     device->xdp_id);
		return;
	}
	if (device->xdp_id && !device->xdp_name[0]) {
		line = br_check_add(report, part, "program", BR_CHECK_FAIL,
				    "an XDP program (id %u, %s mode) is attached whose name only "
				    "root may see",
				    device->xdp_id, mode);
		br_check_todo(line, "run this check as root: it may be blindrelayd's");
		return;
	}
	line = br_check_add(report, part, "program", BR_CHECK_FAIL,
			    "another XDP program is attached: %s (id %u, %s mode)",
			    device->xdp_name[0] ? device->xdp_name : "several", device->xdp_id,
			    mode);
	br_check_todo(line,
		      "stop what attached it (`bpftool link` tells), or: ip link set dev %s "
		      "%s off",
		      device->name, device->xdp == XDP_ATTACHED_SKB ? "xdpgeneric" : "xdp");
}

static void br_judge_mode(const struct br_check_link *link, const char *part,
			  struct br_check_report *report)
{
	char why[BR_CHECK_TEXT];
	struct br_check_line *line;

	switch (br_check_link_mode(link, why)) {
	case BR_CHECK_MODE_NATIVE:
		br_check_add(report, part, "mode", BR_CHECK_OK,
			     "native XDP; \"auto\" chooses that");
		return;
	case BR_CHECK_MODE_UNKNOWN:
		line = br_check_add(report, part, "mode", BR_CHECK_WARN,
				    "\"auto\" tries native, then generic: %s", why);
		br_check_todo(line, "start blindrelayd with --xdp-mode native: it refuses to start "
				    "where it cannot");
		return;
	case BR_CHECK_MODE_GENERIC:
		line = br_check_add(report, part, "mode",
				    br_is_loopback(link) ? BR_CHECK_OK : BR_CHECK_WARN,
				    "generic XDP, several times slower; \"auto\" chooses it since "
				    "%s",
				    why);
		if (br_is_loopback(link))
			br_check_todo(line, "fine for trying out, not for load");
		else
			br_check_todo(line, "see the lines below, or use another interface");
		return;
	default:
		line = br_check_add(report, part, "mode", BR_CHECK_FAIL, "none: %s", why);
		if (link->device.xdp == XDP_ATTACHED_NONE || link->device.xdp_ours)
			br_check_todo(line, "see \"transmit\"; --xdp-mode generic works meanwhile");
		else
			br_check_todo(line, "see \"program\"");
	}
}

void br_check_link_judge(const struct br_check_link *link, struct br_check_report *report)
{
	const struct br_check_ethtool *ethtool = &link->device.ethtool;
	char part[32];

	br_check_link_part(link, part);
	br_judge_up(link, part, report);
	br_judge_addresses(link, part, report);
	br_check_add(report, part, "driver", BR_CHECK_OK, "%s",
		     br_is_loopback(link) ? "none, it is the loopback"
		     : *ethtool->driver	  ? ethtool->driver
					  : "none");
	br_judge_program(link, part, report);
	br_judge_mode(link, part, report);
	if (!br_is_loopback(link))
		br_check_link_judge_hardware(link, part, report);
}

/* All interfaces use one mode: attach.c of the plane. */
enum br_check_mode br_check_links_judge(const struct br_check_link *links, size_t count,
					struct br_check_report *report)
{
	enum br_check_mode mode = BR_CHECK_MODE_NATIVE;
	const char *by = "", *none = NULL;
	char why[BR_CHECK_TEXT];
	struct br_check_line *line;
	size_t generic = 0;

	for (size_t i = 0; i < count; i++) {
		enum br_check_mode one = br_check_link_mode(&links[i], why);

		if (one == BR_CHECK_MODE_NONE)
			none = links[i].device.name;
		if (one == BR_CHECK_MODE_GENERIC && !generic++)
			by = links[i].device.name;
		if (one == BR_CHECK_MODE_UNKNOWN)
			mode = one;
	}
	if (generic)
		mode = BR_CHECK_MODE_GENERIC;
	if (none)
		mode = BR_CHECK_MODE_NONE;
	if (count < 2)
		return mode;
	if (mode == BR_CHECK_MODE_NONE) {
		line = br_check_add(report, "together", "mode", BR_CHECK_FAIL,
				    "none: %s cannot be used as it is", none);
		br_check_todo(line, "see the lines of %s", none);
	} else if (mode == BR_CHECK_MODE_GENERIC) {
		line = br_check_add(report, "together", "mode", BR_CHECK_WARN,
				    "all interfaces use one mode: generic, because of %s", by);
		if (generic < count)
			br_check_todo(line, "leave %s out, or make it take native XDP", by);
	} else {
		br_check_add(report, "together", "mode", BR_CHECK_OK,
			     mode == BR_CHECK_MODE_NATIVE
				     ? "native XDP on all interfaces"
				     : "native XDP on all interfaces if all drivers take it, else "
				       "generic");
	}
	return mode;
}
