# Priority email gateway
#
#   make            build all programs into build/
#   make check      install what tests need (as root), build, run all tests
#   make torture    long forms of the tests that break things
#   make demo       a private gateway under build/demo, with mail through it; KEEP=1 leaves it running
#   make bench      measure, and write build/bench/REPORT.md; QUICK=1 for a short run, ONLY="one ten"
#                   for some sections, RESULTS=1 to keep their ratios in tests/bench/RESULTS.md as well
#   make lint       formatting, sizes, and a build with clang
#   make deb        the Debian package, into build/deb
#   make rpm        the packages for Fedora, RHEL and their kin, into build/rpm
#   make fuzz       fuzz the readers of strangers' bytes, FUZZ_SECONDS each
#   make install    into DESTDIR and PREFIX; make uninstall takes it away again. BASH_DIR and ZSH_DIR
#                   are for a distribution that has its files for completion elsewhere, SBIN_DIR for
#                   one without sbin
#   make clean
#
# SAN=address,undefined or SAN=thread builds with sanitizers, into a folder of its own under build/.
# CC=clang works as well. V=1 shows whole command lines.

CC       ?= cc
PREFIX   ?= /usr/local
DESTDIR  ?=
SAN      ?=
BUILD    ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
comma    := ,
# Readiness and socket activation under systemd: where its library is there, or SYSTEMD= to leave out.
SYSTEMD  ?= $(shell printf '\043include <systemd/sd-daemon.h>\n' | $(CC) -E - >/dev/null 2>&1 && echo yes)
SYSTEMD  := $(SYSTEMD)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Werror
HARDEN   := -fPIE -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS   ?= -O2 -g
PEG_CFLAGS  = -std=c11 -D_GNU_SOURCE -I. -pthread $(WARNINGS) $(HARDEN) \
              $(if $(SYSTEMD),-DHAVE_SYSTEMD) \
              $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
PEG_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now,--as-needed $(if $(SAN),-fsanitize=$(SAN))
LIBS     := -lmilter -lpcre2-8 -lsodium -levent -lcdb -ljansson -lnetsnmpagent -lnetsnmp -ltinfo -lm \
            $(if $(SYSTEMD),-lsystemd)

PROGRAMS := milter/peg-milter milter/peg-explain tcpmap/peg-tcpmap gen/peg-gen ctl/peg-ctl \
            showqueues/peg-showqueues monitor/peg-monitor keeper/peg-decisions bounce/peg-bounce
ROOMS    := lib table store milter tcpmap keeper bounce survey showqueues monitor metrics snmp \
            admin ctl gen doctor import
MAINS    := $(PROGRAMS:%=%.c)
MODULES  := $(filter-out $(MAINS),$(foreach room,$(ROOMS),$(wildcard $(room)/*.c)))
UNITS    := $(wildcard tests/unit/test_*.c)
BINARIES := $(foreach program,$(PROGRAMS),$(BUILD)/$(notdir $(program)))
TESTS    := $(UNITS:tests/unit/%.c=$(BUILD)/tests/%)
PRELOAD  := $(BUILD)/bench/slow_flush.so
BENCHES  := $(patsubst tests/bench/%.c,$(BUILD)/bench/%, \
            $(filter-out tests/bench/slow_flush.c,$(wildcard tests/bench/*.c))) $(PRELOAD)
OBJECTS  := $(MODULES:%.c=$(BUILD)/obj/%.o)

run = $(if $(V),$(3),@printf '  %-4s %s\n' '$(1)' '$(2)' && $(3))

all: $(BINARIES)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call run,CC,$@,$(CC) $(PEG_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<)

$(BUILD)/libpeg.a: $(OBJECTS)
	$(call run,AR,$@,rm -f $@ && $(AR) rcs $@ $^)

define PROGRAM
$(BUILD)/$(notdir $(1)): $(BUILD)/obj/$(1).o $(BUILD)/libpeg.a
	$$(call run,LD,$$@,$$(CC) $$(PEG_LDFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LIBS))
endef
$(foreach program,$(PROGRAMS),$(eval $(call PROGRAM,$(program))))

$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libpeg.a
	@mkdir -p $(@D)
	$(call run,LD,$@,$(CC) $(PEG_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka)

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/libpeg.a
	@mkdir -p $(@D)
	$(call run,LD,$@,$(CC) $(PEG_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS))

$(PRELOAD): tests/bench/slow_flush.c Makefile
	@mkdir -p $(@D)
	$(call run,LD,$@,$(CC) $(filter-out -fsanitize%,$(PEG_CFLAGS)) $(CFLAGS) -fPIC -shared -o $@ $<)

# Tests
#
# The sanitizer builds run the unit tests and the milter's; the gateway tests run real Postfix.

SANITIZERS   := address,undefined thread
JOBS         := $(shell nproc)
FUZZ_SECONDS ?= 60
PYTHON        = $(firstword $(foreach python,/usr/bin/python3 python3,\
                $(shell $(python) -c 'import pytest' 2>/dev/null && echo $(python))))
PYTEST        = PEG_BUILD=$(abspath $(BUILD)) $(PYTHON) -B -m pytest -q -p no:cacheprovider
# Tests wait for half of their time: as many files at once as there are processors.
SIDE_BY_SIDE  = $(shell $(PYTHON) -c 'import xdist' 2>/dev/null && \
                echo --numprocesses=$(JOBS) --dist=loadfile)
SUBMAKE       = +@$(MAKE) --no-print-directory

check:
	@tools/install-packages build test package rpm check_package
	$(SUBMAKE) -j$(JOBS) all check-unit
	$(SUBMAKE) check-oracle check-milter
	@for san in $(SANITIZERS); do \
	    $(MAKE) --no-print-directory SAN=$$san -j$(JOBS) all check-unit && \
	    $(MAKE) --no-print-directory SAN=$$san check-milter || exit 1; done
	$(SUBMAKE) check-gateway
	$(SUBMAKE) check-packages

all-tests: all $(TESTS)

check-unit: $(TESTS:%=%.run)

# What a test says is shown when it fails.
%.run: %
	@echo "$<"; $< >$<.log 2>&1 || { cat $<.log; exit 1; }

check-oracle: $(BUILD)/tests/address_print $(BUILD)/tests/import_decide
	@/usr/bin/env python3 -B tests/unit/address_oracle.py $(BUILD)/tests/address_print
	@/usr/bin/env python3 -B tests/unit/import_oracle.py $(BUILD)/tests/import_decide

check-milter: all
	@$(PYTEST) $(SIDE_BY_SIDE) tests/milter

check-gateway: all $(BUILD)/tests/flow_print
	@$(PYTEST) $(SIDE_BY_SIDE) tests/gateway

# They build the packages, and install them in roots of their own.
check-packages:
	@tools/install-packages build test package rpm check_package
	$(SUBMAKE) -j$(JOBS) all
	$(SUBMAKE) --jobs=$(JOBS) --output-sync=target check-packages-debian check-packages-rpm

check-packages-%:
	@$(PYTEST) $(wildcard tests/packages/test_$*_*.py)

# The long forms of the tests that break things, an hour of them.
torture:
	@tools/install-packages build test
	$(SUBMAKE) -j$(JOBS) all
	@PEG_TORTURE=1 $(PYTEST) $(wildcard tests/gateway/test_fault_*.py tests/gateway/test_time_*.py)

demo:
	@tools/install-packages build test
	$(SUBMAKE) -j$(JOBS) all
	@$(PYTHON) -B tests/demo/demo.py $(BUILD)/demo $(if $(KEEP),--keep)

bench:
	@tools/install-packages build test bench
	$(SUBMAKE) -j$(JOBS) all all-benches
	@PEG_BUILD=$(abspath $(BUILD)) $(PYTHON) -B tests/bench/bench.py $(BUILD)/bench \
	    $(if $(QUICK),--quick) $(ONLY:%=--only %) $(if $(RESULTS),--results tests/bench/RESULTS.md)

all-benches: $(BENCHES)

lint:
	@tools/install-packages build test lint
	@tools/lint
	$(SUBMAKE) -j$(JOBS) CC=clang BUILD=$(BUILD)/clang all-tests all-benches

FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

$(BUILD)/fuzz/%: tests/fuzz/fuzz_%.c $(MODULES)
	@mkdir -p $(BUILD)/fuzz/found/$*
	$(call run,FUZZ,$@,clang $(filter-out $(HARDEN),$(PEG_CFLAGS)) -O1 -g \
	    -fsanitize=fuzzer$(comma)address$(comma)undefined -fno-sanitize-recover=all \
	    -o $@ $^ $(LIBS))

fuzz:
	@tools/install-packages build lint
	$(SUBMAKE) -j$(JOBS) $(FUZZERS:%=$(BUILD)/fuzz/%)
	@for fuzzer in $(FUZZERS); do \
	    dictionary=tests/fuzz/$$fuzzer.dict; \
	    $(BUILD)/fuzz/$$fuzzer -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
	        $$([ ! -f $$dictionary ] || echo -dict=$$dictionary) \
	        $(BUILD)/fuzz/found/$$fuzzer tests/fuzz/corpus/$$fuzzer || exit 1; done

# Installation

CONF_FILES := priority-email-gateway.conf priority-email-gateway.rules
DOC_FILES  := README.md CHANGELOG.md LICENSE $(CONF_FILES:%=conf/%) docs/metrics.md docs/selinux.md \
              conf/prometheus/priority-email-gateway.rules.yml conf/grafana/priority-email-gateway.json
DOC_DIR     = $(PREFIX)/share/doc/priority-email-gateway
GUIDE_FILES := $(wildcard docs/guide/*.* docs/guide/fr/*.*)
# Where systemd is; the daemons tell it when they are ready only with its library.
UNITS      := $(if $(SYSTEMD),$(notdir $(wildcard conf/systemd/*)))
UNIT_DIR    = $(PREFIX)/lib/systemd/system
SBIN_DIR    = $(PREFIX)/sbin
USER_FILES := $(if $(SYSTEMD),sysusers.d/priority-email-gateway.conf tmpfiles.d/priority-email-gateway.conf)
MAN_PAGES  := $(wildcard man/*.[1-8])
MAN_DIR     = $(PREFIX)/share/man
# Names that the original's commands had.
LINKS      := update-priority-email-gateway:peg-gen priority-email-gateway-showQueues:peg-showqueues
COMMANDS   := $(notdir $(PROGRAMS)) $(foreach link,$(LINKS),$(firstword $(subst :, ,$(link))))
# Where shells look for completion; bash by the names of commands.
BASH_DIR   ?= $(PREFIX)/share/bash-completion/completions
ZSH_DIR    ?= $(PREFIX)/share/zsh/site-functions

install: all
	install -d $(addprefix $(DESTDIR),$(SBIN_DIR) $(DOC_DIR) /etc)
	install $(BINARIES) $(DESTDIR)$(SBIN_DIR)
	for link in $(LINKS); do \
	    ln -sfn $${link#*:} $(DESTDIR)$(SBIN_DIR)/$${link%:*} || exit 1; done
	install -m 644 $(DOC_FILES) $(DESTDIR)$(DOC_DIR)
	for page in $(GUIDE_FILES); do \
	    install -D -m 644 $$page $(DESTDIR)$(DOC_DIR)/$${page#docs/} || exit 1; done
	for page in $(MAN_PAGES); do \
	    install -D -m 644 $$page $(DESTDIR)$(MAN_DIR)/man$${page##*.}/$${page#man/} || exit 1; done
	for file in $(CONF_FILES); do \
	    [ -e $(DESTDIR)/etc/$$file ] || install -m 644 conf/$$file $(DESTDIR)/etc || exit 1; done
	for unit in $(UNITS); do \
	    sed 's,@sbindir@,$(SBIN_DIR),' conf/systemd/$$unit | \
	    install -D -m 644 /dev/stdin $(DESTDIR)$(UNIT_DIR)/$$unit || exit 1; done
	for file in $(USER_FILES); do \
	    install -D -m 644 conf/$$file $(DESTDIR)$(PREFIX)/lib/$$file || exit 1; done
	install -D -m 644 completion/_priority-email-gateway -t $(DESTDIR)$(ZSH_DIR)
	install -D -m 644 completion/priority-email-gateway.bash $(DESTDIR)$(BASH_DIR)/peg-gen
	for command in $(filter-out peg-gen,$(COMMANDS)); do \
	    ln -sfn peg-gen $(DESTDIR)$(BASH_DIR)/$$command || exit 1; done

# All that install has put there, save configuration. Queues, decisions and users stay as well.
uninstall:
	rm -f $(COMMANDS:%=$(DESTDIR)$(SBIN_DIR)/%) \
	    $(COMMANDS:%=$(DESTDIR)$(BASH_DIR)/%) $(DESTDIR)$(ZSH_DIR)/_priority-email-gateway \
	    $(UNITS:%=$(DESTDIR)$(UNIT_DIR)/%) $(USER_FILES:%=$(DESTDIR)$(PREFIX)/lib/%) \
	    $(foreach page,$(MAN_PAGES),$(DESTDIR)$(MAN_DIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
	    $(addprefix $(DESTDIR)$(DOC_DIR)/,$(notdir $(DOC_FILES)) $(GUIDE_FILES:docs/%=%))
	[ ! -d $(DESTDIR)$(DOC_DIR) ] || find $(DESTDIR)$(DOC_DIR) -depth -type d -empty -delete

# Packages

deb:
	@tools/install-packages build package
	@packaging/make-deb $(BUILD)/deb

rpm:
	@tools/install-packages build rpm
	@packaging/make-rpm $(BUILD)/rpm

clean:
	rm -rf $(BUILD)

.PHONY: all all-tests all-benches check check-unit check-oracle check-milter check-gateway \
        check-packages torture demo bench lint fuzz install uninstall deb rpm clean
.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
