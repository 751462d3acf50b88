"""The Python client by itself: written from the description, repeats nothing, checks webhooks (API-07, API-10)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from sluis_client import Problem, Sluis, Unreachable, WebhookInvalid, models, verify
from tests.conftest import ROOT

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
SECRET, OLD_SECRET = (f"whsec_{base64.b64encode(bytes([byte]) * 32).decode()}" for byte in (7, 9))
ADDRESS = "http://sluis.example"

Answer = Callable[[httpx2.Request], httpx2.Response]


class Service:
    """Answers in turn, and remembers what was asked."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **more: Any) -> Sluis:
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        more = more or {"token": "sluis_test_x"}
        return Sluis(ADDRESS, client=http, sleep=self.waits.append, **more)


def basket(**more: Any) -> httpx2.Response:
    shape = {name: None for name, field in models.BasketRead.model_fields.items() if field.is_required()}
    fits = models.BasketRead.model_construct(**shape).model_dump()
    return httpx2.Response(201, json={**fits, **_filled(models.BasketRead), **more}, headers={"ETag": '"1"'})


def _filled(model: Any) -> dict[str, Any]:
    """Values that fit, by the annotation of each required field."""
    plain = {"str": "x", "int": 1, "bool": True, "dt.datetime": NOW.isoformat(), "dt.date": "2026-11-28"}
    made: dict[str, Any] = {}
    for name, annotation in model.__annotations__.items():
        if not model.model_fields[name].is_required():
            continue
        kind = str(annotation).split(" | ")[0]
        if kind == "MoneyShape":
            made[name] = {"amount": "1.00", "currency": "EUR"}
        elif kind.startswith(("list", "dict")):
            made[name] = [] if kind.startswith("list") else {}
        else:
            made[name] = plain.get(kind, "x")
    return made


def problem(status: int, code: str, **headers: str) -> httpx2.Response:
    document = {"code": code, "title": "t", "detail": "d", "hint": "h", "request_id": "r",
                "errors": [{"pointer": "/name", "code": "missing", "detail": "d", "hint": "h"}]}  # fmt: skip
    return httpx2.Response(status, json=document, headers=headers)


def test_what_is_written_fits_the_description() -> None:
    command = [sys.executable, str(ROOT / "clients" / "python" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_post_is_repeated_with_the_same_key_until_it_is_answered() -> None:
    service = Service(
        httpx2.ConnectError("down"), problem(503, "x"), problem(429, "rate_limited", **{"Retry-After": "7"}), basket()
    )
    made = service.client().create_basket({"client_id": "cli_1", "name": "x"})
    assert made.etag == '"1"'
    keys = {request.headers["Idempotency-Key"] for request in service.requests}
    assert (len(service.requests), len(keys)) == (4, 1)
    assert [int(wait) for wait in service.waits][2] == 7
    assert all(0.5 <= wait <= 7 for wait in service.waits)


def test_a_key_of_the_caller_is_used() -> None:
    service = Service(basket())
    service.client().create_basket({"client_id": "cli_1", "name": "x"}, idempotency_key="mine")
    assert service.requests[0].headers["Idempotency-Key"] == "mine"


def test_a_patch_is_repeated_only_when_it_says_what_it_changes() -> None:
    with pytest.raises(Unreachable):
        Service(httpx2.ReadTimeout("slow")).client().edit_payment("pay_1", {})
    service = Service(httpx2.ReadTimeout("slow"), problem(412, "stale"))
    with pytest.raises(Problem, match="stale"):
        service.client().edit_payment("pay_1", {}, if_match='"1"')


@pytest.mark.parametrize("answer", [problem(422, "invalid_request"), httpx2.Response(500, text="<html>")])
def test_a_refusal_is_told_as_it_is_and_not_repeated(answer: httpx2.Response) -> None:
    service = Service(answer)
    with pytest.raises(Problem) as refused:
        service.client().get_office()
    assert len(service.requests) == 1
    assert refused.value.status == answer.status_code
    if answer.status_code == 422:
        assert [fault.pointer for fault in refused.value.faults] == ["/name"]
        assert refused.value.request_id == "r"


def test_after_all_tries_the_last_answer_counts() -> None:
    service = Service(*[problem(503, "bank_unavailable") for _ in range(4)])
    with pytest.raises(Problem, match="bank_unavailable"):
        service.client().get_office()


def test_client_credentials_fetch_a_token_and_another_when_it_is_refused() -> None:
    def token(name: str) -> httpx2.Response:
        return httpx2.Response(200, json={"access_token": name, "expires_in": 900, "token_type": "Bearer"})

    office = httpx2.Response(200, json=_filled(models.OfficeRead))
    service = Service(token("one"), office, problem(401, "not_signed_in"), token("two"), office)
    client = service.client(client_id="app", client_secret="secret", office="off_1", scope="coda")
    client.get_office()
    client.get_office()
    asked = [request.headers["Authorization"] for request in service.requests if request.url.path == "/v1/office"]
    assert asked == ["Bearer one", "Bearer one", "Bearer two"]
    form = service.requests[0].content.decode()
    assert "grant_type=client_credentials" in form
    assert "office=off_1" in form
    assert "secret" not in repr(client)


def test_a_token_is_asked_for_again_after_the_wait_the_service_names() -> None:
    """API-06, API-10: a burst or a restart at the token's address fails no call."""
    token = httpx2.Response(200, json={"access_token": "one", "expires_in": 900, "token_type": "Bearer"})
    office = httpx2.Response(200, json=_filled(models.OfficeRead))
    service = Service(
        problem(429, "rate_limited", **{"Retry-After": "9"}), problem(503, "x", **{"Retry-After": "3"}),
        httpx2.ConnectError("down"), token, office,
    )  # fmt: skip
    service.client(client_id="app", client_secret="secret").get_office()
    assert [request.url.path for request in service.requests] == [*["/oauth/token"] * 4, "/v1/office"]
    assert [int(wait) for wait in service.waits][:2] == [9, 3]


def test_a_token_that_is_refused_or_never_comes_is_told_at_once_or_after_the_last_try() -> None:
    refused = Service(httpx2.Response(401, json={"error": "invalid_client"}))
    with pytest.raises(Problem, match="invalid_client"):
        refused.client(client_id="app", client_secret="wrong").get_office()
    assert len(refused.requests) == 1
    busy = Service(*[problem(503, "x") for _ in range(4)])
    with pytest.raises(Problem):
        busy.client(client_id="app", client_secret="secret").get_office()
    assert len(busy.requests) == 4
    gone = Service(*[httpx2.ConnectError("down") for _ in range(4)])
    with pytest.raises(Unreachable, match="/oauth/token"):
        gone.client(client_id="app", client_secret="secret").get_office()
    assert len(gone.requests) == 4


def test_lists_are_filtered_by_meta_data() -> None:
    """API-06."""
    service = Service(httpx2.Response(200, json={"items": [], "next_cursor": None}))
    assert list(service.client().iter_clients(metadata={"crm.id": "é&=", "tier": "1"})) == []
    sent = dict(service.requests[0].url.params)
    assert sent == {"metadata[crm.id]": "é&=", "metadata[tier]": "1", "limit": "200"}


def test_a_list_in_a_query_is_repeated() -> None:
    """STA-22: statements named one by one."""
    service = Service(httpx2.Response(200, content=b"PK"))
    assert service.client().get_statement_archive(statement_id=["stm_1", "stm_2"], period="2026-Q4") == b"PK"
    sent = service.requests[0].url.params.multi_items()
    assert sent == [("statement_id", "stm_1"), ("statement_id", "stm_2"), ("period", "2026-Q4")]


def test_a_path_cannot_be_left_by_an_id() -> None:
    service = Service(problem(404, "not_found"))
    with pytest.raises(Problem):
        service.client().get_basket("../../office?x=1#")
    assert service.requests[0].url.raw_path == b"/v1/baskets/..%2F..%2Foffice%3Fx%3D1%23"


def signed(body: bytes, secret: str, *, at: datetime = NOW, message_id: str = "evt_1") -> dict[str, str]:
    moment = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": moment,
        "Webhook-Signature": f"v1a,other v1,{base64.b64encode(mac).decode()}",
    }


BODY = json.dumps({"type": "coda.ready", "timestamp": "2026-11-28T09:00:00Z", "data": {"id": "stm_1"}}).encode()


def test_a_webhook_of_the_old_or_the_new_secret_is_taken() -> None:
    for secret in (SECRET, OLD_SECRET):
        message = verify(signed(BODY, secret), BODY, [SECRET, OLD_SECRET], now=NOW)
        assert (message.id, message.type, message.data) == ("evt_1", "coda.ready", {"id": "stm_1"})


def test_the_published_example_is_taken() -> None:
    """The example of the Standard Webhooks reference libraries."""
    body = b'{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    with pytest.raises(WebhookInvalid, match="not a message"):
        verify(headers, body, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], now=datetime.fromtimestamp(1614265330, UTC))


@pytest.mark.parametrize("change", ["body", "id", "secret", "old", "future", "signature", "missing"])
def test_an_altered_or_stale_webhook_is_refused(change: str) -> None:
    headers, body, secrets, now = signed(BODY, SECRET), BODY, [SECRET], NOW
    match change:
        case "body":
            body = BODY.replace(b"stm_1", b"stm_2")
        case "id":
            headers["Webhook-Id"] = "evt_2"
        case "secret":
            secrets = [OLD_SECRET]
        case "old":
            now += timedelta(minutes=6)
        case "future":
            now -= timedelta(minutes=6)
        case "signature":
            headers["Webhook-Signature"] = "v1,"
        case _:
            del headers["Webhook-Timestamp"]
    with pytest.raises(WebhookInvalid):
        verify(headers, body, secrets, now=now)


def test_a_first_try_that_still_runs_is_waited_for() -> None:
    """API-10: after a time-out the repetition meets the first request; its answer comes, nothing failed."""
    running = problem(409, "idempotency_key_in_use", **{"Retry-After": "1"})
    service = Service(httpx2.ReadTimeout("slow"), running, basket())
    assert service.client().create_basket({"client_id": "cli_1", "name": "x"}).etag == '"1"'
    assert len({request.headers["Idempotency-Key"] for request in service.requests}) == 1
    with pytest.raises(Problem, match="conflict"):
        Service(problem(409, "conflict")).client().create_basket({"client_id": "cli_1", "name": "x"})


def test_with_one_try_a_refused_token_is_told_as_it_is() -> None:
    token = httpx2.Response(200, json={"access_token": "one", "expires_in": 900, "token_type": "Bearer"})
    service = Service(token, problem(401, "not_signed_in"))
    with pytest.raises(Problem, match="not_signed_in"):
        service.client(client_id="app", client_secret="secret", tries_max=1).get_office()
