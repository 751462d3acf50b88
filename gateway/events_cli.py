"""`sluis events`: follow and provoke events from outside, through the API, as a program does (API-12)."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

POLL_SECONDS: Final = 2
TIMEOUT_SECONDS: Final = 30
CANNOT_RUN: Final = 2

events_commands = typer.Typer(no_args_is_help=True, help="Follow and provoke events, through the API.")

Url = Annotated[str, typer.Option("--url", envvar="SLUIS_API_URL", help="Address of the installation.")]
Key = Annotated[str, typer.Option("--api-key", envvar="SLUIS_API_KEY", help="API key; better in SLUIS_API_KEY.")]


@events_commands.command("tail")
def tail(
    *,
    key: Key,
    url: Url = "http://127.0.0.1:8000",
    after: Annotated[str | None, typer.Option(help="Id of the last event seen (default: all).")] = None,
    event_type: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    client_id: Annotated[str | None, typer.Option(help="Only events of this client.")] = None,
    is_following: Annotated[bool, typer.Option("--follow", help="Wait for further events until Ctrl-C.")] = False,
    is_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Print events in the order in which they were committed."""
    filters = {"type": event_type, "client_id": client_id}
    while True:
        for event in _events(url, key, after, filters):
            print(json.dumps(event) if is_json else _line(event), flush=True)
            after = event["id"]
        if not is_following:
            return
        time.sleep(POLL_SECONDS)


@events_commands.command("trigger")
def trigger(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="Such as statement.issued.")],
    *,
    key: Key,
    url: Url = "http://127.0.0.1:8000",
    client_id: Annotated[str | None, typer.Option(help="The client it is about (default: none).")] = None,
    is_json: Annotated[bool, typer.Option("--json", help="Print the event as JSON.")] = False,
) -> None:
    """Make an event of this type in an office in test mode; webhooks are sent for it, nothing else happens."""
    body = {"type": event_type, **({"client_id": client_id} if client_id else {})}
    event = _call(url, key, "/v1/test-events", body=body)
    print(json.dumps(event) if is_json else _line(event))


def _events(url: str, key: str, after: str | None, filters: dict[str, str | None]) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        asked = {"after": after, "cursor": cursor, "limit": "500", **filters}
        query = urllib.parse.urlencode({name: value for name, value in asked.items() if value is not None})
        page = _call(url, key, f"/v1/events?{query}")
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _call(url: str, key: str, path: str, *, body: dict[str, Any] | None = None) -> dict[str, Any]:
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise typer.BadParameter("the address begins with http:// or https://")
    request = urllib.request.Request(  # noqa: S310  the scheme was checked
        url.rstrip("/") + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  as above
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        with error:
            problem = json.loads(error.read() or b"{}")
        typer.echo(
            f"{problem.get('code', error.code)}: {problem.get('title', '')}. {problem.get('hint', '')}", err=True
        )
    except (urllib.error.URLError, ValueError):
        typer.echo(f"{url} does not answer as an installation of Sluis.", err=True)
    raise typer.Exit(CANNOT_RUN)


def _line(event: dict[str, Any]) -> str:
    data = " ".join(f"{name}={value}" for name, value in event["data"].items())
    return f"{event['occurred_at']}  {event['id']}  {event['type']:<28} {event['object_id']}  {data}".rstrip()
