"""Rules for pain.001.001.03 and .09 beyond the schema, on a parsed file.

They hold on a file that breaks its schema too, so every rule reads what is there and expects nothing.
Sources: EPC132-08 (customer-to-bank guidelines), SEPA credit transfer rulebook 2025, EPC230-15 (identifiers), and
Febelfin's guideline for .03.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import cast

from lxml import etree

from sepa import accounts, references
from sepa.addresses import ADDRESS_LINES_MAX, STRUCTURED_FROM, repeats
from sepa.calendar import is_business_day
from sepa.checks import AMOUNT_MAX, AMOUNT_MIN, DAYS_AHEAD_MAX, NAME_LENGTH_MAX, REMITTANCE_LENGTH_MAX
from sepa.codes import code_set
from sepa.schema import NAMESPACE
from sepa.text import characters_outside, identifier_faults

KBO_ISSUER = "KBO-BCE"
NOT_PROVIDED = "NOTPROVIDED"

_AMOUNT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")

Found = tuple[str, str, int, str, str]  # code, path, line, found, expected


@dataclass(slots=True)
class Outcome:
    """Findings as (code, path, line, found, expected), the number of transactions and the sum of their amounts."""

    findings: list[Found] = field(default_factory=list)
    count: int = 0
    total: Decimal = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class _Block:
    """What a block says for all its transactions."""

    is_sepa: bool
    is_instant: bool
    day: date | None
    debtor_country: str


def apply(tree: etree._ElementTree, version: str, *, today: date | None) -> Outcome:
    """Every finding of the rules; `today` None leaves out what depends on the day."""
    return _Rules(tree, version, today).outcome


class _Rules:
    def __init__(self, tree: etree._ElementTree, version: str, today: date | None) -> None:
        self.tree = tree
        self.space = f"{{{NAMESPACE.format(version)}}}"
        self.today = today
        self.outcome = Outcome()
        self.end_to_end_ids: Counter[str] = Counter()
        self.payments: Counter[tuple[str, ...]] = Counter()
        root = self.one(tree.getroot(), "CstmrCdtTrfInitn")
        if root is not None:
            self.file(root)

    # Reading

    def all(self, element: etree._Element, path: str) -> list[etree._Element]:
        return element.findall("/".join(self.space + step for step in path.split("/")))

    def one(self, element: etree._Element, path: str) -> etree._Element | None:
        return element.find("/".join(self.space + step for step in path.split("/")))

    def say(self, element: etree._Element, path: str = "", default: str = "") -> str:
        found = self.one(element, path) if path else element
        return default if found is None else found.text or ""

    def found(
        self, code: str, element: etree._Element, found: str = "", expected: str = "", *, missing: str = ""
    ) -> None:
        """`missing`: the child of the element that should be there."""
        steps = self.tree.getelementpath(element).replace(self.space, "")
        path = "/Document" + (f"/{steps}" if steps != "." else "") + (f"/{missing}" if missing else "")
        line = cast("int | None", element.sourceline) or 0  # the stubs say Ellipsis
        self.outcome.findings.append((code, path, line, found, expected))

    # The file, its blocks, their transactions

    def file(self, root: etree._Element) -> None:
        header = self.one(root, "GrpHdr")
        blocks = self.all(root, "PmtInf")
        seen: set[str] = set()
        sums = []
        for block in blocks:
            sums.append(self.block(block))
            if (identifier := self.one(block, "PmtInfId")) is not None:
                self.identifier(identifier)
                if (identifier.text or "") in seen:
                    self.found("payment_information_id_duplicate", identifier, identifier.text or "")
                seen.add(identifier.text or "")
        self.outcome.count = sum(count for count, _ in sums)
        known = [total for _, total in sums if total is not None]
        self.outcome.total = sum(known, Decimal("0.00"))
        if header is None:
            return
        self.totals(header, self.outcome.count, self.outcome.total if len(known) == len(sums) else None)
        if (message_id := self.one(header, "MsgId")) is not None:
            self.identifier(message_id)
        created = self.one(header, "CreDtTm")
        if created is not None and self.today and (day := _day(self.say(created))) and day > self.today:
            self.found("creation_in_future", created, self.say(created), f"at most {self.today}")
        if (party := self.one(header, "InitgPty")) is not None:
            self.party(party, is_name_needed=False)

    def block(self, block: etree._Element) -> tuple[int, Decimal | None]:
        """Check one block; its number of transactions and their sum, None when an amount cannot be read."""
        terms = self.terms(block)
        debtor = self.one(block, "Dbtr")
        if debtor is not None:
            self.party(debtor, is_name_needed=True)
            self.address(debtor, terms.day)
        if (account := self.one(block, "DbtrAcct/Id/IBAN")) is not None:
            self.iban(account, is_sepa=terms.is_sepa)
        self.agent(block, "DbtrAgt", "debtor_agent_empty")
        self.named(block, "UltmtDbtr")
        payments = self.all(block, "CdtTrfTxInf")
        if self.say(block, "PmtMtd") == "TRF" and self.is_plain_euro(block):
            self.found("service_level_missing", block, missing="PmtTpInf/SvcLvl")
        amounts = [self.payment(payment, terms) for payment in payments]
        total = sum((amount for amount in amounts if amount is not None), Decimal("0.00"))
        readable = None if None in amounts else total
        self.totals(block, len(payments), readable)
        return len(payments), readable

    def is_plain_euro(self, block: etree._Element) -> bool:
        """Whether no level of the block states a service while all its amounts are in euro."""
        stated = self.all(block, "PmtTpInf/SvcLvl") or self.all(block, "CdtTrfTxInf/PmtTpInf/SvcLvl")
        amounts = self.all(block, "CdtTrfTxInf/Amt/InstdAmt")
        return not stated and bool(amounts) and all(amount.get("Ccy") == "EUR" for amount in amounts)

    def terms(self, block: etree._Element) -> _Block:
        levels = self.all(block, "PmtTpInf/SvcLvl/Cd")
        codes = {self.say(level) for level in levels}
        for level in levels:
            if self.say(level) not in code_set("service_level"):
                self.found("service_level_unknown", level, self.say(level), "SEPA")
        instrument = self.one(block, "PmtTpInf/LclInstrm/Cd")
        is_instant = instrument is not None and self.say(instrument) == "INST"
        if instrument is not None and is_instant and codes and codes != {"SEPA"}:
            self.found("service_level_conflict", instrument, ", ".join(sorted(codes)), "SEPA")
        self.code(block, "PmtTpInf/CtgyPurp/Cd", "category_purpose")
        is_sepa = "SEPA" in codes
        bearer = self.one(block, "ChrgBr")
        if bearer is not None and is_sepa and self.say(bearer) != "SLEV":
            self.found("charge_bearer", bearer, self.say(bearer), "SLEV")
        asked = self.one(block, "ReqdExctnDt")
        day = None
        if asked is not None:
            day = _day(self.say(asked, "Dt") or self.say(asked, "DtTm") or self.say(asked))
            self.execution_date(asked, day, is_instant=is_instant)
        return _Block(is_sepa, is_instant, day, self.say(block, "DbtrAcct/Id/IBAN")[:2])

    def payment(self, payment: etree._Element, terms: _Block) -> Decimal | None:
        """Check one transaction; its amount, None when it cannot be read."""
        levels = {self.say(level) for level in self.all(payment, "PmtTpInf/SvcLvl/Cd")}
        is_sepa = terms.is_sepa or "SEPA" in levels
        for identifier in (*self.all(payment, "PmtId/InstrId"), *self.all(payment, "PmtId/EndToEndId")):
            self.identifier(identifier)
        self.end_to_end_id(payment)
        bearer = self.one(payment, "ChrgBr")
        if bearer is not None and is_sepa and self.say(bearer) != "SLEV":
            self.found("charge_bearer", bearer, self.say(bearer), "SLEV")
        amount_element = self.one(payment, "Amt/InstdAmt")
        amount = None if amount_element is None else self.amount(amount_element, is_sepa=is_sepa)
        self.agent(payment, "CdtrAgt", "creditor_agent_empty")
        creditor = self.one(payment, "Cdtr")
        if creditor is not None:
            self.party(creditor, is_name_needed=True)
            self.address(creditor, terms.day)
        elif is_sepa:
            self.found("name_missing", payment, missing="Cdtr")
        if (account := self.one(payment, "CdtrAcct/Id/IBAN")) is not None:
            self.iban(account, is_sepa=is_sepa)
        elif is_sepa:
            self.found("iban_missing", payment, missing="CdtrAcct")
        self.named(payment, "UltmtDbtr")
        self.named(payment, "UltmtCdtr")
        self.code(payment, "Purp/Cd", "purpose")
        reference = self.remittance(payment, is_sepa=is_sepa)
        iban = self.say(payment, "CdtrAcct/Id/IBAN")
        key = (iban, str(amount), reference, str(terms.day))
        self.payments[key] += 1
        if self.payments[key] == 2 and iban:
            self.found("payment_duplicate", payment, reference)
        return amount

    # Single values

    def totals(self, element: etree._Element, count: int, total: Decimal | None) -> None:
        stated = self.one(element, "NbOfTxs")
        if stated is not None and _number(self.say(stated)) != count:
            self.found("count_mismatch", stated, self.say(stated), str(count))
        control = self.one(element, "CtrlSum")
        if control is None:
            self.found("control_sum_missing", element, missing="CtrlSum")
        elif total is not None and _number(self.say(control)) != total:
            self.found("control_sum_mismatch", control, self.say(control), str(total))

    def identifier(self, element: etree._Element) -> None:
        for code in identifier_faults(self.say(element)):
            self.found(code, element, self.say(element), "1 to 35 characters, no slash at the ends")

    def end_to_end_id(self, payment: etree._Element) -> None:
        element = self.one(payment, "PmtId/EndToEndId")
        if element is None or self.say(element) == NOT_PROVIDED:
            return
        self.end_to_end_ids[self.say(element)] += 1
        if self.end_to_end_ids[self.say(element)] == 2:
            self.found("end_to_end_id_duplicate", element, self.say(element))

    def amount(self, element: etree._Element, *, is_sepa: bool) -> Decimal | None:
        currency = element.get("Ccy", "")
        if is_sepa and currency != "EUR":
            self.found("currency_not_supported", element, currency, "EUR")
        amount = _number(self.say(element))
        if amount is None:
            self.found("amount_format", element, self.say(element), "digits with a point")
            return None
        if amount < AMOUNT_MIN:
            self.found("amount_too_small", element, str(amount), f"{AMOUNT_MIN} or more")
        if is_sepa and amount > AMOUNT_MAX:
            self.found("amount_too_large", element, str(amount), f"at most {AMOUNT_MAX}")
        if is_sepa and len(self.say(element).strip().partition(".")[2]) > 2:
            self.found("amount_decimals", element, self.say(element), "2 decimals")
        return amount

    def iban(self, element: etree._Element, *, is_sepa: bool) -> None:
        iban = self.say(element)
        if fault := accounts.iban_fault(iban):
            self.found(fault, element, iban)
        if fault in (None, "iban_foreign_checksum") and is_sepa and not accounts.is_sepa(iban[:2]):
            self.found("iban_not_sepa", element, iban[:2], "a SEPA country")

    def agent(self, element: etree._Element, name: str, empty_code: str) -> None:
        agent = self.one(element, f"{name}/FinInstnId")
        if agent is None:
            return
        if len(agent) == 0:
            self.found(empty_code, agent)
        for bic in (*self.all(agent, "BICFI"), *self.all(agent, "BIC")):
            if fault := accounts.bic_fault(self.say(bic)):
                self.found(fault, bic, self.say(bic), "8 or 11 characters")

    def party(self, party: etree._Element, *, is_name_needed: bool) -> None:
        name = self.one(party, "Nm")
        if name is None:
            if is_name_needed:
                self.found("name_missing", party, missing="Nm")
        else:
            self.name(name)
        for other in self.all(party, "Id/OrgId/Othr"):
            number = self.one(other, "Id")
            if number is None:
                continue
            fault = accounts.enterprise_number_fault(self.say(number))
            if self.say(other, "Issr") != KBO_ISSUER:
                if fault is None:
                    self.found("enterprise_number_issuer", other, self.say(other, "Issr"), KBO_ISSUER)
            elif fault:
                self.found(fault, number, self.say(number), "10 digits")

    def named(self, element: etree._Element, name: str) -> None:
        if (found := self.one(element, f"{name}/Nm")) is not None:
            self.name(found)

    def name(self, element: etree._Element) -> None:
        name = self.say(element)
        if len(name) > NAME_LENGTH_MAX:
            self.found("name_too_long", element, f"{len(name)} characters", f"at most {NAME_LENGTH_MAX}")
        self.characters(element)

    def characters(self, element: etree._Element) -> None:
        outside = characters_outside(self.say(element))
        if outside:
            self.found("characters", element, outside, "a-z A-Z 0-9 / - ? : ( ) . , ' + and blanks")

    def code(self, element: etree._Element, path: str, name: str) -> None:
        found = self.one(element, path)
        if found is not None and self.say(found) not in code_set(name):
            self.found(f"{name}_unknown", found, self.say(found), "a code of the ISO list")

    def execution_date(self, element: etree._Element, day: date | None, *, is_instant: bool) -> None:
        if day is None:
            return
        if not is_instant and not is_business_day(day):
            self.found("date_not_business_day", element, day.isoformat())
        if self.today and day < self.today:
            self.found("execution_date_past", element, day.isoformat(), f"{self.today} or later")
        if self.today and day > self.today + timedelta(days=DAYS_AHEAD_MAX):
            self.found("execution_date_too_far", element, day.isoformat(), f"within {DAYS_AHEAD_MAX} days")

    def address(self, party: etree._Element, day: date | None) -> None:
        address = self.one(party, "PstlAdr")
        if address is None:
            return
        for part in address:
            if part.tag != f"{self.space}AdrTp":
                self.characters(part)
        # The rule counts by settlement; a date that cannot be read is taken as one of today.
        if day is not None and day < STRUCTURED_FROM:
            return
        town, country = self.say(address, "TwnNm").strip(), self.say(address, "Ctry").strip()
        lines = self.all(address, "AdrLine")
        if lines and not town:
            self.found("address_unstructured", address, f"{len(lines)} free lines", "TwnNm and Ctry")
        elif not town:
            self.found("address_town_missing", address, missing="TwnNm")
        elif not country:
            self.found("address_country_missing", address, missing="Ctry")
        if len(lines) > ADDRESS_LINES_MAX:
            self.found("address_lines", address, f"{len(lines)} lines", f"at most {ADDRESS_LINES_MAX}")
        for line in lines:
            if repeats(self.say(line), town, self.say(address, "PstCd")):
                self.found("address_repeats", line, self.say(line))

    def remittance(self, payment: etree._Element, *, is_sepa: bool) -> str:
        """Check the remittance information; the text or reference, for finding doubles."""
        texts = self.all(payment, "RmtInf/Ustrd")
        structured = self.all(payment, "RmtInf/Strd")
        for text in texts:
            if not 1 <= len(self.say(text)) <= REMITTANCE_LENGTH_MAX:
                self.found("text_length", text, f"{len(self.say(text))} characters", f"1 to {REMITTANCE_LENGTH_MAX}")
            self.characters(text)
        if is_sepa and len(texts) > 1:
            self.found("remittance_repeated", texts[1], f"{len(texts)} texts", "one")
        if is_sepa and texts and structured:
            self.found("remittance_exclusive", texts[0])
        for information in structured:
            self.reference(information, self.say(payment, "CdtrAcct/Id/IBAN")[:2])
        parts = [self.say(text) for text in texts] + [self.say(s, "CdtrRefInf/Ref") for s in structured]
        return " ".join(parts)

    def reference(self, structured: etree._Element, creditor_country: str) -> None:
        element = self.one(structured, "CdtrRefInf/Ref")
        if element is None or self.say(structured, "CdtrRefInf/Tp/CdOrPrtry/Cd") != "SCOR":
            return
        reference, issuer = self.say(element), self.say(structured, "CdtrRefInf/Tp/Issr")
        if issuer == "BBA":
            if fault := references.belgian_fault(reference):
                self.found(f"belgian_reference_{fault}", element, reference, "12 digits")
            elif creditor_country and creditor_country != "BE":
                self.found("belgian_reference_abroad", element, reference, references.print_belgian(reference))
        elif issuer == "ISO" or reference.startswith("RF"):
            if fault := references.rf_fault(reference):
                self.found(f"rf_reference_{fault}", element, reference, "RF and 2 check digits")
        else:
            self.found("reference_issuer", element, issuer, "BBA or ISO")


def _number(text: str) -> Decimal | None:
    stripped = text.strip()
    return Decimal(stripped) if stripped.isascii() and _AMOUNT.fullmatch(stripped) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
