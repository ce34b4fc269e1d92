// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rates of a leg for what the daemon forwards itself: the same buckets as in
 * bpf/police.bpf.h, in the memory that the kernel takes from at the same time.
 */
#include "plane/plane_private.h"

static bool br_police_take(__u64 *due_ns, uint64_t cost_ns, uint64_t now_ns, uint64_t latest_ns)
{
	__u64 due = __atomic_load_n(due_ns, __ATOMIC_RELAXED);

	if (due > latest_ns)
		return false;
	if (due < now_ns) /* where that fails, the kernel did it */
		__atomic_compare_exchange_n(due_ns, &due, now_ns, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
	if (__atomic_fetch_add(due_ns, cost_ns, __ATOMIC_RELAXED) <= latest_ns)
		return true;
	__atomic_fetch_sub(due_ns, cost_ns, __ATOMIC_RELAXED);
	return false;
}

/* Does a packet of @bytes (of IP) keep within the rates of its leg? What does not costs nothing. */
bool br_plane_police(struct br_plane *plane, uint32_t index, uint64_t bytes)
{
	const struct br_leg *leg = &plane->leg_table[index];
	struct br_leg_state *state = &plane->state_table[index];
	uint64_t now_ns, latest_ns;

	if (!leg->packet_ns && !leg->kibibyte_ns)
		return true;
	now_ns = br_now_ns();
	latest_ns = now_ns + plane->options.burst_ms * BR_MS_NS;
	if (leg->packet_ns &&
	    !br_police_take(&state->packets_due_ns, leg->packet_ns, now_ns, latest_ns))
		return false;
	if (!leg->kibibyte_ns || br_police_take(&state->bytes_due_ns,
						leg->kibibyte_ns * bytes / 1024, now_ns, latest_ns))
		return true;
	if (leg->packet_ns)
		__atomic_fetch_sub(&state->packets_due_ns, leg->packet_ns, __ATOMIC_RELAXED);
	return false;
}
