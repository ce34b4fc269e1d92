// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
/*
 * Counterparts of the packet path for measuring: a generator for live frames, sinks, and
 * the bare operations that the relay is compared with.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include <blindrelay/bench.h>

/* Looks at the clock while a frame waits for its time; some 25 ns each. */
#define BR_BENCH_WAITS (1u << 22)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_bench_headers);
} headers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_bench_cpu);
} cpus SEC(".maps");

struct br_bench_copier {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct br_bench_copier);
} copier SEC(".maps");

const volatile __u32 br_wire;	/* interface whose peer is that of the one measured */
const volatile __u32 br_clones; /* copies that `clone` makes */

static __always_inline struct br_bench_cpu *br_bench_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

static long br_bench_wait_more(__u32 index, void *context)
{
	const __u64 *due_ns = context;

	(void)index;
	return bpf_ktime_get_ns() >= *due_ns;
}

static __always_inline void br_bench_pace(struct br_bench_cpu *cpu)
{
	__u64 due_ns; /* on the stack: the verifier wants it there */

	if (!cpu->sent)
		cpu->started_ns = cpu->due_ns = bpf_ktime_get_ns();
	cpu->sent++;
	if (!cpu->gap_ns)
		return;
	due_ns = cpu->due_ns;
	bpf_loop(BR_BENCH_WAITS, br_bench_wait_more, &due_ns, 0);
	cpu->due_ns = due_ns + cpu->gap_ns;
}

/* Live frames keep what was written into them the last time: write the headers each time. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct br_bench_headers *from;
	struct br_bench_cpu *cpu = br_bench_cpu();
	__u32 sender;

	if (!cpu || data + BR_BENCH_HEADERS > end)
		return XDP_ABORTED;
	sender = cpu->first + cpu->next;
	cpu->next = cpu->next + 1 < cpu->senders ? cpu->next + 1 : 0;
	from = bpf_map_lookup_elem(&headers, &sender);
	if (!from)
		return XDP_ABORTED;
	br_bench_pace(cpu);
	__builtin_memcpy(data, from->bytes, BR_BENCH_HEADERS);
	return bpf_redirect(br_wire, 0);
}

static __always_inline void br_bench_take(__u32 length)
{
	struct br_bench_cpu *cpu = br_bench_cpu();

	if (!cpu || length <= BR_BENCH_NOISE)
		return;
	if (++cpu->arrived % BR_BENCH_CLOCK_EVERY)
		return;
	cpu->seen_ns = bpf_ktime_get_ns();
	cpu->seen_arrived = cpu->arrived;
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	br_bench_take(ctx->data_end - ctx->data);
	return XDP_DROP;
}

/* For packets of a socket: native XDP would copy each of them into a page of its own first. */
SEC("tc")
int sink_packets(struct __sk_buff *packet)
{
	br_bench_take(packet->len);
	return TC_ACT_SHOT;
}

/* The bare operations: copies without a stamp, or for one receiver a plain redirect, ... */
SEC("xdp")
int clone(struct xdp_md *ctx)
{
	__u32 zero = 0;
	void *map = bpf_map_lookup_elem(&copier, &zero);

	(void)ctx;
	if (!map)
		return XDP_ABORTED;
	return bpf_redirect_map(map, 0, br_clones > 1 ? BPF_F_BROADCAST : 0);
}

/* ... or back out of the same interface. */
SEC("xdp")
int bounce(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
