from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from sepa import Severity
from sepa.findings import CATALOGUE
from sepa.pain_check import check_file
from tests.sepa.samples import rows, shared

TODAY = date(2027, 1, 4)
INVALID = "samples/sepa/pain001-invalid"
VALID = "samples/sepa/pain001"

# The rule labels of the shared list, and the finding codes that prove them found.
CODES_BY_RULE = {
    "CDTR_IBAN_CHECKSUM": {"iban_checksum", "iban_national_checksum"},
    "CDTR_IBAN_FORMAT": {"iban_format"},
    "CDTR_IBAN_LENGTH": {"iban_length"},
    "CDTR_NOT_SEPA": {"iban_not_sepa"},
    "DBTR_IBAN_CHECKSUM": {"iban_checksum", "iban_national_checksum"},
    "NB_OF_TXS_MISMATCH": {"count_mismatch"},
    "CTRL_SUM_MISMATCH": {"control_sum_mismatch"},
    "AMOUNT_RANGE": {"amount_too_small", "amount_too_large"},
    "AMOUNT_DECIMALS": {"amount_decimals"},
    "AMOUNT_FORMAT": {"amount_format"},
    "SEPA_CURRENCY": {"currency_not_supported"},
    "OGM_CHECKSUM": {"belgian_reference_checksum"},
    "OGM_FORMAT": {"belgian_reference_format"},
    "RF_CHECKSUM": {"rf_reference_checksum"},
    "REMITTANCE_EXCLUSIVE": {"remittance_exclusive"},
    "REMITTANCE_REPEATED": {"remittance_repeated"},
    "TEXT_LENGTH": {"text_length"},
    "NAME_LENGTH": {"name_too_long"},
    "NAME_MISSING": {"name_missing"},
    "CHARSET": {"characters"},
    "ID_LENGTH": {"identifier_too_long"},
    "ID_SLASH": {"identifier_slash"},
    "PMTINFID_DUPLICATE": {"payment_information_id_duplicate"},
    "E2E_DUPLICATE": {"end_to_end_id_duplicate"},
    "PAYMENT_DUPLICATE": {"payment_duplicate"},
    "ADDRESS_UNSTRUCTURED": {"address_unstructured"},
    "ADDRESS_COUNTRY_MISSING": {"address_country_missing"},
    "ADDRESS_TOWN_MISSING": {"address_town_missing"},
    "ADDRESS_TOO_MANY_LINES": {"address_lines"},
    "ADDRESS_DUPLICATED_PART": {"address_repeats"},
    "XSD": {"schema", "schema_unknown"},
    "DATE_PAST": {"execution_date_past"},
    "DATE_NOT_BUSINESS_DAY": {"date_not_business_day"},
    "DATE_TOO_FAR": {"execution_date_too_far"},
    "BIC_FORMAT": {"bic_format"},
    "SEPA_CHARGE_BEARER": {"charge_bearer"},
    "SVCLVL_CODE": {"service_level_unknown"},
    "PURPOSE_CODE": {"purpose_unknown"},
    "SVCLVL_CONFLICT": {"service_level_conflict"},
    "DBTR_AGENT_MISSING": {"debtor_agent_empty"},
    "KBO_CHECKSUM": {"enterprise_number_checksum"},
    "KBO_FORMAT": {"enterprise_number_format"},
    "ENCODING": {"encoding", "encoding_bom"},
    "XML_DTD": {"xml_doctype"},
    "XML_SYNTAX": {"xml_syntax"},
}


def test_every_shared_faulty_file_is_found_by_its_rule_with_its_severity() -> None:
    expected = rows(f"{INVALID}/expected.csv")
    missed = []
    for row in expected:
        report = check_file(shared(f"{INVALID}/{row['file']}"), today=TODAY)
        severity = Severity.BLOCKED if row["severity"] == "error" else Severity.WARNING
        hits = [f for f in report.findings if f.code in CODES_BY_RULE[row["rule"]] and f.severity is severity]
        if not hits or report.ok != (severity is Severity.WARNING):
            missed.append((row["file"], row["rule"], [finding.code for finding in report.findings]))
    assert missed == []
    assert len(expected) == 69


# What is really wrong in files of other projects that follow the schema (invented numbers, letters outside the set).
KNOWN_WRONG = {
    "iso20022_js--sepa_pain_001_v3.xml": {"characters", "iban_checksum"},
    "iso20022_js--sepa_pain_001_v3_multiple_pmtinf.xml": {
        "characters",
        "iban_checksum",
        "count_mismatch",
        "control_sum_mismatch",
    },
    "pain001--be.sepa.sct-supplier.pain.001.001.03.xml": {"belgian_reference_checksum"},
    "pain001--de.sepa.sct-salary.pain.001.001.03.xml": {"characters"},
    "pain001--de.sepa.sct-salary.pain.001.001.09.xml": {"characters"},
    "pain001--pain.001.001.03-coverage-01-transfer-every-element.xml": {
        "service_level_unknown",
        "category_purpose_unknown",
        "purpose_unknown",
    },
    "pain001--pain.001.001.09-coverage-01-transfer-every-element.xml": {
        "service_level_unknown",
        "category_purpose_unknown",
        "purpose_unknown",
    },
    "pain001--pain.001.001.03-coverage-03-transfer-PmtTpInf-RmtInf-InitgPty.xml": {"name_missing"},
    "pain001--pain.001.001.09-coverage-03-transfer-PmtTpInf-RmtInf-InitgPty.xml": {"name_missing"},
    "php-sepa-xml--pain.001.001.03.xml": {"iban_format"},
    "php-sepa-xml--pain.001.001.09.xml": {"iban_format"},
}


def test_good_files_of_others_have_no_blocking_finding_but_what_is_wrong_in_them() -> None:
    blocked = {}
    for file in sorted(shared(VALID).glob("*.xml")):
        report = check_file(file)
        if file.name == "iso20022_js--pain_001_v3_sepa.xml":
            assert "schema" in {finding.code for finding in report.findings}, "known to break its schema"
        elif not report.ok:
            blocked[file.name] = {f.code for f in report.findings if f.severity is Severity.BLOCKED}
    assert blocked == KNOWN_WRONG


@pytest.mark.parametrize("kind", ["reference", "urgent-international"])
@pytest.mark.parametrize("version", ["03", "09"])
def test_the_belgian_reference_files_have_no_finding_at_all(kind: str, version: str) -> None:
    assert check_file(shared(f"{VALID}/be-{kind}-pain.001.001.{version}.xml"), today=TODAY).findings == ()


OWN = Path(__file__).parent / "files" / "good.09.xml"


def test_our_own_good_file_has_no_findings() -> None:
    report = check_file(OWN, today=TODAY)
    assert report.findings == ()
    assert report.ok
    assert (report.version, report.count, str(report.total)) == ("pain.001.001.09", 3, "400.00")
    assert check_file(BytesIO(OWN.read_bytes()), today=TODAY) == report


@pytest.mark.parametrize(
    ("before", "after", "codes"),
    [
        ("BE12310291417792", "BE12310291417793", {"iban_checksum"}),
        ("BE12310291417792", "BE41539007547035", {"iban_national_checksum"}),
        ("BE12310291417792", "TR330006100519786457841326", {"iban_not_sepa"}),
        ("BE12310291417792", "FR2485465373980A5BUYVL3NS43", {"iban_foreign_checksum", "belgian_reference_abroad"}),
        ("<NbOfTxs>3", "<NbOfTxs>4", {"count_mismatch"}),
        ("<CtrlSum>400.00", "<CtrlSum>400.01", {"control_sum_mismatch"}),
        ("<CtrlSum>400.00</CtrlSum>", "", {"control_sum_missing"}),
        ('"EUR">100.00', '"EUR">0.00', {"amount_too_small", "control_sum_mismatch"}),
        ('"EUR">100.00', '"EUR">100.000', {"amount_decimals"}),
        ('"EUR">100.00', '"EUR">1e2', {"amount_format", "schema"}),
        ('"EUR">100.00', '"USD">100.00', {"currency_not_supported"}),
        ("291417776370", "291417776371", {"belgian_reference_checksum"}),
        ("291417776370", "+++291/4177/76370+++", {"belgian_reference_format"}),
        ("<Issr>BBA</Issr>", "", {"reference_issuer"}),
        ("RF032026INV0042", "RF042026INV0042", {"rf_reference_checksum"}),
        ("<Ustrd>Factuur 3</Ustrd>", "<Ustrd>Factuur 3</Ustrd><Ustrd>x</Ustrd>", {"remittance_repeated"}),
        ("<RmtInf><Strd>", "<RmtInf><Ustrd>x</Ustrd><Strd>", {"remittance_exclusive"}),
        ("Factuur 3", "A" * 141, {"text_length", "schema"}),
        ("Factuur 3", "Factuur\n3", {"characters"}),
        ("Leverancier 1 BV", "Caf\u00e9", {"characters"}),
        ("Leverancier 1 BV", "A" * 71, {"name_too_long"}),
        ("<Cdtr><Nm>Leverancier 1 BV</Nm></Cdtr>", "", {"name_missing"}),
        ("<Nm>Leverancier 1 BV</Nm>", "", {"name_missing"}),
        ("<MsgId>GW-1", "<MsgId>GW-1/", {"identifier_slash"}),
        ("<EndToEndId>E-2", "<EndToEndId>E-1", {"end_to_end_id_duplicate"}),
        ("<EndToEndId>E-2", "<EndToEndId>E_2", {"identifier_characters"}),
        ("0401234560", "0401234561", {"enterprise_number_checksum"}),
        ("0401234560", "0401.234.560", {"enterprise_number_format"}),
        ("<Cd>SEPA", "<Cd>ZZZZ", {"service_level_unknown"}),
        ("<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>", "", {"service_level_missing"}),
        ("<Issr>KBO-BCE</Issr>", "", {"enterprise_number_issuer"}),
        (
            "<Cd>SEPA</Cd></SvcLvl>",
            "<Cd>URGP</Cd></SvcLvl><LclInstrm><Cd>INST</Cd></LclInstrm>",
            {"service_level_conflict"},
        ),
        ("<ChrgBr>SLEV", "<ChrgBr>SHAR", {"charge_bearer"}),
        ("<Purp><Cd>SUPP", "<Purp><Cd>ZZZZ", {"purpose_unknown"}),
        ("<FinInstnId><BICFI>BBRUBEBB</BICFI></FinInstnId>", "<FinInstnId/>", {"debtor_agent_empty"}),
        ("<FinInstnId><BICFI>KREDBEBB</BICFI></FinInstnId>", "<FinInstnId/>", {"creditor_agent_empty"}),
        ("KREDBEBB", "KREDQQBB", {"bic_format"}),
        ("<Dt>2027-01-05", "<Dt>2027-01-03", {"execution_date_past", "date_not_business_day"}),
        ("<Dt>2027-01-05", "<Dt>2028-06-01", {"execution_date_too_far"}),
        ("2027-01-04T09", "2027-01-05T09", {"creation_in_future"}),
        ("<TwnNm>Namur</TwnNm>", "", {"address_town_missing"}),
        ("<Ctry>BE</Ctry></PstlAdr></Cdtr>", "</PstlAdr></Cdtr>", {"address_country_missing"}),
        (
            "<TwnNm>Namur</TwnNm><Ctry>BE</Ctry>",
            "<AdrLine>5000 Namur</AdrLine>",
            {"address_unstructured"},
        ),
        (
            "<Ctry>BE</Ctry></PstlAdr></Cdtr>",
            "<Ctry>BE</Ctry><AdrLine>NAMUR, 5</AdrLine></PstlAdr></Cdtr>",
            {"address_repeats"},
        ),
        (
            "<Ctry>BE</Ctry></PstlAdr></Cdtr>",
            "<Ctry>BE</Ctry><AdrLine>a</AdrLine><AdrLine>b</AdrLine><AdrLine>c</AdrLine></PstlAdr></Cdtr>",
            {"address_lines"},
        ),
        ("pain.001.001.09", "pain.001.001.08", {"schema_unknown"}),
        ('encoding="UTF-8"', 'encoding="ISO-8859-1"', {"encoding"}),
        ('"1.0" encoding="UTF-8"', "'1.0' encoding='UTF-8'", {"declaration_quotes"}),
        ("<Document ", "<!DOCTYPE Document><Document ", {"xml_doctype"}),
        ("</Document>", "", {"xml_syntax"}),
        ("Leverancier 1 BV", "Leverancier<!-- 1 --> BV\u20ac", {"characters"}),
    ],
)
def test_one_fault_brought_into_a_good_file_is_found(before: str, after: str, codes: set[str]) -> None:
    good = OWN.read_text(encoding="utf-8")
    assert before in good
    report = check_file(good.replace(before, after, 1).encode(), today=TODAY)
    assert codes <= {finding.code for finding in report.findings}
    assert report.ok == all(CATALOGUE[f.code].severity is Severity.WARNING for f in report.findings)


def test_bytes_that_are_not_utf8_and_a_byte_order_mark_are_told() -> None:
    good = OWN.read_bytes()
    assert [f.code for f in check_file(b"\xef\xbb\xbf" + good, today=TODAY).findings] == ["encoding_bom"]
    (finding,) = check_file(good.replace(b"Leverancier 1", b"Caf\xe9"), today=TODAY).findings
    assert finding.code == "encoding"
    assert finding.line > 1
    assert [f.code for f in check_file(good.decode().encode("utf-16")).findings] == ["encoding"]


def test_a_file_above_the_limit_is_refused_unread() -> None:
    assert [f.code for f in check_file(OWN, size_max=100).findings] == ["xml_size"]


@pytest.mark.parametrize("content", [b"", b"   ", b"<a/>", b"no xml", b"\x00" * 50])
def test_no_content_makes_the_check_fail(content: bytes) -> None:
    assert not check_file(content).ok


def test_a_finding_prints_as_one_line_and_keeps_content_out_of_its_repr() -> None:
    wrong = OWN.read_bytes().replace(b"BE12310291417792", b"BE12310291417793")
    (finding,) = check_file(wrong, today=TODAY).findings
    assert str(finding).startswith(
        f"line {finding.line} blocked iban_checksum /Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf[1]/"
    )
    assert "\n" not in str(finding)
    assert "BE12" not in repr(finding)
    assert finding.hint


def test_what_depends_on_the_day_is_left_out_without_a_day() -> None:
    old = OWN.read_bytes().replace(b"<Dt>2027-01-05", b"<Dt>2020-01-07")
    assert check_file(old).ok
    assert not check_file(old, today=TODAY).ok
