// SPDX-License-Identifier: BSD-2-Clause
#include "peers_private.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

#define BR_PEER_FEED_PAIR  10
#define BR_PEER_DRAIN_PAIR 11

/* Offered load, in copies: from here, by this factor, until less than this part arrives. */
#define BR_PEER_LOAD_FIRST 60000.0
#define BR_PEER_LOAD_STEP  1.8
#define BR_PEER_SERVED	   0.8
#define BR_PEER_STEPS	   14u
#define BR_PEER_BEYOND	   2u /* steps of overload */
#define BR_PEER_SECONDS	   0.25
#define BR_PEER_QUIET_MS   30u

struct br_peer_entry {
	struct br_peer peer;
	int (*start)(struct br_peer_lane *lane, struct br_error *error);
};

static const struct br_peer_entry peers[] = {
	{{.name = "peer-sockets",
	  .title = "recvmmsg/sendmmsg relay, 1:50",
	  .versus = "n50-small",
	  .receivers = 50,
	  .bytes = 160,
	  .plain_relay = true},
	 br_peer_socket_start},
	{{.name = "peer-sockets-1200",
	  .title = "recvmmsg/sendmmsg relay, 1:50",
	  .versus = "n50",
	  .receivers = 50,
	  .bytes = 1200,
	  .plain_relay = true,
	  .quick = true},
	 br_peer_socket_start},
	{{.name = "peer-sockets-1",
	  .title = "recvmmsg/sendmmsg relay, 1:1",
	  .versus = "n1-small",
	  .receivers = 1,
	  .bytes = 160},
	 br_peer_socket_start},
	{{.name = "peer-nftables",
	  .title = "nftables DNAT, 1:1",
	  .program = "nft",
	  .versus = "n1",
	  .receivers = 1,
	  .bytes = 1200,
	  .quick = true},
	 br_peer_nftables_start},
	{{.name = "peer-coturn",
	  .title = "coturn, channel data, 1:1",
	  .program = "turnserver",
	  .versus = "n1-small",
	  .receivers = 1,
	  .bytes = 160,
	  .plain_relay = true},
	 br_peer_coturn_start},
};
#define BR_PEERS (sizeof(peers) / sizeof(peers[0]))

size_t br_peer_count(void)
{
	return BR_PEERS;
}

const struct br_peer *br_peer_at(size_t index)
{
	return &peers[index].peer;
}

static int br_peer_network(struct br_peer_lane *lane, struct br_error *error)
{
	struct br_endpoint sender = br_packet_endpoint(4, true, 0);
	char address[BR_ADDR_TEXT];
	uint8_t mac[6];
	int err, bad = 0;

	lane->ns = br_net_new(error);
	if (lane->ns < 0)
		return lane->ns;
	err = br_net_pair(lane->ns, "in", "feed", BR_PEER_FEED_PAIR, 1, error);
	if (!err)
		err = br_net_pair(lane->ns, "out", "drain", BR_PEER_DRAIN_PAIR, 1, error);
	if (err)
		return err;
	br_addr_format(&sender.addr, address);
	bad |= br_net_run(BR_NET_HOME, "ip addr add %s/32 dev feed", address);
	bad |= br_net_run(BR_NET_HOME, "ip route add " BR_BENCH_RELAY4 " dev feed src %s", address);
	bad |= br_net_run(lane->ns, "ip addr add " BR_BENCH_RELAY4 "/16 dev in");
	bad |= br_net_run(lane->ns, "ip route add 10.20.0.0/16 dev in src " BR_BENCH_RELAY4);
	bad |= br_net_run(lane->ns, "ip addr add " BR_PEER_OUT4 "/16 dev out");
	br_net_pair_mac(BR_PEER_DRAIN_PAIR, true, mac);
	bad |= br_net_run(lane->ns,
			  "ip neigh replace 10.40.0.2 lladdr 02:00:00:00:00:%02x dev out nud "
			  "permanent",
			  mac[5]);
	bad |= br_net_run(lane->ns, "ip route add 10.30.0.0/16 via 10.40.0.2 src " BR_PEER_OUT4);
	/* whoever sends need not compute checksums: nobody looks at them */
	bad |= br_net_run(lane->ns, "ethtool -K out tx on");
	return bad ? br_error_set(error, -EIO, NULL, "cannot set up the peer's network") : 0;
}

static int br_peer_open(struct br_peer_lane *lane, struct br_error *error)
{
	struct br_traffic_options options = {.senders = 1, .clones = 1};
	uint8_t mac[6];
	int err = br_peer_network(lane, error);

	if (err)
		return err;
	options.wire = if_nametoindex("feed");
	lane->length = options.length = br_packet_length(4, lane->peer->bytes);
	br_net_pair_mac(BR_PEER_FEED_PAIR, false, mac);
	br_packet_headers(4, 0, lane->peer->bytes, false, mac, lane->header);
	err = br_traffic_open(&options, &lane->traffic, error);
	return err ? err : br_traffic_sink_packets(lane->traffic, if_nametoindex("drain"), error);
}

static void br_peer_close(struct br_peer_lane *lane)
{
	br_net_stop(lane->pid);
	br_traffic_close(lane->traffic);
	br_net_unpair("feed");
	br_net_unpair("drain");
	if (lane->ns >= 0)
		close(lane->ns);
}

/* CPU time that the peer's process has used, in seconds. */
static double br_peer_cpu(const struct br_peer_lane *lane)
{
	struct timespec used;
	clockid_t clock;

	if (!lane->pid || clock_getcpuclockid(lane->pid, &clock) || clock_gettime(clock, &used))
		return 0;
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* One load, given in packets/s to the peer. */
static int br_peer_load(struct br_peer_lane *lane, double rate, struct br_peer_result *result,
			bool *served, struct br_error *error)
{
	struct br_traffic_run run = {
		.frames = (uint32_t)(rate * BR_PEER_SECONDS) + 1,
		.cpus = 1,
		.batch = 1,
		.gap_ns = (uint32_t)(1e9 / rate),
		.quiet_ms = BR_PEER_QUIET_MS,
	};
	double cpu = br_peer_cpu(lane), arrived_per_s;
	struct br_traffic_sum sum;
	int err = br_traffic_send(lane->traffic, &run, &sum, error);

	if (err)
		return err;
	arrived_per_s = sum.ns_per_copy > 0 ? 1e9 / sum.ns_per_copy : 0;
	/* a peer on the generator's own CPU, as the kernel is, slows it down instead of losing */
	*served = arrived_per_s > BR_PEER_SERVED * rate * lane->peer->receivers &&
		  (double)sum.arrived > BR_PEER_SERVED * (double)run.frames * lane->peer->receivers;
	if (arrived_per_s > result->packets_per_s) {
		result->packets_per_s = arrived_per_s;
		result->cpu = (br_peer_cpu(lane) - cpu) / sum.seconds;
	}
	return 0;
}

static int br_peer_sweep(struct br_peer_lane *lane, struct br_peer_result *result,
			 struct br_error *error)
{
	double copies = BR_PEER_LOAD_FIRST;
	unsigned int overloads = 0;
	bool served = true;
	int err = 0;

	for (unsigned int step = 0; step < BR_PEER_STEPS && overloads <= BR_PEER_BEYOND && !err;
	     step++) {
		err = br_peer_load(lane, copies / lane->peer->receivers, result, &served, error);
		overloads += !served;
		copies *= BR_PEER_LOAD_STEP;
	}
	if (!err && result->packets_per_s <= 0)
		err = br_error_set(error, -EIO, NULL, "no copy arrived");
	return err;
}

int br_peer_measure(const struct br_peer *peer, struct br_peer_result *result,
		    struct br_error *error)
{
	const struct br_peer_entry *entry = NULL;
	struct br_peer_lane lane = {.peer = peer, .ns = -1};
	int err;

	for (size_t i = 0; i < BR_PEERS; i++)
		if (&peers[i].peer == peer)
			entry = &peers[i];
	*result = (struct br_peer_result){.peer = peer};
	result->installed = !peer->program || br_net_have(peer->program);
	if (!entry || !result->installed)
		return 0;
	lane.cpu = br_traffic_cpu(1) >= 0 ? br_traffic_cpu(1) : br_traffic_cpu(0);
	err = br_peer_open(&lane, error);
	if (!err)
		err = entry->start(&lane, error);
	if (!err) {
		err = br_traffic_header(lane.traffic, 0, lane.header);
		br_traffic_set_length(lane.traffic, lane.length);
	}
	if (!err)
		err = br_peer_sweep(&lane, result, error);
	br_peer_close(&lane);
	return err;
}
