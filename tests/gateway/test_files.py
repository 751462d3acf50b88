"""Files as resources (API-05): checksum, 304, ranges."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.testclient import TestClient

from gateway import problems
from gateway.files import file_answer

CONTENT = bytes(range(256)) * 4
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def http() -> TestClient:
    class Installation:
        class settings:  # noqa: N801  # stands where the settings do
            default_language = "en"

    app = FastAPI()
    app.state.gateway = Installation
    problems.install(app)

    def content(request: Request) -> Response:
        return file_answer(request, CONTENT, sha256=SHA256, media_type="text/plain", name="a.cod", cache="no-store")

    app.add_route("/", content)
    return TestClient(app)


def get(http: TestClient, **headers: str) -> Any:
    return http.get("/", headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_a_file_has_its_checksum_and_a_strong_etag(http: TestClient) -> None:
    answer = get(http)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["ETag"] == f'"{SHA256}"'
    assert answer.headers["X-Content-SHA256"] == SHA256
    assert answer.headers["Repr-Digest"].startswith("sha-256=:")
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("tag", [f'"{SHA256}"', f'W/"{SHA256}"', f'"x", "{SHA256}"', "*"])
def test_what_the_caller_has_is_not_sent_again(http: TestClient, tag: str) -> None:
    answer = get(http, If_None_Match=tag)
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == f'"{SHA256}"'


@pytest.mark.parametrize("tag", ['"x"', SHA256, ""])
def test_another_etag_gets_the_file(http: TestClient, tag: str) -> None:
    assert get(http, If_None_Match=tag).content == CONTENT


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=1000-", 1000, 1023), ("bytes=-24", 1000, 1023),
     ("bytes=0-99999", 0, 1023), ("bytes=-99999", 0, 1023)],
)  # fmt: skip
def test_a_part_is_sent_with_its_place(http: TestClient, wanted: str, first: int, last: int) -> None:
    answer = get(http, Range=wanted)
    assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/1024"
    assert answer.headers["X-Content-SHA256"] == SHA256, "of the whole file"


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_part_beyond_the_end_is_refused(http: TestClient, wanted: str) -> None:
    answer = get(http, Range=wanted)
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize("wanted", ["bytes=9-1", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "bytes=a-b", "nonsense"])
def test_a_range_that_is_none_is_passed_over(http: TestClient, wanted: str) -> None:
    assert (get(http, Range=wanted).status_code, get(http, Range=wanted).content) == (200, CONTENT)


def test_a_range_of_another_version_gets_the_whole_file(http: TestClient) -> None:
    assert get(http, Range="bytes=0-9", If_Range='"old"').status_code == 200
    assert get(http, Range="bytes=0-9", If_Range=f'"{SHA256}"').status_code == 206
