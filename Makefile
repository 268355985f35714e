# More Follows. `make help` lists what there is; every target installs what it needs first.

VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/installed-run
DEV := $(VENV)/installed-dev
NODE := tests/node/node_modules/.package-lock.json
LIGHTHOUSE := tests/lighthouse/node_modules/.package-lock.json
OPTIONS ?=
WHAT ?= send distance import signup stream

# What runs here is .venv, whatever environment is active in the shell.
unexport PYTHONHOME PYTHONPATH PYTHONSTARTUP PYTHONUSERBASE VIRTUAL_ENV
# Without the cache of compiled code every process compiles the product anew, for half a second.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install up demo test quick faults histories check format bench lighthouse lock mails messages pictures

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(RUN) ## Everything that More Follows needs to run, in .venv
	@echo "Installed in $(VENV). Start it with: make up"

up: $(RUN) ## Start it on this machine; OPTIONS=--sample brings a fictional newsroom along
	@exec $(BIN)/morefollows up $(OPTIONS)

demo: $(RUN) ## Sign readers up, break a story, count what arrives (OPTIONS="--readers 5000")
	@exec $(BIN)/morefollows demo $(OPTIONS)

test: $(DEV) $(NODE) ## The whole suite, on SQLite and on PostgreSQL (OPTIONS="-k sign_up")
	@tools/test-needs
	@tools/test $(OPTIONS)

quick: $(DEV) ## The tests that need neither a database nor a program beside Python, in a minute or two
	@TESTS=quick $(BIN)/python -m pytest -q -n 2 $(OPTIONS)

faults: $(DEV) ## Kill, stop, cut and fill up whatever can be, and count (OPTIONS="--runs 300 --seed 7")
	@tools/test-needs cc postgresql smtp-sink nft
	@$(BIN)/python -m tests.faults $(OPTIONS)

histories: $(DEV) ## 10,000 random consent histories against a model
	HISTORIES=10000 $(BIN)/pytest -q tests/courier/test_histories.py $(OPTIONS)

check: $(DEV) ## Lint, formatting, types, imports, migrations, translations
	@tools/test-needs gettext
	@tools/check

format: $(DEV) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV) $(NODE) ## Measure sending beside its rivals and far away, importing, a rush of sign-ups, and live pages (WHAT=send OPTIONS="--readers 100000")
	@tools/test-needs smtp-sink
	$(if $(filter send,$(WHAT)),$(BIN)/python -m bench send $(OPTIONS))
	$(if $(filter distance,$(WHAT)),$(BIN)/python -m bench distance)
	$(if $(filter import,$(WHAT)),$(BIN)/python -m bench import)
	$(if $(filter signup,$(WHAT)),$(BIN)/python -m bench signup)
	$(if $(filter stream,$(WHAT)),$(BIN)/python -m bench stream)

lighthouse: $(DEV) $(LIGHTHOUSE) ## Have Lighthouse judge a live story page
	@tools/test-needs chromium
	tools/lighthouse

lock: $(DEV) ## Renew the lock files of pyproject.toml (needs uv)
	tools/lock

mails: $(DEV) ## Compile the mails' HTML templates from their MJML
	@$(BIN)/python tools/mails.py

messages: $(DEV) ## Collect the words to translate, and compile the translations
	tools/messages

pictures: $(DEV) ## Take the pictures of docs/pictures from a running sample
	tools/pictures

$(RUN): requirements/run.lock pyproject.toml tools/install
	tools/install run

$(DEV): requirements/dev.lock $(RUN)
	tools/install dev

$(NODE): tests/node/package-lock.json tools/test-needs
	@tools/test-needs npm
	npm ci --prefix tests/node --no-audit --no-fund
	@touch $@

$(LIGHTHOUSE): tests/lighthouse/package-lock.json tools/test-needs
	@tools/test-needs npm
	npm ci --prefix tests/lighthouse --no-audit --no-fund
	@touch $@
