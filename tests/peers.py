"""Two independent CODA readers of other makers, each in a process of its own since both call their module `coda`.

They are installed in `.venv/peers/<name>`, beside the packages of the project and never among them.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

NAMES = ("febelfin-coda", "pycoda")
FOLDER = Path(sys.prefix) / "peers"

_FEBELFIN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from coda import CODA

def information(statement, move):
    found = [i for i in statement.informations[move.bank_reference] if i.sequence == move.sequence]
    return [i._communication[1:] for i in found]

print(json.dumps([[{
    "account": s.account,
    "currency": s.account_currency,
    "number": int(s.coda_sequence),
    "old_balance": str(s.old_balance),
    "old_balance_date": s.old_balance_date.isoformat(),
    "new_balance": str(s.new_balance),
    "new_balance_date": s.new_balance_date.isoformat(),
    "entries": [{
        "amount": str(m.amount),
        "entry_date": m.entry_date.isoformat(),
        "value_date": m.value_date.isoformat(),
        "transaction_code": m.transaction_code,
        "bank_reference": m.bank_reference.rstrip(),
        "communication": m._communication[1:],
        "counterparty_name": m.counterparty_name or "",
        "counterparty_account": m.counterparty_account or "",
        "counterparty_bic": m.counterparty_bic or "",
        "customer_reference": m.customer_reference or "",
        "information": information(s, m),
    } for m in s.moves],
} for s in CODA(path).statements] for path in sys.argv[2:]]))
"""

_PYCODA = """
import json, sys
sys.path.insert(0, sys.argv[1])
from coda.parser import Parser

def signed(amount, sign):
    return ("-" if sign == "1" else "") + "%.3f" % amount

print(json.dumps([[{
    "account": s.acc_number,
    "currency": s.currency,
    "number": int(s.coda_seq_number),
    "old_balance": signed(s.old_balance, s.old_balance_amount_sign),
    "old_balance_date": s.old_balance_date,
    "new_balance": signed(s.new_balance, s.new_balance_amount_sign),
    "new_balance_date": s.new_balance_date,
    "entries": [{
        "amount": signed(m.transaction_amount, m.transaction_amount_sign),
        "entry_date": m.entry_date,
        "value_date": m.transaction_date,
        "transaction_code": "%d%s%s%s" % (
            m.transaction_type, m.transaction_family, m.transaction_code, m.transaction_category),
        "bank_reference": m.transaction_ref,
        "communication": m.communication or "",
        "counterparty_name": m.counterparty_name or "",
        "counterparty_account": m.counterparty_number or "",
        "counterparty_bic": m.counterparty_bic or "",
        "customer_reference": m.payment_reference or "",
        "information": [i.communication for i in s.informations if i.ref_move == m.ref_move],
    } for m in s.movements],
} for s in Parser().parse_file(path)] for path in sys.argv[2:]]))
"""

_PROGRAMS = {"febelfin-coda": _FEBELFIN, "pycoda": _PYCODA}


def read_with_peer(name: str, path: Path) -> list[dict[str, Any]]:
    """Statements of the file as the reader `name` sees them; amounts and dates as text, texts as it gives them."""
    return read_all_with_peer(name, [path])[0]


def read_all_with_peer(name: str, paths: Sequence[Path]) -> list[list[dict[str, Any]]]:
    """Statements of each file, in the order of the files, all read in one process.

    Skips the test, with the reason, where that reader is not installed. A reader that refuses a file fails the test.
    """
    folder = FOLDER / name
    if not folder.is_dir():
        pytest.skip(f"the independent reader {name} is not installed in {folder}")
    command = [sys.executable, "-I", "-B", "-c", _PROGRAMS[name], str(folder), *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert result.returncode == 0, f"{name} refuses a file: {result.stderr[-2000:]}"
    files: list[list[dict[str, Any]]] = json.loads(result.stdout)
    return files
