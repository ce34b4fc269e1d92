/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * Showing packets to the daemon: those that come from a leg with BR_LEG_CAPTURE, and the
 * copies that go to one. All others pay a test of that flag. Never in the way: what the
 * daemon's rings have no room for is lost to the capture, not to the receivers.
 *
 * What must be known at the end is kept in maps and not on the stack, where it would make
 * the verifier walk every path behind the test twice.
 */
#ifndef BR_CAPTURE_BPF_H
#define BR_CAPTURE_BPF_H

#include "count.bpf.h"
#include "parse.bpf.h"

static __always_inline struct br_captured *br_capturing(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&capturing, &zero);
}

/* The frame as it is now, behind what is said of it. */
static __always_inline void br_capture_emit(struct xdp_md *ctx, struct br_captured *shown,
					    __u32 reason)
{
	__u32 length = ctx->data_end - ctx->data;

	shown->reason = reason;
	shown->length = length > 0xffff ? 0xffff : length;
	shown->shown = length > BR_CAPTURE_MAX ? BR_CAPTURE_MAX : length;
	bpf_perf_event_output(ctx, &captured, BPF_F_CURRENT_CPU | (__u64)shown->shown << 32, shown,
			      sizeof(*shown));
}

__noinline int br_capture_keep_link(struct xdp_md *ctx, __u32 leg, __u32 l3_offset)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct br_captured *shown = br_capturing();

	if (!shown || data + BR_CAPTURE_LINK > end)
		return 0;
	shown->time_ns = bpf_ktime_get_ns();
	shown->leg = leg;
	shown->from = leg;
	shown->point = BR_CAPTURE_IN;
	shown->length = end - data;
	__builtin_memcpy(shown->link, data, BR_CAPTURE_LINK);
	shown->link_length = l3_offset;
	return 0;
}

/**
 * br_capture_in - a packet came in; nothing of it has been written yet
 * @leg: of the sender, or NULL
 *
 * The ticket will overwrite the Ethernet header and the tags will go, so both are kept.
 */
static __always_inline void br_capture_in(struct xdp_md *ctx, struct br_cpu *cpu,
					  const struct br_leg *leg, __u32 index, __u32 l3_offset)
{
	if (!leg || !(leg->flags & BR_LEG_CAPTURE))
		return;
	cpu->captured = 1;
	br_capture_keep_link(ctx, index, l3_offset);
}

/** br_capture_verdict - show a packet that has come in, once its fate is known */
__noinline int br_capture_verdict(struct xdp_md *ctx, struct br_cpu *cpu, __u32 reason)
{
	struct br_captured *shown = br_capturing();

	if (!cpu)
		return 0;
	cpu->captured = 0;
	if (!shown)
		return 0;
	/* A frame that still has its tags ended before the ticket: it is as it came. */
	if (shown->link_length > ETH_HLEN && shown->length == (__u16)(ctx->data_end - ctx->data))
		shown->link_length = 0;
	br_capture_emit(ctx, shown, reason);
	return 0;
}

#define BR_CAPTURE_TICKET (~0U) /* the sender is the one that the ticket names */

__noinline int br_capture_keep_legs(struct xdp_md *ctx, __u32 receiver, __u32 sender)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct br_captured *shown = br_capturing();
	struct br_ticket ticket;

	if (!shown || data + sizeof(ticket) > end)
		return 0;
	__builtin_memcpy(&ticket, data, sizeof(ticket));
	if (sender == BR_CAPTURE_TICKET)
		sender = ticket.leg_nonce & (BR_TICKET_INDEX_MAX - 1);
	shown->leg = receiver;
	shown->from = sender;
	return 0;
}

/**
 * br_capture_out - a copy is for this leg; nothing of it has been written yet
 * @leg: of the receiver, or NULL
 * @sender: index of the sender's, or BR_CAPTURE_TICKET
 */
static __always_inline void br_capture_out(struct xdp_md *ctx, struct br_cpu *cpu,
					   const struct br_leg *leg, __u32 index, __u32 sender)
{
	if (!leg || !(leg->flags & BR_LEG_CAPTURE))
		return;
	cpu->captured = 1;
	br_capture_keep_legs(ctx, index, sender);
}

/**
 * br_capture_copy - show a copy: as it goes out, or as it came to the stamp when dropped
 *
 * A dropped one may still have its ticket, which is nobody's address: zeros stand for it.
 */
__noinline int br_capture_copy(struct xdp_md *ctx, struct br_cpu *cpu, __u32 reason)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct br_captured *shown = br_capturing();

	if (!cpu)
		return 0;
	cpu->captured = 0;
	if (!shown || data + ETH_HLEN > end)
		return 0;
	shown->time_ns = bpf_ktime_get_ns();
	shown->point = BR_CAPTURE_OUT;
	shown->link_length = 0;
	__builtin_memset(shown->link, 0, sizeof(shown->link));
	if (reason && *(__u16 *)data == br_ticket_mark) {
		shown->link_length = ETH_HLEN;
		__builtin_memcpy(shown->link + 2 * ETH_ALEN, data + 2 * ETH_ALEN, sizeof(__be16));
	}
	br_capture_emit(ctx, shown, reason ? reason : BR_COPIED);
	return 0;
}

#endif
