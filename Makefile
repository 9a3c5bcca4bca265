# make demo   set up, curate a small web into token shards, show what came out
# make test   set up, lint, types, import contract, unit and end-to-end tests (what CI runs)
# make chaos | clean-root | fuzz | bench   slow suites, by hand
# make flink-up | flink-down    a local Flink cluster of two slots, for `winnow run --runner FlinkRunner` (docs/flink.md)

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
DEMO   := demo

.PHONY: demo test lint types imports unit e2e chaos clean-root fuzz bench format flink-up flink-down clean

$(VENV)/.core: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) --editable '.[dev]'
	@touch $@

demo: $(VENV)/.core
	@rm -rf $(DEMO)
	$(BIN)/winnow demo-web --output $(DEMO)/web
	$(BIN)/winnow train-classifier --input $(DEMO)/web/quality_labels.jsonl --output $(DEMO)/quality.bin --pin $(DEMO)/quality.yaml --set epoch=25 --set lr=0.5 --set dim=32
	$(BIN)/winnow run --input $(DEMO)/web/crawl --output $(DEMO)/run --config $(DEMO)/web/demo.yaml --config $(DEMO)/quality.yaml
	$(BIN)/winnow show $(DEMO)/run --random 2 --chars 300
	$(BIN)/winnow show $(DEMO)/run --reason near_copy --limit 1 --chars 200
	$(BIN)/winnow show $(DEMO)/run --token 0:0:100 --chars 200

test: lint types imports unit e2e

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests --ignore=tests/e2e --ignore=tests/chaos --ignore=tests/fuzz

e2e: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests/e2e

chaos: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests/chaos --ignore=tests/chaos/test_clean_root.py

clean-root: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests/chaos/test_clean_root.py

fuzz: $(VENV)/.dev
	$(PIP) atheris
	$(BIN)/python tests/fuzz/fuzz_extract.py $(FUZZ)

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/steps.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/workers.py
	$(BIN)/python benchmarks/datatrove_fineweb.py

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

flink-up: $(VENV)/.core
	$(BIN)/python -m deploy.flink up $(FLINK)

flink-down: $(VENV)/.core
	$(BIN)/python -m deploy.flink down

clean:
	rm -rf $(VENV) $(DEMO) build *.egg-info
