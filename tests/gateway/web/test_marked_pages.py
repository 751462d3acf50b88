"""SEC-06, SEC-07 on the pages: what people type and what is refused stays out of logs, jobs and events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute

from gateway.web.pages import SUBJECTS
from tests.gateway.leaks import found_in, output, stored_leaks
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed

MARK = "merkteken-7f3a9c-geheim"
ADDRESS = f"{MARK}@voorbeeld.test"


def test_whatever_is_typed_into_any_form_of_any_page_is_told_to_nobody(browser: Browser, world: World) -> None:
    """Every route of every page, with a mark in its address, its query and each of its fields; some 90 calls."""
    paths = sorted({(method, route.path) for route in _pages(browser) for method in route.methods})
    assert len(paths) > 60, paths
    ids = {
        "basket_id": typed("basket", world.baskets["draft"].id),
        "account_id": typed("account", world.accounts["bakery"].id),
        "statement_id": typed("statement", world.statements["held"].id),
    }
    fields = ("name", "first_name", "last_name", "email", "password", "code", "url", "description", "object", "actor",
              "second_factor_code", "iban", "reference", "seed", "reason_text", "token", "amount")  # fmt: skip
    with output() as written:
        browser.sign_in(world.people["accountant"])
        token = re.findall(r'name="form_token" value="([^"]+)"', browser.get("/client-groups"))[0]
        for method, path in paths:
            if "sign-out" in path or path.startswith("/docs"):
                # Signing out ends the walk; the documentation says nothing of anybody, and is long.
                continue
            filled = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: ids.get(found[1], MARK), path)
            data = {"form_token": token, **dict.fromkeys(fields, MARK), "email": ADDRESS}
            if method == "POST":
                browser.client.post(f"{filled}?q={MARK}", data=data, headers=browser.headers, follow_redirects=False)
            elif method == "GET":
                browser.client.get(f"{filled}?q={MARK}&cursor={MARK}&object={MARK}", follow_redirects=False)
    text = written.getvalue()
    assert text.count('"event": "request"') > len(paths), "the requests were logged"
    assert "Traceback" not in text
    assert found_in(text, {MARK, ADDRESS}) == set()
    assert set(stored_leaks(world.gateway, {MARK})) == set()
    assert len(SUBJECTS) > 15


def _pages(browser: Browser) -> Iterator[APIRoute]:
    """The routes of pages: those of routers that stay out of the description."""
    waiting: list[Any] = list(browser.client.app.routes)  # type: ignore[attr-defined]  # Starlette's application
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        if inner is not None:
            waiting.extend(inner.routes)
        elif isinstance(route, APIRoute) and not route.include_in_schema:
            yield route
