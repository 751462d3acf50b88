"""What a connector costs: `python bench/connectors.py [rows]`.

- rows per second from a bank's JSON to the normal form, for three dialects, beside reading that JSON and no more;
- signed requests per second by profile, beside the bare signature of the same key (its floor);
- milliseconds per page of 100 rows over real HTTP from a server in a process of its own, beside a bare client that
  fetches and reads the same pages.
CPU seconds of this process, the best of five rounds. Prints; proves nothing by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Started as a script, this folder comes first on the path, and bench/connectors.py would hide the package.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import json
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from connectors import registry, signing
from connectors.base import BankEndpoint
from connectors.dialect import STANDARD
from connectors.families import kbc, triodos
from connectors.http import BankHttp
from connectors.model import Access, PsuContext, TokenSet
from connectors.normalise import normalise_berlin_group
from connectors.signing import RequestSigner, SignatureProfile, SigningKey

ROUNDS = 5
PAGE_ROWS = 100
PAGES = 20
TODAY = date(2026, 11, 21)
IBAN = "BE14645123456783"
SIGNED = 300


def row(number: int, *, is_unsigned: bool = False) -> dict[str, Any]:
    """A payment, every third one received; with name, account, text or structured communication."""
    is_credit = number % 3 == 0
    side = "debtor" if is_credit else "creditor"
    amount = f"{'' if is_credit or is_unsigned else '-'}{number % 9000 + 1}.{number % 100:02}"
    reference = f"{number:010}{number % 97 or 97:02}"
    remittance = {"remittanceInformationUnstructured": f"Factuur 2026-{number} Drukkerij Voorbeeld"}
    if number % 2:
        remittance = {"remittanceInformationStructured": reference}
    return {
        "transactionId": f"T{number:09}",
        "bookingDate": "2026-11-18",
        "valueDate": "2026-11-18",
        "transactionAmount": {"currency": "EUR", "amount": amount},
        f"{side}Name": "Drukkerij Voorbeeld BV",
        f"{side}Account": {"iban": "BE43068999999501"},
        "bankTransactionCode": "PMNT-RCDT-ESCT" if is_credit else "PMNT-ICDT-ESCT",
        **remittance,
    }


def best(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest round."""
    found = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def rows_per_second(count: int) -> None:
    dialects = {"berlin group": STANDARD, "kbc": kbc.DIALECT, "triodos": triodos.DIALECT}
    text = json.dumps([row(number) for number in range(count)])
    floor = best(lambda: json.loads(text))
    print(f"{'JSON alone':28} {count / floor:10,.0f} rows/s")
    for title, dialect in dialects.items():
        raws = [row(number, is_unsigned=dialect.is_unsigned) for number in range(count)]

        def work(raws: list[dict[str, Any]] = raws, dialect: Any = dialect) -> None:
            for raw in raws:
                normalise_berlin_group(raw, account_iban=IBAN, account_holder="Bakkerij", today=TODAY, dialect=dialect)

        seconds = best(work)
        print(f"{'normal form, ' + title:28} {count / seconds:10,.0f} rows/s  {seconds / count * 1e6:6.0f} us/row")


def signing_key() -> SigningKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bench")])
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(4711).not_valid_before(begin).not_valid_after(begin + timedelta(days=90))
    return SigningKey("SN=4711,CA=CN=Bench", key, made.sign(key, hashes.SHA256()))


def signed_per_second() -> None:
    key = signing_key()
    body = json.dumps({"access": {"allPsd2": "allAccounts"}, "recurringIndicator": True}).encode()
    floor = best(lambda: [key.key.sign(body, padding.PKCS1v15(), hashes.SHA256()) for _ in range(SIGNED)])
    print(f"{'bare RSA signature':28} {SIGNED / floor:10,.0f} /s")
    profiles: dict[str, SignatureProfile] = {
        name.lower(): value for name, value in vars(signing).items() if isinstance(value, SignatureProfile)
    }
    for title, profile in profiles.items():
        signer = RequestSigner(profile, key, now=lambda: datetime(2026, 11, 21, 9, 0, tzinfo=UTC))
        headers = {
            "host": "api.bank.example", "x-request-id": str(uuid4()), "date": "Sat, 21 Nov 2026 09:00:00 GMT",
            # Belfius names the request without the `x-`.
            "content-type": "application/json", "request-id": str(uuid4()),
        }  # fmt: skip

        def work(signer: RequestSigner = signer, headers: dict[str, str] = headers) -> None:
            for _ in range(SIGNED):
                signer("POST", "/v1/consents?brand=x", headers, body)

        seconds = best(work)
        print(f"{'signed, ' + title:28} {SIGNED / seconds:10,.0f} /s  {floor / seconds:4.0%} of the bare signature")


def serve(port: int) -> None:
    """The bank's side, in a process of its own: pages of 100 rows, linked."""
    pages = []
    for number in range(PAGES):
        following = (
            {} if number == PAGES - 1 else {"next": {"href": f"/v1/accounts/res-1/transactions?page={number + 1}"}}
        )
        booked = [row(number * PAGE_ROWS + index) for index in range(PAGE_ROWS)]
        pages.append(json.dumps({"transactions": {"booked": booked, "_links": following}}).encode())

    class Bank(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content = pages[int(self.path.partition("page=")[2] or 0)]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Bank).serve_forever()


class Keeper:
    """One token for ever."""

    def current(self) -> TokenSet:
        return TokenSet("token")

    def renew(self, rejected: TokenSet) -> TokenSet:
        return rejected


def cost_per_page() -> None:
    port = 18_498
    base = f"http://127.0.0.1:{port}/v1"
    process = subprocess.Popen([sys.executable, __file__, "--serve", str(port)])
    try:
        with httpx2.Client(trust_env=False) as client:
            wait_for(client, f"{base}/accounts/res-1/transactions?page=0")

            def bare() -> None:
                for number in range(PAGES):
                    client.get(f"{base}/accounts/res-1/transactions?page={number}").json()

            floor = best(bare) / PAGES
        now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
        http = BankHttp(base, bank_id="keytrade", now=lambda: now)
        connector = registry.connector_class("keytrade")(
            BankEndpoint(base, "client"), http, now=lambda: now, new_id=lambda: str(uuid4())
        )

        def read() -> None:
            pages = connector.transaction_pages(
                Access("consent", Keeper(), PsuContext("192.0.2.7")), "res-1", account_iban=IBAN,
                account_holder="Bakkerij", date_from=TODAY - timedelta(days=89), today=TODAY,
            )  # fmt: skip
            assert sum(len(page.transactions) for page in pages) == PAGES * PAGE_ROWS

        seconds = best(read) / PAGES
        http.close()
        print(f"{'bare client, page of 100':28} {floor * 1e3:10.2f} ms/page")
        print(f"{'connector, page of 100':28} {seconds * 1e3:10.2f} ms/page  {seconds / floor:4.1f} x the bare client")
    finally:
        process.terminate()
        process.wait(10)


def wait_for(client: httpx2.Client, url: str) -> None:
    ends = time.monotonic() + 20
    while True:
        try:
            client.get(url)
        except httpx2.TransportError:
            assert time.monotonic() < ends, "the process does not answer"
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]))
    else:
        rows_per_second(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
        signed_per_second()
        cost_per_page()
