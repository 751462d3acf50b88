"""XML from outside: refused before it is parsed when it could do harm, then checked against the official schema.

A DOCTYPE is refused in the bytes, so no entity is ever seen by the parser; only UTF-8 is read, so nothing can hide in
another encoding. The schemas are compiled once per process. Source: ISO 20022 message definitions in `sepa/xsd`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import cast

from lxml import etree

from sepa.errors import XmlRefused

SIZE_MAX = 20 * 1024 * 1024
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:{}"
PAIN001_03 = "pain.001.001.03"
PAIN001_09 = "pain.001.001.09"
VERSIONS = (PAIN001_03, PAIN001_09)

_BOM = b"\xef\xbb\xbf"
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']")


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """One place where a document leaves its schema: line (1-based), XPath of the element, the validator's sentence."""

    line: int
    path: str
    message: str


def parse(document: bytes, *, size_max: int = SIZE_MAX) -> etree._ElementTree:
    """The parsed document. Raises `XmlRefused` with reason `xml_size`, `encoding`, `xml_doctype` or `xml_syntax`.

    A byte order mark is passed over; whoever minds asks `has_bom`.
    """
    if len(document) > size_max:
        raise XmlRefused("the document is too large", "xml_size", bytes=len(document), bytes_max=size_max)
    document = document.removeprefix(_BOM)
    declared = _DECLARED.match(document.lstrip()[:200])
    if declared and declared[1].upper() not in (b"UTF-8", b"UTF8", b"US-ASCII"):
        raise XmlRefused("the document declares another encoding than UTF-8", "encoding")
    try:
        document.decode("utf-8")
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        raise XmlRefused("the document is not UTF-8", "encoding", line=line) from None
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise XmlRefused("the document holds a DOCTYPE", "xml_doctype")
    # Without comments and instructions the text of an element is in one piece, so nothing can hide in the middle.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.ElementTree(etree.fromstring(document, parser))
    except etree.XMLSyntaxError as error:
        raise XmlRefused("the document is not well-formed", "xml_syntax", line=error.lineno or 0) from None


def has_bom(document: bytes) -> bool:
    """Whether the document starts with the UTF-8 byte order mark."""
    return document.startswith(_BOM)


def version_of(tree: etree._ElementTree) -> str | None:
    """`pain.001.001.03` or `pain.001.001.09` by the namespace of the root element, otherwise None."""
    name = etree.QName(tree.getroot())
    by_namespace = {NAMESPACE.format(version): version for version in VERSIONS}
    return by_namespace.get(name.namespace or "") if name.localname == "Document" else None


def schema_faults(tree: etree._ElementTree, version: str) -> list[SchemaFault]:
    """Every place where the document leaves the schema of that version; empty when it is valid."""
    schema = _schema(version)
    if schema.validate(tree):
        return []
    space = f"{{{NAMESPACE.format(version)}}}"
    return [
        SchemaFault(error.line, _path(tree, error.path, space), error.message.replace(space, ""))
        for error in cast("Iterable[etree._LogEntry]", schema.error_log)  # the stubs lack its iterator
    ]


def _path(tree: etree._ElementTree, place: str | None, space: str) -> str:
    """The validator's place (`/*/*[2]`) with the names of the elements."""
    found = tree.xpath(place) if place else None
    element = found[0] if isinstance(found, list) and found else None
    if not isinstance(element, etree._Element):
        return place or "/"
    steps = tree.getelementpath(element).replace(space, "")
    return "/Document" if steps == "." else f"/Document/{steps}"


@cache
def _schema(version: str) -> etree.XMLSchema:
    with as_file(files("sepa").joinpath(f"xsd/{version}.xsd")) as path:
        return etree.XMLSchema(etree.parse(str(path)))
