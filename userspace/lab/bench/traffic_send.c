// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sending. Some 20 ms of every call go into the set-up of live frames, so time is counted in
 * the kernel: from the first frame that the generator writes to the last copy that a sink saw.
 */
#include "traffic_private.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"
#include "net.h"

#define BR_TRAFFIC_FRAME_MAX 2048u
#define BR_TRAFFIC_BATCH_MAX 64u
/* Nothing more has come for so long: the rings are empty. */
#define BR_TRAFFIC_QUIET_MS 3u

static int own[BR_BENCH_CPUS_MAX] = {-1, -1};

int br_traffic_begin(void)
{
	cpu_set_t allowed;
	int cpu = sched_getcpu(), count = 0;

	if (cpu < 0 || sched_getaffinity(0, sizeof(allowed), &allowed))
		return -errno;
	own[count++] = cpu;
	for (int i = 0; i < CPU_SETSIZE && count < (int)BR_BENCH_CPUS_MAX; i++)
		if (i != cpu && CPU_ISSET((unsigned int)i, &allowed))
			own[count++] = i;
	return br_net_pin(cpu);
}

int br_traffic_cpu(unsigned int number)
{
	return number < BR_BENCH_CPUS_MAX ? own[number] : -1;
}

static int br_traffic_read(const struct br_traffic *traffic)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(bpf_map__fd(traffic->bpf->maps.cpus), &zero, traffic->each)
		       ? -errno
		       : 0;
}

static int br_traffic_clear(struct br_traffic *traffic, const struct br_traffic_run *run)
{
	uint32_t share = traffic->options.senders / (run->cpus ? run->cpus : 1);
	__u32 zero = 0;

	memset(traffic->each, 0, (size_t)traffic->cpus * sizeof(*traffic->each));
	for (uint32_t i = 0; i < run->cpus; i++) {
		struct br_bench_cpu *cpu = &traffic->each[own[i]];

		cpu->first = i * share;
		cpu->senders = share;
		cpu->gap_ns = run->gap_ns;
	}
	return bpf_map_update_elem(bpf_map__fd(traffic->bpf->maps.cpus), &zero, traffic->each,
				   BPF_ANY)
		       ? -errno
		       : 0;
}

static uint64_t br_traffic_arrived(const struct br_traffic *traffic)
{
	uint64_t sum = 0;

	if (br_traffic_read(traffic))
		return 0;
	for (int cpu = 0; cpu < traffic->cpus; cpu++)
		sum += traffic->each[cpu].arrived;
	return sum;
}

static void br_traffic_drain(const struct br_traffic *traffic, unsigned int quiet_ms)
{
	uint64_t before, now = br_traffic_arrived(traffic);

	do {
		before = now;
		br_net_pause(quiet_ms ? quiet_ms : BR_TRAFFIC_QUIET_MS);
		now = br_traffic_arrived(traffic);
	} while (now != before);
}

struct br_traffic_thread {
	const struct br_traffic *traffic;
	const struct br_traffic_run *run;
	pthread_barrier_t *start;
	pthread_t id;
	int cpu;
	int err;
};

static void *br_traffic_generate(void *context)
{
	struct br_traffic_thread *thread = context;
	uint8_t frame[BR_TRAFFIC_FRAME_MAX] = {0};
	uint32_t batch = thread->run->batch;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
		    .data_size_in = thread->traffic->options.length,
		    .repeat = (int)thread->run->frames, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	if (batch > BR_TRAFFIC_BATCH_MAX)
		batch = BR_TRAFFIC_BATCH_MAX;
	options.batch_size = batch ? batch : 1;
	thread->err = br_net_pin(thread->cpu);
	if (thread->start)
		pthread_barrier_wait(thread->start);
	if (!thread->err &&
	    bpf_prog_test_run_opts(bpf_program__fd(thread->traffic->bpf->progs.generate), &options))
		thread->err = -errno;
	return NULL;
}

/* The first CPU is ours; the others get threads. */
static int br_traffic_parallel(const struct br_traffic *traffic, const struct br_traffic_run *run)
{
	struct br_traffic_thread threads[BR_BENCH_CPUS_MAX] = {0};
	pthread_barrier_t start;
	uint32_t running = 1;
	int err = 0;

	pthread_barrier_init(&start, NULL, run->cpus);
	for (uint32_t i = 0; i < run->cpus; i++)
		threads[i] = (struct br_traffic_thread){
			.traffic = traffic,
			.run = run,
			.start = run->cpus > 1 ? &start : NULL,
			.cpu = own[i],
		};
	for (; running < run->cpus; running++)
		if (pthread_create(&threads[running].id, NULL, br_traffic_generate,
				   &threads[running]))
			return -EAGAIN; /* those that wait at the barrier end with the process */
	br_traffic_generate(&threads[0]);
	for (uint32_t i = 1; i < run->cpus; i++)
		pthread_join(threads[i].id, NULL);
	pthread_barrier_destroy(&start);
	for (uint32_t i = 0; i < run->cpus; i++)
		err = err ? err : threads[i].err;
	return err;
}

static void br_traffic_add_up(const struct br_traffic *traffic, struct br_traffic_sum *sum)
{
	uint64_t start = UINT64_MAX, end = 0, seen = 0;

	*sum = (struct br_traffic_sum){0};
	for (int i = 0; i < traffic->cpus; i++) {
		const struct br_bench_cpu *cpu = &traffic->each[i];

		sum->sent += cpu->sent;
		sum->arrived += cpu->arrived;
		seen += cpu->seen_arrived;
		if (cpu->sent && cpu->started_ns < start)
			start = cpu->started_ns;
		if (cpu->seen_arrived && cpu->seen_ns > end)
			end = cpu->seen_ns;
	}
	if (!seen || end <= start)
		return;
	sum->seconds = (double)(end - start) / 1e9;
	sum->ns_per_copy = (double)(end - start) / (double)seen;
}

int br_traffic_send(struct br_traffic *traffic, const struct br_traffic_run *run,
		    struct br_traffic_sum *sum, struct br_error *error)
{
	int err = 0;

	if (run->cpus < 1 || br_traffic_cpu(run->cpus - 1) < 0)
		return br_error_set(error, -ENODEV, NULL, "needs %u CPUs", run->cpus);
	err = br_traffic_clear(traffic, run);
	if (!err)
		err = br_traffic_parallel(traffic, run);
	if (err)
		return br_error_set(error, err, NULL, "cannot send live frames: %s",
				    strerror(-err));
	br_traffic_drain(traffic, run->quiet_ms);
	br_traffic_add_up(traffic, sum);
	return 0;
}
