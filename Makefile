# Everything that is done with this tree.  `make` alone says what that is.

DESTDIR  ?=
PREFIX   ?= /usr
OCF_ROOT ?= /usr/lib/ocf
PROVIDER ?= lvsdr
PYTHON   ?= /usr/bin/python3
ARGS     ?=

VENV   := .venv
AGENTS := $(filter-out %~,$(wildcard ocf/*))
TOOLS  := $(filter-out %~,$(wildcard tools/*))

quoted    = '$(subst ','\'',$($(1)))'
PACKAGING = $(call quoted,PYTHON) -IB packaging/install --destdir=$(call quoted,DESTDIR) --prefix=$(call quoted,PREFIX) \
            --ocf-root=$(call quoted,OCF_ROOT) --provider=$(call quoted,PROVIDER)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.ONESHELL:
.SHELLFLAGS := -euc
.PHONY: help setup demo demo-cluster test check lab cluster docs bench bench-peers install uninstall clean \
        setup-check lint types unit postgres-run postgres-versions leader-run \
        examples-run kernels-run lab-run cluster-run systems-run other-systems python-check

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

setup: ## install what developing needs: Debian packages (as root) and .venv
	@echo '== setup'
	tests/setup

demo: ## watch connections follow the cluster, in a lab of its own
	@tests/setup demo
	tests/lab/demo $(ARGS)

demo-cluster: setup ## watch a real cluster fail over under PostgreSQL clients (4 minutes)
	@tests/cluster/demo $(ARGS)

test: ## everything, with real programs on a real kernel; ends with a table of the parts
	@tests/parts/run test

check: ## quick feedback without root: lint, types, unit tests that are not slow
	@tests/parts/run check

lab: setup ## a shell in the lab: client, directors and real servers as namespaces
	@tests/lab/shell $(ARGS)

cluster: setup ## a shell on a node of a running cluster (ARGS=4-roles configures it)
	@tests/cluster/shell $(ARGS)

postgres-versions: ## the tools with PostgreSQL 12 to 18, fetched from npm (ARGS="12 18")
	@echo '== postgres, other versions'
	tests/setup versions
	tests/postgres/versions $(ARGS)

other-systems: setup ## everything in a Debian 13, the core in a Debian 11 (15 minutes; ARGS=STEP)
	@tests/systems/run all $(ARGS)

docs: ## write the parts of docs/reference and the man pages that come from declarations
	@$(PYTHON) -IB docs/generate.py

bench: setup ## the price of a monitor against bare crm_mon, and of a switchover (ARGS=--json)
	@tests/bench/run $(ARGS)

bench-peers: setup ## lvsdr beside keepalived, HAProxy and others; writes docs/comparison.md (25 minutes)
	@tests/bench/peers/run $(ARGS)

setup-check:
	@echo '== setup'
	tests/setup check

lint:
	@echo '== lint'
	tests/parts/run lint

types:
	@echo '== types'
	tests/parts/run types

unit:
	@echo '== unit'
	tests/parts/run unit $(ARGS)

postgres-run:
	@echo '== postgres'
	tests/parts/run postgres

leader-run: setup
	@echo '== leader'
	tests/parts/run leader

examples-run:
	@echo '== examples'
	tests/parts/run examples

kernels-run: setup
	@echo '== kernels'
	tests/parts/run kernels

lab-run:
	@echo '== lab'
	tests/parts/run lab

systems-run: setup
	@echo '== systems'
	tests/parts/run systems

cluster-run: setup
	@echo '== cluster'
	tests/parts/run cluster

install: python-check ## put agents, tools, documentation there (DESTDIR PREFIX OCF_ROOT PROVIDER PYTHON)
	@$(PACKAGING) install

uninstall: python-check ## remove exactly that (same variables)
	@$(PACKAGING) uninstall

python-check:
	@command -v $(call quoted,PYTHON) >/dev/null ||
	    { echo make: PYTHON=$(call quoted,PYTHON) does not exist >&2; exit 1; }
	$(call quoted,PYTHON) -IBc 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null </dev/null ||
	    { echo make: PYTHON=$(call quoted,PYTHON) is no Python of version 3.9 or later >&2; exit 1; }

clean: ## remove what tests and tools left in the tree (.venv stays)
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* build dist lib/*.egg-info
	find lib ocf tools tests -name __pycache__ -prune -exec rm -rf {} +
