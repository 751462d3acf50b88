"""The portal that most tests of assertions use."""

from __future__ import annotations

import pytest

from gateway.assembly import Gateway
from tests.gateway.machines.portal import Portal, make_portal


@pytest.fixture
def portal(gateway: Gateway) -> Portal:
    return make_portal(gateway)
