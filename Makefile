# More Follows. `make help` lists what there is; every target installs what it needs first.

VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/installed-run
SCANNERS := .venv-scanners/installed-scanners
SUPPLY := .venv-supply/installed-supply
SITE := .venv-docs/installed-docs
SITE_ASSETS := tools/site-assets/node_modules/.package-lock.json
DEV := $(VENV)/installed-dev
NODE := tests/node/node_modules/.package-lock.json
TYPESCRIPT := clients/typescript/node_modules/.package-lock.json
LIGHTHOUSE := tests/lighthouse/node_modules/.package-lock.json
OPTIONS ?=
WHAT ?= send distance import signup stream

# What runs here is .venv, whatever environment is active in the shell.
unexport PYTHONHOME PYTHONPATH PYTHONSTARTUP PYTHONUSERBASE VIRTUAL_ENV
# Without the cache of compiled code every process compiles the product anew, for half a second.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install up demo test journeys quick selftest faults soak contract webhooks clients histories check format bench lighthouse lock wordpress ghost mails messages nodes pictures providers security audit sbom image

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(RUN) ## Everything that More Follows needs to run, in .venv
	@echo "Installed in $(VENV). Start it with: make up"

up: $(RUN) ## Start it on this machine; OPTIONS=--sample brings a fictional newsroom along
	@exec $(BIN)/morefollows up $(OPTIONS)

demo: $(RUN) ## Sign readers up, break a story, count what arrives (OPTIONS="--readers 5000")
	@exec $(BIN)/morefollows demo $(OPTIONS)

test: $(DEV) $(NODE) $(TYPESCRIPT) ## The suite, on SQLite and on PostgreSQL (OPTIONS="-k sign_up")
	@tools/test-needs
	@tools/test $(OPTIONS)

journeys: $(DEV) $(NODE) $(TYPESCRIPT) ## The long journeys: what is killed, locked, restored; every page (OPTIONS="-k kill")
	@tools/test-needs
	@tools/test journeys $(OPTIONS)

selftest: $(DEV) $(NODE) ## The tests of our own benchmarks, tools and wheel
	@tools/test-needs npm postgresql smtp-sink
	@TEST_DATABASE=sqlite $(BIN)/python -m pytest -q -n 2 tests/bench tests/tools tests/deploy/test_wheel.py $(OPTIONS)
	@TEST_DATABASE=postgres $(BIN)/python -m pytest -q tests/bench -k rush $(OPTIONS)

quick: $(DEV) ## The tests that need neither a database nor a program beside Python, in a minute or two
	@TESTS=quick $(BIN)/python -m pytest -q -n 2 $(OPTIONS)

faults: $(DEV) ## Kill, stop, cut and fill up whatever can be, and count (OPTIONS="--runs 300 --seed 7")
	@tools/test-needs cc postgresql smtp-sink nft
	@$(BIN)/python -m tests.faults $(OPTIONS)

soak: $(DEV) ## A thousand small alerts, a hundred restarts, a year of housekeeping: nothing grows (OPTIONS=--short)
	@tools/test-needs cc
	@$(BIN)/python -m tests.soak $(OPTIONS)

contract: $(DEV) ## Hold the running API to its OpenAPI document, with schemathesis (OPTIONS=20: examples of each request)
	@$(BIN)/python -m tests.api.document $(OPTIONS)

webhooks: $(DEV) ## Break stories while receivers and senders of webhooks die, and count (OPTIONS="--seed 7 --kills 20")
	@$(BIN)/python -m tests.api.webhook_faults $(OPTIONS)

clients: $(DEV) $(TYPESCRIPT) ## Make the clients for Python and TypeScript anew from the OpenAPI document
	@$(BIN)/python tools/clients.py

histories: $(DEV) ## 10,000 random consent histories against a model
	HISTORIES=10000 $(BIN)/pytest -q tests/courier/test_histories.py $(OPTIONS)

security: $(DEV) $(SCANNERS) ## Attack a running sample: wapiti, sqlmap, nonsense to every route (OPTIONS="--minutes 30")
	@$(BIN)/python -m tests.security $(OPTIONS)

audit: $(SUPPLY) ## Ask whether a locked package has a known vulnerability
	@.venv-supply/bin/python tools/audit $(OPTIONS)

sbom: $(SUPPLY) ## Write the bill of materials (CycloneDX) to build/sbom.json
	@tools/sbom

check: $(DEV) ## Lint, formatting, types, imports, migrations, translations
	@tools/test-needs gettext
	@tools/check

format: $(DEV) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wordpress: $(DEV) $(NODE) ## A journey through a real WordPress, with its plugin: MariaDB, PHP and a browser
	@tools/test-needs chromium fonts libatomic wordpress
	@tools/wordpress-rules
	@TEST_DATABASE=sqlite $(BIN)/python -m pytest -q tests/integrations/test_wordpress.py $(OPTIONS)

ghost: $(DEV) ## A post goes through a real Ghost 6 from npm, which is built first
	@tools/test-needs npm cc
	@tools/ghost-install
	@TEST_DATABASE=sqlite $(BIN)/python -m pytest -q tests/integrations/test_ghost.py $(OPTIONS)

providers: $(DEV) ## An alert straight to six real mail servers in network namespaces (root, Linux; OPTIONS="--readers 50000")
	@$(BIN)/python -m tests.providers $(OPTIONS)

nodes: $(DEV) ## Alerts over four hosts in network namespaces, while they fail one by one (root, Linux; OPTIONS="--readers 100000")
	@tools/test-needs postgresql faketime
	@$(BIN)/python -m tests.nodes $(OPTIONS)

bench: $(DEV) $(NODE) ## Measure sending beside its rivals and far away, importing, a rush of sign-ups, and live pages (WHAT=send OPTIONS="--readers 100000")
	@tools/test-needs smtp-sink $(if $(filter siege,$(WHAT)),wrk)
	$(if $(filter send,$(WHAT)),$(BIN)/python -m bench send $(OPTIONS))
	$(if $(filter distance,$(WHAT)),$(BIN)/python -m bench distance)
	$(if $(filter import,$(WHAT)),$(BIN)/python -m bench import)
	$(if $(filter api,$(WHAT)),$(BIN)/python -m bench api $(OPTIONS))
	$(if $(filter signup,$(WHAT)),$(BIN)/python -m bench signup)
	$(if $(filter stream,$(WHAT)),$(BIN)/python -m bench stream)
	$(if $(filter scale,$(WHAT)),$(BIN)/python -m bench scale $(OPTIONS))
	$(if $(filter siege,$(WHAT)),$(BIN)/python -m bench siege $(OPTIONS))
	$(if $(filter desk,$(WHAT)),$(BIN)/python -m bench desk $(OPTIONS))

image: $(DEV) ## Build the container image (OPTIONS=--try: on a Debian made for it, and run it; root)
	$(if $(filter --try,$(OPTIONS)),$(BIN)/python -m tests.deploy,tools/image $(OPTIONS))

lighthouse: $(DEV) $(LIGHTHOUSE) ## Have Lighthouse judge a story page, Home and the write page
	@tools/test-needs chromium
	tools/lighthouse $(OPTIONS)

lock: $(DEV) ## Renew the lock files of pyproject.toml (needs uv)
	tools/lock

mails: $(DEV) ## Compile the mails' HTML templates from their MJML
	@$(BIN)/python tools/mails.py

messages: $(DEV) ## Collect the words to translate, and compile the translations
	tools/messages

pictures: $(DEV) ## Take the pictures of docs/pictures from a running sample
	tools/pictures

.PHONY: site
site: $(SITE) $(SITE_ASSETS) ## Build the documentation as a site, in build/site, and follow every link
	@.venv-docs/bin/python tools/site

$(RUN): requirements/run.lock pyproject.toml tools/install
	tools/install run

$(DEV): requirements/dev.lock $(RUN)
	tools/install dev

# Apart from ours: each brings many packages, of other versions.
$(SCANNERS): requirements/tools/scanners.lock tools/install
	tools/install tools/scanners .venv-scanners

$(SUPPLY): requirements/tools/supply.lock tools/install
	tools/install tools/supply .venv-supply

$(SITE): requirements/tools/docs.lock tools/install
	tools/install tools/docs .venv-docs

$(SITE_ASSETS): tools/site-assets/package-lock.json tools/test-needs
	@tools/test-needs npm
	npm ci --prefix tools/site-assets --no-audit --no-fund
	@touch $@

$(NODE): tests/node/package-lock.json tools/test-needs
	@tools/test-needs npm
	npm ci --prefix tests/node --no-audit --no-fund
	@touch $@

$(TYPESCRIPT): clients/typescript/package-lock.json tools/test-needs
	@tools/test-needs npm
	npm ci --prefix clients/typescript --ignore-scripts --no-audit --no-fund
	@touch $@

$(LIGHTHOUSE): tests/lighthouse/package-lock.json tools/test-needs
	@tools/test-needs npm
	npm ci --prefix tests/lighthouse --no-audit --no-fund
	@touch $@
