// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
/*
 * Counterparts of the packet path for measuring: a generator for live frames, a sink, and
 * the bare operations that the relay is compared with.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define BR_BENCH_HEADERS 80 /* Ethernet, IPv6, UDP, RTP; the longest, rounded up */

#define BR_BENCH_NOISE 160 /* bytes; media frames here are longer */

struct br_bench_headers {
	__u8 bytes[BR_BENCH_HEADERS];
};

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
	__type(value, __u32);
} turn SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} arrived SEC(".maps");

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

const volatile __u32 br_senders; /* entries of headers in use */
const volatile __u32 br_wire;	 /* interface whose peer is the relay's */
const volatile __u32 br_clones;	 /* copies that `clone` makes */

/* Live frames keep what was written into them the last time: write the headers each time. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct br_bench_headers *from;
	__u32 zero = 0, sender;
	__u32 *next = bpf_map_lookup_elem(&turn, &zero);

	if (!next || data + BR_BENCH_HEADERS > end)
		return XDP_ABORTED;
	sender = *next;
	*next = sender + 1 < br_senders ? sender + 1 : 0;
	from = bpf_map_lookup_elem(&headers, &sender);
	if (!from)
		return XDP_ABORTED;
	__builtin_memcpy(data, from->bytes, BR_BENCH_HEADERS);
	return bpf_redirect(br_wire, 0);
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&arrived, &zero);

	/* shorter frames are the stack's own, such as neighbour discovery */
	if (count && ctx->data_end - ctx->data > BR_BENCH_NOISE)
		(*count)++;
	return XDP_DROP;
}

/* The bare operation: copies without a stamp, or for one receiver a plain redirect. */
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

char LICENSE[] SEC("license") = "Dual BSD/GPL";
