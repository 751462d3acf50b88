"""Shapes of baskets and payments in the API."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, ValidationError, ValidatorFunctionWrapHandler
from pydantic.functional_validators import WrapValidator

from gateway.api import Day, MomentText, MoneyShape, Shape, money
from gateway.errors import FieldFault
from gateway.field_faults import validation_faults
from gateway.i18n import sentence, translate
from gateway.ids import AccountId, BasketId, ClientId, PaymentId
from gateway.metadata.schemas import TakesMetadata, WithMetadata
from gateway.payments.baskets import BasketView
from gateway.payments.content import CheckResult, ExecutionDate, PaymentWish
from gateway.payments.models import Basket, Payment, PaymentSettings
from gateway.payments.repository import Subtotal
from gateway.payments.service import ROWS_MAX, RowFaults, RowOutcome
from gateway.payments.states import BasketState, PaymentState
from sepa import AddressMode, DateChoice, Severity
from sepa.findings import CATALOGUE

Label = Annotated[str, StringConstraints(min_length=1, max_length=70)]
ExternalId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=70),
    Field(description="The caller's own id, unique in the office.", examples=["portal-2026-00042"]),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]


class AddressShape(Shape):
    """A postal address in parts; free `lines` go along only where the bank takes them."""

    department: str = Field(default="", max_length=140)
    street: str = Field(default="", max_length=140)
    building_number: str = Field(default="", max_length=70)
    building_name: str = Field(default="", max_length=70)
    floor: str = Field(default="", max_length=140)
    post_box: str = Field(default="", max_length=70)
    room: str = Field(default="", max_length=140)
    post_code: str = Field(default="", max_length=70)
    town: str = Field(default="", max_length=70)
    country_subdivision: str = Field(default="", max_length=70)
    country: str = Field(default="", max_length=10, examples=["BE"])
    lines: list[Annotated[str, Field(max_length=140)]] = Field(default_factory=list, max_length=7)


class CreditorWrite(Shape):
    """Who is paid. Wrong values are stored with findings, so that they can be repaired."""

    name: str = Field(max_length=400, examples=["Drukkerij Voorbeeld BV"])
    iban: str = Field(max_length=42, examples=["BE12 3102 9141 7792"])
    bic: str | None = Field(default=None, max_length=20)
    address: AddressShape | None = None
    supplier_id: str | None = Field(default=None, max_length=70)
    enterprise_number: str | None = Field(default=None, max_length=20, examples=["0477472701"])


class ExecutionDateShape(Shape):
    """When to pay; `date` belongs to `fixed`, `days_before` (1-10 business days) to `before_due_date`."""

    choice: Annotated[DateChoice, Field(strict=False)] = DateChoice.TODAY
    date: Day | None = None
    days_before: int = Field(default=0, ge=0, le=10)

    def wish(self) -> ExecutionDate:
        """As the service takes it."""
        return ExecutionDate(self.choice, self.date, self.days_before)


class UnstructuredRemittance(Shape):
    """Free text, at most 140 characters after conversion."""

    kind: Literal["unstructured"]
    text: str = Field(max_length=600, examples=["Factuur 2026-118"])


class StructuredRemittance(Shape):
    """A reference with check digits: `BBA` Belgian (+++123/4567/89002+++), `ISO` RF."""

    kind: Literal["structured"]
    issuer: Literal["BBA", "ISO"]
    reference: str = Field(max_length=70, examples=["+++291/4177/76370+++"])


Remittance = Annotated[UnstructuredRemittance | StructuredRemittance, Field(discriminator="kind")]


class PaymentWrite(TakesMetadata):
    """A payment order."""

    debtor_account_id: AccountId | None = Field(
        default=None, description="Without it, the client's default debtor account."
    )
    creditor: CreditorWrite
    amount: MoneyShape
    execution_date: ExecutionDateShape = ExecutionDateShape()
    remittance: Remittance | None = None
    category_purpose: str | None = Field(default=None, max_length=4, examples=["SUPP"])
    labels: list[Label] = Field(default_factory=list, max_length=20)
    external_id: ExternalId | None = None
    source_reference: str | None = Field(default=None, max_length=140, description="Your reference of the invoice.")
    invoice_date: Day | None = None
    due_date: Day | None = None
    amount_due: MoneyShape | None = None
    already_paid: MoneyShape | None = None
    is_source_unbooked: bool = False
    invoice_sha256: Sha256 | None = None

    def wish(self) -> PaymentWish:
        """As the service takes it."""
        return PaymentWish(**wish_fields(self, set(type(self).model_fields)))


class PaymentPatch(TakesMetadata):
    """The fields to change; those left out stay as they are."""

    debtor_account_id: AccountId | None = None
    creditor: CreditorWrite | None = None
    amount: MoneyShape | None = None
    execution_date: ExecutionDateShape | None = None
    remittance: Remittance | None = None
    category_purpose: str | None = Field(default=None, max_length=4)
    labels: list[Label] | None = Field(default=None, max_length=20)
    source_reference: str | None = Field(default=None, max_length=140)
    invoice_date: Day | None = None
    due_date: Day | None = None
    amount_due: MoneyShape | None = None
    already_paid: MoneyShape | None = None
    is_source_unbooked: bool | None = None
    invoice_sha256: Sha256 | None = None
    accepted_findings: list[Code] = Field(default_factory=list, description="Codes of warnings to let pass.")

    def changes(self) -> dict[str, Any]:
        """The fields of `PaymentWish` that were sent; a required one cannot be emptied."""
        given = {name for name in self.model_fields_set if name not in ("accepted_findings", "metadata")}
        emptied = {name for name in given & _REQUIRED if getattr(self, name) is None}
        return wish_fields(self, given - emptied)


_REQUIRED: Final = frozenset(
    {"debtor_account_id", "creditor", "amount", "execution_date", "labels", "is_source_unbooked"}
)


def wish_fields(shape: PaymentWrite | PaymentPatch, names: set[str]) -> dict[str, Any]:
    """The named fields of a shape under the names of `PaymentWish`."""
    fields: dict[str, Any] = {}
    for name in names:
        value = getattr(shape, name)
        match name:
            case "creditor":
                address = value.address.model_dump(exclude_defaults=True) if value.address else None
                fields |= {
                    "creditor_name": value.name, "creditor_iban": value.iban, "creditor_bic": value.bic,
                    "creditor_address": address, "creditor_supplier_id": value.supplier_id,
                    "creditor_enterprise_number": value.enterprise_number,
                }  # fmt: skip
            case "amount":
                fields |= {"amount": Decimal(value.amount), "currency": value.currency}
            case "amount_due" | "already_paid":
                fields[name] = Decimal(value.amount) if value else None
            case "execution_date":
                fields[name] = value.wish()
            case "remittance":
                fields[name] = value.model_dump() if value else None
            case _:
                fields[name] = value
    return fields


def _keep_faults(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """A row that does not fit its shape is carried on with its faults, so that the other rows are stored."""
    try:
        return handler(value)
    except ValidationError as error:
        # `validation_faults` leaves out the first place of each, which is the request's body there.
        located = [{**fault, "loc": ("row", *fault["loc"])} for fault in error.errors(include_url=False)]
        return RowFaults(validation_faults(located))


class PaymentsWrite(Shape):
    """Up to 1,000 payments at once; a dry run checks them and stores nothing."""

    items: list[Annotated[PaymentWrite, WrapValidator(_keep_faults)]] = Field(min_length=1, max_length=ROWS_MAX)
    dry_run: bool = False


class FindingRead(Shape):
    """Something the checks found, with what to do about it."""

    code: str
    severity: Severity
    pointer: str = Field(description="JSON Pointer into the payment.")
    text: str
    hint: str
    found: str
    expected: str
    proposal: str | None = Field(description="A correction to offer; never applied unasked.")


class CreditorRead(Shape):
    """Who is paid: as entered, and in `sent_…` as it leaves."""

    name: str
    sent_name: str
    iban: str
    bic: str | None
    address: AddressShape | None
    sent_address: AddressShape | None
    supplier_id: str | None
    enterprise_number: str | None
    state: Literal["known", "new", "changed"] | None = Field(description="Of this IBAN, at submission.")


class PaymentRead(WithMetadata):
    """A payment order and where it stands."""

    takes_pairs_as = "payment"

    id: PaymentId
    client_id: ClientId
    basket_id: BasketId
    position: int
    state: PaymentState
    version: int
    debtor_account_id: AccountId
    debtor_iban: str
    creditor: CreditorRead
    amount: MoneyShape
    execution_date: ExecutionDateShape
    asked_date: Day | None = Field(description="The fixed or due date; null for today.")
    used_date: Day | None = Field(description="The execution date in the file.")
    remittance: Remittance | None
    sent_remittance: Remittance | None
    category_purpose: str | None
    labels: list[str]
    source: Literal["person", "api"]
    external_id: str | None
    source_reference: str | None
    invoice_date: Day | None
    due_date: Day | None
    amount_due: MoneyShape | None
    already_paid: MoneyShape | None
    remaining: MoneyShape | None
    is_source_unbooked: bool
    invoice_sha256: str | None
    end_to_end_id: str
    check_result: CheckResult
    findings: list[FindingRead]
    approval_basis: Literal["rules", "process_off"] | None
    seal: str | None = Field(description="Send it as If-Match with a decision; null before submission.")
    created_at: MomentText
    submitted_at: MomentText | None


class RowFaultRead(Shape):
    """One faulty field of a row."""

    pointer: str
    code: str
    detail: str
    hint: str


class RowRead(Shape):
    """What became of one row."""

    index: int
    status: Literal["created", "checked", "refused"]
    payment: PaymentRead | None
    existing_payment_id: PaymentId | None
    errors: list[RowFaultRead]


class RowsRead(Shape):
    """A result for every row, in their order."""

    items: list[RowRead]


class BasketWrite(TakesMetadata):
    """A new basket of one client."""

    client_id: ClientId
    name: Annotated[str, StringConstraints(min_length=1, max_length=70, strip_whitespace=True)]
    external_id: ExternalId | None = None


class SubtotalRead(Shape):
    """Count and total of one debtor account, date and state."""

    debtor_account_id: AccountId
    execution_date: ExecutionDateShape
    asked_date: Day | None
    category_purpose: str | None
    state: PaymentState
    payment_count: int
    total: MoneyShape


class BasketRead(WithMetadata):
    """A basket with its counts and totals."""

    takes_pairs_as = "basket"

    id: BasketId
    client_id: ClientId
    name: str
    external_id: str | None
    state: BasketState
    version: int
    payment_count: int
    total: MoneyShape = Field(description="Of the payments that were not rejected, cancelled or paid elsewhere.")
    subtotals: list[SubtotalRead]
    created_at: MomentText
    submitted_at: MomentText | None


class DateChangeWrite(Shape):
    """One new execution date for a selection of a draft basket."""

    payment_ids: list[PaymentId] = Field(min_length=1, max_length=10_000)
    execution_date: ExecutionDateShape


class SubmissionWrite(Shape):
    """How to submit. Which rules apply is not for the caller to say."""

    accepted_findings: list[Code] = Field(default_factory=list, description="Codes of warnings to let pass.")
    leave_blocked: bool = Field(default=False, description="Move blocked payments to a new draft basket.")
    dry_run: bool = False


class PaymentSettingsShape(Shape):
    """What the client's bank takes."""

    pain_version: Literal["pain.001.001.09"] = "pain.001.001.09"
    address_mode: Annotated[AddressMode, Field(strict=False)] = AddressMode.STRUCTURED


def payment_read(payment: Payment, language: str) -> PaymentRead:
    """A payment as it is shown, with its findings in the reader's language."""
    currency = payment.currency
    remaining = None
    if payment.amount_due is not None:
        remaining = payment.amount_due - (payment.already_paid or Decimal(0))
    return PaymentRead(
        **{name: getattr(payment, name) for name in _SAME},
        creditor=CreditorRead(
            name=payment.creditor_name,
            sent_name=payment.sent_creditor_name,
            iban=payment.creditor_iban,
            bic=payment.creditor_bic,
            address=AddressShape(**payment.creditor_address) if payment.creditor_address else None,
            sent_address=AddressShape(**payment.sent_creditor_address) if payment.sent_creditor_address else None,
            supplier_id=payment.creditor_supplier_id,
            enterprise_number=payment.creditor_enterprise_number,
            state=payment.creditor_state,  # type: ignore[arg-type]  # the column holds these words only
        ),
        amount=money(payment.amount, currency),
        execution_date=_date(payment.date_choice, payment.asked_date, payment.days_before),
        amount_due=_money(payment.amount_due, currency),
        already_paid=_money(payment.already_paid, currency),
        remaining=_money(remaining, currency),
        check_result=CheckResult(payment.check_result),
        findings=[finding_read(finding, language) for finding in payment.findings],
    )


_SAME: Final = (
    "id", "client_id", "basket_id", "position", "state", "version", "debtor_account_id", "debtor_iban", "asked_date",
    "used_date", "remittance", "sent_remittance", "category_purpose", "labels", "source", "external_id",
    "source_reference", "invoice_date", "due_date", "is_source_unbooked", "invoice_sha256", "end_to_end_id",
    "approval_basis", "seal", "created_at", "submitted_at",
)  # fmt: skip


def finding_read(finding: dict[str, Any], language: str) -> FindingRead:
    """A stored finding with its sentence and remedy."""
    text = CATALOGUE[finding["code"]]
    return FindingRead(
        **finding,
        severity=text.severity,
        text=translate(language, text.text),
        hint=translate(language, text.hint),
    )


def row_read(outcome: RowOutcome, language: str, *, is_dry_run: bool) -> RowRead:
    """One row's result."""
    status: Literal["created", "checked", "refused"] = "checked" if is_dry_run else "created"
    return RowRead(
        index=outcome.index,
        status=status if outcome.payment is not None else "refused",
        payment=payment_read(outcome.payment, language) if outcome.payment is not None else None,
        existing_payment_id=outcome.existing_payment_id,
        errors=[fault_read(fault, language) for fault in outcome.faults],
    )


def fault_read(fault: FieldFault, language: str) -> RowFaultRead:
    """A faulty field in the reader's language."""
    return RowFaultRead(
        pointer=fault.pointer,
        code=fault.code,
        detail=sentence(language, fault.detail, fault.parameters),
        hint=sentence(language, fault.hint, fault.parameters),
    )


_OUT: Final = frozenset({PaymentState.REJECTED, PaymentState.CANCELLED, PaymentState.PAID_ELSEWHERE})


def basket_read(view: BasketView) -> BasketRead:
    """A basket as it is shown."""
    basket: Basket = view.basket
    standing = [subtotal for subtotal in view.subtotals if subtotal.state not in _OUT]
    return BasketRead(
        id=basket.id,
        client_id=basket.client_id,
        name=basket.name,
        external_id=basket.external_id,
        state=basket.state,
        version=basket.version,
        payment_count=sum(subtotal.payment_count for subtotal in standing),
        total=money(sum((subtotal.total for subtotal in standing), Decimal(0)), "EUR"),
        subtotals=[_subtotal(subtotal) for subtotal in view.subtotals],
        created_at=basket.created_at,
        submitted_at=basket.submitted_at,
    )


def settings_read(settings: PaymentSettings | None) -> PaymentSettingsShape:
    """What the client's bank takes, the defaults where nobody said."""
    if settings is None:
        return PaymentSettingsShape()
    return PaymentSettingsShape(
        pain_version=settings.pain_version,  # type: ignore[arg-type]  # only this version is written
        address_mode=AddressMode(settings.address_mode),
    )


def _subtotal(subtotal: Subtotal) -> SubtotalRead:
    return SubtotalRead(
        debtor_account_id=subtotal.debtor_account_id,
        execution_date=_date(subtotal.date_choice, subtotal.asked_date, subtotal.days_before),
        asked_date=subtotal.asked_date,
        category_purpose=subtotal.category_purpose,
        state=subtotal.state,
        payment_count=subtotal.payment_count,
        total=money(subtotal.total, "EUR"),
    )


def _date(choice: str, asked: date | None, days_before: int) -> ExecutionDateShape:
    is_fixed = choice == DateChoice.FIXED
    return ExecutionDateShape(choice=DateChoice(choice), date=asked if is_fixed else None, days_before=days_before)


def _money(amount: Decimal | None, currency: str) -> MoneyShape | None:
    return None if amount is None else money(amount, currency)
