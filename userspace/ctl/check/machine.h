/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine as the relay needs it: read it (machine_read.c), judge it (machine.c). */
#ifndef BR_CHECK_MACHINE_H
#define BR_CHECK_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/check/report.h"

#define BR_CHECK_MACHINE "machine"

enum br_check_known { BR_CHECK_UNKNOWN, BR_CHECK_NO, BR_CHECK_YES };

struct br_check_machine {
	char release[65]; /* as uname -r */
	enum br_check_known btf;
	enum br_check_known jit;
	uint64_t capabilities;	   /* effective, bit per CAP_* */
	bool bpffs_known;	   /* the kernel has this file system */
	bool bpffs_mounted;	   /* at /sys/fs/bpf */
	uint64_t memory_available; /* bytes, of the machine; 0: not known */
	uint64_t memory_allowed;   /* bytes left in the control group; UINT64_MAX: no limit */
	uint64_t tables;	   /* bytes of kernel memory for tables of the default sizes */
};

/** br_check_machine_read - look at this machine; what cannot be seen stays unknown */
void br_check_machine_read(struct br_check_machine *machine);
/** br_check_machine_judge - add the lines "kernel", "btf", "jit", "capabilities", "bpffs", "memory"
 */
void br_check_machine_judge(const struct br_check_machine *machine, struct br_check_report *report);

/** br_check_release - "6.1.0-18-amd64" to 6 and 1; false when it does not begin so */
bool br_check_release(const char *release, unsigned int *major, unsigned int *minor);

/**
 * br_check_missing - names of capabilities that are not there
 * @capabilities: effective set
 * @self_test: what the self-test needs; false: what the daemon needs
 * @out: "cap_bpf, cap_perfmon", or "" when all are there
 *
 * Return: true when none is missing.
 */
bool br_check_missing(uint64_t capabilities, bool self_test, char out[static BR_CHECK_TEXT]);

/* Sizes of tables as in struct br_plane_options. */
struct br_check_tables {
	uint64_t legs, streams, edges;
	unsigned int cpus; /* possible ones: per-CPU tables exist once for each */
};
/** br_check_tables_bytes - kernel memory that the plane's maps take, about */
uint64_t br_check_tables_bytes(const struct br_check_tables *tables);

#endif
