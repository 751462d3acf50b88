# Two commands do everything: `make demo` and `make test`. Whatever they make lies in .venv/ and var/.
#
#   make demo [ONCE=1] [PORT=8470] [BANK_PORT=8471] [TODAY=YYYY-MM-DD]
#   make test [SHARED=../shared] [ARGS="-k name"]      make lint      make serve      make bench      make lock
#   make test-certificates [FOLDER=var/test-certificates]
#   make fuzz [COUNT=100000] [SEED=1]         make sandbox [PORT=8470] [BANK_PORT=8471]
#   make histories [COUNT=2000] [SEED=1]      make kills [COUNT=200] [SEED=1]      make year [DAYS=365] [ACCOUNTS=20]

SHARED ?= ../shared
ARGS ?=
BIN := .venv/bin
CACHE := $(CURDIR)/var/cache

export SHARED := $(abspath $(SHARED))
export PYTHONPYCACHEPREFIX := $(CACHE)/bytecode
# Compiling our libraries anew in every process costs seconds; some environments ask for that, empty means no.
export PYTHONDONTWRITEBYTECODE :=
export PIP_CACHE_DIR := $(CACHE)/pip
export UV_CACHE_DIR := $(CACHE)/uv
export UV_LINK_MODE := copy
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

# The first interpreter that is there, runs and is new enough; a shim without an interpreter behind it does not count.
FIND_PYTHON = for name in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3; do \
	if "$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then \
	echo "$$name"; break; fi; done

# $(call install,<lock file>,<more arguments>): with uv when it works, else with pip; hashes are checked by both.
define install
	if [ -x $(BIN)/uv ] && $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) $(2); then :; \
	else echo "installing $(1) with pip"; \
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r $(1) $(2); fi
endef

.DEFAULT_GOAL := help
.PHONY: help demo serve sandbox test test-certificates fuzz histories kills year lint format bench lock clean

help:
	@sed -n '3,7p' Makefile | sed 's/^# *//'

.venv/.base: requirements/uv.txt
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "Sluis needs Python 3.11 to 3.14; none was found. On Debian: apt-get install python3 python3-venv"; exit 1; fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "$$python cannot make environments. On Debian: apt-get install python$$version-venv"; exit 1; fi; \
	mkdir -p var/cache && { [ -x $(BIN)/python ] || "$$python" -m venv .venv; }
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt \
		|| echo "uv is not to be had here; pip does the work"
	@touch $@

.venv/.run: .venv/.base requirements/run.txt pyproject.toml
	@$(call install,requirements/run.txt)
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.test: .venv/.run requirements/test.txt requirements/peer-febelfin-coda.txt requirements/peer-pycoda.txt \
		requirements/peer-oidc.txt
	@$(call install,requirements/test.txt)
	@rm -rf .venv/peers
	@$(call install,requirements/peer-febelfin-coda.txt,--target .venv/peers/febelfin-coda)
	@$(call install,requirements/peer-pycoda.txt,--target .venv/peers/pycoda)
	@$(call install,requirements/peer-oidc.txt,--target .venv/peers/oidc)
	@touch $@

demo: .venv/.run
	@exec $(BIN)/sluis demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT)) \
		$(if $(BANK_PORT),--bank-port $(BANK_PORT)) $(if $(TODAY),--today $(TODAY))

serve: .venv/.run
	@exec $(BIN)/sluis serve

sandbox: .venv/.run
	@exec $(BIN)/sluis sandbox serve $(if $(PORT),--port $(PORT)) $(if $(BANK_PORT),--bank-port $(BANK_PORT)) \
		$(if $(TODAY),--today $(TODAY))

test: .venv/.test
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

test-certificates: .venv/.run
	@$(BIN)/sluis certificates make-test $(or $(FOLDER),var/test-certificates)

fuzz: .venv/.test
	@$(BIN)/python -m tests.coda.fuzz --count $(or $(COUNT),100000) --seed $(or $(SEED),1)

# What the default suite runs a few of: random histories of an account, killed workers, and a year with every fault.
ROAD := tests/gateway/bank_to_coda
histories: .venv/.test
	@SLUIS_HISTORIES=$(or $(COUNT),2000) $(BIN)/python -m pytest -n 0 -q $(ROAD)/test_histories.py \
		--hypothesis-seed=$(or $(SEED),1)

kills: .venv/.test
	@SLUIS_KILLS=$(or $(COUNT),200) SLUIS_SEED=$(or $(SEED),1) $(BIN)/python -m pytest -n 0 -q -s \
		$(ROAD)/test_killed_workers.py

year: .venv/.test
	@SLUIS_YEAR_DAYS=$(or $(DAYS),365) SLUIS_YEAR_ACCOUNTS=$(or $(ACCOUNTS),20) SLUIS_SEED=$(or $(SEED),1) \
		$(BIN)/python -m pytest -n 0 -q -s $(ROAD)/test_a_year.py

lint: .venv/.test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run make format"; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/hadolint docker/Dockerfile
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker/compose.yaml

format: .venv/.test
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

bench: .venv/.test
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

# Hashes without addresses: which registry is used is the installing machine's affair.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate --upgrade
lock: .venv/.base
	@for name in uv run test peer-febelfin-coda peer-pycoda peer-oidc; do \
		$(COMPILE) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean:
	rm -rf .venv var
