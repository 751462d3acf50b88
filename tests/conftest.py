"""What every test may use."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "clients" / "python"))
SHARED = Path(os.environ.get("SHARED", ROOT.parent / "shared"))

# The same examples in every run: a failure on one machine is a failure on all. `--hypothesis-profile=search` looks
# further, by hand.
set_hypothesis_home_dir(ROOT / "var" / "cache" / "hypothesis")
settings.register_profile("suite", derandomize=True, deadline=None, database=None)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def worker_folder() -> Path:
    """A folder of this test process below `var/`, made anew."""
    folder = ROOT / "var" / "test" / os.environ.get("PYTEST_XDIST_WORKER", "main")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with samples of others; tests that need it skip, with this reason, where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared samples are not at {SHARED}; set SHARED to their folder")
    return SHARED
