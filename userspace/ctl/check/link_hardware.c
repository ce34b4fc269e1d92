// SPDX-License-Identifier: BSD-2-Clause
/* Judging an interface: the device and the one at its other end. */
#include "ctl/check/link_private.h"

#include <linux/if_link.h>
#include <string.h>

#include <blindrelay/abi.h>

#define BR_MTU_MIN    1280u /* of IPv6, RFC 8200 section 5; media packets are about that long */
#define BR_RING_WANT  1024u /* frames: some bursts of 64 packets with 10 copies each */
#define BR_RING_LEAST (4 * BR_CHUNK_MAX)

static bool br_is_veth(const struct br_check_link *link)
{
	return !strcmp(link->device.kind, "veth");
}

/* GRO on, or a program: what should make veth take frames from XDP. */
static bool br_peer_should_take(const struct br_check_device *peer)
{
	return peer->ifindex &&
	       (peer->ethtool.offloads[BR_FEATURE_RX_GRO].on || peer->xdp == XDP_ATTACHED_DRV);
}

/*
 * The kernel notes GRO at the peer when it is switched while the peer is up, or when this end
 * comes up. Switched on at a peer that is down, it stays unnoted, and copies vanish (seen with
 * 6.18). Off and on again is right in every case.
 */
static void br_judge_no_transmit(const struct br_check_link *link, const char *part,
				 enum br_check_status status, struct br_check_report *report)
{
	const struct br_check_device *peer = &link->peer;
	struct br_check_line *line;

	if (!br_is_veth(link)) {
		line = br_check_add(report, part, "transmit", status,
				    "takes no frames that XDP sends (no NDO_XMIT)");
		br_check_todo(line, "use --xdp-mode generic, or another interface");
	} else if (!peer->ifindex) {
		line = br_check_add(report, part, "transmit", status,
				    "its peer has neither GRO nor an XDP program, or the kernel "
				    "missed it: frames that XDP sends vanish (no NDO_XMIT)");
		br_check_todo(line, "where its peer is, with it up: ethtool -K PEER gro off, then "
				    "ethtool -K PEER gro on");
	} else if (br_peer_should_take(peer)) {
		line = br_check_add(
			report, part, "transmit", status,
			"GRO was switched on at its peer %s while that was down, and the "
			"kernel missed it: frames that XDP sends vanish (no NDO_XMIT)",
			peer->name);
		br_check_todo(line, "ethtool -K %s gro off, then ethtool -K %s gro on", peer->name,
			      peer->name);
	} else {
		line = br_check_add(
			report, part, "transmit", status,
			"its peer %s has neither GRO nor an XDP program: frames that XDP "
			"sends vanish (no NDO_XMIT)",
			peer->name);
		br_check_todo(line, "ethtool -K %s gro on", peer->name);
	}
}

static void br_judge_transmit(const struct br_check_link *link, const char *part,
			      struct br_check_report *report)
{
	char why[BR_CHECK_TEXT];
	/* generic mode sends through the stack, which needs nothing of this */
	bool native = br_check_link_native(link, why) != BR_CHECK_NO;
	struct br_check_line *line;

	switch (br_check_link_transmits(link)) {
	case BR_CHECK_YES:
		br_check_add(report, part, "transmit", BR_CHECK_OK,
			     "takes frames that XDP sends (NDO_XMIT)");
		return;
	case BR_CHECK_NO:
		br_judge_no_transmit(link, part, native ? BR_CHECK_FAIL : BR_CHECK_WARN, report);
		return;
	default:
		if (!native) {
			br_check_add(report, part, "transmit", BR_CHECK_OK,
				     "not announced (NDO_XMIT), and not needed in generic mode");
			return;
		}
		line = br_check_add(report, part, "transmit", BR_CHECK_OK,
				    "NDO_XMIT is not announced now; many drivers do that once a "
				    "program is attached");
		br_check_todo(line, "check again while blindrelayd is running");
	}
}

/* Only veth has a peer: what its offloads leave undone arrives here as it is. */
static void br_judge_peer(const struct br_check_link *link, const char *part,
			  struct br_check_report *report)
{
	const struct br_check_device *peer = &link->peer;
	const struct br_check_offload *offloads = peer->ethtool.offloads;
	struct br_check_line *line;

	if (!peer->ifindex) {
		line = br_check_add(report, part, "peer", BR_CHECK_WARN,
				    "in another network namespace: its offloads cannot be seen "
				    "from here");
		br_check_todo(line,
			      "if hosts send over it, there: ethtool -K PEER tx off txvlan off");
		return;
	}
	if (offloads[BR_FEATURE_TX_CHECKSUM].on || offloads[BR_FEATURE_TX_VLAN].on) {
		bool checksum = offloads[BR_FEATURE_TX_CHECKSUM].on;

		line = br_check_add(
			report, part, "peer", BR_CHECK_WARN, "%s sends %s%s%s", peer->name,
			checksum ? "unfinished checksums (tx-checksumming on)" : "",
			checksum && offloads[BR_FEATURE_TX_VLAN].on ? " and " : "",
			offloads[BR_FEATURE_TX_VLAN].on ? "VLAN tags outside of frames (txvlan on)"
							: "");
		br_check_todo(line, "ethtool -K %s%s%s", peer->name, checksum ? " tx off" : "",
			      offloads[BR_FEATURE_TX_VLAN].on ? " txvlan off" : "");
		return;
	}
	br_check_add(report, part, "peer", BR_CHECK_OK, "%s, GRO %s, its transmit offloads are off",
		     peer->name, offloads[BR_FEATURE_RX_GRO].on ? "on" : "off");
}

static void br_judge_mtu(const struct br_check_link *link, const char *part,
			 struct br_check_report *report)
{
	const struct br_check_device *device = &link->device, *peer = &link->peer;
	struct br_check_line *line;

	if (device->mtu < BR_MTU_MIN) {
		line = br_check_add(report, part, "mtu", BR_CHECK_WARN,
				    "%u: IPv6 needs %u, and media packets are that long",
				    device->mtu, BR_MTU_MIN);
		br_check_todo(line, "ip link set dev %s mtu 1500", device->name);
	} else if (device->mtu > BR_CHECK_XDP_MTU ||
		   (peer->ifindex && peer->mtu > BR_CHECK_XDP_MTU)) {
		bool of_peer = peer->ifindex && peer->mtu > BR_CHECK_XDP_MTU;

		line = br_check_add(report, part, "mtu", BR_CHECK_WARN,
				    "%u%s%s: too large for native XDP of most drivers, which put a "
				    "packet into one page (%u)",
				    of_peer ? peer->mtu : device->mtu,
				    of_peer ? " on its peer " : "", of_peer ? peer->name : "",
				    BR_CHECK_XDP_MTU);
		br_check_todo(line, "ip link set dev %s mtu 1500%s",
			      of_peer ? peer->name : device->name,
			      br_is_veth(link) ? ", at both ends" : "");
	} else if (peer->ifindex && peer->mtu < device->mtu) {
		line = br_check_add(report, part, "mtu", BR_CHECK_WARN,
				    "%u, but only %u at its peer %s: longer copies vanish",
				    device->mtu, peer->mtu, peer->name);
		br_check_todo(line, "ip link set dev %s mtu %u", peer->name, device->mtu);
	} else {
		br_check_add(report, part, "mtu", BR_CHECK_OK, "%u", device->mtu);
	}
}

static void br_judge_queues(const struct br_check_link *link, const char *part,
			    struct br_check_report *report)
{
	const struct br_check_ethtool *ethtool = &link->device.ethtool;
	uint32_t want = ethtool->rx_queues_max < link->cpus ? ethtool->rx_queues_max : link->cpus;
	struct br_check_line *line;

	if (!ethtool->rx_queues_max) {
		br_check_add(report, part, "queues", BR_CHECK_OK, "the driver does not tell");
		return;
	}
	if (br_is_veth(link)) {
		/* whoever sends chooses the CPU; native XDP wants no fewer than the peer sends on
		 */
		br_check_add(report, part, "queues", BR_CHECK_OK, "%u to receive, %u to send",
			     ethtool->rx_queues, ethtool->tx_queues);
		return;
	}
	if (ethtool->rx_queues < want) {
		line = br_check_add(report, part, "queues", BR_CHECK_WARN,
				    "%u of %u receive queues in use, with %u CPUs",
				    ethtool->rx_queues, ethtool->rx_queues_max, link->cpus);
		br_check_todo(line, "ethtool -L %s %s %u", link->device.name,
			      ethtool->combined ? "combined" : "rx", want);
		return;
	}
	if (!strcmp(ethtool->driver, "virtio_net") &&
	    ethtool->rx_queues + link->cpus > ethtool->rx_queues_max) {
		/* virtio_net wants a transmit queue per CPU for XDP beside those in use */
		line = br_check_add(
			report, part, "queues", BR_CHECK_WARN,
			"%u of %u queues in use: none is left for each of %u CPUs to send "
			"from XDP without a lock",
			ethtool->rx_queues, ethtool->rx_queues_max, link->cpus);
		br_check_todo(line, "give the virtual machine %u queues (vhost `queues=`)",
			      2 * link->cpus);
		return;
	}
	br_check_add(report, part, "queues", BR_CHECK_OK, "%u of %u, with %u CPUs",
		     ethtool->rx_queues, ethtool->rx_queues_max, link->cpus);
}

static void br_judge_rings(const struct br_check_link *link, const char *part,
			   struct br_check_report *report)
{
	const struct br_check_ethtool *ethtool = &link->device.ethtool;
	bool rx_small = ethtool->rx_ring < BR_RING_WANT && ethtool->rx_ring < ethtool->rx_ring_max;
	bool tx_small = ethtool->tx_ring < BR_RING_WANT && ethtool->tx_ring < ethtool->tx_ring_max;
	struct br_check_line *line;

	if (br_is_veth(link)) {
		br_check_add(report, part, "rings", BR_CHECK_OK,
			     "256 frames, as every veth; larger rooms go in chunks");
	} else if (!ethtool->rx_ring_max && !ethtool->tx_ring_max) {
		br_check_add(report, part, "rings", BR_CHECK_OK, "the driver does not tell");
	} else if (rx_small || tx_small) {
		line = br_check_add(report, part, "rings", BR_CHECK_WARN,
				    "receive %u of %u frames, transmit %u of %u: bursts overflow "
				    "them",
				    ethtool->rx_ring, ethtool->rx_ring_max, ethtool->tx_ring,
				    ethtool->tx_ring_max);
		br_check_todo(line, "ethtool -G %s rx %u tx %u", link->device.name,
			      rx_small ? ethtool->rx_ring_max : ethtool->rx_ring,
			      tx_small ? ethtool->tx_ring_max : ethtool->tx_ring);
	} else if (ethtool->tx_ring < BR_RING_LEAST) {
		line = br_check_add(report, part, "rings", BR_CHECK_WARN,
				    "transmit %u frames, which is all it has: bursts overflow it",
				    ethtool->tx_ring);
		br_check_todo(line, "a smaller tables.chunk, %u for example",
			      ethtool->tx_ring / 4 ? ethtool->tx_ring / 4 : 1);
	} else {
		br_check_add(report, part, "rings", BR_CHECK_OK,
			     "receive %u of %u frames, transmit %u of %u", ethtool->rx_ring,
			     ethtool->rx_ring_max, ethtool->tx_ring, ethtool->tx_ring_max);
	}
}

static const struct {
	enum br_check_feature feature;
	const char *check;
	const char *flag; /* of ethtool -K */
	const char *hurts;
} harmful[] = {
	{BR_FEATURE_RX_VLAN, "rxvlan", "rxvlan",
	 "VLAN tags are taken off before XDP sees the frame: tagged media would lose them"},
	{BR_FEATURE_RX_LRO, "lro", "lro",
	 "packets are merged on receipt, so most drivers refuse native XDP"},
	{BR_FEATURE_RX_GRO_HW, "rx-gro-hw", "rx-gro-hw",
	 "the hardware merges packets, so some drivers refuse native XDP"},
};

static void br_judge_offloads(const struct br_check_link *link, const char *part,
			      struct br_check_report *report)
{
	struct br_check_line *line;
	size_t found = 0;

	for (size_t i = 0; i < sizeof(harmful) / sizeof(*harmful); i++) {
		const struct br_check_offload *offload =
			&link->device.ethtool.offloads[harmful[i].feature];

		if (!offload->on)
			continue;
		found++;
		line = br_check_add(report, part, harmful[i].check, BR_CHECK_WARN, "on: %s",
				    harmful[i].hurts);
		if (offload->fixed)
			br_check_todo(line, "the driver cannot switch it off");
		else
			br_check_todo(line, "ethtool -K %s %s off", link->device.name,
				      harmful[i].flag);
	}
	if (!found)
		br_check_add(report, part, "offloads", BR_CHECK_OK, "none that hurts is on");
}

void br_check_link_judge_hardware(const struct br_check_link *link, const char *part,
				  struct br_check_report *report)
{
	br_judge_transmit(link, part, report);
	if (br_is_veth(link))
		br_judge_peer(link, part, report);
	br_judge_mtu(link, part, report);
	br_judge_queues(link, part, report);
	br_judge_rings(link, part, report);
	br_judge_offloads(link, part, report);
}
