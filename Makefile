# Everything a newcomer needs: `make demo` and `make test`. Both make .venv first: from requirements.lock, what the product
# needs to run; whatever tests adds requirements-dev.lock, what its tests need besides.
#
# The project is not "installed": a .pth file puts this directory on the path of .venv and a short script is the
# command `jht`. So nothing is built: no setuptools, no compiler, no network beyond the wheels in the lock.

VENV    := .venv
PYTHON  := $(VENV)/bin/python
READY   := $(VENV)/ready
TOOLS   := $(VENV)/tools
JHT     := $(VENV)/bin/jht
# More than two cores: half of a system test is waiting.
WORKERS ?= 4
DEMO    := demo
BENCH   ?=
MUTATE  ?=

# Where the environment forbids it, every process of the tests would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo serve test test-long check events openapi gallery bench mutate audit lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 18

demo: $(READY)  ## a seeded sample in, balances out, everything rebuilt and proved equal (SQLite, under a minute)
	@rm -rf $(DEMO)
	@$(PYTHON) -m api.sample $(DEMO)/files
	@set -e; export JHT_DATABASE_URL=sqlite:///$(DEMO)/jht.db; \
	jht() { printf '\n\033[1m$$ jht %s\033[0m\n' "$$*"; $(JHT) "$$@"; }; \
	jht init; \
	jht ingest employers $(DEMO)/files/employers.csv; \
	jht ingest registrations $(DEMO)/files/registrations.csv --old-cards; \
	jht ingest contributions $(DEMO)/files/contributions-*.csv --rejects $(DEMO)/rejects.csv; \
	echo; echo "A worker whose money waited in suspense is registered now; it is released by itself:"; \
	jht ingest registrations $(DEMO)/files/registrations-late.csv; \
	jht follow --once; \
	echo; echo "The year 2025 is declared: one event credits every account. What follows is estimated, and stands apart:"; \
	jht yield start 2025; \
	jht yield declare 2025 --rate 5.63 --basis "made up for this demo" --what-if; \
	jht yield declare 2025 --rate 5.63 --basis "made up for this demo" --yes; \
	jht yield provisional --rate 5 --from 2026-01-01 --basis "made up for this demo"; \
	echo; echo "All payments up to this day are in: from now on a month that was due and has not come is called missing:"; \
	jht payments-complete "$$($(PYTHON) -c 'from api.sample import COMPLETE_UNTIL; print(COMPLETE_UNTIL)')"; \
	npp="$$(sed -n 's/^silent-employer,\([0-9]*\),.*/\1/p' $(DEMO)/files/stories.csv)"; \
	jht months "$$(sed -n "s/^\([0-9]*\),.*,PU,$$npp,.*/\1/p" $(DEMO)/files/registrations.csv | head -n 1)" --year 2026; \
	card="$$(cut -d, -f1,2 $(DEMO)/files/stories.csv | sed -n 's/^back-pay,//p')"; \
	jht balance "$$card" --entries; \
	jht explain "$$card"; \
	jht rebuild; \
	jht status; \
	echo; echo "Users for the doors of the website:"; \
	echo "sawah hujan kopi" | $(JHT) users create sari --role counter --role supervisor; \
	echo "sawah hujan kopi" | $(JHT) users create gaji --kind employer \
	  --npp "$$(sed -n 2p $(DEMO)/files/employers.csv | cut -d, -f1)"
	@printf '\nThe stories in the sample stand in %s/files/stories.csv. Go on: make serve\n' $(DEMO)

serve: $(READY)  ## the website and the API over the ledger that `make demo` made
	@test -f $(DEMO)/jht.db || $(MAKE) demo
	@$(PYTHON) -m api.sample $(DEMO)/files --doors http://127.0.0.1:8099
	@JHT_DATABASE_URL=sqlite:///$(DEMO)/jht.db $(JHT) serve

test: $(TOOLS)  ## all tests, on real SQLite files and a real PostgreSQL (17 minutes on 2 cores)
	@$(PYTHON) -m pytest -n $(WORKERS) --dist worksteal -m "not long" $(ARGS)

test-long: $(TOOLS)  ## the same tests with the big samples
	@LONG=1 $(PYTHON) -m pytest -n $(WORKERS) --dist worksteal --timeout 3600 $(ARGS)

check: $(TOOLS)  ## lint, format, types, import direction
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

events: $(TOOLS)  ## the stored samples and the list of events (ledger/events/README.md), made again from the classes
	@$(PYTHON) -m tests.ledger.regenerate

openapi: $(TOOLS)  ## what is committed about the API, made again: its description (api/static/openapi.json), its codes (api/README.md)
	@$(PYTHON) -m tests.api.regenerate

gallery: $(TOOLS)  ## the pictures of long lives (tests/system/browser/gallery), taken again; look at them
	@$(PYTHON) -m tests.system.browser.gallery

bench: $(TOOLS)  ## the table of speeds beside the peers (half an hour or more; BENCH="--scale 0.1 --only ingest" for less)
	@$(PYTHON) -m tests.bench $(BENCH)

mutate: $(TOOLS)  ## small changes to the pure rules and decisions, each of which a quick test must notice (MUTATE="ledger.money*" for some)
	@set -f; $(PYTHON) -m tests.mutants $(MUTATE)

audit: $(TOOLS)  ## known vulnerabilities of both locks (asks the package index; one it cannot tell about fails too)
	@$(VENV)/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes \
	  -r requirements.lock -r requirements-dev.lock

# Versions that are locked stay; LOCK=--upgrade takes the newest, LOCK="--upgrade-package numpy" one.
LOCK      ?=
UV_COMPILE = uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
	       --custom-compile-command 'make lock' $(LOCK) pyproject.toml
lock:  ## both locks again from pyproject.toml, with the hashes for every platform (needs uv)
	@$(UV_COMPILE) --output-file requirements.lock
	@# pip stays what the virtual environment has: pip-audit, which asks for it, never runs it.
	@$(UV_COMPILE) --output-file requirements-dev.lock --extra dev --constraint requirements.lock \
	  --no-emit-package pip $$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements.lock)

clean:  ## .venv, caches and the demo go
	rm -rf $(VENV) $(DEMO) build mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Both locks are complete, so nothing is resolved: pip 23 cannot, where one package asks for another with an extra.
INSTALL = $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: --no-deps --require-hashes
INTACT  = $(PYTHON) -m pip check --disable-pip-version-check >/dev/null

$(TOOLS): $(READY) requirements-dev.lock
	@echo "installing requirements-dev.lock into $(VENV)"
	@$(INSTALL) -r requirements-dev.lock
	@$(INTACT)
	@touch $@

# The first python of 3.11 or later that can make a virtual environment with pip in it.
$(READY): requirements.lock
	@found=; for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { found=$$python; break; }; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Python 3.11 or later is needed and was not found. On Debian 12 or Ubuntu 24.04: apt install python3 python3-venv" >&2; exit 1; \
	fi; \
	if [ ! -x $(PYTHON) ] || ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	  "$$found" -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$$found cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	  echo "making $(VENV) with $$($$found --version)"; \
	  rm -rf $(VENV); "$$found" -m venv $(VENV); \
	fi
	@echo "installing requirements.lock into $(VENV)"
	@$(INSTALL) -r requirements.lock
	@$(INTACT)
	@$(PYTHON) -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "jht.pth").write_text(str(pathlib.Path.cwd()) + "\n")'
	@{ echo '#!/bin/sh'; echo "'''exec' \"$(CURDIR)/$(PYTHON)\" \"\$$0\" \"\$$@\""; echo "' '''"; \
	   printf 'from api.cli import main\n\nif __name__ == "__main__":  # a process that is spawned reads this file again\n    main()\n'; } > $(JHT) && chmod +x $(JHT)
	@touch $@
