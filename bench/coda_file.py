"""A CODA file of any size for measurements: invented, consistent, every kind of record, Windows-1252 with CRLF.

It is laid out here by hand and not by `coda.write`, so that a fault of ours cannot hide behind itself. Of each twenty
records 21 two stand alone, one has a record 22 only, one is a total with three details, and five have information;
that makes 75 lines, the proportion of the large files of banks.
"""

from datetime import date, timedelta
from pathlib import Path

MOVEMENTS = 1_000  # records 21 in each statement
LINES = 3_755  # in each statement
FOLDER = Path(__file__).parents[1] / "var" / "bench"

_ZONE = f"{'BE81797030970124':34}EUR"
_NAMES = ("Alfa Handel BV", "Café Château", "Müller & Zoon", "Imprimerie Liégeoise", "Bêta Diensten", "Zuster Agnès")
_WORDS = "Factuur 2026-17 levering maart, met dank voor het vertrouwen en tot binnenkort in de zaak te Leuven of Liège"
_INFORMATION = {14: (3,), 15: (3,), 16: (3,), 17: (1, 2), 18: (3, 3, 2)}  # place in the twenty → parts of each


def large_file(statements: int) -> Path:
    """The path of the file with so many statements; it is made once and kept."""
    path = FOLDER / f"statements_{statements}.cod"
    if not path.is_file():
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            balance = 0
            for number in range(statements):
                text, balance = _statement(number, balance, is_last=number == statements - 1)
                file.write(text.encode("cp1252"))
        unfinished.rename(path)
    return path


def _statement(number: int, opening: int, *, is_last: bool) -> tuple[str, int]:
    """The lines of one statement, and its new balance in thousandths."""
    day = (date(2026, 1, 1) + timedelta(days=number % 360)).strftime("%d%m%y")
    coded = number % 999 + 1
    lines = [
        f"00000{day}79705 {'':7}{number:010d}{'Voorbeeld NV':26}{'GEBABEBB':11}00400000086 00000{'':39}2",
        f"12{coded:03d}{_ZONE}{_signed(opening)}{day}{'Voorbeeld NV':26}{'Zichtrekening':35}{coded:03d}",
    ]
    sequence = detail = debit = credit = 0
    for index in range(MOVEMENTS):
        place = index % 20
        is_detail = place in (11, 12, 13)
        if is_detail:
            detail += 1
        else:
            sequence, detail = sequence + 1, 0
        thousandths = (number * 7919 + index * 104_729) % 9_999_999 * 10
        amount = thousandths if index % 3 else -thousandths
        if not is_detail:
            debit, credit = debit - min(amount, 0), credit + max(amount, 0)
        lines.extend(_movement(number, index, (sequence, detail), amount, day))
        for position, parts in enumerate(_INFORMATION.get(place, ())):
            detail += 1
            is_linked = position + 1 < len(_INFORMATION[place])
            lines.extend(_information(number, index, (sequence, detail), parts, is_linked=is_linked))
    closing = opening + credit - debit
    count = len(lines) - 1 + 1  # without the header, with record 8
    lines.append(f"8{coded:03d}{_ZONE}{_signed(closing)}{day}{'':64}1")
    lines.append(f"4 00010000{'':22}{'Uw tarieven wijzigen op 1 april; zie onze site':80}{'':15}0")
    lines.append(f"9{'':15}{count:06d}{debit:015d}{credit:015d}{'':75}{2 if is_last else 1}")
    return "".join(f"{line}\r\n" for line in lines), closing


def _movement(number: int, index: int, numbers: tuple[int, int], amount: int, day: str) -> list[str]:
    place = index % 20
    numbered = f"{numbers[0]:04d}{numbers[1]:04d}"
    has_22, has_23 = place not in (0, 1), place not in (0, 1, 2)
    is_linked = int(place in _INFORMATION)
    code = "10107000" if place == 10 else "50101000" if place in (11, 12, 13) else "00150000"
    if place % 4 == 3:
        base = number * MOVEMENTS + index + 1
        text, flag = f"101{base:010d}{base % 97 or 97:02d}", 1
        more = end = ""
    else:
        text, more, end, flag = _WORDS[:53], _WORDS[53:106], _WORDS[106:], 0
    if not has_22:
        more = end = ""
    lines = [
        f"21{numbered}{_reference(number, index)}{_signed(amount)}{day}{code}{flag}{text:53}{day}0010{int(has_22)} 0"
    ]
    if has_22:
        reference = f"E2E-{number}-{index}"
        lines.append(f"22{numbered}{more:53}{reference:35}{'GKCCBEBB':11}{'':16}{int(has_23)} 0")
    if has_23:
        zone = f"BE{index % 90 + 10}{number:06d}{index:06d}"
        lines.append(f"23{numbered}{zone:37}{_NAMES[index % 6]:35}{end:43}0 {is_linked}")
    return lines


def _information(number: int, index: int, numbers: tuple[int, int], parts: int, *, is_linked: bool) -> list[str]:
    numbered = f"{numbers[0]:04d}{numbers[1]:04d}"
    head = f"31{numbered}{_reference(number, index)}00150000"
    flags = [f"{int(part < parts)} {int(is_linked and part == parts)}" for part in (1, 2, 3)]
    lines = [f"{head}1001{_NAMES[index % 6]:70}{'':12}{flags[0]}"]
    if parts > 1:
        lines.append(f"32{numbered}{'Kerkstraat 17':35}{'3000 Leuven':70}{'':10}{flags[1]}")
    if parts > 2:
        lines.append(f"33{numbered}{_WORDS[:90]:90}{'':25}{flags[2]}")
    return lines


def _reference(number: int, index: int) -> str:
    return f"REF{number:08d}{index:010d}"


def _signed(thousandths: int) -> str:
    return f"{int(thousandths < 0)}{abs(thousandths):015d}"
