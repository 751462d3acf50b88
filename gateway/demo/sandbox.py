"""A sandbox for developers: the demo's installation without its story, and a file to begin from in a shell.

`sandbox.env` is read with `.`; it holds the address, an API key, everybody's password and authenticator secret, and a
function that takes one field out of an answer. All of it is invented and good for this sandbox only.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Final

import pyotp

from gateway.clock import real_now
from gateway.demo.portal import DemoFailed
from gateway.demo.story import Story
from gateway.demo.world import PASSWORD

FOLDER: Final = Path("var/sandbox")
ENVIRONMENT_FILE: Final = "sandbox.env"

_FIELD: Final = r"""
# field items.0.id   takes one field out of the JSON it reads
field() {
    %s -c 'import functools, json, sys
step = lambda found, name: found[int(name)] if isinstance(found, list) else found[name]
print(functools.reduce(step, sys.argv[1].split("."), json.load(sys.stdin)))' "$1"
}
"""


def open_sandbox(story: Story) -> None:
    """Make office, clients and people, and write down how to call."""
    story.prepare()
    values = {
        "SLUIS": story.options.address,
        "SLUIS_BANKS_AT": story.options.bank_address,
        "SLUIS_TOKEN": story.portal_token,
        "SLUIS_PASSWORD": PASSWORD,
        **{f"SLUIS_SECRET_{key.upper()}": person.secret for key, person in story.people.items()},
    }
    path = story.options.folder / ENVIRONMENT_FILE
    lines = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n" + _FIELD % shlex.quote(sys.executable))
    story.console.print("")
    story.introduce_people()
    story.console.print(f"\nIn a shell: [bold]. {path}[/bold], then go on with docs/quickstart.md")


def code_of(secret: str) -> str:
    """The six digits that the authenticator with this secret shows now; raises `DemoFailed`."""
    try:
        return pyotp.TOTP(secret).at(real_now())
    except ValueError as error:
        raise DemoFailed(reason="an authenticator secret is Base32, such as SLUIS_SECRET_KAREL") from error
