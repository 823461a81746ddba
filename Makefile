# Everything that people and machines do with Emostream, from set-up to tests. `make` alone lists the targets.
#
# Set-up is a chain of real files, so whatever has not changed is not done again: the virtual environment, two
# stamps in it (what serving needs, what developing needs), web/node_modules and the built page.

PORT ?= 8000
PYTHON ?= python3
# Further arguments, as in: make test-python PYTEST_ARGS="tests/test_settings.py -x"
PYTEST_ARGS ?=

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Set-up comes before tests, and pytest's summary last, whatever -j says.
.NOTPARALLEL:

# Progress must appear as it happens where the output is a pipe, as in CI.
export PYTHONUNBUFFERED := 1

BIN := .venv/bin
VENV := $(BIN)/python
SERVING := .venv/.serving-installed
DEVELOPING := .venv/.developing-installed
DOCUMENTING := .venv/.documenting-installed
NODE_MODULES := web/node_modules/.package-lock.json
# The page and the detector's files are parts of the package, so that a checkout, the image and the wheel all find
# them in the one place.
DASHBOARD := server/dashboard/index.html
# The one of the face detector's files that is put in place last.
FACES := server/detection/models/face_detection_short_range.tflite

PIP_INSTALL := $(VENV) -m pip install --disable-pip-version-check --constraint constraints.txt
# The folders are among them because a deleted file shows only there. The last are shared with the server.
WEB_SOURCES := $(shell find web/src web/public -not -name '*.test.*' 2>/dev/null) \
    $(wildcard web/index.html web/*.config.ts web/build/*.ts web/tsconfig*.json) \
    $(wildcard server/*.json server/protocol/*.json server/detection/face_verifier.safetensors)
# Where `make wheel` puts the wheel
DIST ?= dist

##@ Use

.PHONY: run
run: $(VENV) $(DASHBOARD) $(FACES) $(SERVING) ## set up what is missing, then serve API and dashboard on PORT (8000)
	@exec $(BIN)/emostream serve --port $(PORT)

.PHONY: wheel
wheel: $(VENV) $(DASHBOARD) $(FACES) ## build the package, complete, in dist/
# setuptools would pack what an earlier build has left in build/, deleted files too.
	@rm -rf build $(DIST)/emostream-*.whl
	$(VENV) -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir $(DIST) .
	@rm -rf build
	@ls $(DIST)/emostream-*.whl

.PHONY: client
client: $(NODE_MODULES) ## build and pack the npm package @emostream/client into dist/
	cd web && npm run build:client
	@mkdir -p $(DIST)
	npm pack ./web/client --pack-destination $(DIST)

##@ Develop

.PHONY: test
test: setup test-tools web lint test-web ## set up what is missing, then run every check and all tests that are not slow
# Two files of tests at a time. Browsers and installations take the machine for themselves.
	$(VENV) -m pytest --numprocesses 2 --dist loadfile -m "not e2e and not installs and not ray and not slow"
	$(VENV) -m pytest -m "e2e or installs"

.PHONY: test-slow
test-slow: setup test-tools web ## the slow tests that test leaves out
	$(VENV) -m pytest --numprocesses 2 --dist loadfile -m slow

.PHONY: test-all
test-all: test test-slow test-ray ## everything

# What most changes break first. No browser, no server of its own, no training.
QUICK := imaging protocol streaming tracking quality training/preparing inference/test_fair_queue.py \
    inference/test_batch_choice.py detection/test_suppression.py detection/test_tiles.py detection/test_turned.py \
    test_addresses.py test_architecture.py test_asyncapi.py test_emotions.py test_faces.py test_settings.py
.PHONY: check
check: setup lint test-web ## the quick part of test: style, types, and tests without browser or server
	$(VENV) -m pytest $(QUICK:%=tests/%)

.PHONY: setup
setup: $(VENV) $(NODE_MODULES) $(FACES) $(DEVELOPING) ## install everything that development needs

.PHONY: web
web: $(DASHBOARD) ## build the dashboard

.PHONY: faces
faces: $(FACES) ## put the face detector's model files in place

.PHONY: lint
lint: $(DEVELOPING) $(NODE_MODULES) ## style and types, Python and TypeScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/shellcheck scripts/*.sh .ci/run
	cd web && npm run lint
	cd web && npm run typecheck

.PHONY: test-python
test-python: $(DEVELOPING) $(DASHBOARD) $(FACES) ## Python tests, without those that drive a browser
	$(VENV) -m pytest -m "not e2e and not ray" $(PYTEST_ARGS)

.PHONY: test-ray
test-ray: $(DEVELOPING) $(DASHBOARD) $(FACES) ## tests that start a Ray cluster
# By themselves: a cluster gives up on a busy machine whose processes take over 30 s to start.
	$(VENV) -m pytest -m ray $(PYTEST_ARGS)

.PHONY: test-web
test-web: $(NODE_MODULES) ## the dashboard's unit tests
	cd web && npm test

.PHONY: test-e2e
test-e2e: $(DEVELOPING) $(DASHBOARD) $(FACES) test-tools ## tests that drive a real browser
	$(VENV) -m pytest -m e2e $(PYTEST_ARGS)

.PHONY: screenshot
screenshot: $(DEVELOPING) $(DASHBOARD) $(FACES) test-tools ## take README's pictures of the page
	$(VENV) -m pytest tests/e2e/test_screenshot.py --save-screenshot docs/screenshot.png

.PHONY: docs
docs: $(DOCUMENTING) $(DASHBOARD) ## build the documentation site into site/
# The first says that a version 2 of MkDocs is planned, the second that it will be another program.
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --quiet

.PHONY: screenshots
screenshots: $(DEVELOPING) $(DASHBOARD) $(FACES) test-tools ## pictures of every state of the page, in test-results/states
	$(VENV) -m pytest tests/e2e/test_states.py --save-states test-results/states

.PHONY: bench
bench: $(DEVELOPING) $(FACES) ## measure this machine (see bench/)
	$(VENV) -m bench.event_loop
	$(VENV) -m bench.images

# In CI: make soak MINUTES=2
MINUTES ?= 10
.PHONY: soak
soak: $(DEVELOPING) $(FACES) ## 64 sessions, some of which misbehave in every way, for MINUTES (10)
	$(VENV) -m bench.soak --minutes $(MINUTES)

.PHONY: clean
clean: ## remove everything that make has made
	rm -rf .venv web/node_modules server/dashboard server/detection/models build dist site *.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find server tests -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	    /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# --- Set-up: the steps that the Dockerfile takes as well ---------------------------------------------------------

.PHONY: serving
serving: $(SERVING)

.PHONY: test-tools
test-tools:
	@scripts/install-test-tools.sh

$(VENV):
	@scripts/create-venv.sh $(PYTHON) .venv

$(SERVING): pyproject.toml constraints.txt | $(VENV)
	$(PIP_INSTALL) --editable '.[server]'
	@touch $@

$(DEVELOPING): $(SERVING)
	$(PIP_INSTALL) --editable '.[dev]'
	@touch $@

$(DOCUMENTING): $(SERVING)
	$(PIP_INSTALL) --editable '.[docs]'
	@touch $@

$(NODE_MODULES): web/package.json web/package-lock.json $(wildcard web/.npmrc)
	@scripts/install-web.sh
	@touch $@

$(FACES): $(NODE_MODULES) server/detection/SHA256SUMS
	@scripts/install-faces.sh $(@D)

$(DASHBOARD): $(NODE_MODULES) $(WEB_SOURCES)
	cd web && npm run build
