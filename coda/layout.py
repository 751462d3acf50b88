"""The layout table, made from the declared records: `python -m coda.layout > docs/coda/layout.md`."""

import inspect
import sys
from collections.abc import Iterator

from coda.record import Column, Record
from coda.records import VERSION_1, VERSION_2

_HEADING = """# Layout of the CODA records

Made from the declarations in `coda/records/` by `python -m coda.layout`; do not edit. Positions count from 1, every
line has 128. Type N is filled with zeros on the left, AN with blanks on the right. Findings name fields as
`record.field`.
"""


def layout_table() -> str:
    """The whole page, as Markdown."""
    parts = [_HEADING]
    parts.extend("\n".join(_section(record, f"Record {kind}")) for kind, record in VERSION_2.items())
    parts.extend(
        "\n".join(_section(record, f"Record {kind}, version 1 (read only)"))
        for kind, record in VERSION_1.items()
        if record is not VERSION_2[kind]
    )
    return "\n".join(parts)


def _section(record: type[Record], title: str) -> Iterator[str]:
    yield f"## {title}: `{record.subject}`"
    yield ""
    yield (inspect.getdoc(record) or "").partition("\n\n")[0].replace("\n", " ")
    yield ""
    yield "| Positions | Length | Type | Field | Holds |"
    yield "|---|---|---|---|---|"
    for column in record.layout:
        yield _row(column)
    yield ""


def _row(column: Column) -> str:
    positions = str(column.start) if column.start == column.end else f"{column.start}-{column.end}"
    length = column.end - column.start + 1
    if column.codec is not None:
        values = column.codec.values.replace("|", "\\|")
        return f"| {positions} | {length} | {column.codec.kind} | `{column.name}` | {values} |"
    kind, values = ("AN", "blanks") if not column.fixed.strip() else ("N", f"always {column.fixed}")
    return f"| {positions} | {length} | {kind} | {column.name} | {values} |"


if __name__ == "__main__":
    sys.stdout.write(layout_table())
