"""Cookies of the pages: one way to give, read and forget them.

Over https their names begin with `__Host-`: the browser then takes them over TLS only, from this host alone and for
the whole of it, so that neither another host of the same domain nor somebody on the wire can plant one. On http, which
is this machine alone, they have plain names.
"""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response

from gateway.assembly import Gateway

SESSION: Final = "sluis_session"
FORM: Final = "sluis_form"
LINK: Final = "sluis_link"
LANGUAGE: Final = "sluis_language"
OFFICE: Final = "sluis_office"
_PREFIX: Final = "__Host-"


def cookie(request: Request, name: str) -> str | None:
    """What the browser holds under this name."""
    return request.cookies.get(_name(request, name))


def set_cookie(request: Request, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """Have the browser keep a value, without `seconds` until it is closed.

    Lax and not Strict: banks and identity providers lead back here by a GET from another site.
    """
    response.set_cookie(
        _name(request, name), value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=_is_https(request)
    )


def forget_cookie(request: Request, response: Response, name: str) -> None:
    """Have the browser drop it; with the marks it was given, since a prefixed one is not changed without them."""
    response.delete_cookie(_name(request, name), path="/", httponly=True, samesite="lax", secure=_is_https(request))


def _name(request: Request, name: str) -> str:
    return _PREFIX + name if _is_https(request) else name


def _is_https(request: Request) -> bool:
    gateway: Gateway = request.app.state.gateway
    return gateway.settings.is_https
