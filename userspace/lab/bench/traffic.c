// SPDX-License-Identifier: BSD-2-Clause
#include "traffic.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"
#include "net.h"
#include "traffic_private.h"

int br_traffic_open(const struct br_traffic_options *options, struct br_traffic **out,
		    struct br_error *error)
{
	struct br_traffic *traffic = calloc(1, sizeof(*traffic));
	int err;

	if (!traffic)
		return br_error_set(error, -ENOMEM, NULL, "no memory");
	traffic->options = *options;
	for (size_t i = 0; i < BR_TRAFFIC_SINKS; i++)
		traffic->sinks[i] = -1;
	traffic->cpus = libbpf_num_possible_cpus();
	traffic->each = calloc((size_t)traffic->cpus, sizeof(*traffic->each));
	traffic->bpf = bench_bpf__open();
	if (!traffic->bpf || !traffic->each) {
		br_traffic_close(traffic);
		return br_error_set(error, -ENOMEM, NULL, "cannot open the benchmark's programs");
	}
	bpf_map__set_max_entries(traffic->bpf->maps.headers, options->senders);
	traffic->bpf->rodata->br_wire = options->wire;
	traffic->bpf->rodata->br_clones = options->clones;
	err = bench_bpf__load(traffic->bpf);
	if (err) {
		br_traffic_close(traffic);
		return br_error_set(error, err, NULL, "cannot load the benchmark's programs: %s",
				    strerror(-err));
	}
	*out = traffic;
	return 0;
}

void br_traffic_close(struct br_traffic *traffic)
{
	if (!traffic)
		return;
	for (size_t i = 0; i < BR_TRAFFIC_SINKS; i++)
		if (traffic->sinks[i] >= 0)
			close(traffic->sinks[i]);
	bench_bpf__destroy(traffic->bpf);
	free(traffic->each);
	free(traffic);
}

struct bench_bpf *br_traffic_programs(struct br_traffic *traffic)
{
	return traffic->bpf;
}

int br_traffic_header(struct br_traffic *traffic, uint32_t sender,
		      const uint8_t bytes[static BR_BENCH_HEADERS])
{
	return bpf_map_update_elem(bpf_map__fd(traffic->bpf->maps.headers), &sender, bytes, BPF_ANY)
		       ? -errno
		       : 0;
}

void br_traffic_set_length(struct br_traffic *traffic, uint32_t length)
{
	traffic->options.length = length;
}

int br_traffic_attach(const struct bpf_program *program, uint32_t ifindex, bool generic)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(bpf_program__fd(program), (int)ifindex, BPF_XDP, &options);

	return fd < 0 ? -errno : fd;
}

int br_traffic_sink(struct br_traffic *traffic, uint32_t ifindex, struct br_error *error)
{
	for (size_t i = 0; i < BR_TRAFFIC_SINKS; i++) {
		int link;

		if (traffic->sinks[i] >= 0)
			continue;
		link = br_traffic_attach(traffic->bpf->progs.sink, ifindex, false);
		if (link < 0)
			return br_error_set(error, link, NULL, "cannot attach the sink: %s",
					    strerror(-link));
		traffic->sinks[i] = link;
		return 0;
	}
	return br_error_set(error, -ENOSPC, NULL, "too many sinks");
}

int br_traffic_sink_packets(struct br_traffic *traffic, uint32_t ifindex, struct br_error *error)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options,
		    .prog_fd = bpf_program__fd(traffic->bpf->progs.sink_packets));
	int err = bpf_tc_hook_create(&hook);

	if (!err || err == -EEXIST)
		err = bpf_tc_attach(&hook, &options);
	return err ? br_error_set(error, err, NULL, "cannot attach the sink with tc: %s",
				  strerror(-err))
		   : 0;
}
