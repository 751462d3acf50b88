"""The web process: `uvicorn gateway.serving:make_app --factory`, as many as the operator wants."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from gateway import logs
from gateway.app import create_app
from gateway.http_protocol import GuardedProtocol
from gateway.runtime import open_gateway
from gateway.settings import Settings


def make_app() -> FastAPI:
    """The application from the environment."""
    settings = Settings()
    logs.configure(settings.log_level)
    return create_app(open_gateway(settings))


def serve(settings: Settings, *, processes: int = 1) -> None:
    """Serve until SIGTERM. Client addresses: see `gateway.entrance`."""
    uvicorn.run(
        "gateway.serving:make_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=processes,
        http=GuardedProtocol,
        # `gateway.entrance` does this, by the setting; two places that rewrite the address would trust too much.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )
