"""Reading and writing CODA, beside two other readers: `python bench/coda.py [statements] [--memory]`.

A file of 100,000 movements (375,500 lines, invented; see coda_file.py) is read, checked and gone through: of each
movement amount, both dates, communication, references, and name, account and BIC of the counterparty are taken. The
readers that check nothing, or less, are let off. Each runs in a process of its own, so that the peak memory is its own;
the best of three rounds counts, in CPU seconds, so that a moment in which the machine is busy strikes all alike. The
bare line loop, which only adds up the amounts, is the floor. `--memory` reads a file of 200 MB too.
Prints; proves nothing by itself.
"""

import json
import subprocess
import sys
from pathlib import Path

from coda_file import MOVEMENTS, large_file

RUNS = 3
PEERS = ("pycoda", "febelfin-coda")
ROOT = Path(__file__).parents[1]

_MEASURED = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
path = sys.argv[2]
{imports}
begin = time.process_time()
count = 0
{body}
seconds = time.process_time() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # in KiB on Linux
print(json.dumps(dict(seconds=seconds, count=count, peak_mib=peak)))
"""

PROGRAMS = {
    "line loop": (
        "",
        """
total = 0
with open(path, encoding="cp1252", newline="\\n") as lines:
    for line in lines:
        if line.startswith("21"):
            count += 1
            total += int(line[32:47])
""",
    ),
    "pycoda": (
        "from coda.parser import Parser",
        """
for s in Parser().parse_file(path):
    for m in s.movements:
        count += 1
        (m.transaction_amount, m.transaction_amount_sign, m.entry_date, m.transaction_date, m.communication,
         m.transaction_ref, m.payment_reference, m.counterparty_name, m.counterparty_number, m.counterparty_bic)
""",
    ),
    "febelfin-coda": (
        "from coda import CODA",
        """
for s in CODA(path).statements:
    for m in s.all_moves:
        count += 1
        (m.amount, m.entry_date, m.value_date, m.communication,
         m.bank_reference, m.customer_reference, m.counterparty_name, m.counterparty_account, m.counterparty_bic)
""",
    ),
    "read": (
        "import coda",
        """
for s in coda.read(path):
    for m in s.movements:
        count += 1
        (m.amount, m.entry_date, m.value_date, m.communication,
         m.bank_reference, m.customer_reference, m.counterparty_name, m.counterparty_account, m.counterparty_bic)
""",
    ),
    "check": ("import coda", "count = coda.check(path).movements"),
    # A blank that is no space is nothing wrong, but makes a statement be read record by record.
    "read record by record": (
        """
import coda
path = open(path, "rb").read().replace(b"E2E-", b"E2E\\xa0")
""",
        """
for s in coda.read(path):
    count += len(s.movements)
""",
    ),
    "write": (
        "import coda; statements = list(coda.read(path))",
        """
for s in statements:
    coda.write([s])
    count += len(s.movements)
""",
    ),
}


def measured(name: str, path: Path) -> dict[str, float]:
    """One run of a program in a process of its own."""
    folder = Path(sys.prefix) / "peers" / name if name in PEERS else ROOT
    imports, body = PROGRAMS[name]
    command = [sys.executable, "-I", "-B", "-c", _MEASURED.format(imports=imports, body=body), str(folder), str(path)]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return result


def best_of(names: list[str], path: Path) -> dict[str, dict[str, float]]:
    """The best run of each program; they take turns."""
    rounds = [{name: measured(name, path) for name in names} for _ in range(RUNS)]
    return {name: min((results[name] for results in rounds), key=lambda run: run["seconds"]) for name in names}


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--memory"]
    path = large_file(int(arguments[0]) if arguments else 100)
    lines = path.stat().st_size // 130
    print(f"{path.name}: {lines:,} lines, {path.stat().st_size / 1e6:.1f} MB")
    missing = [name for name in PEERS if not (Path(sys.prefix) / "peers" / name).is_dir()]
    for name in missing:
        print(f"{name} is not installed")
    results = best_of([name for name in PROGRAMS if name not in missing], path)
    for name, result in results.items():
        speed = lines / result["seconds"]
        print(f"{name:36} {result['seconds']:6.2f} s {speed:12,.0f} lines/s {result['peak_mib']:7.0f} MiB")
    ours = results["read"]["seconds"]
    for name in PEERS:
        if name in results:
            print(f"read and checked: {results[name]['seconds'] / ours:.1f} times as fast as {name}")
    print(f"written: {ours / results['write']['seconds']:.1f} times as fast as read")
    if "--memory" in sys.argv:
        large = large_file(410)
        result = best_of(["read"], large)["read"]
        print(f"read, {large.stat().st_size / 1e6:.0f} MB: {result['seconds']:.2f} s, {result['peak_mib']:.0f} MiB")
    assert results["read"]["count"] == lines // 3755 * MOVEMENTS, "every movement was seen"


if __name__ == "__main__":
    main()
