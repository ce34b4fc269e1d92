/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The self-test: the real plane on a veth pair in a network namespace of its own, packets in,
 * copies out, every byte compared. Proves that this kernel copies as the relay needs it.
 */
#ifndef BR_CHECK_SELF_TEST_H
#define BR_CHECK_SELF_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/check/report.h"

struct br_self_test_result {
	bool ran;	  /* false: @detail says why not */
	bool right;	  /* every copy was right; else @detail says what was wrong */
	bool ipv6;	  /* false: this kernel has no IPv6 */
	uint32_t packets; /* sent */
	uint32_t copies;  /* received and compared */
	char detail[BR_CHECK_TEXT];
};

enum { BR_SELF_TEST_NATIVE, BR_SELF_TEST_GENERIC, BR_SELF_TEST_MODES };

/**
 * br_self_test_run - test both modes; leaves nothing behind, however it ends
 *
 * Forks: the child has the network namespace, and takes it along when it ends.
 */
void br_self_test_run(struct br_self_test_result results[static BR_SELF_TEST_MODES]);

/**
 * br_self_test_judge - add the lines "native" and "generic"
 * @results: NULL: not run, for want of capabilities
 * @missing: those capabilities
 * @generic: generic mode would be chosen for an interface, so it has to work
 */
void br_self_test_judge(const struct br_self_test_result *results, const char *missing,
			bool generic, struct br_check_report *report);

/* --- self_test_net.c: the namespace's inside --- */

#define BR_SELF_TEST_RELAY     "brt0" /* the relay's end; short names, for short requests */
#define BR_SELF_TEST_HOSTS     "brt1" /* the other end: publisher and receivers */
#define BR_SELF_TEST_RECEIVERS 3u

struct br_self_test_net {
	uint8_t relay_mac[6];
	bool ipv6;
	int wire; /* packet socket at the hosts' end, -1: closed */
};

/** br_self_test_host_mac - MAC address of host @number */
void br_self_test_host_mac(unsigned int number, uint8_t mac[static 6]);
/** br_self_test_host_address - address of host @number (0: the relay) in text */
const char *br_self_test_host_address(unsigned int number, int family);

/**
 * br_self_test_net_open - build the pair in the current network namespace
 * @detail: on failure what could not be done
 *
 * Return: 0 or negative errno; on success close with br_self_test_net_close.
 */
int br_self_test_net_open(struct br_self_test_net *net, char detail[static BR_CHECK_TEXT]);
/** br_self_test_net_close - closes the socket; devices go with the namespace */
void br_self_test_net_close(struct br_self_test_net *net);

#endif
