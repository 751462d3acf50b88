"""A scene on the rolled-back database."""

from __future__ import annotations

import pytest

from gateway.assembly import Gateway
from sepa.approval import Mode
from tests.gateway.payments.scene import Scene, make_scene


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    """A client whose payments of any amount need one approver."""
    scene = make_scene(gateway)
    scene.rule("Alles", scene.user("first"), scene.user("second"), mode=Mode.COUNT)
    return scene
