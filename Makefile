# Everything that is done with this tree.  `make` alone says what that is.

DESTDIR  ?=
PREFIX   ?= /usr
OCF_ROOT ?= /usr/lib/ocf
PROVIDER ?= lvsdr
PYTHON   ?= /usr/bin/python3
ARGS     ?=

override PREFIX   := $(abspath $(PREFIX))
override OCF_ROOT := $(abspath $(OCF_ROOT))

VENV   := .venv
LIBDIR := $(PREFIX)/lib/lvsdr
AGENTS := $(filter-out %~,$(wildcard ocf/*))
TOOLS  := $(filter-out %~,$(wildcard tools/*))
PAGES  := $(wildcard docs/man/*.[1-9])
UNITS  := $(wildcard systemd/*.service)

# The line of a stub that finds the library; an installed file that has it is ours.
FINDLIB := sys.path.insert(0, "$(LIBDIR)")

# The line by which a unit of ours is known: another package may have one of the same name.
OURS := \# Installed with lvsdr.

# Modules beside the standard library: name, package in Debian, package in EL and Fedora.
MODULES := lxml:python3-lxml:python3-lxml pyroute2:python3-pyroute2:python3-pyroute2 \
           psycopg:python3-psycopg:python3-psycopg3 click:python3-click:python3-click \
           urllib3:python3-urllib3:python3-urllib3 yaml:python3-yaml:python3-pyyaml

.DEFAULT_GOAL := help
.NOTPARALLEL:
.ONESHELL:
.SHELLFLAGS := -euc
.PHONY: help setup demo demo-cluster test check lab cluster docs bench install uninstall clean \
        setup-check lint types unit postgres-run postgres-versions leader-run \
        examples-run lab-run cluster-run systems-run other-systems paths

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

setup: ## install what developing needs: Debian packages (as root) and .venv
	@echo '== setup'
	tests/setup

demo: setup ## watch connections follow the cluster, in a lab of its own
	@tests/lab/demo $(ARGS)

demo-cluster: setup ## watch a real cluster fail over under PostgreSQL clients (4 minutes)
	@tests/cluster/demo $(ARGS)

test: setup lint types unit postgres-run examples-run leader-run lab-run systems-run cluster-run ## everything, with real programs on a real kernel
	@echo '== all passed'

check: setup-check lint types unit ## what needs no root and takes seconds: lint, types, unit
	@echo '== all passed'

lab: setup ## a shell in the lab: client, directors and real servers as namespaces
	@tests/lab/shell $(ARGS)

cluster: setup ## a shell on a node of a running cluster (ARGS=4-roles configures it)
	@tests/cluster/shell $(ARGS)

postgres-versions: ## the tools with PostgreSQL 12 to 18, fetched from npm (ARGS="12 18")
	@echo '== postgres, other versions'
	tests/setup versions
	tests/postgres/versions $(ARGS)

other-systems: setup ## everything in a Debian 13, the core in a Debian 11 (hours; ARGS=STEP)
	@tests/systems/run all $(ARGS)

docs: ## write the parts of README and man pages that come from the declarations
	@$(PYTHON) -IB docs/generate.py

bench: setup ## the price of a monitor against bare crm_mon, and of a switchover (ARGS=--json)
	@tests/bench/run $(ARGS)

setup-check:
	@echo '== setup'
	tests/setup check

lint:
	@echo '== lint'
	$(VENV)/bin/ruff check --output-format concise
	$(VENV)/bin/ruff format --check

types:
	@echo '== types'
	$(VENV)/bin/mypy
	for stub in $(AGENTS) $(TOOLS); do $(VENV)/bin/mypy --no-error-summary "$$stub"; done

unit:
	@echo '== unit'
	$(VENV)/bin/pytest $(ARGS)

postgres-run:
	@echo '== postgres'
	tests/postgres/run

leader-run: setup
	@echo '== leader'
	tests/leader/run

examples-run:
	@echo '== examples'
	$(VENV)/bin/pytest -p no:cacheprovider tests/examples

lab-run:
	@echo '== lab'
	tests/lab/run

systems-run: setup
	@echo '== systems'
	tests/systems/run

cluster-run: setup
	@echo '== cluster'
	tests/cluster/run

paths:
	@for path in '$(PREFIX)' '$(OCF_ROOT)' '/$(PROVIDER)'; do
	    case $$path in
	    *[!A-Za-z0-9/._+-]* | */../*) echo "make: $$path is not usable as a path" >&2; exit 1 ;;
	    esac
	done

# The library is byte-compiled here, with code that never looks at the source's time again: so it stays
# valid when a package is built from DESTDIR, and no agent writes into it.  It takes the old one's
# place by two renames within microseconds, each stub by one: agents may be running meanwhile.
install: paths ## put agents, tools, library there (DESTDIR PREFIX OCF_ROOT PROVIDER PYTHON)
	@umask 022
	python=$$(command -v '$(PYTHON)') || { echo 'make: PYTHON=$(PYTHON) does not exist' >&2; exit 1; }
	case $$python in /*) ;; *) python=$$PWD/$$python ;; esac
	lib='$(DESTDIR)$(LIBDIR)' agents='$(DESTDIR)$(OCF_ROOT)/resource.d/$(PROVIDER)'

	echo "== library: $$lib"
	trap 'rm -rf "$$lib/.new" "$$lib/.old"' EXIT
	rm -rf "$$lib/.new" "$$lib/.old"
	mkdir -p "$$lib/.new"
	find lib/lvsdr -name '*.py' -exec cp --parents {} "$$lib/.new" ';'
	chmod -R u=rwX,go=rX "$$lib/.new"
	"$$python" -I -m compileall -q --invalidation-mode unchecked-hash \
	    -d '$(LIBDIR)/lvsdr' "$$lib/.new/lib/lvsdr"
	"$$python" -I -c 'import os, sys
	there, old, new = sys.argv[1:]
	if os.path.exists(there): os.rename(there, old)
	os.rename(new, there)' "$$lib/lvsdr" "$$lib/.old" "$$lib/.new/lib/lvsdr"

	put() { # stub, directory
	    mkdir -p "$$2"
	    new=$$2/.$${1##*/}.new
	    sed -e "1s|.*|#!$$python -IS|" -e 's|^sys\.path\.insert(.*|$(FINDLIB)|' "$$1" > "$$new"
	    chmod 755 "$$new"
	    mv -f "$$new" "$$2/$${1##*/}"
	}
	for stub in $(AGENTS); do
	    there=$$agents/$${stub##*/}
	    if [ -e "$$there" ] && ! grep -qxF '$(FINDLIB)' "$$there"; then
	        mkdir -p "$$lib/replaced/$(PROVIDER)"
	        cp -dp "$$there" "$$lib/replaced/$(PROVIDER)/"
	        echo "== replaced: $$there (uninstall puts it back)"
	    fi
	    put "$$stub" "$$agents"
	    echo "== agent: $$there"
	done
	for stub in $(TOOLS); do
	    put "$$stub" '$(DESTDIR)$(PREFIX)/bin'
	    echo "== tool: $(DESTDIR)$(PREFIX)/bin/$${stub##*/}"
	done
	for page in $(PAGES); do
	    install -D -m 644 "$$page" "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}"
	done

	for unit in $(UNITS); do
	    there='$(DESTDIR)$(PREFIX)/lib/systemd/system/'$${unit##*/}
	    if [ -e "$$there" ] && ! grep -qF '$(OURS)' "$$there"; then
	        echo "== kept: $$there, which is not ours"
	        continue
	    fi
	    mkdir -p "$${there%/*}"
	    sed 's|^ExecStart=/usr/bin/|ExecStart=$(PREFIX)/bin/|' "$$unit" > "$$there.new"
	    chmod 644 "$$there.new"
	    mv -f "$$there.new" "$$there"
	    echo "== unit: $$there"
	done

	for module in $(MODULES); do
	    packages=$${module#*:} module=$${module%%:*}
	    users=$$(grep -rlE --include='*.py' "^ *(import|from) $$module\b" lib/lvsdr | sort | tr '\n' ' ') || true
	    if [ -n "$$users" ] && ! "$$python" -I -c "import $$module" 2>/dev/null; then
	        echo "warning: $$python lacks $$module (Debian: $${packages%:*}, EL: $${packages#*:}), used by $$users" >&2
	    fi
	done

uninstall: paths ## remove exactly that (same variables)
	@lib='$(DESTDIR)$(LIBDIR)' resources='$(DESTDIR)$(OCF_ROOT)/resource.d'
	agents=$$resources/$(PROVIDER) replaced=$$lib/replaced/$(PROVIDER)
	remove() { # directory
	    grep -slxF -d skip '$(FINDLIB)' "$$1"/* | while read -r stub; do
	        rm -f "$$stub"
	        echo "== removed: $$stub"
	        if [ -e "$$replaced/$${stub##*/}" ]; then mv "$$replaced/$${stub##*/}" "$$1/"; fi
	    done
	}
	remove "$$agents"
	rm -rf "$$replaced"
	if [ -d "$$agents" ]; then rmdir --ignore-fail-on-non-empty "$$agents"; fi
	if grep -sqxF -d skip '$(FINDLIB)' "$$resources"/*/*; then
	    echo "== kept: $$lib, which the agents of another provider use"
	    exit 0
	fi
	remove '$(DESTDIR)$(PREFIX)/bin'
	for page in $(notdir $(PAGES)); do
	    rm -f "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page"
	done
	for unit in $(notdir $(UNITS)); do
	    there='$(DESTDIR)$(PREFIX)/lib/systemd/system/'$$unit
	    if grep -sqF '$(OURS)' "$$there"; then
	        rm -f "$$there"
	        echo "== removed: $$there"
	    fi
	done
	rm -rf "$$lib/lvsdr" "$$lib/.new" "$$lib/.old"
	if [ -d "$$lib/replaced" ]; then rmdir --ignore-fail-on-non-empty "$$lib/replaced"; fi
	if [ -d "$$lib" ]; then rmdir --ignore-fail-on-non-empty "$$lib"; fi
	echo "== removed: $$lib"

clean: ## remove what tests and tools left in the tree (.venv stays)
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* build dist lib/*.egg-info
	find lib ocf tools tests -name __pycache__ -prune -exec rm -rf {} +
