# freshinit: one file, no recursion. `make help` lists the targets.
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla -Wformat=2 -Wswitch-enum -Wundef
OWN_CPPFLAGS := -D_GNU_SOURCE -iquote include -MMD -MP
OWN_CFLAGS := -std=c11 $(WARNINGS) -fstack-protector-strong -fPIE
OWN_LDFLAGS := -pie -Wl,-z,relro,-z,now
LIBS = $(shell pkg-config --libs libinih 2>/dev/null || pkg-config --libs inih) $(shell pkg-config --libs libcap-ng)

SOURCES := $(wildcard src/*.c src/*/*.c)
OBJECTS := $(SOURCES:src/%.c=build/release/%.o)
UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
UNIT_TESTS := $(UNIT_SOURCES:tests/unit/%.c=build/release/unit/%)

all: build/freshinit
build/freshinit: $(OBJECTS)
	$(CC) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(LDLIBS)
build/release/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS) -c -o $@ $<
build/release/unit/%: tests/unit/%.c $(filter-out build/release/main.o,$(OBJECTS))
	@mkdir -p $(@D)
	$(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS) $(LDLIBS)
test-unit: $(UNIT_TESTS)
	@for t in $^; do ./$$t || exit 1; done
clean:
	rm -rf build
.PHONY: all test-unit clean
-include $(OBJECTS:.o=.d)
