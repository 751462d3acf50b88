"""What every test may use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("SHARED", ROOT.parent / "shared"))


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
