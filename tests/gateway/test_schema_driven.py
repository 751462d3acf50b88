"""The whole API against its own description: no 5xx, nothing undocumented, whatever is sent (API-02, API-09).

Schemathesis makes requests from the description, right ones and wrong ones, for a token with every scope and for a
person; half of them speak of objects that exist. `SLUIS_SCHEMA_CASES=200` makes more of them per operation and mode.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.app import create_app
from gateway.assembly import Gateway
from gateway.identity.rights import SCOPE_PERMISSIONS, ClientRole, OfficeRole
from gateway.identity.service import IdentityService
from gateway.ids import encode, new_id
from gateway.machines.service import MachineService
from tests.gateway.builders import PASSWORD, act_of_system, make_person
from tests.gateway.payments.scene import make_scene
from tests.gateway.test_every_route import scene_ids

CASES = int(os.environ.get("SLUIS_SCHEMA_CASES", "5"))
"""Per operation and mode; two modes."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LAST = {"put_client_state", "put_approval_settings", "move_test_clock"}
"""Close the door behind them."""
WITHOUT_OWN_IDS = {"revoke_credential", "end_session"}
"""Would sign the caller out."""


@dataclass
class Run:
    """Everything one run needs, and what it counted."""

    schema: Any
    tokens: list[str]
    ids: dict[str, str]
    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def run(gateway: Gateway) -> Run:
    # Passkeys belong to a name: an installation reached by its address alone answers 503 to them.
    named = gateway.settings.model_copy(update={"base_url": "http://localhost:8000"})
    gateway = replace(gateway, settings=named)
    scene = make_scene(gateway)
    scene.group("board", "first", "second")
    identity = IdentityService(gateway)
    now = gateway.real_now()
    _, token = MachineService(gateway).create_credential(
        act_of_system(scene.office, now=now), name="all", scopes=list(SCOPE_PERMISSIONS)
    )
    person = make_person(gateway, scene.office, *OfficeRole, *ClientRole, client=scene.client)
    signed_in = identity.sign_in(
        email=person.user.email, password=PASSWORD, code=person.code(now), source="test", office_id=scene.office.id
    )
    ids = {
        "client_id": encode("client", scene.client.id),
        "account_id": encode("account", scene.accounts[0].id),
        **scene_ids(scene),
    }
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", create_app(gateway))
    return Run(schema, [token, signed_in.token], ids)


def test_whatever_is_sent_is_answered_as_described(run: Run) -> None:
    """API-09: schema-driven tests; API-02: no 5xx, no undocumented status, code or media type, no other shape."""
    found = [result.ok() for result in run.schema.get_all_operations()]
    found.sort(key=lambda operation: operation.definition.raw["operationId"] in LAST)
    for operation in found:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _try(run, operation, mode)
    print(f"{run.cases} cases, answers {dict(sorted(run.statuses.items()))}")
    assert not run.faults, "\n".join(f"{name}: {fault}" for name, fault in run.faults.items())
    assert run.cases >= len(found) * CASES
    assert {200, 201, 400, 404, 422} <= set(run.statuses), "every kind of answer was seen"
    assert run.statuses[401] < run.cases / 10, "both callers stay signed in"


def _try(run: Run, operation: Any, mode: GenerationMode) -> None:
    name = operation.definition.raw["operationId"]
    documented = set(operation.definition.raw["x-error-codes"])

    @settings(
        max_examples=CASES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        run.cases += 1
        if run.cases % 2 and name not in WITHOUT_OWN_IDS:
            for parameter in case.path_parameters or {}:
                if parameter in run.ids:
                    case.path_parameters[parameter] = run.ids[parameter]
        token = run.tokens[0 if name in WITHOUT_OWN_IDS else run.cases // 2 % 2]
        headers = {"Authorization": f"Bearer {token}"}
        if operation.method == "post" and mode is GenerationMode.POSITIVE:
            headers["Idempotency-Key"] = str(new_id())
        response = case.call(headers=headers)
        run.statuses[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
            if response.status_code >= 400:
                code = response.json()["code"]
                assert code in documented, f"the code {code} is not documented"
        except Exception as error:  # noqa: BLE001  # collected, so that one run names every operation at fault
            run.faults.setdefault(f"{name} {mode.value} {response.status_code}", str(error)[:600])

    try:
        one()
    except Exception as error:  # noqa: BLE001  # as above; an operation that takes nothing has nothing wrong to send
        if type(error).__name__ not in {"Unsatisfiable", "SkipTest", "InvalidArgument"}:
            run.faults.setdefault(f"{name} {mode.value}", f"{type(error).__name__}: {str(error)[:400]}")
