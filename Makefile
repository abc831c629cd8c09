# `make chat` opens the chat on the seed documents, `make test` runs every check. Both make what they need first and
# do nothing twice. See `make help`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The index of the seed documents, and where the chat listens.
INDEX ?= .mureum/seeds
PORT ?= 7860

BIN := .venv/bin
ENVIRONMENT := .venv/.installed
CHECKS := .venv/.installed-dev
SEEDED := $(INDEX)/.seeded

.PHONY: help chat test lint models seeds clean
.DELETE_ON_ERROR:

help: ## this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 14

chat: $(SEEDED) models ## install, fetch the models, index seeds/, open the chat at http://127.0.0.1:7860
	@exec $(BIN)/mureum chat --index '$(INDEX)' --examples seeds/questions.jsonl --port $(PORT)

test: $(CHECKS) lint models ## install what the checks need and run all of them
	@$(BIN)/python -m pytest

lint: $(CHECKS) ## style and types alone
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict index rag ui tests

models: $(ENVIRONMENT) ## fetch the two default models where they are missing
	@$(BIN)/mureum models fetch

seeds: $(SEEDED) ## index seeds/

# The stamp lies in the index: gone with it, older than a changed document or a changed rule. Documents that a person
# added to this index stay in it.
$(SEEDED): $(ENVIRONMENT) $(wildcard seeds/* seeds/.mureumignore index/*.py) | models
	@echo "Indexing seeds/ in $(INDEX) ..."
	@if [ -d '$(INDEX)' ] && ! $(BIN)/mureum index verify --index '$(INDEX)' >/dev/null 2>&1; then \
	    $(BIN)/mureum index rebuild --index '$(INDEX)' || true; \
	fi
	@$(BIN)/mureum index add seeds --index '$(INDEX)'
	@touch '$@'

# pip's own account, short: a line for each package that is looked up, and what goes wrong.
PIP := $(BIN)/python -m pip --disable-pip-version-check
SHORT := awk '/^ *(Collecting|Downloading|Installing|Successfully)/ { print "  " substr($$0, 1, 110); fflush() }'

$(BIN)/python:
	@set -- python3 python3.14 python3.13 python3.12 python3.11; python=; \
	for name; do \
	    if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "make: Python 3.11 or newer is needed, and none was found (looked for: $$*)." >&2; \
	    exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "make: $$python cannot make environments. On Debian and Ubuntu: apt install python3-venv" >&2; \
	    exit 1; \
	fi; \
	echo "Making .venv with $$("$$python" --version) ..."; \
	"$$python" -m venv --clear .venv

# A stamp is written last: whatever stops an installation, the next one goes on with it.
$(ENVIRONMENT): pyproject.toml constraints.txt $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@echo "Installing into .venv (some minutes) ..."
	@$(PIP) install -e . -c constraints.txt | $(SHORT)
	@touch $@

$(CHECKS): $(ENVIRONMENT)
	@echo "Installing the tools of the checks ..."
	@$(PIP) install -e '.[dev]' -c constraints.txt | $(SHORT)
	@for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do \
	    if command -v "$$name" >/dev/null; then touch $@; exit 0; fi; \
	done; \
	echo "No Chromium on this system: fetching Playwright's own for the browser tests ..."; \
	$(BIN)/python -m playwright install chromium \
	    || echo "make: no Chromium could be had; the browser tests will be left out. Install Chromium to run them." >&2
	@touch $@

clean: ## remove the environment, the seed index and what tools left behind; the models stay
	@rm -rf .venv .mureum .pytest_cache .mypy_cache .ruff_cache *.egg-info build
	@find index rag ui tests -name __pycache__ -type d -prune -exec rm -rf {} +
