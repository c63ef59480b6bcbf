# freshinit: one file, every object under build/<mode>/. `make help` lists the targets.
# CC CPPFLAGS CFLAGS LDFLAGS LDLIBS PREFIX DESTDIR are yours: they come after our own flags.

VERSION := 0.1.0
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
PYTHON  ?= /usr/bin/python3
TIME    ?= 60
COVERAGE_FLOOR ?= 80
SIZE_LIMIT ?= 253952
DEPS    ?= build test
MACHINE := $(patsubst x86_64,amd64,$(patsubst aarch64,arm64,$(shell uname -m)))
ARCH    ?= $(MACHINE)

MUSL    := build/sources/musl-1.2.3
CAPNG   := build/sources/libcap-ng-0.8.3/src
INIH    := build/sources/inih-r59

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla -Wformat=2 -Wswitch-enum -Wundef
COMMON   := -std=c11 -D_GNU_SOURCE -DFRESHINIT_VERSION=\"$(VERSION)\" -iquote include \
            $(WARNINGS) -MMD -MP

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
UNITS   := $(sort $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c)))
FUZZERS := $(sort $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c)))
PAGES   := $(sort $(patsubst src/%.scd,build/man/%,$(wildcard src/*.scd)))
objects  = $(SOURCES:src/%.c=build/$(1)/%.o)
parts    = $(filter-out build/$(1)/main.o,$(call objects,$(1)))

ifeq ($(V),1)
run = $(2)
else
run = @printf '  %-5s %s\n' $(1) $@; $(2)
endif

.DEFAULT_GOAL := all
all: build/freshinit ## build/freshinit against the system's libraries, hardened (the default)

# --- Modes -------------------------------------------------------------------------------------
# A mode is a folder of objects: its compiler, what it adds to COMMON, how it links.
SYSTEM_CPP  = $(shell pkg-config --cflags inih libcap-ng)
SYSTEM_LIBS = $(shell pkg-config --libs inih libcap-ng)
HARDEN     := -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
              $(if $(filter amd64,$(MACHINE)),-fstack-clash-protection -fcf-protection)
SANITIZE   := -g -fno-omit-frame-pointer -fsanitize=address,undefined \
              -fno-sanitize-recover=undefined

release.cc     = $(CC)
release.flags  = $(HARDEN) $(SYSTEM_CPP) $(CPPFLAGS) $(CFLAGS)
release.link   = -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(LDFLAGS)

debug.cc       = $(CC)
debug.flags    = $(SYSTEM_CPP) $(CPPFLAGS) $(CFLAGS) -Og -g3
debug.link     = $(LDFLAGS)

asan.cc        = $(CC)
asan.flags     = $(SYSTEM_CPP) $(CPPFLAGS) $(CFLAGS) -O1 -Werror $(SANITIZE)
asan.link      = $(SANITIZE) $(LDFLAGS)

coverage.cc    = $(CC)
coverage.flags = $(SYSTEM_CPP) $(CPPFLAGS) -O0 -g --coverage -fprofile-update=atomic
coverage.link  = --coverage $(LDFLAGS)

fuzz.cc        = clang
fuzz.flags     = $(SYSTEM_CPP) $(CPPFLAGS) -O1 $(SANITIZE) -fsanitize=fuzzer-no-link
fuzz.link      = $(SANITIZE) $(LDFLAGS)

# It lives for milliseconds before the server does, so: few pages and no relocation (no PIE), code
# and constants in one segment, and a libc of our own making, whose parts can be left out one by one.
# CFLAGS count here only when you gave them.
STATIC_FLAGS := -Oz -flto=auto -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
                -fno-pie -fstack-protector-strong -mstack-protector-guard=global \
                -DINI_MAX_LINE=4099 -DINI_ALLOW_MULTILINE=0 \
                -DINI_ALLOW_INLINE_COMMENTS=0 -DFRESHINIT_SMALL \
                -fno-jump-tables -mgeneral-regs-only \
                -Dsnprintf=format_text -Dvsnprintf=format_values \
                -nostdinc -isystem $(INIH) -isystem $(CAPNG)
STATIC_LINK  := -Oz -flto=auto -flto-partition=one -nostdlib -static -no-pie -s \
                -Wl,--gc-sections,--build-id=none \
                -Wl,-z,noseparate-code,-z,norelro,-z,noexecstack,-z,max-page-size=4096 \
                -Wl,-O2
USER_CFLAGS   = $(if $(filter file,$(origin CFLAGS)),,$(CFLAGS))
static_flags  = $(STATIC_FLAGS) -isystem build/$(1)/libc/include \
                -isystem $(shell $($(1).cc) -print-file-name=include) -idirafter $(2) \
                $(CPPFLAGS) $(USER_CFLAGS)
static_link   = $(STATIC_LINK) $(LDFLAGS) $(addprefix build/$(1)/libc/lib/,crt1.o crti.o)
static_libs   = $(LDLIBS) -Lbuild/$(1)/libc/lib -lc -lgcc build/$(1)/libc/lib/crtn.o

static.cc          = gcc
static.flags       = $(call static_flags,static,build/sources/kernel)
static.link        = $(call static_link,static)
static.libs        = $(call static_libs,static)
static.check       = build/static/libc/ready build/sources/kernel
static-arm64.cc    = aarch64-linux-gnu-gcc
static-arm64.flags = $(call static_flags,static-arm64,/usr/aarch64-linux-gnu/include)
static-arm64.link  = $(call static_link,static-arm64)
static-arm64.libs  = $(call static_libs,static-arm64)
static-arm64.check = build/static-arm64/libc/ready

define mode
$(1).libs ?= $$(SYSTEM_LIBS) $$(LDLIBS)
$(1).compile = $$($(1).cc) $$(COMMON) $$($(1).flags) -c -o $$@ $$<
$(1).check ?= build/libraries
build/$(1)/freshinit: $$(call objects,$(1))
	$$(call run,LINK,$$($(1).cc) $$($(1).link) -o $$@.part $$^ $$($(1).libs)) \
	    && mv $$@.part $$@
build/$(1)/%.o: src/%.c build/$(1)/flags
	@mkdir -p $$(@D)
	$$(call run,CC,$$($(1).compile))
build/$(1)/unit/%.o: tests/unit/%.c build/$(1)/flags
	@mkdir -p $$(@D)
	$$(call run,CC,$$($(1).compile))
build/$(1)/fuzz/%.o: tests/fuzz/%.c build/$(1)/flags
	@mkdir -p $$(@D)
	$$(call run,CC,$$($(1).compile))
# A first line `/* wraps: fork poll */` in a unit test becomes -Wl,--wrap for each of them.
build/$(1)/unit/%: build/$(1)/unit/%.o $$(call parts,$(1))
	$$(call run,LINK,$$($(1).cc) $$($(1).link) \
	    $$(addprefix -Wl$$(comma)--wrap=,$$(shell sed -n '1s,^/\* wraps: \(.*\) \*/$$$$,\1,p' \
	    tests/unit/$$*.c)) -o $$@ $$^ -lcmocka $$($(1).libs))
build/$(1)/fuzz/fuzz_%: build/$(1)/fuzz/fuzz_%.o $$($(1).fuzzmain) $$(call parts,$(1))
	$$(call run,LINK,$$($(1).cc) $$($(1).link) $$($(1).fuzzlink) -o $$@ $$^ $$($(1).libs))
# Written anew only when the flags differ, and then every object is made again.
build/$(1)/flags: force | $$($(1).check)
	$$(shell mkdir -p $$(@D))$$(file >$$@.new,$$($(1).cc) $$(COMMON) $$($(1).flags) $$($(1).link))
	@cmp -s $$@.new $$@ && rm $$@.new || mv $$@.new $$@
endef
comma := ,

asan.fuzzmain  = build/asan/fuzz/replay.o
fuzz.fuzzlink  = -fsanitize=fuzzer
STATIC_MODES  := static static-arm64
$(foreach m,release debug asan coverage fuzz $(STATIC_MODES),$(eval $(call mode,$(m))))
.SECONDARY:

# Children end by _exit, which would tell nothing of what they ran.
build/coverage/freshinit: build/coverage/flush.o
build/coverage/freshinit: private LDFLAGS += -Wl,--wrap=_exit
build/coverage/flush.o: tests/flush.c build/coverage/flags
	$(call run,CC,$(coverage.compile))

build/freshinit: build/release/freshinit
	@cp $< $@.part && mv $@.part $@

# One line that says what to do, before the compiler says fifty.
build/libraries: force
	@for p in inih libcap-ng; do \
	    pkg-config --exists $$p 2>/dev/null && continue; \
	    echo "$$p is missing (or pkg-config is): run 'make deps'" >&2; exit 1; done
	@mkdir -p build && { [ -e $@ ] || touch $@; }

# --- The libraries inside the static binary ------------------------------------------------------
# Pinned by version and sha256 in scripts/fetch.sh, which is also where they come from.
debug: build/debug/freshinit ## build/debug/freshinit: -Og -g3
static: build/static$(if $(filter-out $(MACHINE),$(ARCH)),-$(ARCH))/freshinit ## one static musl file for any image: build/static/freshinit (ARCH=arm64: build/static-arm64/)

# Its constructor asks the kernel eight things before main; its own first call does that as well.
CAPNG_FLAGS := -Dconstructor=unused -DHAVE_SYSCALL_H -DHAVE_SYS_XATTR_H -DHAVE_LINUX_MAGIC_H \
               -DHAVE_LINUX_SECUREBITS_H -include scripts/cap-ng.h

define static_mode
build/$(1)/freshinit: build/$(1)/inih.o build/$(1)/cap-ng.o build/$(1)/lookup_table.o
build/$(1)/inih.o: $$(INIH)/ini.c
build/$(1)/cap-ng.o: $$(CAPNG)/cap-ng.c scripts/cap-ng.h
build/$(1)/lookup_table.o: $$(CAPNG)/lookup_table.c
build/$(1)/inih.o build/$(1)/cap-ng.o build/$(1)/lookup_table.o: build/$(1)/flags
	$$(call run,CC,$$($(1).cc) -std=gnu11 -D_GNU_SOURCE -w $$(CAPNG_FLAGS) $$($(1).flags) -c -o $$@ $$(filter %.c,$$^))
endef
$(foreach m,$(STATIC_MODES),$(eval $(call static_mode,$(m))))
# What runs over whole files, and what runs for each file.
QUICK := siphash pyc tree
$(foreach m,$(STATIC_MODES),$(QUICK:%=build/$(m)/stage/%.o)): private USER_CFLAGS += -O2

$(INIH)/ini.c: scripts/fetch.sh
	@scripts/fetch.sh build/sources inih
	@tar -xzf build/sources/libinih_59.orig.tar.gz -C build/sources
	@touch $@
$(CAPNG)/cap-ng.c: scripts/fetch.sh
	@scripts/fetch.sh build/sources libcap-ng
	@tar -xzf build/sources/libcap-ng_0.8.3.orig.tar.gz -C build/sources
	@touch $(CAPNG)/config.h $(CAPNG)/lookup_table.c $@
$(CAPNG)/lookup_table.c: $(CAPNG)/cap-ng.c

# Half of musl is mathematics and the like: not compiled. Its make must not see our variables.
# No locale is set, so each name is valid in it; what asks the clock asks seldom, without the vDSO.
MUSL_WITHOUT := aio complex crypt fenv ipc mq search termios
MUSL_MATH    := frexp frexpl copysign copysignl fmod fmodl scalbn scalbnl fabs fabsl \
                __fpclassify __fpclassifyl __signbit __signbitl
MUSL_FLAGS   := -Oz -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-pie
$(MUSL)/ready: scripts/fetch.sh scripts/free.c scripts/find.c
	@scripts/fetch.sh build/sources musl
	@rm -rf $(MUSL) && tar -xzf build/sources/musl_1.2.3.orig.tar.gz -C build/sources
	@cd $(MUSL)/src && rm -rf $(MUSL_WITHOUT) math/*/ && mkdir math.kept && \
	    mv $(MUSL_MATH:%=math/%.c) math.kept && rm -r math && mv math.kept math
	@mkdir -p $(MUSL)/src/malloc/never && cp scripts/free.c $(MUSL)/src/malloc/never
	@cd $(MUSL)/src/string && rm strchr.c memmem.c strstr.c && cp $(CURDIR)/scripts/find.c .
	@sed -i 's/ || mbstowcs(0, host, 0) == -1//' $(MUSL)/src/network/lookup_name.c
	@sed -i '/^#define VDSO/d' $(MUSL)/arch/*/syscall_arch.h
	@touch $@
define libc
build/$(1)/libc/ready: $(MUSL)/ready
	@command -v $$($(1).cc) >/dev/null || \
	    { echo "$$($(1).cc) is missing: run 'make deps'" >&2; exit 1; }
	@echo "  MUSL  build/$(1)/libc (once)"
	@rm -rf build/$(1)/libc && mkdir -p build/$(1)/libc
	@cd build/$(1)/libc && ../../../$(MUSL)/configure --disable-shared --disable-wrapper \
	    --with-malloc=never --prefix= --syslibdir=/ CC=$$($(1).cc) CFLAGS='$(MUSL_FLAGS)' >configure.log 2>&1
	@MAKEFLAGS= $$(MAKE) -s -j$$$$(nproc) -C build/$(1)/libc DESTDIR=. install-headers lib/libc.a \
	    lib/crt1.o lib/crti.o lib/crtn.o >build/$(1)/libc/make.log 2>&1 || \
	    { cat build/$(1)/libc/make.log; exit 1; }
	@touch $$@
endef
$(foreach m,$(STATIC_MODES),$(eval $(call libc,$(m))))

# musl has no kernel headers of its own.
build/sources/kernel: $(INIH)/ini.c $(CAPNG)/cap-ng.c
	@mkdir -p $@
	@ln -sfn /usr/include/linux $@/linux
	@ln -sfn /usr/include/asm-generic $@/asm-generic
	@ln -sfn /usr/include/$(shell gcc -print-multiarch)/asm $@/asm
	@touch $@
build/static-arm64/libc/ready: $(INIH)/ini.c $(CAPNG)/cap-ng.c

# --- Tests ---------------------------------------------------------------------------------------
SUITES := lint unit corpus build e2e docker
RUN     = MAKE='$(MAKE)' PYTHON='$(PYTHON)' $(PYTHON) tests/run.py

test: deps ## lint, unit, corpus, build, e2e, docker: one cell for each promise, 15 minutes
	+@$(RUN) $(SUITES)
test-all: deps ## the same with all matrices
	+@$(RUN) --all $(SUITES)
test-unit: ## the unit tests (one: make build/release/unit/test_url, and run it)
	+@$(RUN) unit
test-e2e test-docker test-build test-corpus: test-%: ## one kind: the binary as PID 1, images, the build itself, all known inputs
	+@$(RUN) $*
lint: ## layers and powers, clang-format, clang-tidy, cppcheck, gcc -fanalyzer, clang, shellcheck, man pages
	+@$(RUN) lint
asan: ## unit and e2e under ASan and UBSan
	+@$(RUN) --mode asan unit e2e

# --- Lint: each check is one test ----------------------------------------------------------------
LINT_CPP  = -std=c11 -D_GNU_SOURCE -DFRESHINIT_VERSION=\"$(VERSION)\" -iquote include
C_FILES  := $(SOURCES) $(wildcard include/*/*.h tests/unit/*.c tests/unit/*.h tests/fuzz/*.c \
            tests/helpers/*.c tests/bench/*.c)
SCRIPTS  := $(wildcard scripts/*.sh docker/*.sh .ci/run)

lint-layers: $(call objects,release)
	@$(PYTHON) tests/lint/layers.py build/release
lint-format:
	@clang-format --dry-run -Werror $(C_FILES)
lint-tidy: $(SOURCES:src/%.c=build/lint/tidy/%.ok)
lint-analyzer: $(SOURCES:src/%.c=build/lint/analyzer/%.o)
lint-clang: $(SOURCES:src/%.c=build/lint/clang/%.ok)
lint-musl: $(SOURCES:src/%.c=build/lint/musl/%.ok)
lint-cppcheck:
	@mkdir -p build/lint/cppcheck
	@cppcheck -q -j2 --cppcheck-build-dir=build/lint/cppcheck --std=c11 -I include -D_GNU_SOURCE \
	    --enable=warning,performance,portability --inline-suppr --error-exitcode=1 src
lint-shell:
	@shellcheck $(SCRIPTS)
lint-man: $(PAGES)

MODEL = $(if $(filter src/base/fault.c,$<),,-include tests/lint/model.h)
# The object is there to say that the file or one of its headers changed.
build/lint/tidy/%.ok: src/%.c build/release/%.o .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(LINT_CPP) $(MODEL) 2>/dev/null && touch $@
build/lint/clang/%.ok: src/%.c build/release/%.o
	@mkdir -p $(@D)
	@clang -fsyntax-only -Werror $(WARNINGS) $(LINT_CPP) $< && touch $@
build/lint/musl/%.ok: src/%.c build/static/%.o
	@mkdir -p $(@D)
	@$(static.cc) -Werror $(WARNINGS) $(LINT_CPP) $(static.flags) -fsyntax-only $< && touch $@
build/lint/analyzer/%.o: src/%.c build/release/%.o
	@mkdir -p $(@D)
	@gcc -O2 -Werror -fanalyzer $(WARNINGS) $(LINT_CPP) $(MODEL) -c -o $@ $<
format: ## rewrites the C files by clang-format
	clang-format -i $(C_FILES)

# --- Manual, packages, what is around the binary -------------------------------------------------
build/man/%: src/%.scd
	@command -v scdoc >/dev/null || { echo "scdoc is missing: run 'make deps'" >&2; exit 1; }
	@mkdir -p $(@D)
	$(call run,MAN,scdoc <$< >$@.part && mv $@.part $@)
deps: ## installs what is missing (apt, as root; else prints the command); DEPS=build: not for tests
	@scripts/deps.sh $(DEPS)
install: build/freshinit $(PAGES) ## binary and manual below $(DESTDIR)$(PREFIX)
	install -D -m 755 build/freshinit $(DESTDIR)$(PREFIX)/bin/freshinit
	for p in $(PAGES); do \
	    install -D -m 644 $$p $(DESTDIR)$(PREFIX)/share/man/man$${p##*.}/$${p##*/} || exit 1; done
uninstall: ## removes them
	rm -f $(DESTDIR)$(PREFIX)/bin/freshinit
	for p in $(PAGES); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${p##*.}/$${p##*/}; done
size: build/static/freshinit ## the static binary against its limit
	@n=$$(stat -c %s $<); echo "$< $$n bytes, at most $(SIZE_LIMIT)"; [ $$n -le $(SIZE_LIMIT) ]
fuzz: build/fuzz/fuzz/fuzz_$(FUZZ) ## libFuzzer: FUZZ=redis TIME=60
	@mkdir -p build/fuzz/corpus/$(FUZZ)
	$< -max_total_time=$(TIME) -artifact_prefix=build/fuzz/ \
	    build/fuzz/corpus/$(FUZZ) tests/fuzz/corpus/$(FUZZ)
coverage: build/coverage/freshinit ## unit and e2e under gcov; fails below the floor
	@find build/coverage -name '*.gcda' -delete
	@chmod -R a+rwX build/coverage
	+@$(RUN) --mode coverage unit e2e || echo "(judged by make test; counters cost time and memory)"
	@gcovr --root . --filter src/ --object-directory build/coverage --sort-percentage \
	    --fail-under-line $(COVERAGE_FLOOR)
bench: build/static/freshinit ## start-up, signals, reaping, memory beside tini and others; the stages
	@$(PYTHON) tests/bench/run.py
	@$(PYTHON) tests/bench/stages.py
demo: ## builds an example image and shows what is different (a PID namespace without Docker)
	@docker/demo.sh
docker: build/static/freshinit ## the image freshinit, for COPY --from
	docker build -t freshinit:$(VERSION) -t freshinit:latest -f docker/Dockerfile.release $(<D)
dist: ## the source archive, the same bytes each time
	@mkdir -p build/dist
	git archive --format=tar --prefix=freshinit-$(VERSION)/ HEAD | gzip -9n \
	    >build/dist/freshinit-$(VERSION).tar.gz
deb: build/static/freshinit $(PAGES) ## a Debian package of the static binary
	@scripts/deb.sh $(VERSION) $(ARCH) build/deb $^

force:
clean: ## removes build/
	rm -rf build
help: ## this table
	@sed -n 's/^\([a-z][a-z0-9 -]*\):[^#]* ## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    while IFS="$$(printf '\t')" read -r t d; do printf '%-22s %s\n' "$$t" "$$d"; done
.PHONY: force clean help debug size fuzz coverage bench demo docker dist deb all static test test-all test-unit test-e2e test-docker test-build \
    test-corpus lint asan format deps install uninstall lint-layers lint-format lint-tidy \
    lint-analyzer lint-clang lint-musl lint-cppcheck lint-shell lint-man
-include $(wildcard build/*/*.d build/*/*/*.d)
