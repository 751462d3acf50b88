"""Pages from templates: one environment per language, Belgian formats, our own assets under `/static`."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.cookies import LANGUAGE, cookie, set_cookie
from gateway.i18n import LANGUAGES, choose, translations
from gateway.ids import encode
from gateway.web import formats, labels

FOLDER: Final = Path(__file__).parent
STATIC: Final = FOLDER / "static"
LANGUAGE_NAMES: Final = {"nl": "Nederlands", "fr": "Français", "en": "English", "de": "Deutsch"}
YEAR_SECONDS: Final = 365 * 24 * 3600


class Assets(StaticFiles):
    """Static files; an address that names the content's hash may be kept for a year."""

    def file_response(self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200) -> Any:
        """As Starlette's, with our caching."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        is_named = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable" if is_named else "no-cache"
        return response


@cache
def static_address(name: str) -> str:
    """`/static/sluis.css?v=…`: changes with the content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:16]}"


@cache
def environment(language: str) -> Environment:
    """Templates in one language."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # the i18n extension adds it
    made.filters.update(
        amount=formats.amount,
        money=formats.money,
        day=formats.day,
        moment=formats.moment,
        fours=formats.fours,
        enterprise=formats.enterprise,
        structured=formats.structured,
        label=lambda value, kind: translations(language).gettext(labels.label(kind, value)),
        tone=lambda value, kind: labels.tone(kind, value),
        uuid=UUID,
        euro=lambda text: formats.money(Decimal(text)),
        translated=lambda text: translations(language).gettext(text) if text else "",
    )
    made.globals.update(language_names=LANGUAGE_NAMES, typed=encode)
    return made


def language_of(request: Request) -> str:
    """The signed-in person's; else the one chosen by the switch, the consent's, the browser's, the installation's."""
    known: str | None = getattr(request.state, "language", None)
    if known in LANGUAGES:
        return known
    for chosen in (request.query_params.get("language"), cookie(request, LANGUAGE)):
        if chosen in LANGUAGES:
            return chosen
    preferred: str | None = getattr(request.state, "preferred_language", None)
    if preferred in LANGUAGES:
        return preferred
    return choose(request.headers.get("accept-language"), request.app.state.gateway.settings.default_language)


def at(request: Request, path: str) -> str:
    """The address of one of our pages, also behind a sub-path."""
    return f"{request.scope.get('root_path', '').rstrip('/')}{path}"


def own_path(request: Request) -> str:
    """The path of this request without the sub-path under which we are reached."""
    path: str = request.scope["path"]
    root: str = request.scope.get("root_path", "").rstrip("/")
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page in the reader's language; never stored by browsers or proxies."""
    language = language_of(request)
    visit = values.pop("visit", None) or getattr(request.state, "visit", None)
    text = environment(language).get_template(template).render(
        language=language,
        at=lambda path: at(request, path),
        static=lambda name: at(request, static_address(name)),
        here=own_path(request),
        visit=visit,
        layout=getattr(request.state, "layout", "base.html"),
        **values,
    )  # fmt: skip
    response = HTMLResponse(text, status, {"Cache-Control": "no-store", "Content-Language": language})
    chosen = request.query_params.get("language")
    if chosen in LANGUAGES:
        set_cookie(request, response, LANGUAGE, chosen, seconds=YEAR_SECONDS)
    return response


def part(request: Request, template: str, *, language: str, **values: Any) -> Markup:
    """A piece of a page in a language of its own: what somebody else than the reader of the page is given."""
    text = (
        environment(language)
        .get_template(template)
        .render(language=language, at=lambda path: at(request, path), **values)
    )
    return Markup(text)  # noqa: S704  the template has escaped what it was given


def see_other(request: Request, path: str) -> RedirectResponse:
    """Go and look at `path` now (303)."""
    return RedirectResponse(at(request, path), status_code=303, headers={"Cache-Control": "no-store"})
