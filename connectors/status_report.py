"""pain.002, as a bank may answer to the status of a file: the status of the whole, and of each payment it names.

Every version is read by local names. A level that is not there takes the status of the one above; the block is the
whole, since our files have one. Source: ISO 20022, pain.002.001.03 to .14.
"""

from __future__ import annotations

from typing import Final, NoReturn
from xml.etree import ElementTree as ET
from xml.parsers import expat

from connectors.payments import PaymentOffer, PaymentStatus, status_of

NOT_PROVIDED: Final = "NOTPROVIDED"


def read_report(body: bytes, offer: PaymentOffer) -> PaymentStatus:
    """The status a report tells; raises `ValueError` for what is no report, or tells none."""
    report = _tree(body).find("CstmrPmtStsRpt")
    if report is None:
        raise ValueError("it is no pain.002")
    group, blocks = report.find("OrgnlGrpInfAndSts"), report.findall("OrgnlPmtInfAndSts")
    levels = [level for level in (blocks[0] if len(blocks) == 1 else None, group) if level is not None]
    payments = list(report.iter("TxInfAndSts"))
    code = next(filter(None, (_text(level, "PmtInfSts") or _text(level, "GrpSts") for level in levels)), None)
    reason = next(filter(None, map(_reason, levels)), None)
    parts = {}
    for payment in payments:
        end_to_end_id, own = _text(payment, "OrgnlEndToEndId"), _text(payment, "TxSts") or code
        if end_to_end_id is not None and end_to_end_id != NOT_PROVIDED and own is not None:
            parts[end_to_end_id] = status_of(offer, own, _reason(payment))
    if code is None and len(payments) == 1:
        code, reason = _text(payments[0], "TxSts"), reason or _reason(payments[0])
    if code is None:
        raise ValueError("it tells no status")
    return status_of(offer, code, reason, parts)


def _tree(body: bytes) -> ET.Element:
    """The elements by local name; a document that declares a type, and with it entities, is refused."""
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda name, _: builder.start(name.rpartition("}")[2], {})
    parser.EndElementHandler = lambda name: builder.end(name.rpartition("}")[2])
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(body, True)
        return builder.close()
    except expat.ExpatError as error:
        raise ValueError("it is no XML") from error


def _refuse_doctype(*_: object) -> NoReturn:
    raise ValueError("it declares a document type")


def _reason(level: ET.Element) -> str | None:
    """The first code of ISO 20022 or of the bank's own."""
    found = (_text(info, "Rsn/Cd") or _text(info, "Rsn/Prtry") for info in level.findall("StsRsnInf"))
    return next(filter(None, found), None)


def _text(level: ET.Element, path: str) -> str | None:
    return (level.findtext(path) or "").strip() or None
