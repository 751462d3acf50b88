"""Files as resources (API-05): strong ETag, SHA-256, 304, ranges. Sources: RFC 9110 §13-14, RFC 9530."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Any, Final

from fastapi import Header, Request
from fastapi.responses import Response

from gateway.errors import GatewayError

FILE_HEADERS: Final[dict[int | str, dict[str, Any]]] = {
    206: {"description": "The part that Range asked for."},
    304: {"description": "The caller has these bytes already."},
}
"""What an operation that gives a file answers besides 200."""
IfNoneMatch = Annotated[str | None, Header(description="ETags of earlier downloads; 304 when one is this file's.")]
Range = Annotated[str | None, Header(alias="Range", description="One range of bytes.", examples=["bytes=0-1023"])]
IfRange = Annotated[str | None, Header(description="The ETag for which Range holds; else the whole file is sent.")]
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class RangeNotSatisfiable(GatewayError):
    """The range begins beyond the end of the file."""

    code = "range_not_satisfiable"
    http_status = 416
    title = "The file has no such part"
    hint = "Look at the length in the Content-Range header."


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Weak comparison, as RFC 9110 §13.1.2 has it."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags


def file_answer(request: Request, content: bytes, *, sha256: str, media_type: str, name: str, cache: str) -> Response:
    """The whole file, the part asked for, or nothing when the caller has it.

    `sha256` is that of the whole file, in hexadecimal; raises `RangeNotSatisfiable`. Several ranges at once are not
    served: the whole file is sent instead, as the standard allows.
    """
    etag = f'"{sha256}"'
    headers = {
        "ETag": etag,
        "X-Content-SHA256": sha256,
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:",
        "Cache-Control": cache,
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }
    if etag_matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    part = _part(request, len(content), etag)
    if part is None:
        return Response(content, media_type=media_type, headers=headers)
    first, last = part
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206, headers, media_type)


def _part(request: Request, length: int, etag: str) -> tuple[int, int] | None:
    if request.headers.get("if-range", etag) != etag:
        return None
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        begin, end = max(0, length - int(last)), length - 1
        is_possible = int(last) > 0 and length > 0
    else:
        begin, end = int(first), min(int(last) if last else length - 1, length - 1)
        if last and int(last) < int(first):
            return None
        is_possible = begin < length
    if not is_possible:
        raise RangeNotSatisfiable(headers={"Content-Range": f"bytes */{length}"})
    return begin, end
