# Priority email gateway. `make help` lists the targets.

VERSION  := 0.1.0
CC       ?= cc
PREFIX   ?= /usr/local
DESTDIR  ?=
SAN      ?=
BUILD    ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
comma    := ,

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Werror
HARDEN   := -fPIE -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS   ?= -O2 -g
PEG_CFLAGS  = -std=c11 -D_GNU_SOURCE -I. -pthread $(WARNINGS) $(HARDEN) \
              $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
PEG_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now,--as-needed $(if $(SAN),-fsanitize=$(SAN))
LIBS     := -lmilter -lpcre2-8 -lsodium -levent

PROGRAMS := milter/peg-milter milter/peg-explain tcpmap/peg-tcpmap gen/peg-gen gen/peg-ctl \
            monitor/peg-showqueues
ROOMS    := lib table milter tcpmap gen monitor
MAINS    := $(PROGRAMS:%=%.c)
MODULES  := $(filter-out $(MAINS),$(foreach room,$(ROOMS),$(wildcard $(room)/*.c)))
UNITS    := $(wildcard tests/unit/test_*.c)
BINARIES := $(foreach program,$(PROGRAMS),$(BUILD)/$(notdir $(program)))
TESTS    := $(UNITS:tests/unit/%.c=$(BUILD)/tests/%)
OBJECTS  := $(MODULES:%.c=$(BUILD)/obj/%.o)

# `make V=1` shows whole command lines.
run = $(if $(V),$(3),@printf '  %-4s %s\n' '$(1)' '$(2)' && $(3))

all: $(BINARIES)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call run,CC,$@,$(CC) $(PEG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<)

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

.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
