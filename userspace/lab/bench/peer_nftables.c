// SPDX-License-Identifier: BSD-2-Clause
/* The kernel's own way for one receiver: forwarding with both addresses translated. */
#include "peers_private.h"

#include <errno.h>

#include "bench.h"
#include "net.h"

int br_peer_nftables_start(struct br_peer_lane *lane, struct br_error *error)
{
	struct br_endpoint to = br_packet_endpoint(4, false, 0);
	char receiver[BR_ENDPOINT_TEXT];
	int bad = 0;

	br_endpoint_format(&to, receiver);
	bad |= br_net_run(lane->ns, "sysctl -qw net.ipv4.ip_forward=1");
	bad |= br_net_run(lane->ns, "nft add table ip bench");
	bad |= br_net_run(lane->ns, "nft add chain ip bench to "
				    "{ type nat hook prerouting priority dstnat ; }");
	bad |= br_net_run(lane->ns, "nft add chain ip bench from "
				    "{ type nat hook postrouting priority srcnat ; }");
	bad |= br_net_run(lane->ns, "nft add rule ip bench to udp dport %u dnat to %s",
			  BR_BENCH_PORT, receiver);
	bad |= br_net_run(lane->ns, "nft add rule ip bench from oifname out snat to " BR_PEER_OUT4);
	return bad ? br_error_set(error, -EOPNOTSUPP, NULL,
				  "the kernel or `nft` here cannot translate addresses")
		   : 0;
}
