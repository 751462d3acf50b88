"""`sluis demo --once` as its user runs it, and what it wrote read by others."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

import coda
import sepa.schema
from sepa import pain_check
from tests.conftest import ROOT
from tests.peers import NAMES, read_all_with_peer

TODAY = "2026-11-20"
PAIN = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"

pytestmark = pytest.mark.processes


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(folder: Path, *more: str) -> list[str]:
    ports = [f"--port={free_port()}", f"--bank-port={free_port()}"]
    return [sys.executable, "-m", "gateway", "demo", f"--today={TODAY}", f"--folder={folder}", *ports, *more]


@pytest.fixture(scope="module")
def demo(worker_folder: Path) -> tuple[Path, str]:
    """The folder of a demo that ran once, and what it said."""
    folder = worker_folder / "demo"
    done = subprocess.run(command(folder, "--once"), cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return folder, done.stdout


@pytest.fixture(scope="module")
def coda_files(demo: tuple[Path, str]) -> list[Path]:
    return sorted((demo[0] / "coda").rglob("*.cod"))


def test_it_tells_the_whole_job(demo: tuple[Path, str]) -> None:
    _, said = demo
    for sentence in (
        "links its banks",
        *(f"{bank}: valid until" for bank in ("kbc", "argenta", "triodos", "bnppf", "ponto")),
        "Every proven day becomes a CODA file",
        "7 approved, 1 rejected",
        "chain holds",
    ):
        assert sentence in said


def test_every_coda_file_lies_where_packages_look(coda_files: list[Path], demo: tuple[Path, str]) -> None:
    assert len(coda_files) > 200
    for path in coda_files:
        number, year, iban, name = path.relative_to(demo[0] / "coda").parts
        assert re.fullmatch(r"[01]\d{9}", number)
        assert re.fullmatch(rf"{iban}_(EUR|USD)_{year}_\d{{3}}\.cod", name)


def test_balances_and_numbers_chain_without_a_gap(coda_files: list[Path]) -> None:
    by_account: dict[str, list[coda.Statement]] = {}
    for path in coda_files:
        report = coda.check(path)
        assert not report.findings, f"{path.name}: {[str(finding) for finding in report.findings]}"
        (statement,) = coda.read(path)
        by_account.setdefault(path.name[:20], []).append(statement)
    assert len(by_account) == 12, "also of the bank whose balance names no day"
    for statements in by_account.values():
        assert [statement.number for statement in statements] == list(range(1, len(statements) + 1))
        for before, after in pairwise(statements):
            assert after.old_balance.amount == before.closing_balance
            assert after.old_balance.date == before.closing_date, "the date of the last file with movements"


@pytest.mark.parametrize("peer", NAMES)
def test_an_independent_reader_finds_the_same(peer: str, coda_files: list[Path]) -> None:
    for path, (theirs,) in zip(coda_files, read_all_with_peer(peer, coda_files), strict=True):
        (ours,) = coda.read(path)
        assert Decimal(theirs["old_balance"]) == ours.old_balance.amount
        assert Decimal(theirs["new_balance"]) == ours.closing_balance
        assert theirs["number"] == int(path.stem[-3:])
        assert [Decimal(entry["amount"]) for entry in theirs["entries"]] == [row.amount for row in ours.movements]
        assert [entry["entry_date"] for entry in theirs["entries"]] == [str(row.entry_date) for row in ours.movements]


def test_the_payment_files_are_valid_and_hold_seven_payments(demo: tuple[Path, str]) -> None:
    files = sorted((demo[0] / "payments").glob("*.xml"))
    assert len(files) == 2
    total, names = Decimal(0), []
    for file in files:
        tree = sepa.schema.parse(file.read_bytes())
        assert sepa.schema.version_of(tree) == "pain.001.001.09"
        assert sepa.schema.schema_faults(tree, "pain.001.001.09") == []
        assert pain_check.check_file(file).ok
        total += Decimal(tree.findtext(f".//{PAIN}GrpHdr/{PAIN}CtrlSum") or "0")
        names += [name.text for name in tree.iterfind(f".//{PAIN}Cdtr/{PAIN}Nm")]
    assert total == Decimal("31245.58")
    assert len(names) == 7
    assert "Meubelatelier Hoogstraete NV" not in names


def test_the_schema_of_others_agrees(demo: tuple[Path, str], shared: Path) -> None:
    schema = etree.XMLSchema(file=str(shared / "spec/sepa/xsd/pain.001.001.09.xsd"))
    for file in sorted((demo[0] / "payments").glob("*.xml")):
        schema.assertValid(etree.parse(file))


def test_its_logs_hold_no_iban_no_name_and_no_secret(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    passwords = (folder / "postgres" / "passwords.json").read_text()
    secrets = re.findall(r'"([A-Za-z0-9_-]{20,})"', passwords)
    assert secrets
    words = [
        "Korenhof",
        "Leieweve",
        "Duivekeete",
        "Lindenaar",
        "sluis_session_",
        "sluis_test_",
        "code_verifier",
        *secrets,
    ]
    for log in (folder / "logs").glob("*.log"):
        if log.name == "banks.log":
            continue
        text = log.read_text()
        found = re.search(r"\bBE\d{14}\b|\bFR\d{25}\b", text)
        assert found is None, f"{log.name}: {found and found[0]}"
        for word in words:
            assert word not in text, f"{log.name} holds {word[:8]}…"


def test_nothing_of_it_runs_afterwards(demo: tuple[Path, str]) -> None:
    assert not (demo[0] / "postgres" / "data" / "postmaster.pid").exists()
    assert str(demo[0]) not in running_commands()


def test_a_second_demo_in_the_same_folder_and_a_taken_port_are_named(worker_folder: Path) -> None:
    folder = worker_folder / "busy"
    first = subprocess.Popen(command(folder), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lock = worker_folder / "busy.lock"
        deadline = time.monotonic() + 60
        while not (lock.exists() and lock.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = subprocess.run(command(folder, "--once"), cwd=ROOT, capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert "demo_running" in second.stderr
        assert str(first.pid) in second.stderr
    finally:
        first.send_signal(signal.SIGTERM)
        out, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert str(folder) not in running_commands(), out
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = command(folder, "--once", f"--port={listener.getsockname()[1]}")
        refused = subprocess.run(taken, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "port_taken" in refused.stderr


def running_commands() -> str:
    """Command lines of all live processes but this test's own."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int(process.name) != os.getpid():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)
