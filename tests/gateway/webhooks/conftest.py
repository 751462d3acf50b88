"""A receiver on loopback, and an installation that may call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.assembly import Gateway
from tests.gateway.webhooks.desk import (
    allowed,
)
from tests.gateway.webhooks.receiver import Receiver, receiver


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def hooked(gateway: Gateway) -> Gateway:
    """The rolled-back installation, allowed to call loopback."""
    return allowed(gateway)
