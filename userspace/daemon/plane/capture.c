// SPDX-License-Identifier: BSD-2-Clause
/*
 * Capture: packets of flagged legs, copied by the kernel into rings that exist only while
 * somebody captures.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <string.h>

#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "relay.skel.h"

/* Pages of the ring of each CPU, a power of two: 2 MiB, some 1 500 packets of 1200 bytes. */
#define BR_CAPTURE_PAGES 512
/* Bytes in a ring that wake us; what is less waits for the caller's timer. */
#define BR_CAPTURE_WATERMARK (256 * 1024)

/* PERF_RECORD_SAMPLE with PERF_SAMPLE_RAW only; size includes padding. */
struct br_capture_sample {
	struct perf_event_header header;
	__u32 size;
	uint8_t data[];
} __attribute__((packed));

struct br_capture_lost {
	struct perf_event_header header;
	__u64 id;
	__u64 lost;
};

static int br_capture_action(const struct br_captured *captured)
{
	switch (br_reason_verdict((enum br_reason)captured->reason)) {
	case BR_VERDICT_DROP:
		return XDP_DROP;
	case BR_VERDICT_PASS:
		return XDP_PASS;
	case BR_VERDICT_SENT:
		break;
	}
	/* the stamp lets a copy pass to the device that it was redirected to */
	return captured->point == BR_CAPTURE_IN ? XDP_REDIRECT : XDP_PASS;
}

static void br_capture_packet(struct br_plane *plane, const struct br_capture_sample *sample)
{
	struct br_captured captured;
	struct br_capture_packet packet;

	if (sample->size < sizeof(captured))
		return;
	memcpy(&captured, sample->data, sizeof(captured));
	if (captured.shown > sample->size - sizeof(captured) ||
	    captured.link_length > BR_CAPTURE_LINK || captured.reason >= BR_REASON_COUNT)
		return;
	packet = (struct br_capture_packet){
		.time_ns = captured.time_ns,
		.leg = captured.leg,
		.from = captured.from,
		.reason = (enum br_reason)captured.reason,
		.point = (enum br_capture_point)captured.point,
		.action = br_capture_action(&captured),
		.link_length = captured.link_length,
		.frame = sample->data + sizeof(captured),
		.shown = captured.shown,
		.length = captured.length,
	};
	memcpy(packet.link, captured.link, sizeof(packet.link));
	/* the link header stands for the first 14 bytes of the frame */
	if (captured.link_length) {
		if (packet.shown < BR_CAPTURE_ETHERNET)
			return;
		packet.frame += BR_CAPTURE_ETHERNET;
		packet.shown -= BR_CAPTURE_ETHERNET;
		packet.length += captured.link_length - BR_CAPTURE_ETHERNET;
	}
	plane->capture.events.packet(plane->capture.events.context, &packet);
}

static enum bpf_perf_event_ret br_capture_record(void *context, int cpu,
						 struct perf_event_header *header)
{
	struct br_plane *plane = context;
	const struct br_capture_lost *lost = (const void *)header;

	(void)cpu;
	if (header->type == PERF_RECORD_SAMPLE)
		br_capture_packet(plane, (const void *)header);
	else if (header->type == PERF_RECORD_LOST)
		plane->capture.events.lost(plane->capture.events.context, lost->lost);
	return LIBBPF_PERF_EVENT_CONT;
}

int br_plane_capture_open(struct br_plane *plane, const struct br_capture_events *events,
			  struct br_error *error)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.watermark = 1,
		.wakeup_watermark = BR_CAPTURE_WATERMARK,
	};

	if (plane->capture.buffer)
		return br_error_set(error, -EBUSY, NULL, "the rings are open already");
	plane->capture.events = *events;
	plane->capture.buffer =
		perf_buffer__new_raw(bpf_map__fd(plane->bpf->maps.captured), BR_CAPTURE_PAGES,
				     &attr, br_capture_record, plane, NULL);
	if (!plane->capture.buffer)
		return br_error_set(error, -errno, NULL,
				    "the kernel gives no rings for a capture: %s", strerror(errno));
	return 0;
}

void br_plane_capture_close(struct br_plane *plane)
{
	if (!plane->capture.buffer)
		return;
	for (uint32_t leg = 0; leg < plane->options.max_legs; leg++)
		while (plane->legs[leg].captures)
			br_plane_capture_leg(plane, leg, false);
	perf_buffer__free(plane->capture.buffer);
	plane->capture.buffer = NULL;
}

int br_plane_capture_fd(const struct br_plane *plane)
{
	return plane->capture.buffer ? perf_buffer__epoll_fd(plane->capture.buffer) : -1;
}

void br_plane_capture_drain(struct br_plane *plane)
{
	/* each ring up to where its writer stood when we began with it, so this ends */
	if (plane->capture.buffer)
		perf_buffer__consume(plane->capture.buffer);
}

void br_plane_capture_leg(struct br_plane *plane, uint32_t index, bool on)
{
	struct br_plane_leg *leg = &plane->legs[index];

	if (index >= plane->options.max_legs || !leg->used || (!on && !leg->captures))
		return;
	leg->captures += on ? 1 : -1;
	if (leg->captures)
		__atomic_or_fetch(&plane->leg_table[index].flags, BR_LEG_CAPTURE, __ATOMIC_RELEASE);
	else
		br_plane_capture_forget(plane, index);
}

bool br_plane_captured(const struct br_plane *plane, uint32_t index)
{
	return index < plane->options.max_legs && plane->legs[index].captures;
}

void br_plane_capture_show(struct br_plane *plane, struct br_capture_packet *packet)
{
	/* XDP let all of them pass, to us or not at all */
	packet->action = br_reason_verdict(packet->reason) == BR_VERDICT_DROP ? XDP_DROP : XDP_PASS;
	if (plane->capture.buffer)
		plane->capture.events.packet(plane->capture.events.context, packet);
}

/* Whoever set the flag is gone. */
void br_plane_capture_forget(struct br_plane *plane, uint32_t index)
{
	__atomic_and_fetch(&plane->leg_table[index].flags, (__u8)~BR_LEG_CAPTURE, __ATOMIC_RELEASE);
}
