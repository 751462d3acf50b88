# ruff: noqa: PLC0415 — each side is imported in its own process, so that the peak memory is its own
"""Time and memory of pain.001 for many payments, beside sepaxml: `python bench/pain001.py [payments]`.

Ours: all checks, build and XSD validation, in files of at most 5,000 payments, as they leave; sepaxml: build and export
in one file without validation. Each runs in a process of its own, so that the peak memory is its own; the best of three
counts. Prints CPU seconds, MiB and ratios; proves nothing by itself.
"""

import json
import resource
import subprocess
import sys
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

RUNS = 3
TODAY = date(2027, 1, 4)
DEBTOR = "BE33363291417746"


def iban(number: int) -> str:
    base = f"{number:010d}"
    national = base + f"{number % 97 or 97:02d}"
    return f"BE{98 - int(national + '111400') % 97:02d}{national}"


def ours(count: int) -> dict[str, float]:
    from sepa import (
        DebtorAccount,
        Order,
        Party,
        Payment,
        ReferenceKind,
        Structured,
        Unstructured,
        arrange,
        build,
        split,
    )
    from sepa.references import make_belgian
    from sepa.schema import PAIN001_09, parse, schema_faults

    holder = Party("Voorbeeld Logistiek NV", "0401234560")
    payments = [
        Payment(
            payment_id=f"pay_{n:026d}",
            end_to_end_id=f"E2E-{n}",
            debtor_iban=DEBTOR,
            creditor=Party(f"Leverancier {n} BV"),
            creditor_iban=iban(3_100_000_000 + n),
            creditor_bic="BBRUBEBB",
            amount=Decimal(n % 100_000 + 1) / 100,
            remittance=Structured(ReferenceKind.BELGIAN, make_belgian(n + 1))
            if n % 2
            else Unstructured(f"Factuur 2026/{n} café"),
        )
        for n in range(count)
    ]
    before = peak()
    account = DebtorAccount(holder=holder, iban=DEBTOR)
    moment = datetime(2027, 1, 4, 9, 15, tzinfo=timezone(timedelta(hours=1)))
    spent = {"convert_and_group": 0.0, "check_and_write": 0.0, "xsd": 0.0}
    size = written = 0
    for number, part in enumerate(split(payments)):
        start = time.process_time()
        groups = arrange(part, {DEBTOR: account}, today=TODAY, payment_information_prefix=f"BENCH-{number}")
        arranged = time.process_time()
        order = Order(message_id=f"BENCH-{number}", created_at=moment, initiating_party=holder, groups=groups)
        document = build(order)
        built = time.process_time()
        assert not schema_faults(parse(document), PAIN001_09)
        end = time.process_time()
        spent["convert_and_group"] += arranged - start
        spent["check_and_write"] += built - arranged
        spent["xsd"] += end - built
        size += len(document)
        written += order.count
    assert written == count
    return {"seconds": sum(spent.values()), **spent, "peak_mib": peak(), "input_mib": before, "file_mb": size / 1e6}


def sepaxml(count: int) -> dict[str, float]:
    from sepaxml import SepaTransfer

    config = {"name": "Voorbeeld Logistiek NV", "IBAN": DEBTOR, "BIC": "BBRUBEBB", "batch": True, "currency": "EUR"}
    rows = [
        {
            "name": f"Leverancier {n} BV",
            "IBAN": iban(3_100_000_000 + n),
            "BIC": "BBRUBEBB",
            "amount": n % 100_000 + 1,
            "execution_date": TODAY,
            "description": f"Factuur 2026/{n} café",
            "endtoend_id": f"E2E-{n}",
        }
        for n in range(count)
    ]
    before = peak()
    start = time.process_time()
    transfer = SepaTransfer(config, schema="pain.001.001.09", clean=True)
    for row in rows:
        transfer.add_payment(row)
    document = transfer.export(validate=False)
    return {
        "seconds": time.process_time() - start,
        "peak_mib": peak(),
        "input_mib": before,
        "file_mb": len(document) / 1e6,
    }


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if len(sys.argv) > 2:
        print(json.dumps({"ours": ours, "sepaxml": sepaxml}[sys.argv[2]](count)))
        return
    results = {}
    for name in ("ours", "sepaxml"):
        command = [sys.executable, str(Path(__file__)), str(count), name]
        runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(RUNS)]
        results[name] = min(runs, key=lambda run: run["seconds"])
        print(name, {key: round(value, 2) for key, value in results[name].items()})
    own, other = results["ours"], results["sepaxml"]
    print(
        f"time: {own['seconds'] / other['seconds']:.2f} of sepaxml; memory: {own['peak_mib'] / other['peak_mib']:.2f}"
    )


if __name__ == "__main__":
    main()
