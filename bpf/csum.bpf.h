/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * Internet checksums (RFC 1071), updated incrementally (RFC 1624): a packet that arrived
 * damaged stays recognisably damaged.
 */
#ifndef BR_CSUM_BPF_H
#define BR_CSUM_BPF_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* Fold a sum of 16- and 32-bit words into 16 bits. */
static __always_inline __u16 br_csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static __always_inline __u64 br_csum_words(const __be32 *words, int count)
{
	__u64 sum = 0;

#pragma unroll
	for (int i = 0; i < count; i++)
		sum += words[i];
	return sum;
}

/* RFC 1624 equation 3: HC' = ~(~HC + ~m + m'). */
static __always_inline __sum16 br_csum_replace(__sum16 check, __u16 old_sum, __u64 new_sum)
{
	__u64 sum = (__u16)~check;

	sum += (__u16)~old_sum;
	sum += new_sum;
	return ~br_csum_fold(sum);
}

#endif
