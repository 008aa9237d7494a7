# Two commands are enough for a newcomer: `make demo` and `make test`. Both do their own set-up with only python3.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed-$(shell cat requirements/dev.txt pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)
WEEK ?= 2026-W47
FUZZ_SECONDS ?= 1200

.PHONY: help install demo test long e2e kills check bench fuzz docs format accept lock clean

help:            ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

install: $(STAMP)  ## .venv with the locked dependencies and windsock itself

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "windsock needs python3 >= 3.11; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@rm -f .venv/installed-*
	@touch $@

demo: install    ## the main job on data/sample, offline; ends with the path of a finished report
	@$(BIN)/windsock demo

test: install    ## the everyday tests, some minutes
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e and not long"

long: install    ## whole weeks of strange fleets from logs to mail, some minutes more
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "long and not e2e"

e2e: install     ## real components: Airflow 2.11 and 3, a browser, DuckDB 1.5, other Pythons, a fresh clone (makes environments; half an hour)
	@$(BIN)/python -m pytest -m e2e tests/e2e tests/report

kills: install   ## a pull killed a thousand times on local disk and a hundred times on a bucket (an hour)
	@$(BIN)/python -m pytest -m e2e tests/lake

check: install   ## format, lint, types, drift of generated pages
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m docs.generate --check

bench: install   ## how fast and how right, beside the peers: prints the tables of benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks.reading
	@$(BIN)/python -m benchmarks.component_logs --megabytes 8
	@$(BIN)/python -m benchmarks.redaction
	@$(BIN)/python -m benchmarks.pulling
	@$(BIN)/python -m benchmarks.signatures
	@$(BIN)/python -m benchmarks.memory --quick
	@$(BIN)/python -m benchmarks.judging --quick

fuzz: install    ## both reading paths held equal on inputs that coverage guides (atheris, Linux on x86-64); FUZZ_SECONDS=1200
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade --target .venv/fuzz -r requirements/fuzz.txt
	@PYTHONPATH=.venv/fuzz nice $(BIN)/python -m tests.fuzz $(FUZZ_SECONDS) .venv/fuzz-corpus

docs: install    ## rewrite the generated pages
	@$(BIN)/python -m docs.generate

format: install  ## format and mend what can be mended
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

accept: install  ## take today's output as the golden files; review the diff as you review code
	@WINDSOCK_ACCEPT=1 $(BIN)/python -m pytest -m "not e2e" tests/report tests/test_sample_week.py

lock:            ## for maintainers: renew the lock files (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --generate-hashes --no-header -o requirements/run.txt pyproject.toml
	@uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --generate-hashes --no-header --group dev -c requirements/run.txt -o requirements/dev.txt pyproject.toml
	@uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --generate-hashes --no-header --no-annotate --only-group build -c requirements/dev.txt -o requirements/build.txt pyproject.toml

clean:           ## remove what can be made again
	@rm -rf .venv dist build reports/out .pytest_cache .hypothesis .mypy_cache .ruff_cache
