/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Namespaces and processes of the benchmark. Nothing has a name that outlives it: namespaces
 * are held by descriptors only and children die with their parent, so whatever ends the
 * benchmark cleans up after it.
 */
#ifndef BR_BENCH_NET_H
#define BR_BENCH_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

#define BR_NET_HOME (-1) /* as a namespace: where the benchmark itself lives */

/** br_net_begin - go into a network and mount namespace of our own, with an empty /run */
int br_net_begin(struct br_error *error);
/** br_net_new - a further network namespace with `lo` up; a descriptor or negative errno */
int br_net_new(struct br_error *error);
/** br_net_enter - be in @ns from now on (this thread); 0 or negative errno */
int br_net_enter(int ns);

/**
 * br_net_run - run a command in @ns and wait for it
 * @format: words separated by single blanks; nothing is quoted
 *
 * Return: its exit status, or -1 when it could not run.
 */
int br_net_run(int ns, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** br_net_have - is there a program of this name in $PATH or /usr/sbin? */
bool br_net_have(const char *program);

/**
 * br_net_pair - a veth pair, both ends up, without noise of the stack
 * @end: name of the end in @ns, MAC 02:00:00:00:00:01 plus @number * 2
 * @far: name of the end in our own namespace, MAC one higher
 * @queues: per end
 *
 * Checksums are finished by the sender, and GRO is on at @end so that it takes frames from XDP.
 */
int br_net_pair(int ns, const char *end, const char *far, unsigned int number, unsigned int queues,
		struct br_error *error);
/** br_net_unpair - remove a pair, named by the end in our own namespace; ignores what is not there
 */
void br_net_unpair(const char *far);
/** br_net_pair_mac - of an end of pair @number */
void br_net_pair_mac(unsigned int number, bool far, uint8_t mac[static 6]);

/** br_net_fork - run a function in a child, in @ns and on @cpu (-1: any); its pid or -errno */
pid_t br_net_fork(int ns, int cpu, int (*run)(void *context), void *context);
/**
 * br_net_spawn - run a program in the same way
 * @log: file for its output; NULL: errors go where ours go, the rest nowhere
 */
pid_t br_net_spawn(int ns, int cpu, const char *log, const char *const argv[]);
/** br_net_wait - for a child to end; its exit status, -1 when it was killed or is none */
int br_net_wait(pid_t pid);
/** br_net_stop - SIGTERM, after five seconds SIGKILL, and wait; ignores pids below 1 */
void br_net_stop(pid_t pid);
/** br_net_alive - has the child not ended yet? */
bool br_net_alive(pid_t pid);
/** br_net_pin - stay on one CPU; 0 or negative errno */
int br_net_pin(int cpu);
/** br_net_pause - sleep some milliseconds, for polls with a bound */
void br_net_pause(unsigned int ms);

#endif
