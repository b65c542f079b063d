/*
 * snmpd_conf - what snmpd is to be told: /etc/snmp/snmpd.priority-email-gateway.conf
 *
 * The figures in MONITORING_DIR by `extend` lines, and AgentX for peg-monitor. The operator links
 * it as /etc/snmp/snmpd.local.conf, which snmpd reads by itself. It is written where there is
 * /etc/snmp, which comes with snmpd.
 *
 * Functions that return bool print an error on stderr before they return false.
 */
#ifndef PEG_GEN_SNMPD_CONF_H
#define PEG_GEN_SNMPD_CONF_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/attr.h"
#include "lib/settings.h"

#define SNMPD_CONF_DIR "/etc/snmp"
#define SNMPD_CONF_FILE SNMPD_CONF_DIR "/snmpd.priority-email-gateway.conf"

/* What the file should say, to be freed. Pure. */
char *snmpd_conf_text(const struct settings *settings) PEG_MUST_USE;

/* Whether snmpd can be told of a socket: no blanks, commas, quotes. Pure. */
bool snmpd_conf_takes_socket(const char *path) PEG_MUST_USE;

enum snmpd_conf_what { SNMPD_CONF_KEEP, SNMPD_CONF_CREATE, SNMPD_CONF_REPLACE };

struct snmpd_conf {
    enum snmpd_conf_what what;
    char *file;
    char *text; /* what it should say */
};

/* Find out. To be freed with snmpd_conf_deinit(). */
void snmpd_conf_init(struct snmpd_conf *conf, const struct settings *settings);
void snmpd_conf_deinit(struct snmpd_conf *conf);

/* Write a line where there is a change. */
void snmpd_conf_print(FILE *out, const struct snmpd_conf *conf);

bool snmpd_conf_carry_out(const struct snmpd_conf *conf) PEG_MUST_USE;

#endif
