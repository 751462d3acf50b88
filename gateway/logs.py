"""Logs: one JSON object a line, ids and codes only (SEC-07).

Libraries that log through the standard module come out the same way. Whatever slips into an event under a name that
may hold personal data or a secret is dropped, and IBANs and tokens inside texts are masked: a net below the rule, not
instead of it.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

FORBIDDEN: Final = frozenset(
    {
        "password",
        "token",
        "secret",
        "authorization",
        "cookie",
        "iban",
        "name",
        "email",
        "payload",
        "body",
        "code_verifier",
    }
)
OWN_PACKAGES: Final = frozenset({"coda", "sepa", "connectors", "gateway"})
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}[A-Z0-9]{0,4}\b")
_TOKEN: Final = re.compile(r"\bsluis_(?:test|live|session|access|secret)_[A-Za-z0-9_-]+|\bwhsec_[A-Za-z0-9+/=]+")


def configure(level: str) -> None:
    """Send everything to standard error as JSON; called once when a process starts."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],  # type: ignore[list-item]  # processors differ in the kind of mapping they take
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,  # type: ignore[arg-type]  # as above
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_messages,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries may tell values when they are talkative: the finer level is for our own packages only.
    root.setLevel(max(logging.INFO, logging.getLevelName(level)))
    for name in OWN_PACKAGES:
        logging.getLogger(name).setLevel(level)
    # The client library logs whole addresses, the server whole request lines: both may carry a state or a token.
    for name in ("httpx2", "httpcore2", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It logs a job with its arguments; ours hold ids only, but one line per state change is too much.
    logging.getLogger("procrastinate").setLevel(max(logging.WARNING, logging.getLevelName(level)))


def mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop forbidden fields, mask IBANs and tokens in texts."""
    for key in [key for key in event if key in FORBIDDEN]:
        event[key] = "(removed)"
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _TOKEN.sub("(token)", _IBAN.sub(lambda match: f"…{match[0][-4:]}", value))
    return event


def _without_messages(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep kind and place of an exception; its message and local values may hold anything."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, tuple) and info[0] is not None:
        event["exception"] = info[0].__name__
        frames = []
        trace = info[2]
        while trace is not None:
            frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
            trace = trace.tb_next
        # Our own steps, and where it broke.
        event["at"] = [frame for frame in frames[:-1] if frame.split(".")[0] in OWN_PACKAGES][-8:] + frames[-1:]
    return event
