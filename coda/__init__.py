"""CODA, the coded statement of account of Belgian banks: read, check, show, compose and write it.

    for statement in coda.read("statement.cod"): ...        strict: a file with faults is refused, all faults at once
    coda.check("statement.cod").findings                    every departure from the standard, with its place
    coda.write([coda.compose(account, number=1, ...)])      a file that importers take

Nothing but the standard library is needed. Source of the format: Febelfin, CODA 2.6.
"""

from coda.checks import Report, check
from coda.codes import label
from coda.compose import Entry, compose
from coda.errors import (
    BalanceMismatch,
    CodaError,
    FaultyFile,
    Finding,
    InvalidValue,
    NotCoda,
    TooManyEntries,
)
from coda.model import Account, Balance, FreeCommunication, Information, Movement, Statement
from coda.reader import read
from coda.show import render, show
from coda.writer import write

__all__ = [
    "Account",
    "Balance",
    "BalanceMismatch",
    "CodaError",
    "Entry",
    "FaultyFile",
    "Finding",
    "FreeCommunication",
    "Information",
    "InvalidValue",
    "Movement",
    "NotCoda",
    "Report",
    "Statement",
    "TooManyEntries",
    "check",
    "compose",
    "label",
    "read",
    "render",
    "show",
    "write",
]
