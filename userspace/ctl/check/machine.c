// SPDX-License-Identifier: BSD-2-Clause
/* Judging the machine: no look at it here, so that every case can be tested. */
#include "ctl/check/machine.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include <blindrelay/abi.h>

/* Broadcast redirect, which makes the copies, came with it (DESIGN: fan-out in XDP). */
#define BR_KERNEL_MAJOR 5u
#define BR_KERNEL_MINOR 14u
/* From here on generic netlink tells what XDP an interface can do (family "netdev"). */
#define BR_KERNEL_TELLS_MAJOR 6u
#define BR_KERNEL_TELLS_MINOR 3u

#define BR_MIB (1024.0 * 1024.0)

bool br_check_release(const char *release, unsigned int *major, unsigned int *minor)
{
	return sscanf(release, "%3u.%4u", major, minor) == 2;
}

static bool br_version_below(unsigned int major, unsigned int minor, unsigned int than_major,
			     unsigned int than_minor)
{
	return major < than_major || (major == than_major && minor < than_minor);
}

static void br_judge_kernel(const struct br_check_machine *machine, struct br_check_report *report)
{
	struct br_check_line *line;
	unsigned int major, minor;

	if (!br_check_release(machine->release, &major, &minor)) {
		line = br_check_add(report, BR_CHECK_MACHINE, "kernel", BR_CHECK_WARN,
				    "release \"%s\" is no version number; 5.14 or newer is needed",
				    machine->release);
		br_check_todo(line, "believe the self-test below");
		return;
	}
	if (br_version_below(major, minor, BR_KERNEL_MAJOR, BR_KERNEL_MINOR)) {
		line = br_check_add(report, BR_CHECK_MACHINE, "kernel", BR_CHECK_FAIL,
				    "%s cannot copy packets in XDP, which came with 5.14",
				    machine->release);
		br_check_todo(line, "install a newer kernel; Debian 12 has 6.1");
		return;
	}
	if (br_version_below(major, minor, BR_KERNEL_TELLS_MAJOR, BR_KERNEL_TELLS_MINOR))
		br_check_add(report, BR_CHECK_MACHINE, "kernel", BR_CHECK_OK,
			     "%s; before 6.3 a kernel does not tell what XDP an interface can do",
			     machine->release);
	else
		br_check_add(report, BR_CHECK_MACHINE, "kernel", BR_CHECK_OK,
			     "%s; 5.14 or newer is needed", machine->release);
}

static void br_judge_bpf(const struct br_check_machine *machine, struct br_check_report *report)
{
	struct br_check_line *line;

	if (machine->btf == BR_CHECK_YES) {
		br_check_add(report, BR_CHECK_MACHINE, "btf", BR_CHECK_OK,
			     "the kernel describes its types in /sys/kernel/btf/vmlinux");
	} else {
		line = br_check_add(report, BR_CHECK_MACHINE, "btf", BR_CHECK_WARN,
				    "no /sys/kernel/btf/vmlinux: the relay works without it, "
				    "tracing tools do not");
		br_check_todo(line, "a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions have");
	}
	if (machine->jit == BR_CHECK_YES) {
		br_check_add(report, BR_CHECK_MACHINE, "jit", BR_CHECK_OK,
			     "BPF programs are compiled to machine code");
	} else if (machine->jit == BR_CHECK_NO) {
		line = br_check_add(report, BR_CHECK_MACHINE, "jit", BR_CHECK_WARN,
				    "BPF programs are interpreted: several times slower");
		br_check_todo(line,
			      "sysctl -w net.core.bpf_jit_enable=1, before the daemon starts");
	} else {
		line = br_check_add(report, BR_CHECK_MACHINE, "jit", BR_CHECK_WARN,
				    "cannot be seen without cap_bpf in this network namespace");
		br_check_todo(line, "run this check as root");
	}
}

struct br_wanted {
	unsigned int bit;
	unsigned int instead; /* this one will do as well */
	const char *name;
};

static const struct br_wanted of_daemon[] = {
	{CAP_NET_ADMIN, CAP_NET_ADMIN, "cap_net_admin"},
	{CAP_BPF, CAP_SYS_ADMIN, "cap_bpf"},
	{CAP_PERFMON, CAP_SYS_ADMIN, "cap_perfmon"}, /* pointer arithmetic of the programs */
	{CAP_NET_RAW, CAP_NET_RAW, "cap_net_raw"},   /* reading the tap */
};

/* In addition: a network namespace of its own. */
static const struct br_wanted of_self_test[] = {
	{CAP_SYS_ADMIN, CAP_SYS_ADMIN, "cap_sys_admin"},
};

static bool br_missing_add(uint64_t capabilities, const struct br_wanted *wanted, size_t count,
			   char out[static BR_CHECK_TEXT])
{
	bool complete = true;

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(out);

		if (capabilities >> wanted[i].bit & 1 || capabilities >> wanted[i].instead & 1)
			continue;
		complete = false;
		snprintf(out + length, BR_CHECK_TEXT - length, "%s%s", length ? ", " : "",
			 wanted[i].name);
	}
	return complete;
}

bool br_check_missing(uint64_t capabilities, bool self_test, char out[static BR_CHECK_TEXT])
{
	bool complete;

	out[0] = '\0';
	complete = br_missing_add(capabilities, of_daemon, sizeof(of_daemon) / sizeof(*of_daemon),
				  out);
	if (self_test)
		complete &= br_missing_add(capabilities, of_self_test,
					   sizeof(of_self_test) / sizeof(*of_self_test), out);
	return complete;
}

static void br_judge_capabilities(const struct br_check_machine *machine,
				  struct br_check_report *report)
{
	char missing[BR_CHECK_TEXT];
	struct br_check_line *line;

	if (br_check_missing(machine->capabilities, false, missing)) {
		br_check_add(
			report, BR_CHECK_MACHINE, "capabilities", BR_CHECK_OK,
			"cap_net_admin, cap_bpf, cap_perfmon, cap_net_raw, or what includes them");
		return;
	}
	line = br_check_add(report, BR_CHECK_MACHINE, "capabilities", BR_CHECK_FAIL,
			    "this process lacks %s; a daemon started like this would too", missing);
	br_check_todo(line, "run this check, and blindrelayd, as root or with these capabilities");
}

static void br_judge_bpffs(const struct br_check_machine *machine, struct br_check_report *report)
{
	struct br_check_line *line;

	if (machine->bpffs_mounted) {
		br_check_add(report, BR_CHECK_MACHINE, "bpffs", BR_CHECK_OK,
			     "mounted at /sys/fs/bpf");
	} else if (machine->bpffs_known) {
		br_check_add(report, BR_CHECK_MACHINE, "bpffs", BR_CHECK_OK,
			     "not mounted at /sys/fs/bpf; blindrelayd mounts one of its own at "
			     "state.path");
	} else {
		line = br_check_add(report, BR_CHECK_MACHINE, "bpffs", BR_CHECK_FAIL,
				    "the kernel has no BPF file system: it was built without "
				    "the bpf() system call");
		br_check_todo(line, "a kernel with CONFIG_BPF_SYSCALL=y, as distributions have");
	}
}

uint64_t br_check_tables_bytes(const struct br_check_tables *tables)
{
	/* an entry of a hash table: 48 bytes of struct htab_elem, 16 of its bucket */
	const uint64_t hash = 64;
	uint64_t leg = sizeof(struct br_leg) + sizeof(struct br_next_hop) +
		       sizeof(struct br_route) + sizeof(struct br_leg_state) + hash + 40 + 8;
	uint64_t stream = sizeof(struct br_route) + hash + 8 + 8 + 4;

	leg += sizeof(void *) + (uint64_t)tables->cpus * sizeof(struct br_leg_counters);
	stream += sizeof(void *) + (uint64_t)tables->cpus * sizeof(struct br_stream_counters);
	return tables->legs * leg + tables->streams * stream +
	       tables->edges * sizeof(struct br_edge) + tables->cpus * sizeof(struct br_cpu);
}

static void br_judge_memory(const struct br_check_machine *machine, struct br_check_report *report)
{
	bool group = machine->memory_allowed < machine->memory_available ||
		     (!machine->memory_available && machine->memory_allowed != UINT64_MAX);
	uint64_t room = group ? machine->memory_allowed : machine->memory_available;
	const char *where = group ? "this control group has left" : "are available";
	struct br_check_line *line;

	if (!group && !machine->memory_available) {
		line = br_check_add(report, BR_CHECK_MACHINE, "memory", BR_CHECK_WARN,
				    "cannot be seen; tables of the default sizes need %.0f MiB",
				    (double)machine->tables / BR_MIB);
		br_check_todo(line, "mount /proc");
		return;
	}
	line = br_check_add(report, BR_CHECK_MACHINE, "memory",
			    room < machine->tables	 ? BR_CHECK_FAIL
			    : room < 2 * machine->tables ? BR_CHECK_WARN
							 : BR_CHECK_OK,
			    "%.0f MiB %s; tables of the default sizes need %.0f MiB of kernel "
			    "memory, no locked memory",
			    (double)room / BR_MIB, where, (double)machine->tables / BR_MIB);
	if (room < 2 * machine->tables)
		br_check_todo(line, "%s, or smaller tables.legs, tables.streams and tables.edges",
			      group ? "a larger memory limit (memory.max)" : "more memory");
}

void br_check_machine_judge(const struct br_check_machine *machine, struct br_check_report *report)
{
	br_judge_kernel(machine, report);
	br_judge_bpf(machine, report);
	br_judge_capabilities(machine, report);
	br_judge_bpffs(machine, report);
	br_judge_memory(machine, report);
}
