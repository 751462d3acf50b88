"""Time to evaluate one basket against approval rules: `python bench/approval.py [payments]`.

Twelve rules, groups of 40 people, three preparers, two decisions on every second payment. Prints milliseconds for the
basket before and after decisions, and the ratio to evaluating each payment with rules prepared anew. Proves nothing.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from sepa.approval import (
    Approver,
    Conditions,
    Decision,
    Directory,
    Engine,
    Mode,
    Rule,
    Subject,
    Verdict,
    evaluate,
)

NOW = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
FINANCE = frozenset(f"fin{n}" for n in range(40))
DIRECTORS = frozenset(f"dir{n}" for n in range(5))
DIRECTORY = Directory(FINANCE | DIRECTORS | {"controller"}, {"finance": FINANCE, "directors": DIRECTORS})
ANYONE = (Approver(group_id="finance", amount_max=Decimal(5000)), Approver(group_id="directors"))
RULES = [
    Rule("everything", ANYONE, mode=Mode.COUNT),
    Rule("two", ANYONE, mode=Mode.COUNT, count=2, conditions=Conditions(amount_from=Decimal(1000))),
    Rule(
        "large",
        (Approver(user_id="dir0"), Approver(group_id="directors")),
        mode=Mode.SEQUENCE,
        conditions=Conditions(amount_from=Decimal("5000.01")),
    ),
    Rule(
        "changed",
        (Approver(user_id="controller"),),
        conditions=Conditions(creditor_states=frozenset({"changed", "new"})),
    ),
    *(Rule(f"label {n}", ANYONE, conditions=Conditions(labels=frozenset({f"label {n}"}))) for n in range(8)),
]


def basket(count: int) -> list[Subject]:
    return [
        Subject(
            id=f"pay_{n}",
            amount=Decimal(n * 37 % 800_000) / 100,
            seal=f"v1:{n}",
            preparers=frozenset({f"fin{n % 3}"}),
            basket_total=Decimal(1_000_000),
            labels=frozenset({f"label {n % 20}"}),
            creditor_states=frozenset({"changed"} if n % 50 == 0 else {"known"}),
        )
        for n in range(count)
    ]


def milliseconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return min(times)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    subjects = basket(count)
    decisions = [
        [Decision(name, Verdict.APPROVE, subject.seal, NOW) for name in ("fin7", "dir0")] if n % 2 else []
        for n, subject in enumerate(subjects)
    ]

    def before() -> None:
        engine = Engine(RULES, DIRECTORY)
        for subject in subjects:
            engine.evaluate(subject)

    def after() -> None:
        engine = Engine(RULES, DIRECTORY)
        for subject, decided in zip(subjects, decisions, strict=True):
            engine.evaluate(subject, decided)

    def one_by_one() -> None:
        for subject, decided in zip(subjects, decisions, strict=True):
            evaluate(subject, RULES, DIRECTORY, decided)

    undecided, decided, anew = milliseconds(before), milliseconds(after), milliseconds(one_by_one)
    print(f"{count} payments, {len(RULES)} rules: {undecided:.0f} ms undecided, {decided:.0f} ms with decisions")
    print(f"one engine for the basket: {decided / anew:.2f} of an engine per payment")


if __name__ == "__main__":
    main()
