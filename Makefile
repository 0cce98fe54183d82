# Everything a developer or a user types. Each target sets up what it needs in .venv on a machine with Python 3.11+, pip, git and make.
# To use an interpreter that has everything installed already: make lint PY=/path/to/python

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv

ifeq ($(origin PY), undefined)
PY := $(VENV)/bin/python
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
endif

# How many processes run the tests: two more than there are cores, as tests of time-outs wait for a part of their time, and just one
# where ARGS names tests. WORKERS=3 or WORKERS=logical: so many.
WORKERS ?= $(if $(strip $(ARGS)),0,$(shell expr $$(getconf _NPROCESSORS_ONLN) + 2))

CODE := src tests tools $(foreach folder,benchmarks examples fuzz,$(if $(wildcard $(folder)/*.py),$(folder)))
export PYTHONPATH := $(CURDIR)/src
PYTEST = $(PY) -m pytest -q --numprocesses=$(WORKERS) --maxprocesses=8 --dist=worksteal
# Hundreds of tests start the command line: without its bytecode on disk each of them would compile it anew.
unexport PYTHONDONTWRITEBYTECODE
ARGS ?=

.PHONY: help demo test coverage soak peers lint check-types check-style check-house format trace mutate bench fuzz man docs pictures clean
.DEFAULT_GOAL := help

help:  ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(RUNTIME)  ## a scheduled exam from end to end, with a virtual hospital (ARGS="--profile mr")
	$(dir $(PY))openmodality demo $(ARGS)

test: $(DEVELOPMENT) peers  ## all tests, on all cores (ARGS="tests/unit -k pdu", in one process; WORKERS=4)
	@$(PYTEST) --record=build/tests.json $(ARGS) || { status=$$?; test $$status = 1 -a -z "$(strip $(ARGS))" || exit $$status; \
	echo "What failed runs again, alone: on a busy machine a time limit may have come first."; \
	$(PY) -m pytest --numprocesses=0 --last-failed --last-failed-no-failures=none --maxfail=1 -v --record=build/tests.json && \
	echo "They pass alone: each of them depends on how busy the machine is, and is to be mended."; }

coverage: $(DEVELOPMENT) peers  ## the tests again, with the lines and branches that they reach
	$(PYTEST) --cov --cov-report=term --cov-report=xml $(ARGS)

soak: $(DEVELOPMENT) peers  ## the tests that can work longer, at length: an hour or so (ARGS=tests/fault)
	$(PYTEST) --soak $(if $(strip $(ARGS)),$(ARGS),tests/property tests/fault tests/integration/console/test_rest_schema.py)

peers:
	@tools/install_peers.sh

lint: $(DEVELOPMENT)  ## the gates: ruff, mypy, import-linter, house rules
	@$(MAKE) --no-print-directory --keep-going --jobs=2 check-types check-style check-house PY=$(PY)

# mypy takes one core for as long as all others together; beside it these take the other one.
check-types:
	$(PY) -m mypy $(CODE)

check-style:
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)

check-house:
	$(dir $(PY))lint-imports --no-logo
	$(PY) -m tools.house_rules $(CODE)

format: $(DEVELOPMENT)  ## let ruff put the code in order
	$(PY) -m ruff check --fix $(CODE)
	$(PY) -m ruff format $(CODE)

trace: $(DEVELOPMENT)  ## which requirements the last `make test` showed, and before whom (ARGS=--json; ARGS=--write for the statement)
	@$(PY) -m tools.trace $(ARGS)

mutate: $(DEVELOPMENT) peers  ## would the tests notice a fault? 300 mutants, an hour or so; goes on where it was (ARGS=--survivors)
	@$(PY) -m tools.mutate $(ARGS)

bench: $(DEVELOPMENT) peers  ## speed, side by side with DCMTK, pynetdicom, Orthanc and the raw limit
	$(PY) -m benchmarks $(ARGS)

fuzz: $(DEVELOPMENT)  ## mutated byte streams against the decoders and the live acceptor
	$(PY) -m fuzz $(ARGS)

man: $(RUNTIME)  ## manual pages of all commands, in build/man/man1
	$(dir $(PY))openmodality man build/man/man1

docs: $(DEVELOPMENT)  ## print the tables of objects, the conformance statements and docs/openapi.json anew; links and commands in the documents are sound
	$(PY) -m tools.objects_page
	$(PY) -m tools.conformance_pages
	$(PY) -m tools.requirements_page
	$(PY) -m tools.openapi_page
	$(PY) -m tools.check_docs

pictures: $(DEVELOPMENT)  ## pictures of every page of the console, in both themes (ARGS="FOLDER --width 640")
	$(PY) -m tools.console_pictures $(ARGS)

clean:  ## remove what was made, .venv included
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian's python3 may come without ensurepip: the virtual environment is then made without pip, and the pip outside installs into it.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed and was not found: install it or set PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || $(PYTHON) -m venv --clear --without-pip $(VENV)

$(VENV)/.runtime: pyproject.toml | $(VENV)/bin/python
	$(PYTHON) -m pip --python $(VENV)/bin/python install --quiet --disable-pip-version-check --editable '.[console,media,mr]'
	@touch $@

$(VENV)/.development: pyproject.toml | $(VENV)/bin/python
	$(PYTHON) -m pip --python $(VENV)/bin/python install --quiet --disable-pip-version-check --editable '.[console,dev,media,mr,postgresql]'
	$(VENV)/bin/python -m tools.hide_scripts pynetdicom
	@touch $@ $(VENV)/.runtime
