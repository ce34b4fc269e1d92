// SPDX-License-Identifier: BSD-2-Clause
/*
 * Join by API to first copy. A publisher sends without pause; a subscriber's socket is open
 * before it joins, and the kernel's time stamp says when its first packet came.
 */
#include "daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "ctl/ctl.h"
#include "packet.h"
#include "stats.h"

#define BR_JOIN_ROOM	       "bench"
#define BR_JOIN_PUBLISHER_PORT 5000u
#define BR_JOIN_LISTENER_PORT  5001u /* somebody who is there all the time */
#define BR_JOIN_PORT	       6000u
#define BR_JOIN_GAP_NS	       100000 /* between two packets of the publisher */
#define BR_JOIN_WARM_UP	       3      /* joins that do not count: the next hop is resolved */

static const struct br_ctl_args daemon_at = {.socket = BR_DAEMON_SOCKET};

struct br_join_publisher {
	pthread_t thread;
	int socket;
	atomic_bool stop;
};

static struct sockaddr_in br_join_address(const char *address, uint16_t port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, address, &name.sin_addr);
	return name;
}

/* A UDP socket on our end with kernel time stamps; negative errno. */
static int br_join_socket(uint16_t port)
{
	struct sockaddr_in name = br_join_address(BR_DAEMON_HOST4, port);
	struct timeval patience = {.tv_sec = 2};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static void *br_join_publish(void *context)
{
	struct br_join_publisher *publisher = context;
	struct sockaddr_in relay = br_join_address(BR_BENCH_RELAY4, BR_BENCH_PORT);
	struct timespec gap = {.tv_nsec = BR_JOIN_GAP_NS};
	uint8_t packet[1200] = {0x80, 96, [11] = 1};

	while (!atomic_load(&publisher->stop)) {
		sendto(publisher->socket, packet, sizeof(packet), 0, (struct sockaddr *)&relay,
		       sizeof(relay));
		nanosleep(&gap, NULL);
	}
	return NULL;
}

static int br_join_ask(const char *method, const char *leg, const char *body, int expected,
		       struct br_error *error)
{
	struct br_reply reply;
	char path[128];
	int status;

	br_ctl_path(path, sizeof(path), BR_JOIN_ROOM, leg ? "/legs/" : "/legs", leg);
	status = br_ctl_try(&daemon_at, method, path, body, &reply);
	if (status == expected) {
		br_reply_free(&reply);
		return 0;
	}
	br_error_set(error, -EPROTO, NULL, "%s %s: the daemon answered %d %s", method, path, status,
		     status > 0 ? br_member_text(reply.json, "detail") : "");
	br_reply_free(&reply);
	return -EPROTO;
}

static int br_join_add(const char *name, uint16_t port, const char *role, struct br_error *error)
{
	char body[256];

	snprintf(body, sizeof(body),
		 "{\"name\":\"%s\",\"address\":\"" BR_DAEMON_HOST4 "\",\"port\":%u,"
		 "\"role\":\"%s\"}",
		 name, port, role);
	return br_join_ask("POST", NULL, body, 201, error);
}

static double br_join_ms(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) * 1e3 +
	       (double)(to->tv_nsec - from->tv_nsec) / 1e6;
}

/* When the first packet of a socket came, by the clock of the kernel. */
static int br_join_first(int fd, struct timespec *when)
{
	uint8_t packet[2048], control[256];
	struct iovec part = {.iov_base = packet, .iov_len = sizeof(packet)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header;

	if (recvmsg(fd, &message, 0) < 0)
		return -errno;
	for (header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(when, CMSG_DATA(header), sizeof(*when));
			return 0;
		}
	return -ENODATA;
}

static int br_join_once(unsigned int number, double *ms, double *answer_ms, struct br_error *error)
{
	uint16_t port = (uint16_t)(BR_JOIN_PORT + number);
	int fd = br_join_socket(port), err;
	struct timespec start, answered, first = {0};
	char name[16];

	if (fd < 0)
		return br_error_set(error, fd, NULL, "cannot open a socket: %s", strerror(-fd));
	snprintf(name, sizeof(name), "s%u", number);
	clock_gettime(CLOCK_REALTIME, &start);
	err = br_join_add(name, port, "subscriber", error);
	clock_gettime(CLOCK_REALTIME, &answered);
	if (!err && br_join_first(fd, &first))
		err = br_error_set(error, -ETIMEDOUT, NULL,
				   "no copy came within two seconds after joining");
	if (!err) {
		*ms = br_join_ms(&start, &first);
		*answer_ms = br_join_ms(&start, &answered);
		err = br_join_ask("DELETE", name, NULL, 204, error);
	}
	close(fd);
	return err;
}

static int br_join_all(size_t joins, struct br_join_result *result, struct br_error *error)
{
	double answers[BR_JOINS_MAX], ignored;
	int err = 0;

	for (unsigned int i = 0; i < BR_JOIN_WARM_UP && !err; i++)
		err = br_join_once(i, &ignored, &ignored, error);
	for (result->count = 0; result->count < joins && !err; result->count++)
		err = br_join_once(BR_JOIN_WARM_UP + (unsigned int)result->count,
				   &result->ms[result->count], &answers[result->count], error);
	if (err)
		return err;
	br_stats_sort(result->ms, joins);
	result->median_ms = br_stats_quantile(result->ms, joins, 0.5);
	result->p90_ms = br_stats_quantile(result->ms, joins, 0.9);
	result->p99_ms = br_stats_quantile(result->ms, joins, 0.99);
	result->max_ms = result->ms[joins - 1];
	result->answer_ms = br_stats_median(answers, joins);
	return 0;
}

int br_join_measure(const struct br_daemon *daemon, size_t joins, struct br_join_result *result,
		    struct br_error *error)
{
	struct br_join_publisher publisher = {.socket = br_join_socket(BR_JOIN_PUBLISHER_PORT)};
	struct br_reply reply;
	int err;

	(void)daemon; /* it must run */
	if (publisher.socket < 0)
		return br_error_set(error, publisher.socket, NULL, "cannot open a socket");
	if (joins < 1 || joins > BR_JOINS_MAX)
		joins = BR_JOINS_MAX;
	br_ctl_try(&daemon_at, "PUT", "/v1/rooms/" BR_JOIN_ROOM, "{}", &reply);
	br_reply_free(&reply);
	err = br_join_add("publisher", BR_JOIN_PUBLISHER_PORT, "publisher", error);
	if (!err)
		err = br_join_add("listener", BR_JOIN_LISTENER_PORT, "subscriber", error);
	if (!err) {
		err = -pthread_create(&publisher.thread, NULL, br_join_publish, &publisher);
		if (err)
			br_error_set(error, err, NULL, "cannot start the publisher");
	}
	if (!err) {
		err = br_join_all(joins, result, error);
		atomic_store(&publisher.stop, true);
		pthread_join(publisher.thread, NULL);
	}
	close(publisher.socket);
	return err;
}
