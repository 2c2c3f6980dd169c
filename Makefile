# The two commands of a fresh machine are `make run` and `make test`; the others are their parts.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
PIP := .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes

.PHONY: help setup lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1 \t\2/' | expand -t 18

setup: .venv/.runtime ## install what the hub needs, start nothing

# A file that names what was installed: nothing is asked of pip again until the lock changes.
.venv/.runtime: requirements.txt
	@[ -x .venv/bin/python ] || $(PYTHON) -m venv .venv
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.txt
	@$(PIP) -r requirements-dev.txt
	@touch $@

lock: .venv/.dev ## pin requirements*.in by hash into requirements*.txt
	@for name in requirements requirements-dev; do \
	  .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header --universal \
	    --python-version 3.11 $$name.in -o $$name.txt; done
