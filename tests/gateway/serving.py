"""One application for all tests of a process: making its routes costs half a second, giving it an installation nothing.

A test that needs two applications at once, or one that serves while others run, makes its own with `create_app`.
"""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI

from gateway.app import create_app, serve
from gateway.assembly import Gateway


def app_of(gateway: Gateway) -> FastAPI:
    """The application, serving this installation from now on; whatever a test before put into it is gone."""
    app = _application()
    app.dependency_overrides.clear()
    serve(app, gateway)
    return app


@cache
def _application() -> FastAPI:
    return create_app(None)  # type: ignore[arg-type]  # every user gives it an installation first
