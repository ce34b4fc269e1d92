// SPDX-License-Identifier: BSD-2-Clause
/* From counters to rates. */
#include "control/sampler.h"

double br_counts_rate(uint64_t now, uint64_t before, uint64_t ns)
{
	uint64_t events = now >= before ? now - before : now;

	return ns ? (double)events * 1e9 / (double)ns : 0;
}

struct br_rates br_rates_between(const struct br_counts *now, const struct br_counts *before,
				 uint64_t ns)
{
	return (struct br_rates){
		.rx_packets = br_counts_rate(now->rx_packets, before->rx_packets, ns),
		.rx_bits = 8 * br_counts_rate(now->rx_bytes, before->rx_bytes, ns),
		.tx_packets = br_counts_rate(now->tx_packets, before->tx_packets, ns),
		.tx_bits = 8 * br_counts_rate(now->tx_bytes, before->tx_bytes, ns),
		.dropped = br_counts_rate(now->rx_dropped, before->rx_dropped, ns) +
			   br_counts_rate(now->tx_dropped, before->tx_dropped, ns),
	};
}

void br_counts_add(struct br_counts *sum, const struct br_counts *more)
{
	sum->rx_packets += more->rx_packets;
	sum->rx_bytes += more->rx_bytes;
	sum->tx_packets += more->tx_packets;
	sum->tx_bytes += more->tx_bytes;
	sum->rx_dropped += more->rx_dropped;
	sum->tx_dropped += more->tx_dropped;
}

void br_rates_add(struct br_rates *sum, const struct br_rates *more)
{
	sum->rx_packets += more->rx_packets;
	sum->rx_bits += more->rx_bits;
	sum->tx_packets += more->tx_packets;
	sum->tx_bits += more->tx_bits;
	sum->dropped += more->dropped;
}
