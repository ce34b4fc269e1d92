// SPDX-License-Identifier: BSD-2-Clause
#include "lab/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLAB_PACKETS 64u
#define SLAB_BYTES   9216u /* of one packet; longer ones count as not RTP */
#define EVENTS	     64
#define TURNS	     16 /* calls of recvmmsg for one socket before the next one has its turn */

struct br_slab {
	struct mmsghdr messages[SLAB_PACKETS];
	struct iovec parts[SLAB_PACKETS];
	struct sockaddr_storage from[SLAB_PACKETS];
	uint8_t packets[SLAB_PACKETS][SLAB_BYTES] __attribute__((aligned(8)));
};

static struct br_slab *slab_new(void)
{
	struct br_slab *slab = calloc(1, sizeof(*slab));

	for (unsigned int i = 0; slab && i < SLAB_PACKETS; i++) {
		slab->parts[i].iov_base = slab->packets[i];
		slab->parts[i].iov_len = SLAB_BYTES;
		slab->messages[i].msg_hdr.msg_iov = &slab->parts[i];
		slab->messages[i].msg_hdr.msg_iovlen = 1;
		slab->messages[i].msg_hdr.msg_name = &slab->from[i];
	}
	return slab;
}

static int watch(const struct br_sink *sink, int fd, uint64_t tag)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};

	return epoll_ctl(sink->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_signals(void)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	return signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void raise_file_limit(uint64_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* All sockets are bound: whoever waits for that may send now. */
static int say_ready(const struct br_sink *sink, struct br_error *error)
{
	if (sink->json_lines) {
		printf("{\"event\":\"ready\",\"receivers\":%" PRIu64 ",\"port\":%u}\n",
		       sink->receivers, ntohs(sink->bind.port));
		if (fflush(stdout))
			return br_error_set(error, -errno, "--json-lines", "cannot write: %s",
					    strerror(errno));
	}
	if (sink->ready_fd == BR_SEAL_NO_FD)
		return 0;
	if (write((int)sink->ready_fd, "ready\n", 6) != 6)
		return br_error_set(error, -errno, "--ready-fd",
				    "cannot write to descriptor %d: %s", (int)sink->ready_fd,
				    strerror(errno));
	close((int)sink->ready_fd);
	return 0;
}

int br_sink_open(struct br_sink *sink, struct br_error *error)
{
	struct br_endpoint endpoint = sink->bind;
	int err = 0;

	sink->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sink->signal_fd = open_signals();
	if (sink->epoll_fd < 0 || sink->signal_fd < 0)
		return br_error_set(error, -errno, NULL, "cannot watch sockets: %s",
				    strerror(errno));
	sink->slab = slab_new();
	sink->list = calloc(sink->receivers, sizeof(*sink->list));
	if (!sink->slab || !sink->list)
		return br_error_set(error, -ENOMEM, NULL, "out of memory");
	for (uint64_t i = 0; i < sink->receivers; i++)
		sink->list[i].fd = -1;
	raise_file_limit(sink->receivers + 64);
	for (uint64_t i = 0; i < sink->receivers && !err; i++) {
		endpoint.port = htons((uint16_t)(ntohs(sink->bind.port) + i));
		err = br_receiver_open(&sink->list[i], &sink->rules, &endpoint, sink->buffer,
				       error);
		if (!err)
			err = watch(sink, sink->list[i].fd, i);
	}
	if (!err)
		err = watch(sink, sink->signal_fd, UINT64_MAX);
	return err ? err : say_ready(sink, error);
}

void br_sink_close(struct br_sink *sink)
{
	for (uint64_t i = 0; sink->list && i < sink->receivers; i++)
		br_receiver_close(&sink->list[i]);
	free(sink->list);
	free(sink->slab);
	if (sink->signal_fd >= 0)
		close(sink->signal_fd);
	if (sink->epoll_fd >= 0)
		close(sink->epoll_fd);
}

/* Read what waits at one receiver; 0 or negative errno. */
static int drain(struct br_sink *sink, struct br_receiver *receiver)
{
	bool was_satisfied = sink->expect && receiver->unique >= sink->expect;
	struct br_slab *slab = sink->slab;

	for (int turn = 0; turn < TURNS; turn++) {
		int got;

		for (unsigned int i = 0; i < SLAB_PACKETS; i++)
			slab->messages[i].msg_hdr.msg_namelen = sizeof(slab->from[i]);
		got = recvmmsg(receiver->fd, slab->messages, SLAB_PACKETS, MSG_DONTWAIT, NULL);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (got < 0)
			return -errno;
		sink->last_ns = br_now_ns();
		if (!sink->first_ns)
			sink->first_ns = sink->last_ns;
		for (int i = 0; i < got; i++) {
			struct msghdr *header = &slab->messages[i].msg_hdr;
			size_t length =
				header->msg_flags & MSG_TRUNC ? 0 : slab->messages[i].msg_len;
			int err = br_receiver_packet(receiver, &sink->rules, slab->packets[i],
						     length, &slab->from[i], sink->last_ns);

			if (err)
				return err;
		}
		if (got < (int)SLAB_PACKETS)
			break;
	}
	if (!was_satisfied && sink->expect && receiver->unique >= sink->expect)
		sink->satisfied++;
	return 0;
}

static void show_progress(const struct br_sink *sink, uint64_t now)
{
	uint64_t received = 0;

	for (uint64_t i = 0; i < sink->receivers; i++)
		received += sink->list[i].unique;
	fprintf(stderr, "sink: %.0f s, %" PRIu64 " packets received by %" PRIu64 " receivers\n",
		(double)(now - sink->started_ns) / 1e9, received, sink->receivers);
}

/* When the run ends by time; says why. UINT64_MAX: not by time. */
static uint64_t deadline(const struct br_sink *sink, const char **why)
{
	uint64_t end = UINT64_MAX;

	if (sink->duration_ms) {
		end = sink->started_ns + sink->duration_ms * BR_NS_PER_MS;
		*why = "duration";
	}
	if (sink->idle_ms && sink->last_ns && sink->last_ns + sink->idle_ms * BR_NS_PER_MS < end) {
		end = sink->last_ns + sink->idle_ms * BR_NS_PER_MS;
		*why = "idle";
	}
	return end;
}

static int wait_ms(const struct br_sink *sink, const struct br_progress *progress, uint64_t now,
		   uint64_t end)
{
	uint64_t until = end;

	if (progress->on && progress->next_ns < until)
		until = progress->next_ns;
	if (until == UINT64_MAX || sink->end)
		return -1;
	if (until <= now)
		return 0;
	until = (until - now + BR_NS_PER_MS - 1) / BR_NS_PER_MS;
	return until > 3600000 ? 3600000 : (int)until;
}

/* Handle what epoll reported; 0 or negative errno. */
static int take_events(struct br_sink *sink, const struct epoll_event *events, int count)
{
	for (int i = 0; i < count; i++) {
		int err;

		if (events[i].data.u64 == UINT64_MAX) {
			sink->end = "signal";
			continue;
		}
		err = drain(sink, &sink->list[events[i].data.u64]);
		if (err)
			return err;
	}
	if (sink->expect && sink->satisfied == sink->receivers && !sink->end)
		sink->end = "expect";
	return 0;
}

int br_sink_run(struct br_sink *sink, struct br_error *error)
{
	struct epoll_event events[EVENTS];
	struct br_progress progress;
	int err = 0;

	sink->started_ns = br_now_ns();
	br_progress_start(&progress, sink->progress);
	while (!sink->end) {
		const char *why = "";
		uint64_t now = br_now_ns(), end = deadline(sink, &why);
		int count;

		if (br_progress_due(&progress, now))
			show_progress(sink, now);
		count = epoll_wait(sink->epoll_fd, events, EVENTS,
				   wait_ms(sink, &progress, now, end));
		if (count < 0 && errno != EINTR)
			return br_error_set(error, -errno, NULL, "epoll: %s", strerror(errno));
		err = take_events(sink, events, count);
		if (err)
			return br_error_set(error, err, NULL, "cannot receive: %s", strerror(-err));
		/* A packet taken just now has ended the idle time that was counted before. */
		if (!sink->end && br_now_ns() >= end && (!count || !strcmp(why, "duration")))
			sink->end = why;
	}
	/* --expect must not hide duplicates that have arrived already. */
	for (uint64_t i = 0; i < sink->receivers && !err; i++) {
		err = drain(sink, &sink->list[i]);
		br_receiver_drops(&sink->list[i]);
	}
	sink->ended_ns = br_now_ns();
	return err ? br_error_set(error, err, NULL, "cannot receive: %s", strerror(-err)) : 0;
}
