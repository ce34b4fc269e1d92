// SPDX-License-Identifier: BSD-2-Clause
/* The junk subcommand: a flood of frames that are wrong, through a packet socket. */
#include "lab/junk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lab/flags.h"
#include "lab/lab.h"
#include "lab/run.h"

#define BATCH 64

struct flood {
	struct br_junk junk;
	const char *interface, *mac, *output;
	uint64_t duration_ms, rate, seed;
	bool json;
	int fd;
	uint64_t frames, bytes, refused;
	uint8_t data[BATCH][BR_JUNK_FRAME];
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH];
};

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

/* 0 or negative errno: a packet socket on the interface that sends only. */
static int open_interface(struct flood *flood)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	struct ifreq request = {0};

	to.sll_ifindex = (int)if_nametoindex(flood->interface);
	if (!to.sll_ifindex)
		return -errno;
	flood->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (flood->fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", flood->interface);
	if (bind(flood->fd, (struct sockaddr *)&to, sizeof(to)) ||
	    ioctl(flood->fd, SIOCGIFHWADDR, &request))
		return -errno;
	memcpy(flood->junk.from_mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	return 0;
}

/* What the interface takes of a batch; a full queue is no fault, and not counted as sent. */
static int send_batch(struct flood *flood, unsigned int count)
{
	unsigned int done = 0;

	while (done < count && !stopped) {
		int sent = sendmmsg(flood->fd, flood->messages + done, count - done, 0);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == ENOBUFS) {
			flood->refused++;
			done++;
			continue;
		}
		if (sent < 0)
			return -errno;
		for (int i = 0; i < sent; i++)
			flood->bytes += flood->iov[done + (unsigned int)i].iov_len;
		flood->frames += (uint64_t)sent;
		done += (unsigned int)sent;
	}
	return 0;
}

/* Frames that are due, at most a batch. */
static unsigned int due(const struct flood *flood, uint64_t elapsed_ns)
{
	uint64_t now = flood->frames + flood->refused, until;

	if (!flood->rate)
		return BATCH;
	until = elapsed_ns / 1000 * flood->rate / 1000000;
	return until <= now ? 0 : until - now > BATCH ? BATCH : (unsigned int)(until - now);
}

static int run(struct flood *flood)
{
	uint64_t start = br_now_ns(), elapsed;
	int err = 0;

	for (unsigned int i = 0; i < BATCH; i++) {
		flood->iov[i].iov_base = flood->data[i];
		flood->messages[i].msg_hdr.msg_iov = &flood->iov[i];
		flood->messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (!err && !stopped) {
		unsigned int count;

		elapsed = br_now_ns() - start;
		if (elapsed >= flood->duration_ms * BR_NS_PER_MS)
			break;
		count = due(flood, elapsed);
		if (!count) /* a pace, not an event to wait for */
			nanosleep(&(struct timespec){.tv_nsec = BR_NS_PER_MS}, NULL);
		for (unsigned int i = 0; i < count; i++)
			flood->iov[i].iov_len = br_junk_frame(&flood->junk, flood->data[i]);
		err = send_batch(flood, count);
	}
	return err;
}

static int result(const struct flood *flood)
{
	cJSON *json = cJSON_CreateObject();
	int err;

	cJSON_AddStringToObject(json, "kind", "junk");
	cJSON_AddNumberToObject(json, "frames", (double)flood->frames);
	cJSON_AddNumberToObject(json, "bytes", (double)flood->bytes);
	cJSON_AddNumberToObject(json, "refused", (double)flood->refused);
	if (!flood->json)
		printf("%" PRIu64 " frames, %" PRIu64 " bytes sent; %" PRIu64
		       " refused by the interface\n",
		       flood->frames, flood->bytes, flood->refused);
	err = br_json_output(json, flood->json, false, flood->output);
	cJSON_Delete(json);
	return err;
}

int br_lab_junk(int argc, char **argv)
{
	static struct flood flood = {.duration_ms = 10000, .seed = 1, .fd = -1};
	const struct br_flag flags[] = {
		{"--interface", BR_FLAG_TEXT, &flood.interface, 0, 0, "NAME", "where to send"},
		{"--to", BR_FLAG_ENDPOINT, &flood.junk.to, 0, 0, "ADDR:PORT", "of the relay"},
		{"--to-mac", BR_FLAG_TEXT, &flood.mac, 0, 0, "MAC",
		 "of the relay or the router before it"},
		{"--rate", BR_FLAG_RATE, &flood.rate, 1, 100000000, "PPS",
		 "frames/s; default max: unpaced"},
		{"--duration", BR_FLAG_SECONDS, &flood.duration_ms, 1, 86400000, "S", "default 10"},
		{"--seed", BR_FLAG_NUMBER, &flood.seed, 1, UINT32_MAX, "N",
		 "same seed, same frames; default 1"},
		{"-o", BR_FLAG_TEXT, &flood.output, 0, 0, "FILE", "write the result as JSON"},
		{"--json", BR_FLAG_SWITCH, &flood.json, 0, 0, NULL, "print JSON"},
	};
	const struct br_command command = {
		.name = "junk",
		.summary =
			"Flood a relay with frames that are wrong: random bytes, cut headers, bad\n"
			"lengths and classes, spoofed senders. Only for networks that are yours "
			"(root).",
		.examples = "  blindrelay-lab junk --interface veth0 --to 10.0.0.1:40000 \\\n"
			    "      --to-mac 02:00:00:00:00:01 --duration 5\n",
		.flags = flags,
		.flag_count = sizeof(flags) / sizeof(flags[0]),
	};
	const struct sigaction action = {.sa_handler = on_signal};
	int err, status = br_flags_parse(&command, argc, argv, &(int){0});

	if (status >= 0)
		return status;
	if (!flood.interface)
		return br_flags_fail(&command, "--interface", "expected the name of an interface");
	if (!flood.junk.to.addr.family)
		return br_flags_fail(&command, "--to", "expected the relay's address and port");
	if (!flood.mac || !ether_aton_r(flood.mac, (struct ether_addr *)flood.junk.to_mac))
		return br_flags_fail(&command, "--to-mac",
				     "expected an address as in 02:00:00:00:00:01");
	flood.junk.random = flood.seed * 0x9e3779b97f4a7c15u;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	err = open_interface(&flood);
	if (!err)
		err = run(&flood);
	if (!err)
		err = result(&flood);
	if (flood.fd >= 0)
		close(flood.fd);
	if (!err)
		return BR_LAB_OK;
	br_flags_fail(&command, "--interface", "cannot send on %s: %s", flood.interface,
		      strerror(-err));
	return BR_LAB_FAILED;
}
