"""CODA, the coded statement of account of Belgian banks: read, check, explain, compare, convert, compose and write it.

    for statement in coda.read("statement.cod"): ...        strict: a file with faults is refused, all faults at once
    coda.check("statement.cod").findings                    every departure from the standard, with its place
    coda.explain("statement.cod", line=3, column=40)        what stands there, in four languages
    coda.compare("a.cod", "b.cod").summary                  on what they say, whatever the order and the numbers
    coda.would_accept("statement.cod", "noviat").accepted   what an accounting package makes of it
    coda.check_chain(["march.cod", "april.cod"]).ok         whether statements follow each other
    coda.write([coda.compose(account, number=1, ...)])      a file that importers take

Nothing but the standard library is needed. Source of the format: Febelfin, CODA 2.6.
"""

from coda.chain import ChainReport, check_chain
from coda.checks import Report, check
from coda.codes import label
from coda.compare import Comparison, compare
from coda.compose import Entry, compose
from coda.convert import to_csv, to_json
from coda.descriptions import r_reason, r_type
from coda.errors import (
    BalanceMismatch,
    CodaError,
    DamagedArchive,
    FaultyFile,
    Finding,
    InvalidValue,
    NotCoda,
    TooManyEntries,
    UnreadableFile,
)
from coda.explain import ExplainedLine, Explanation, explain, xray
from coda.importers import Verdict, importers, would_accept
from coda.meaning import Group, TransactionCode, tree
from coda.model import Account, Balance, FreeCommunication, Information, Movement, Statement
from coda.reader import read
from coda.show import render, show
from coda.structured import Structured, decode, encode
from coda.writer import write
from coda.xray_html import xray_html
from coda.xray_text import xray_text

__all__ = [
    "Account",
    "Balance",
    "BalanceMismatch",
    "ChainReport",
    "CodaError",
    "Comparison",
    "DamagedArchive",
    "Entry",
    "ExplainedLine",
    "Explanation",
    "FaultyFile",
    "Finding",
    "FreeCommunication",
    "Group",
    "Information",
    "InvalidValue",
    "Movement",
    "NotCoda",
    "Report",
    "Statement",
    "Structured",
    "TooManyEntries",
    "TransactionCode",
    "UnreadableFile",
    "Verdict",
    "check",
    "check_chain",
    "compare",
    "compose",
    "decode",
    "encode",
    "explain",
    "importers",
    "label",
    "r_reason",
    "r_type",
    "read",
    "render",
    "show",
    "to_csv",
    "to_json",
    "tree",
    "would_accept",
    "write",
    "xray",
    "xray_html",
    "xray_text",
]
