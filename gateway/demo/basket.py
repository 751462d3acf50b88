"""The demo's basket: eight payments, two rules, two directors, one rejection, a file per debtor account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.demo.portal import Caller, DemoFailed, write_whole
from gateway.demo.world import TEXTILE

if TYPE_CHECKING:
    from gateway.demo.story import Linked, Story

BOTH_FROM: Final = "5000.00"


@dataclass(frozen=True, slots=True)
class Order:
    """A payment to make; `account` counts the client's accounts from 0. Every name and number is invented."""

    account: int
    name: str
    iban: str
    amount: str
    text: str = ""
    belgian: str = ""
    rf: str = ""
    is_rejected: bool = False


ORDERS: Final = (
    Order(0, "Spinnerij Duivekeete NV", "BE11850144195548", "12480.00", belgian="+++090/9337/55493+++"),
    Order(
        0, "Transport Waelkens-D'Hulst BV", "BE54096727536797", "1315.27", text="Vrachtbrieven week 46, dossier 77/A"
    ),
    Order(0, "Energie Scheldekant NV", "BE09001152191157", "2204.91", belgian="123456789002"),
    Order(0, "Filature des Trois-Étangs SARL", "FR7630004162263413403657359", "7650.40", rf="RF032026INV0042"),
    Order(
        0, "Färberei Kleinschmidt KG", "DE59500700100267352360", "980.00", text="Rechnung 2026-311 für Färben & Waschen"
    ),
    Order(1, "Bedrijvenpark Evolis-Zuid NV", "BE76733924503895", "6200.00", text="Huur december"),
    Order(1, "Gordijnenhuis Peereboom BV", "BE82132062907268", "415.00", text="Terugbetaling dubbel betaalde factuur"),
    Order(
        1,
        "Meubelatelier Hoogstraete NV",
        "BE16645360203774",
        "3999.99",
        text="Creditnota? nog na te kijken",
        is_rejected=True,
    ),
)


class Basket:
    """The road from invoices to an approved pain.001."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.textile: Linked = next(linked for linked in story.linked if linked.company.company_id == TEXTILE)

    def run(self) -> None:
        """Set up rules, fill, submit, decide, export."""
        client_id = self.textile.client["id"]
        self._set_rules(client_id)
        basket = self._fill(client_id)
        self._submit(basket)
        self._decide(basket)
        self._export(basket)

    def _set_rules(self, client_id: str) -> None:
        self.story.step("The office sets two approval rules and switches the approval process on")
        office = self.story.sign_in("an")
        directors = [self.story.people[key].user_id for key in ("karel", "mieke")]
        group = office.post(f"/v1/clients/{client_id}/approver-groups", {"name": "Directie", "user_ids": directors})
        office.post(
            f"/v1/clients/{client_id}/approval-rules",
            {
                "name": "Elke betaling: één lid van de directie",
                "mode": "count",
                "count": 1,
                "approvers": [{"group_id": group["id"]}],
            },
        )
        office.post(
            f"/v1/clients/{client_id}/approval-rules",
            {
                "name": "Vanaf 5.000 euro: de hele directie",
                "conditions": {"amount_from": {"amount": BOTH_FROM, "currency": "EUR"}},
                "mode": "all",
                "approvers": [{"user_id": user} for user in directors],
            },
        )
        settings = office.call("GET", f"/v1/clients/{client_id}/approval-settings")
        office.call(
            "PUT",
            f"/v1/clients/{client_id}/approval-settings",
            {"is_payment_process_on": True},
            headers={"If-Match": settings.headers["etag"]},
        )
        self.story.tell_fact(
            "one director for every payment; both from 5,000.00 EUR on; every rule that matches applies"
        )

    def _fill(self, client_id: str) -> dict[str, Any]:
        self.story.step("The portal fills a basket with eight payments")
        basket: dict[str, Any] = self.story.portal.post(
            "/v1/baskets", {"client_id": client_id, "name": "Leveranciers", "external_id": "portal-basket-1"}
        )
        rows = [self._payment(number, order) for number, order in enumerate(ORDERS, start=1)]
        results = self.story.portal.post(f"/v1/baskets/{basket['id']}/payments", {"items": rows})["items"]
        for order, result in zip(ORDERS, results, strict=True):
            if result["status"] != "created":
                raise DemoFailed(reason=f"a payment was refused: {result['errors']}")
            payment = result["payment"]
            sent = payment["creditor"]["sent_name"]
            converted = f" (leaves as {sent})" if sent != order.name else ""
            self.story.tell_fact(f"{order.amount:>9} EUR  {order.name}{converted}: {payment['check_result']}")
        return basket

    def _payment(self, number: int, order: Order) -> dict[str, Any]:
        remittance: dict[str, str]
        if order.belgian:
            remittance = {"kind": "structured", "issuer": "BBA", "reference": order.belgian}
        elif order.rf:
            remittance = {"kind": "structured", "issuer": "ISO", "reference": order.rf}
        else:
            remittance = {"kind": "unstructured", "text": order.text}
        return {
            "debtor_account_id": self._debtor_accounts()[order.account]["id"],
            "creditor": {"name": order.name, "iban": order.iban},
            "amount": {"amount": order.amount, "currency": "EUR"},
            "remittance": remittance,
            "external_id": f"portal-payment-{number}",
            "source_reference": f"INV-{number:03d}",
        }

    def _debtor_accounts(self) -> list[dict[str, Any]]:
        return sorted(self.textile.accounts, key=lambda account: account["bank_id"], reverse=True)

    def _submit(self, basket: dict[str, Any]) -> None:
        self.story.step("Lotte looks it over and submits it")
        lotte = self.story.sign_in("lotte")
        payments = list(lotte.items(f"/v1/baskets/{basket['id']}/payments"))
        accepted = sorted({finding["code"] for payment in payments for finding in payment["findings"]})
        shown = lotte.call("GET", f"/v1/baskets/{basket['id']}")
        lotte.post(
            f"/v1/baskets/{basket['id']}/submissions",
            {"accepted_findings": accepted},
            headers={"If-Match": shown.headers["etag"]},
        )
        total = shown.json()["total"]
        self.story.tell_fact(f"{shown.json()['payment_count']} payments, {total['amount']} {total['currency']}")
        submitted = list(lotte.items(f"/v1/baskets/{basket['id']}/payments"))
        try:
            self._approve(lotte, submitted[:1])
        except DemoFailed as refused:
            self.story.tell_fact(f"Lotte herself cannot approve: {refused.parameters['reason']}")
        else:
            raise DemoFailed(reason="somebody without the right approved a payment")

    def _decide(self, basket: dict[str, Any]) -> None:
        for key, what in (
            ("karel", "Karel approves seven and rejects one"),
            ("mieke", "Mieke approves what needs both"),
        ):
            self.story.step(what)
            director = self.story.sign_in(key)
            waiting = [
                item["payment"]
                for item in director.items(f"/v1/approval-requests?view=by_me&client_id={self.textile.client['id']}")
            ]
            refused = {f"INV-{number:03d}" for number, order in enumerate(ORDERS, start=1) if order.is_rejected}
            self._approve(director, [payment for payment in waiting if payment["source_reference"] not in refused])
            for payment in waiting:
                if payment["source_reference"] in refused:
                    director.post(
                        f"/v1/payments/{payment['id']}/decisions",
                        {"verdict": "reject", "reason_code": "other", "reason_text": "Eerst de creditnota nakijken."},
                        headers={"If-Match": f'"{payment["seal"]}"'},
                    )
            states = [row["state"] for row in self.story.portal.items(f"/v1/baskets/{basket['id']}/payments")]
            counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
            self.story.tell_fact(counts)

    def _approve(self, person: Caller, payments: list[dict[str, Any]]) -> None:
        items = [{"payment_id": row["id"], "seal": row["seal"], "verdict": "approve"} for row in payments]
        for result in person.post("/v1/decisions", {"items": items})["items"]:
            if result["status"] != "decided":
                raise DemoFailed(reason=f"a decision was refused ({result['code']})")

    def _export(self, basket: dict[str, Any]) -> None:
        self.story.step("Mieke exports what is approved, a file per debtor account")
        mieke = self.story.sign_in("mieke")
        folder = self.story.options.folder / "payments"
        folder.mkdir(parents=True, exist_ok=True)
        for export in mieke.post(f"/v1/baskets/{basket['id']}/exports")["items"]:
            first = mieke.call("GET", f"/v1/exports/{export['id']}/content")
            again = mieke.call("GET", f"/v1/exports/{export['id']}/content")
            if first.body != again.body:
                raise DemoFailed(reason="two downloads of one export differ")
            write_whole(folder / export["file_name"], first.body)
            self.story.tell_fact(
                f"{export['file_name']}: {export['payment_count']} payments, {export['total']['amount']} EUR, "
                f"SHA-256 {export['sha256']}"
            )
        self.story.tell_fact(f"written below {folder}")
