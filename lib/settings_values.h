/*
 * settings_values - the forms that a parameter's value can have
 *
 * Pure checks of text; nothing is looked up in the DNS or in /etc/services. Every function may run
 * in any number of threads at once.
 */
#ifndef PEG_SETTINGS_VALUES_H
#define PEG_SETTINGS_VALUES_H

#include <stdbool.h>

#include "lib/attr.h"

/* A decimal whole number from min to max, with an optional sign and nothing around it. */
bool settings_value_number(const char *text, long min, long max, long *number_r) PEG_MUST_USE;

/*
 * A time in Postfix's form (postconf(5)): a whole number with suffix s, m, h, d or w, or without
 * one for seconds; from min_s to max_s seconds.
 */
bool settings_value_time_s(const char *text, long min_s, long max_s, long *time_s_r) PEG_MUST_USE;

/*
 * The forms of postconf(5) relayhost, or "": domain, host:port, [host], [host]:port, [address] and
 * [address]:port, with IPv6 addresses as [2001:db8::1] or [ipv6:2001:db8::1]. A port is a number or
 * a service name. Several destinations are not taken, nor an address without brackets, which
 * Postfix would look up in the DNS.
 */
bool settings_value_relay_host(const char *text) PEG_MUST_USE;

/* One service name of type inet, as in master(5): port, host:port or [IPv6 address]:port. */
bool settings_value_inet_service(const char *text) PEG_MUST_USE;

/* The port number that such a name ends in; 0 where it is a name from /etc/services. */
int settings_value_inet_port(const char *text) PEG_MUST_USE;

/*
 * IPv4 address:port or [IPv6 address]:port. host_r is the address without brackets, in memory that
 * the caller frees. Both outputs stay untouched on failure.
 */
bool settings_value_endpoint(const char *text, char **host_r, int *port_r) PEG_MUST_USE;

/* `yes` or `no`, as in Postfix. */
bool settings_value_flag(const char *text, bool *flag_r) PEG_MUST_USE;

/*
 * A DSCP in six bits (RFC 2474 3): BE, LE (RFC 8622), EF (RFC 3246), VA (RFC 5865), CS0 to CS7,
 * AFxy (RFC 2597), in any case, or a number, decimal or in hexadecimal with 0x.
 */
bool settings_value_dscp(const char *text, int *dscp_r) PEG_MUST_USE;

/* A command line of at most 4096 bytes, as lib/command.h takes it, or "". */
bool settings_value_command(const char *text) PEG_MUST_USE;

/* The whole path of a folder: no "." and "..", no control characters, not the root. */
bool settings_value_path(const char *text) PEG_MUST_USE;

/* [host]:port or [address]:port, the port being a number, or "". */
bool settings_value_nexthop(const char *text) PEG_MUST_USE;

/* The name of a system user, in the form of useradd(8). */
bool settings_value_user(const char *text) PEG_MUST_USE;

#endif
