// SPDX-License-Identifier: BSD-2-Clause
/* capture: a pcapng stream into a file or standard output, in whole blocks. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/pcapng.h"

#define BR_CAPTURE_PROGRESS_MS 500

struct br_capture_sink {
	int fd;
	const char *name; /* of the file, for messages */
	bool show;	  /* a line of progress */
	bool failed;	  /* writing did */
	uint64_t shown_ms;
	uint64_t packets, bytes;
	struct br_pcapng_statistics told; /* by the daemon, of the whole capture */
	uint8_t *data;			  /* the block that is not complete yet */
	size_t length, capacity;
};

static volatile sig_atomic_t br_capture_stop;

static void br_capture_on_signal(int number)
{
	(void)number;
	br_capture_stop = 1;
}

static uint64_t br_capture_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void br_capture_show(struct br_capture_sink *sink, const char *end)
{
	uint64_t dropped = sink->told.dropped + sink->told.os_dropped;
	char packets[BR_UNIT_TEXT], bytes[BR_UNIT_TEXT], lost[BR_UNIT_TEXT];

	fprintf(stderr, "%s%s packets, %s, %s lost%s", sink->show ? "\r\033[K" : "",
		br_unit_count((double)sink->packets, packets),
		br_unit_bytes((double)sink->bytes, bytes), br_unit_count((double)dropped, lost),
		end);
}

/* False after a message, or when the reader of a pipe wants no more. */
static bool br_capture_write(struct br_capture_sink *sink, const uint8_t *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(sink->fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno != EPIPE) {
			fprintf(stderr, "%sblindrelay: %s: %s\n", sink->show ? "\r\033[K" : "",
				sink->name, strerror(errno));
			sink->failed = true;
		}
		if (written < 0)
			return false;
		bytes += written;
		length -= (size_t)written;
		sink->bytes += (size_t)written;
	}
	return true;
}

static void br_capture_count(struct br_capture_sink *sink, const uint8_t *block, size_t length,
			     uint32_t type)
{
	struct br_pcapng_statistics statistics;

	if (type == BR_PCAPNG_PACKET)
		sink->packets++;
	/* interface 0 is the room: its figures are those of the whole capture */
	if (type == BR_PCAPNG_STATISTICS &&
	    !br_pcapng_read_statistics(block, length, &statistics) && !statistics.interface)
		sink->told = statistics;
}

/* Write what is complete; @used: bytes of it. False: an error, or no more is wanted. */
static bool br_capture_blocks(struct br_capture_sink *sink, const uint8_t *data, size_t length,
			      size_t *used)
{
	uint32_t type;
	long block;

	*used = 0;
	while ((block = br_pcapng_block(data + *used, length - *used, &type)) > 0 &&
	       (size_t)block <= length - *used) {
		br_capture_count(sink, data + *used, (size_t)block, type);
		*used += (size_t)block;
	}
	if (block < 0) {
		fprintf(stderr, "blindrelay: what the daemon sends is no pcapng\n");
		sink->failed = true;
		return false;
	}
	return br_capture_write(sink, data, *used);
}

static bool br_capture_keep(struct br_capture_sink *sink, const uint8_t *bytes, size_t length)
{
	if (sink->capacity - sink->length < length) {
		size_t capacity = 2 * (sink->length + length);
		uint8_t *data = realloc(sink->data, capacity);

		if (!data) {
			fprintf(stderr, "blindrelay: out of memory\n");
			sink->failed = true;
			return false;
		}
		sink->data = data;
		sink->capacity = capacity;
	}
	memcpy(sink->data + sink->length, bytes, length);
	sink->length += length;
	return true;
}

static bool br_capture_take(void *context, const void *bytes, size_t length)
{
	struct br_capture_sink *sink = context;
	size_t used;

	if (!br_capture_keep(sink, bytes, length) ||
	    !br_capture_blocks(sink, sink->data, sink->length, &used))
		return false;
	sink->length -= used;
	memmove(sink->data, sink->data + used, sink->length);
	return true;
}

static bool br_capture_go_on(void *context)
{
	struct br_capture_sink *sink = context;
	uint64_t now_ms = br_capture_now_ms();

	if (sink->show && now_ms - sink->shown_ms >= BR_CAPTURE_PROGRESS_MS) {
		br_capture_show(sink, "");
		sink->shown_ms = now_ms;
	}
	return !br_capture_stop;
}

/*
 * When it was us who ended it, what the daemon told last is up to a second old: the file has
 * these packets.
 */
static void br_capture_tell(struct br_capture_sink *sink)
{
	struct br_pcapng_statistics *told = &sink->told;
	struct timespec now;
	uint8_t block[256];

	if (!told->begin_ns || told->delivered == sink->packets)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	told->time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	told->delivered = sink->packets;
	told->received = told->delivered + told->dropped + told->os_dropped;
	br_capture_write(sink, block, br_pcapng_statistics(block, sizeof(block), told));
}

/* Where it goes to; false after a message. */
static bool br_capture_open(const struct br_ctl_args *args, struct br_capture_sink *sink)
{
	int exclusive = args->force ? O_TRUNC : O_EXCL;

	sink->show = isatty(STDERR_FILENO);
	if (!args->output || !strcmp(args->output, "-")) {
		sink->fd = STDOUT_FILENO;
		sink->name = "standard output";
		if (!isatty(STDOUT_FILENO))
			return true;
		fprintf(stderr, "blindrelay capture: --output: expected a file, or a pipe to a "
				"program that reads pcapng; this is a terminal\n");
		return false;
	}
	sink->name = args->output;
	sink->fd =
		open(args->output, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | exclusive, 0600);
	if (sink->fd >= 0)
		return true;
	fprintf(stderr, "blindrelay capture: --output: %s: %s%s\n", args->output, strerror(errno),
		errno == EEXIST ? "; --force overwrites it" : "");
	return false;
}

static void br_capture_path(const struct br_ctl_args *args, char *out, size_t size)
{
	char *leg = args->leg ? curl_easy_escape(NULL, args->leg, 0) : NULL;
	size_t used;

	br_ctl_path(out, size, args->room, "/capture?", NULL);
	used = strlen(out);
	if (leg)
		used += (size_t)snprintf(out + used, size - used, "leg=%s&", leg);
	curl_free(leg);
	if (args->count && used < size)
		used += (size_t)snprintf(out + used, size - used, "count=%u&", args->count);
	if (args->duration && used < size)
		used += (size_t)snprintf(out + used, size - used, "duration=%u&", args->duration);
	if (args->snaplen && used < size)
		used += (size_t)snprintf(out + used, size - used, "snaplen=%u&", args->snaplen);
	out[used < size ? used - 1 : size - 1] = '\0'; /* '?' or '&' */
}

int br_ctl_capture(const struct br_ctl_args *args)
{
	struct br_capture_sink sink = {0};
	const struct br_ctl_sink stream = {br_capture_take, br_capture_go_on, &sink};
	struct sigaction action = {.sa_handler = br_capture_on_signal};
	char path[2048];
	int result;

	if (!br_capture_open(args, &sink))
		return BR_CTL_USAGE;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	br_capture_path(args, path, sizeof(path));
	result = br_ctl_stream(args, path, &stream);
	if (br_capture_stop && !sink.failed)
		br_capture_tell(&sink);
	if (sink.fd != STDOUT_FILENO && close(sink.fd)) {
		fprintf(stderr, "blindrelay: %s: %s\n", sink.name, strerror(errno));
		sink.failed = true;
	}
	/* nothing came: no empty file where there was none */
	if (!sink.bytes && sink.fd != STDOUT_FILENO && !args->force)
		unlink(args->output);
	else if (sink.bytes)
		br_capture_show(&sink, "\n");
	free(sink.data);
	return sink.failed ? BR_CTL_FAILED : result;
}
