// SPDX-License-Identifier: BSD-2-Clause
#include "lab/sender.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lab/batch.h"

/* Later than this, the schedule is put off: a burst to catch up would overflow what we measure. */
#define CATCH_UP_NS (20 * BR_NS_PER_MS)

/* Options that mean nothing: no-operation (RFC 791), padding (RFC 8200 section 4.2). */
static int set_ip_options(int fd, int family)
{
	static const uint8_t noops[4] = {1, 1, 1, 0};
	static const uint8_t padding[8] = {0, 0, 1, 4, 0, 0, 0, 0};
	int err = family == AF_INET
			  ? setsockopt(fd, IPPROTO_IP, IP_OPTIONS, noops, sizeof(noops))
			  : setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, padding, sizeof(padding));

	return err ? -errno : 0;
}

static int set_options(int fd, int family, const struct br_sender_options *options)
{
	int discover = options->fragment ? IP_PMTUDISC_DONT : IP_PMTUDISC_DO;
	int discover6 = options->fragment ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_DO;
	int tos = (int)options->tos;

	if (family == AF_INET) {
		if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover)) ||
		    setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)))
			return -errno;
	} else if (setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &discover6, sizeof(discover6)) ||
		   setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos))) {
		return -errno;
	}
	return options->ip_options ? set_ip_options(fd, family) : 0;
}

/* A connected socket; its port in host byte order goes to @local_port. */
static int open_socket(const struct br_sender_options *options, uint16_t port, uint16_t *local_port,
		       struct br_error *error)
{
	struct br_endpoint local = {.addr = options->from, .port = htons(port)};
	struct sockaddr_storage to, bound;
	socklen_t to_length = br_endpoint_to_sockaddr(&options->to, &to);
	socklen_t length = sizeof(bound);
	int err, fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return br_error_set(error, -errno, NULL, "cannot open a socket: %s",
				    strerror(errno));
	if (!local.addr.family)
		local.addr = br_addr_from_bytes(options->to.addr.family, &in6addr_any);
	length = br_endpoint_to_sockaddr(&local, &bound);
	if (bind(fd, (struct sockaddr *)&bound, length)) {
		err = br_error_set(error, -errno, port ? "--local-port" : "--from",
				   "cannot bind port %u: %s", port, strerror(errno));
		goto fail;
	}
	err = set_options(fd, to.ss_family, options);
	if (err) {
		br_error_set(error, err, NULL, "cannot set socket options: %s", strerror(-err));
		goto fail;
	}
	if (connect(fd, (struct sockaddr *)&to, to_length)) {
		err = br_error_set(error, -errno, "--to", "cannot connect: %s", strerror(errno));
		goto fail;
	}
	length = sizeof(bound);
	if (getsockname(fd, (struct sockaddr *)&bound, &length) ||
	    !br_endpoint_from_sockaddr(&bound, &local)) {
		err = br_error_set(error, -EPROTO, NULL, "cannot read the socket's address");
		goto fail;
	}
	*local_port = ntohs(local.port);
	return fd;
fail:
	close(fd);
	return err;
}

static void raise_file_limit(uint64_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int br_sender_open(struct br_sender *sender, const struct br_sender_options *options,
		   const struct br_seal *seal, struct br_error *error)
{
	memset(sender, 0, sizeof(*sender));
	sender->options = options;
	sender->seal = seal;
	sender->batch = br_batch_new();
	sender->publishers = calloc(options->publishers, sizeof(*sender->publishers));
	if (!sender->batch || !sender->publishers)
		return br_error_set(error, -ENOMEM, NULL, "out of memory");
	for (uint64_t i = 0; i < options->publishers; i++)
		sender->publishers[i].fd = -1;
	raise_file_limit(options->publishers + 64);
	for (uint64_t i = 0; i < options->publishers; i++) {
		struct br_publisher *publisher = &sender->publishers[i];
		uint16_t port = options->local_port ? (uint16_t)(options->local_port + i) : 0;
		int err;

		publisher->ssrc = (uint32_t)(options->ssrc + i);
		publisher->first = publisher->next = options->start_sequence;
		if (i && options->one_port) {
			publisher->fd = sender->publishers[0].fd;
			publisher->local_port = sender->publishers[0].local_port;
		} else {
			err = open_socket(options, port, &publisher->local_port, error);
			if (err < 0)
				return err;
			publisher->fd = err;
		}
		err = br_seal_open(seal, true, 128, &publisher->session);
		if (err)
			return br_error_set(error, err, "--suite", "libsrtp refuses the suite");
	}
	return 0;
}

void br_sender_close(struct br_sender *sender)
{
	for (uint64_t i = 0; sender->publishers && i < sender->options->publishers; i++) {
		struct br_publisher *publisher = &sender->publishers[i];

		if (publisher->fd >= 0 && !(i && sender->options->one_port))
			close(publisher->fd);
		if (publisher->session)
			srtp_dealloc(publisher->session);
	}
	free(sender->publishers);
	free(sender->batch);
	sender->publishers = NULL;
	sender->batch = NULL;
}

/* Nanoseconds from one turn to the next, a turn being a burst of one publisher. */
static double turn_ns(const struct br_sender_options *options)
{
	double rate = (double)options->rate;

	if (options->bitrate) {
		double bits = 0;

		for (size_t i = 0; i < options->sizes.count; i++)
			bits += 8.0 * options->sizes.bytes[i] / (double)options->sizes.count;
		rate = (double)options->bitrate / bits;
	}
	if (rate <= 0)
		return 0;
	return (double)BR_NS_PER_S * (double)options->burst / (rate * (double)options->publishers);
}

/* Wait for @ns or a signal to end; true after the signal. */
static bool wait_or_stop(const sigset_t *stop, uint64_t ns)
{
	struct timespec timeout = {(time_t)(ns / BR_NS_PER_S), (long)(ns % BR_NS_PER_S)};

	return sigtimedwait(stop, NULL, &timeout) > 0;
}

static int send_turn(struct br_sender *sender, struct br_publisher *publisher,
		     struct br_error *error)
{
	const struct br_sender_options *options = sender->options;
	uint64_t now = br_now_ns();
	int err;

	for (uint64_t i = 0; i < options->burst; i++) {
		if (options->count && publisher->next - publisher->first >= options->count)
			break;
		err = br_batch_rtp(sender, publisher, now, error);
		if (err)
			return err;
	}
	if (options->rtcp_ms && now >= publisher->rtcp_due_ns) {
		publisher->rtcp_due_ns = now + options->rtcp_ms * BR_NS_PER_MS;
		return br_batch_rtcp(sender, publisher, now, error);
	}
	return 0;
}

static void show_progress(const struct br_sender *sender, uint64_t now)
{
	fprintf(stderr, "source: %.0f s, %" PRIu64 " packets sent, %.0f packets/s\n",
		(double)(now - sender->started_ns) / 1e9, sender->sent,
		(double)sender->sent * 1e9 / (double)(now - sender->started_ns));
}

static int send_all(struct br_sender *sender, const sigset_t *stop, struct br_error *error)
{
	const struct br_sender_options *options = sender->options;
	uint64_t turns = options->count ? (options->count + options->burst - 1) / options->burst *
						  options->publishers
					: UINT64_MAX;
	uint64_t end_ns = options->duration_ms
				  ? sender->started_ns + options->duration_ms * BR_NS_PER_MS
				  : UINT64_MAX;
	double interval = turn_ns(options);
	struct br_progress progress;
	int err;

	br_progress_start(&progress, options->progress);
	for (uint64_t turn = 0; turn < turns; turn++) {
		uint64_t due = sender->started_ns + sender->behind_ns +
			       (uint64_t)((double)turn * interval);
		uint64_t now = br_now_ns();

		if (due >= end_ns || now >= end_ns)
			break;
		if (due > now) {
			err = br_batch_flush(sender, error);
			if (err)
				return err;
			sender->interrupted = wait_or_stop(stop, due - now);
		} else {
			if (interval > 0 && now - due > CATCH_UP_NS)
				sender->behind_ns += now - due;
			if (turn % 256 == 0)
				sender->interrupted = wait_or_stop(stop, 0);
		}
		if (sender->interrupted)
			break;
		if (br_progress_due(&progress, now))
			show_progress(sender, now);
		err = send_turn(sender, &sender->publishers[turn % options->publishers], error);
		if (err)
			return err;
	}
	return br_batch_flush(sender, error);
}

/* Packets that the relay sent back to a publisher: it must never do that with the own ones. */
static void count_returned(struct br_sender *sender)
{
	uint64_t sockets = sender->options->one_port ? 1 : sender->options->publishers;
	uint8_t byte;

	for (uint64_t i = 0; i < sockets; i++) {
		for (;;) {
			if (recv(sender->publishers[i].fd, &byte, 1, MSG_DONTWAIT) >= 0)
				sender->returned++;
			else if (errno == ECONNREFUSED || errno == EHOSTUNREACH)
				sender->refused++;
			else if (errno != EINTR)
				break;
		}
	}
}

int br_sender_run(struct br_sender *sender, struct br_error *error)
{
	sigset_t stop, before;
	int err;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, &before);
	prctl(PR_SET_TIMERSLACK, 1UL); /* the default of 50 us would spoil the pacing */
	sender->started_ns = br_now_ns();
	err = send_all(sender, &stop, error);
	sender->ended_ns = br_now_ns();
	if (!err && !sender->interrupted && sender->options->linger_ms)
		wait_or_stop(&stop, sender->options->linger_ms * BR_NS_PER_MS);
	count_returned(sender);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}
