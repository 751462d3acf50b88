"""Taking files out of a request: one by itself, an archive, or many in a form; cut off at the limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from gateway.api import ActDep
from gateway.foreign_files.errors import ForeignFilesEmpty, ForeignFilesTooLarge
from gateway.foreign_files.reading import FILES_MAX, SENT_BYTES_MAX, SentFile
from gateway.identity.rights import Permission

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": (
            "One CODA file, a ZIP of them, or a form with up to 500 parts `files` of either. At most 16 MB as sent and "
            "100 MB unpacked. What it is is told by its content."
        ),
        "content": {
            "application/octet-stream": _BINARY,
            "application/zip": _BINARY,
            "text/plain": {"schema": {"type": "string"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            },
        },
    }
}


async def sent_files(request: Request, act: ActDep) -> list[SentFile]:
    """The files of a request; raises `ForeignFilesTooLarge` before more than the limit is read."""
    act.require(Permission.CLIENTS_WRITE)
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        async with request.form(max_files=FILES_MAX + 1, max_fields=10) as form:
            return files_in(form.getlist("files"))
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > SENT_BYTES_MAX:
            raise ForeignFilesTooLarge
    if not content:
        raise ForeignFilesEmpty
    return [SentFile(None, content)]


def files_in(parts: Iterable[Any]) -> list[SentFile]:
    """The parts of a form that are files; all are closed. Raises `ForeignFilesTooLarge`, `ForeignFilesEmpty`."""
    uploads = [part for part in parts if isinstance(part, UploadFile)]
    files: list[SentFile] = []
    left = SENT_BYTES_MAX
    try:
        for part in uploads:
            if not part.filename:
                continue
            content = part.file.read(left + 1)
            left -= len(content)
            if left < 0 or len(files) == FILES_MAX:
                raise ForeignFilesTooLarge
            files.append(SentFile(part.filename, content))
    finally:
        for part in uploads:
            part.file.close()
    if not files:
        raise ForeignFilesEmpty
    return files


SentFiles = Annotated[list[SentFile], Depends(sent_files)]
