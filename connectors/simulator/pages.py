"""HTML pages of the simulator, made from the templates in this package; they work without scripts."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@lru_cache(maxsize=1)
def _environment() -> Environment:
    folder = Path(__file__).parent / "templates"
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    environment.filters["fours"] = lambda text: " ".join(text[n : n + 4] for n in range(0, len(text), 4))
    return environment


def page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """An answer with the template filled in."""
    return HTMLResponse(_environment().get_template(template).render(values), status, HEADERS)
