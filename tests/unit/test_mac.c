// SPDX-License-Identifier: BSD-2-Clause
/* MAC addresses as text: what is one, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/mac.h"

static void parsed_and_written(void **state)
{
	static const uint8_t want[6] = {0x02, 0xaB, 0, 0x9f, 0xff, 0x10};
	char text[BR_MAC_TEXT];
	uint8_t mac[6];

	(void)state;
	assert_true(br_mac_parse("02:aB:00:9F:ff:10", mac));
	assert_memory_equal(mac, want, sizeof(want));
	assert_string_equal(br_mac_format(mac, text), "02:ab:00:9f:ff:10");
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"",
		"02:00:00:00:00",
		"02:00:00:00:00:0",
		"02:00:00:00:00:001",
		"02:00:00:00:00:01 ",
		"02-00-00-00-00-01",
		"02:00:00:00:00:0g",
		"+2:00:00:00:00:01",
		"02:00:00:00:00:01:02",
		"020000000001",
		"02:00:00:00:00:\xc3\xa9",
	};
	uint8_t mac[6] = {1, 2, 3, 4, 5, 6}, before[6] = {1, 2, 3, 4, 5, 6};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (br_mac_parse(bad[i], mac))
			fail_msg("\"%s\" is no MAC address", bad[i]);
		assert_memory_equal(mac, before, sizeof(mac));
	}
}

static void unicast(void **state)
{
	(void)state;
	assert_true(br_mac_is_unicast((uint8_t[6]){2, 0, 0, 0, 0, 1}));
	assert_true(br_mac_is_unicast((uint8_t[6]){0, 0, 0, 0, 0, 1}));
	assert_false(br_mac_is_unicast((uint8_t[6]){0}));
	assert_false(br_mac_is_unicast((uint8_t[6]){1, 0, 0x5e, 0, 0, 1}));
	assert_false(br_mac_is_unicast((uint8_t[6]){255, 255, 255, 255, 255, 255}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parsed_and_written),
		cmocka_unit_test(refused),
		cmocka_unit_test(unicast),
	};

	return cmocka_run_group_tests_name("MAC addresses", tests, NULL, NULL);
}
