// SPDX-License-Identifier: BSD-2-Clause
/* What `check` says about the machine and its self-test, and how the report is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/check/machine.h"
#include "ctl/check/self_test.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define CAP(name)    (1ull << (name))
#define MIB	     (1ull << 20)

static struct br_check_machine good(void)
{
	return (struct br_check_machine){
		.release = "6.12.5-amd64",
		.btf = BR_CHECK_YES,
		.jit = BR_CHECK_YES,
		.capabilities =
			CAP(CAP_NET_ADMIN) | CAP(CAP_BPF) | CAP(CAP_PERFMON) | CAP(CAP_NET_RAW),
		.bpffs_known = true,
		.bpffs_mounted = true,
		.memory_available = 1024 * MIB,
		.memory_allowed = UINT64_MAX,
		.tables = 64 * MIB,
	};
}

static void expect(const char *name, const struct br_check_machine *machine, const char *check,
		   enum br_check_status status, const char *found)
{
	struct br_check_report report = {0};
	const struct br_check_line *line;

	br_check_machine_judge(machine, &report);
	line = br_check_find(&report, BR_CHECK_MACHINE, check);
	if (!line)
		fail_msg("%s: no line", name);
	if (line->status != status || !strstr(line->found, found) || (status && !*line->todo))
		fail_msg("%s: status %d, found \"%s\", todo \"%s\"", name, line->status,
			 line->found, line->todo);
	br_check_free(&report);
}

static void test_good(void **state)
{
	struct br_check_machine machine = good();
	struct br_check_report report = {0};

	(void)state;
	br_check_machine_judge(&machine, &report);
	assert_int_equal(report.count, 6);
	assert_int_equal(br_check_worst(&report), BR_CHECK_OK);
	br_check_free(&report);
}

static void test_kernel(void **state)
{
	static const struct {
		const char *release;
		enum br_check_status status;
		const char *found;
	} rows[] = {
		{"5.14.0", BR_CHECK_OK, "before 6.3"},
		{"6.1.0-18-amd64", BR_CHECK_OK, "before 6.3"},
		{"6.3.0", BR_CHECK_OK, "or newer is needed"},
		{"10.0-rc1", BR_CHECK_OK, "or newer is needed"},
		{"5.13.19", BR_CHECK_FAIL, "came with 5.14"},
		{"4.19.0", BR_CHECK_FAIL, "came with 5.14"},
		{"mainline", BR_CHECK_WARN, "no version number"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct br_check_machine machine = good();

		strcpy(machine.release, rows[i].release);
		expect(rows[i].release, &machine, "kernel", rows[i].status, rows[i].found);
	}
}

static void test_bpf(void **state)
{
	struct br_check_machine machine = good();

	(void)state;
	machine.btf = BR_CHECK_NO;
	expect("btf", &machine, "btf", BR_CHECK_WARN, "/sys/kernel/btf/vmlinux");
	machine.jit = BR_CHECK_NO;
	expect("jit", &machine, "jit", BR_CHECK_WARN, "interpreted");
	machine.jit = BR_CHECK_UNKNOWN;
	expect("jit unknown", &machine, "jit", BR_CHECK_WARN, "cannot be seen");
	machine.bpffs_mounted = false;
	expect("bpffs", &machine, "bpffs", BR_CHECK_OK, "one of its own");
	machine.bpffs_known = false;
	expect("no bpffs", &machine, "bpffs", BR_CHECK_FAIL, "no BPF file system");
}

static void test_capabilities(void **state)
{
	struct br_check_machine machine = good();
	char missing[BR_CHECK_TEXT];

	(void)state;
	machine.capabilities = 0;
	expect("none", &machine, "capabilities", BR_CHECK_FAIL,
	       "cap_net_admin, cap_bpf, cap_perfmon, cap_net_raw;");
	machine.capabilities = CAP(CAP_NET_ADMIN) | CAP(CAP_BPF) | CAP(CAP_NET_RAW);
	expect("no perfmon", &machine, "capabilities", BR_CHECK_FAIL, "lacks cap_perfmon;");
	machine.capabilities = CAP(CAP_NET_ADMIN) | CAP(CAP_BPF) | CAP(CAP_PERFMON);
	expect("no net_raw", &machine, "capabilities", BR_CHECK_FAIL, "lacks cap_net_raw;");
	machine.capabilities = CAP(CAP_NET_ADMIN) | CAP(CAP_SYS_ADMIN) | CAP(CAP_NET_RAW);
	expect("sys_admin instead", &machine, "capabilities", BR_CHECK_OK, "cap_bpf");
	machine.capabilities = CAP(CAP_SYS_ADMIN) | CAP(CAP_NET_RAW);
	expect("sys_admin alone", &machine, "capabilities", BR_CHECK_FAIL, "lacks cap_net_admin;");

	assert_false(br_check_missing(good().capabilities, true, missing));
	assert_string_equal(missing, "cap_sys_admin");
	assert_true(br_check_missing(good().capabilities, false, missing));
	assert_string_equal(missing, "");
	assert_true(br_check_missing(UINT64_MAX, true, missing));
}

static void test_memory(void **state)
{
	struct br_check_machine machine = good();
	struct br_check_tables tables = {
		.legs = 65536, .streams = 65536, .edges = 1 << 20, .cpus = 2};
	uint64_t two = br_check_tables_bytes(&tables);

	(void)state;
	expect("much", &machine, "memory", BR_CHECK_OK, "1024 MiB are available");
	machine.memory_available = 100 * MIB;
	expect("scarce", &machine, "memory", BR_CHECK_WARN, "100 MiB");
	machine.memory_available = 63 * MIB;
	expect("too little", &machine, "memory", BR_CHECK_FAIL, "63 MiB");
	machine.memory_available = 0;
	expect("unknown", &machine, "memory", BR_CHECK_WARN, "cannot be seen");
	machine.memory_allowed = 32 * MIB;
	expect("only the group known", &machine, "memory", BR_CHECK_FAIL, "control group");
	machine.memory_available = 1024 * MIB;
	expect("group", &machine, "memory", BR_CHECK_FAIL, "32 MiB this control group has left");

	/* per leg at most 512 bytes with all its tables, and more of them with more CPUs */
	tables.streams = tables.edges = 0;
	assert_in_range(br_check_tables_bytes(&tables), 65536ull * 200, 65536ull * 512);
	tables = (struct br_check_tables){
		.legs = 65536, .streams = 65536, .edges = 1 << 20, .cpus = 64};
	assert_true(br_check_tables_bytes(&tables) > two + 62ull * 65536 * (56 + 24));
}

static void test_self_test(void **state)
{
	struct br_self_test_result results[BR_SELF_TEST_MODES] = {
		{.ran = true, .right = true, .ipv6 = true, .packets = 32, .copies = 96},
		{.ran = true, .ipv6 = true, .detail = "copies share their bytes"},
	};
	struct br_check_report report = {0};

	(void)state;
	br_self_test_judge(results, "", false, &report);
	assert_int_equal(br_check_find(&report, "self-test", "native")->status, BR_CHECK_OK);
	assert_int_equal(br_check_find(&report, "self-test", "generic")->status, BR_CHECK_WARN);
	assert_non_null(strstr(br_check_find(&report, "self-test", "generic")->todo, "xdp_mode"));
	br_check_free(&report);

	br_self_test_judge(results, "", true, &report);
	assert_int_equal(br_check_find(&report, "self-test", "generic")->status, BR_CHECK_FAIL);
	br_check_free(&report);

	results[0].right = false;
	results[1] = (struct br_self_test_result){.detail = "cannot make a network namespace"};
	br_self_test_judge(results, "", true, &report);
	assert_int_equal(br_check_find(&report, "self-test", "native")->status, BR_CHECK_FAIL);
	assert_int_equal(br_check_find(&report, "self-test", "generic")->status, BR_CHECK_WARN);
	assert_non_null(
		strstr(br_check_find(&report, "self-test", "generic")->found, "did not run"));
	br_check_free(&report);

	br_self_test_judge(NULL, "cap_bpf", true, &report);
	assert_int_equal(report.count, 1);
	assert_int_equal(report.lines[0].status, BR_CHECK_WARN);
	assert_string_equal(report.lines[0].found, "skipped, for want of cap_bpf");
	br_check_free(&report);
}

/* Print the report to memory. */
static char *printed(const struct br_check_report *report, bool json, bool colour)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (json)
		assert_int_equal(br_check_print_json(report, out), 0);
	else
		br_check_print(report, out, colour);
	fclose(out);
	return text;
}

static void test_report(void **state)
{
	struct br_check_report report = {0};
	struct br_check_line *line;
	cJSON *json, *first;
	char *text;

	(void)state;
	assert_int_equal(br_check_worst(&report), BR_CHECK_OK);
	line = br_check_add(&report, "machine", "kernel", BR_CHECK_WARN, "say \"%s\"", "aah");
	br_check_todo(line, "repair %u", 7);
	br_check_add(&report, "interface x", "link", BR_CHECK_OK, "up");
	assert_int_equal(br_check_worst(&report), BR_CHECK_WARN);

	text = printed(&report, false, false);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "machine\n  WARN  kernel        say \"aah\"\n"));
	assert_non_null(strstr(text, "-> repair 7\n"));
	assert_non_null(strstr(text, "\ninterface x\n  OK    link          up\n"));
	assert_non_null(strstr(text, "\n1 OK, 1 WARN, 0 FAIL\n"));
	free(text);
	text = printed(&report, false, true);
	assert_non_null(strstr(text, "\033[33mWARN\033[0m"));
	free(text);

	text = printed(&report, true, false);
	json = cJSON_Parse(text);
	assert_non_null(json);
	assert_string_equal(cJSON_GetObjectItem(json, "result")->valuestring, "warn");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "checks")), 2);
	first = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "checks"), 0);
	assert_string_equal(cJSON_GetObjectItem(first, "part")->valuestring, "machine");
	assert_string_equal(cJSON_GetObjectItem(first, "check")->valuestring, "kernel");
	assert_string_equal(cJSON_GetObjectItem(first, "status")->valuestring, "warn");
	assert_string_equal(cJSON_GetObjectItem(first, "found")->valuestring, "say \"aah\"");
	assert_string_equal(cJSON_GetObjectItem(first, "todo")->valuestring, "repair 7");
	cJSON_Delete(json);
	free(text);

	report.failed = true; /* a line that could not be added may have been a FAIL */
	assert_int_equal(br_check_worst(&report), BR_CHECK_FAIL);
	br_check_free(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),   cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_bpf),    cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_self_test),
		cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
