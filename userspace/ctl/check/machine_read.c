// SPDX-License-Identifier: BSD-2-Clause
/* Looking at the machine: files of /proc and /sys, and one tiny BPF program. */
#include "ctl/check/machine.h"

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "config.h"

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif

/* The first number of a file; false when there is none. */
static bool br_read_number(const char *path, uint64_t *out)
{
	FILE *file = fopen(path, "re");
	unsigned long long value;
	bool ok;

	if (!file)
		return false;
	ok = fscanf(file, "%llu", &value) == 1;
	fclose(file);
	if (ok)
		*out = value;
	return ok;
}

static uint64_t br_read_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data))
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

/*
 * Whether programs are compiled shows best in a program: the sysctl is not visible in every
 * network namespace. Without the capability for that, the sysctl must do.
 */
static enum br_check_known br_read_jit(void)
{
	/* r0 = 0; exit */
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	uint64_t enabled;
	int fd, err;

	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "br_check", "GPL", program,
			   sizeof(program) / sizeof(*program), NULL);
	if (fd >= 0) {
		err = bpf_obj_get_info_by_fd(fd, &info, &size);
		close(fd);
		if (!err)
			return info.jited_prog_len ? BR_CHECK_YES : BR_CHECK_NO;
	}
	if (!br_read_number("/proc/sys/net/core/bpf_jit_enable", &enabled))
		return BR_CHECK_UNKNOWN;
	return enabled ? BR_CHECK_YES : BR_CHECK_NO;
}

static bool br_read_bpffs_known(void)
{
	FILE *file = fopen("/proc/filesystems", "re");
	char line[128];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		const char *name = strrchr(line, '\t');

		found = name && !strcmp(name, "\tbpf\n");
	}
	fclose(file);
	return found;
}

static uint64_t br_read_memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

/* Page cache that nobody used lately: counted as used, given up when memory is wanted. */
static uint64_t br_read_cache(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long long bytes = 0;
	char line[128];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "inactive_file %llu", &bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

/* Limits of control groups (version 2) count for all groups below: the narrowest matters. */
static uint64_t br_read_memory_allowed(void)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[1024], path[1200], *group = NULL;
	uint64_t allowed = UINT64_MAX, limit, current, cache;

	if (!file)
		return allowed;
	while (!group && fgets(line, sizeof(line), file))
		if (!strncmp(line, "0::/", 4))
			group = line + 3;
	fclose(file);
	if (!group)
		return allowed;
	group[strcspn(group, "\n")] = '\0';
	for (;;) {
		char *slash = strrchr(group, '/');

		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", group);
		if (br_read_number(path, &limit)) { /* "max" is none */
			snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.current", group);
			if (!br_read_number(path, &current))
				current = 0;
			snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.stat", group);
			cache = br_read_cache(path);
			current = current > cache ? current - cache : 0;
			limit = limit > current ? limit - current : 0;
			if (limit < allowed)
				allowed = limit;
		}
		if (!slash)
			return allowed;
		*slash = '\0';
	}
}

void br_check_machine_read(struct br_check_machine *machine)
{
	struct br_check_tables tables;
	struct br_config config;
	struct utsname name;
	struct statfs fs;
	int cpus = libbpf_num_possible_cpus();

	memset(machine, 0, sizeof(*machine));
	if (!uname(&name))
		snprintf(machine->release, sizeof(machine->release), "%.64s", name.release);
	machine->btf = access("/sys/kernel/btf/vmlinux", R_OK) ? BR_CHECK_NO : BR_CHECK_YES;
	machine->capabilities = br_read_capabilities();
	machine->jit = br_read_jit();
	machine->bpffs_known = br_read_bpffs_known();
	machine->bpffs_mounted =
		!statfs("/sys/fs/bpf", &fs) && (unsigned int)fs.f_type == BPF_FS_MAGIC;
	machine->memory_available = br_read_memory_available();
	machine->memory_allowed = br_read_memory_allowed();
	br_config_defaults(&config);
	tables = (struct br_check_tables){
		.legs = config.max_legs,
		.streams = config.max_streams,
		.edges = config.max_edges,
		.cpus = cpus > 0 ? (unsigned int)cpus : 1,
	};
	machine->tables = br_check_tables_bytes(&tables);
}
