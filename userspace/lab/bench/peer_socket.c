// SPDX-License-Identifier: BSD-2-Clause
/*
 * The least that a relay in userspace can do: one socket, recvmmsg, sendmmsg with the same
 * payload for every receiver. No tables, no checks, no keys.
 */
#include "peers_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "net.h"

#define BR_SOCKET_BATCH	 64u   /* packets per recvmmsg */
#define BR_SOCKET_SENDS	 1024u /* messages per sendmmsg: UIO_MAXIOV */
#define BR_SOCKET_PACKET 2048u
#define BR_SOCKET_BUFFER (8 << 20)

struct br_socket_relay {
	int fd;
	uint32_t receivers;
	struct sockaddr_storage *names; /* of the receivers */
	struct mmsghdr in[BR_SOCKET_BATCH], out[BR_SOCKET_SENDS];
	struct iovec in_parts[BR_SOCKET_BATCH], out_parts[BR_SOCKET_SENDS];
	uint8_t packets[BR_SOCKET_BATCH][BR_SOCKET_PACKET];
};

static void br_socket_send(struct br_socket_relay *relay, uint32_t count)
{
	uint32_t done = 0;

	while (done < count) {
		int sent = sendmmsg(relay->fd, relay->out + done, count - done, 0);

		done += sent > 0 ? (uint32_t)sent : 1; /* the one that it fails for is lost */
	}
}

static void br_socket_copy(struct br_socket_relay *relay, uint32_t packets)
{
	uint32_t queued = 0;

	for (uint32_t i = 0; i < packets; i++)
		for (uint32_t to = 0; to < relay->receivers; to++) {
			relay->out_parts[queued] =
				(struct iovec){relay->packets[i], relay->in[i].msg_len};
			relay->out[queued].msg_hdr.msg_name = &relay->names[to];
			if (++queued == BR_SOCKET_SENDS) {
				br_socket_send(relay, queued);
				queued = 0;
			}
		}
	br_socket_send(relay, queued);
}

static int br_socket_open(struct br_socket_relay *relay)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(BR_BENCH_PORT)};
	int size = BR_SOCKET_BUFFER;

	relay->names = calloc(relay->receivers, sizeof(*relay->names));
	relay->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!relay->names || relay->fd < 0 ||
	    bind(relay->fd, (struct sockaddr *)&name, sizeof(name)) ||
	    setsockopt(relay->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(relay->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		return -1;
	for (uint32_t i = 0; i < relay->receivers; i++) {
		struct br_endpoint to = br_packet_endpoint(4, false, i);

		br_endpoint_to_sockaddr(&to, &relay->names[i]);
	}
	for (size_t i = 0; i < BR_SOCKET_BATCH; i++) {
		relay->in_parts[i] = (struct iovec){relay->packets[i], BR_SOCKET_PACKET};
		relay->in[i].msg_hdr.msg_iov = &relay->in_parts[i];
		relay->in[i].msg_hdr.msg_iovlen = 1;
	}
	for (size_t i = 0; i < BR_SOCKET_SENDS; i++) {
		relay->out[i].msg_hdr.msg_iov = &relay->out_parts[i];
		relay->out[i].msg_hdr.msg_iovlen = 1;
		relay->out[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in);
	}
	return 0;
}

struct br_socket_start {
	uint32_t receivers;
	int ready; /* end of a pipe, closed when packets may come */
};

/* In a child; ends with its parent. */
static int br_socket_run(void *context)
{
	const struct br_socket_start *start = context;
	struct br_socket_relay *relay = calloc(1, sizeof(*relay));

	if (!relay)
		return 1;
	relay->receivers = start->receivers;
	if (br_socket_open(relay) || write(start->ready, "1", 1) != 1)
		return 1;
	close(start->ready);
	for (;;) {
		int count = recvmmsg(relay->fd, relay->in, BR_SOCKET_BATCH, MSG_WAITFORONE, NULL);

		if (count > 0)
			br_socket_copy(relay, (uint32_t)count);
	}
}

int br_peer_socket_start(struct br_peer_lane *lane, struct br_error *error)
{
	struct br_socket_start start = {.receivers = lane->peer->receivers};
	int ends[2];
	char byte;
	bool ready;

	if (pipe(ends))
		return br_error_set(error, -errno, NULL, "cannot make a pipe");
	start.ready = ends[1];
	lane->pid = br_net_fork(lane->ns, lane->cpu, br_socket_run, &start);
	close(ends[1]);
	ready = lane->pid > 0 && read(ends[0], &byte, 1) == 1;
	close(ends[0]);
	return ready ? 0 : br_error_set(error, -EIO, NULL, "cannot start the socket relay");
}
