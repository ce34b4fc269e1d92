// SPDX-License-Identifier: BSD-2-Clause
/*
 * coturn, one relay thread. The publisher allocates a relayed address (RFC 8656 section 7) and
 * binds a channel to the receiver (section 12); what the generator sends is channel data.
 */
#include "peers_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "net.h"

#define BR_TURN_COOKIE	       0x2112a442u
#define BR_TURN_ALLOCATE       0x0003u
#define BR_TURN_CHANNEL_BIND   0x0009u
#define BR_TURN_SUCCESS	       0x0100u
#define BR_TURN_CHANNEL_NUMBER 0x000cu
#define BR_TURN_XOR_PEER       0x0012u
#define BR_TURN_TRANSPORT      0x0019u
#define BR_TURN_CHANNEL	       0x4000u /* the first */
#define BR_TURN_CHANNEL_HEADER 4u
#define BR_TURN_TRIES	       100u
#define BR_TURN_TRY_MS	       50u
#define BR_TURN_LOG	       "/run/coturn.log"

struct br_turn_message {
	uint16_t type_be;
	uint16_t length_be;
	uint32_t cookie_be;
	uint8_t transaction[12];
	uint8_t attributes[64];
};

static void br_turn_begin(struct br_turn_message *message, uint16_t type)
{
	memset(message, 0, sizeof(*message));
	message->type_be = htons(type);
	message->cookie_be = htonl(BR_TURN_COOKIE);
	memcpy(message->transaction, "blindrelay-b", sizeof(message->transaction));
}

static void br_turn_put(struct br_turn_message *message, uint16_t type, const void *value,
			uint16_t length)
{
	uint16_t at = ntohs(message->length_be), head[2] = {htons(type), htons(length)};

	memcpy(message->attributes + at, head, sizeof(head));
	memcpy(message->attributes + at + sizeof(head), value, length);
	message->length_be = htons((uint16_t)(at + sizeof(head) + length));
}

/* Ask until there is an answer; the server may still be starting. */
static int br_turn_ask(int fd, const struct br_turn_message *message,
		       const struct br_peer_lane *lane)
{
	size_t size = offsetof(struct br_turn_message, attributes) + ntohs(message->length_be);
	uint16_t answer[512];

	for (unsigned int i = 0; i < BR_TURN_TRIES && br_net_alive(lane->pid); i++) {
		ssize_t length;

		if (send(fd, message, size, 0) < 0) {
			br_net_pause(BR_TURN_TRY_MS); /* nobody listens yet */
			continue;
		}
		length = recv(fd, answer, sizeof(answer), 0);
		if (length >= (ssize_t)sizeof(answer[0]) &&
		    ntohs(answer[0]) == (ntohs(message->type_be) | BR_TURN_SUCCESS))
			return 0;
		if (length > 0)
			return -EPROTO;
		br_net_pause(BR_TURN_TRY_MS);
	}
	return -ETIMEDOUT;
}

static int br_turn_allocate(int fd, const struct br_peer_lane *lane)
{
	const uint8_t udp[4] = {IPPROTO_UDP};
	struct br_turn_message message;

	br_turn_begin(&message, BR_TURN_ALLOCATE);
	br_turn_put(&message, BR_TURN_TRANSPORT, udp, sizeof(udp));
	return br_turn_ask(fd, &message, lane);
}

static int br_turn_bind(int fd, const struct br_peer_lane *lane)
{
	struct br_endpoint to = br_packet_endpoint(4, false, 0);
	uint16_t channel[2] = {htons(BR_TURN_CHANNEL)};
	struct br_turn_message message;
	struct {
		uint8_t reserved, family;
		uint16_t port;
		uint32_t address;
	} peer = {.family = 1};

	peer.port = to.port ^ htons(BR_TURN_COOKIE >> 16);
	peer.address = to.addr.words[3] ^ htonl(BR_TURN_COOKIE);
	br_turn_begin(&message, BR_TURN_CHANNEL_BIND);
	br_turn_put(&message, BR_TURN_CHANNEL_NUMBER, channel, sizeof(channel));
	br_turn_put(&message, BR_TURN_XOR_PEER, &peer, sizeof(peer));
	return br_turn_ask(fd, &message, lane);
}

/* The publisher's socket, as the generator's packets will look to the server. */
static int br_turn_socket(void)
{
	struct br_endpoint own = br_packet_endpoint(4, true, 0), server;
	struct sockaddr_storage from, to;
	struct timeval patience = {.tv_usec = 200000};
	socklen_t from_length = br_endpoint_to_sockaddr(&own, &from), to_length;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	br_addr_parse(BR_BENCH_RELAY4, &server.addr);
	server.port = htons(BR_BENCH_PORT);
	to_length = br_endpoint_to_sockaddr(&server, &to);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&from, from_length) ||
	    connect(fd, (struct sockaddr *)&to, to_length) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* The frames carry a channel's header and then @bytes. */
static void br_turn_frames(struct br_peer_lane *lane)
{
	uint16_t head[2] = {htons(BR_TURN_CHANNEL), htons((uint16_t)lane->peer->bytes)};
	uint8_t mac[6];

	memcpy(mac, lane->header, sizeof(mac));
	br_packet_headers(4, 0, lane->peer->bytes + BR_TURN_CHANNEL_HEADER, false, mac,
			  lane->header);
	memcpy(lane->header + BR_BENCH_PAYLOAD4, head, sizeof(head));
	lane->length = br_packet_length(4, lane->peer->bytes + BR_TURN_CHANNEL_HEADER);
}

int br_peer_coturn_start(struct br_peer_lane *lane, struct br_error *error)
{
	static const char listening[] = "--listening-ip=" BR_BENCH_RELAY4;
	static const char relaying[] = "--relay-ip=" BR_PEER_OUT4;
	const char *const argv[] = {"turnserver",
				    "-n",
				    "--no-auth",
				    "--no-cli",
				    "--no-tls",
				    "--no-dtls",
				    "--relay-threads=1",
				    listening,
				    "--listening-port=40000",
				    relaying,
				    "--realm=bench",
				    "--log-file=stdout",
				    "--pidfile=/run/coturn.pid",
				    "--userdb=/run/coturn.db",
				    NULL};
	int fd, err;

	_Static_assert(BR_BENCH_PORT == 40000, "the port that the server is told");
	lane->pid = br_net_spawn(lane->ns, lane->cpu, BR_TURN_LOG, argv);
	fd = br_turn_socket();
	err = fd < 0 ? fd : br_turn_allocate(fd, lane);
	if (!err)
		err = br_turn_bind(fd, lane);
	if (fd >= 0)
		close(fd);
	if (err)
		return br_error_set(error, err, NULL, "coturn does not serve: %s", strerror(-err));
	br_turn_frames(lane);
	return 0;
}
