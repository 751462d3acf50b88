"""API shapes of accounts, balances, readings and days."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.account_sources.declared import source_of
from gateway.accounts.calls import FULL_READING_CALLS, CallBudget
from gateway.accounts.gaps import WAYS
from gateway.accounts.models import Balance, Sync
from gateway.accounts.service import AccountView, warnings_of
from gateway.api import Day, MomentText, MoneyShape, Shape, money
from gateway.i18n import translate
from gateway.ids import AccountId, BankFileId, ClientId, ConsentId, StatementId, SyncId
from gateway.metadata.schemas import TakesMetadata, WithMetadata
from gateway.statements.closings import ClosingDay
from gateway.statements.service import DayView

Alias = Annotated[str | None, Field(max_length=70)]
Position = Annotated[int, Field(ge=1, le=9999, description="Place among the accounts of the client.")]
DossierCode = Annotated[str | None, Field(max_length=20, description="Where it is not the client's own dossier code.")]


class GapRead(Shape):
    """Days that no reading covers and no file proves yet."""

    first_day: Day
    last_day: Day
    cause: str = Field(description="Why they were not read in time; `bank_history_short` when nothing hindered it.")
    ways_to_fill: list[str] = Field(description="Files to import: `coda`, `camt053` or `mt940`.")


class AccountRead(WithMetadata):
    """An account with freshness and health; an expired permission or an outage is never an empty answer."""

    takes_pairs_as = "account"

    id: AccountId
    client_id: ClientId
    consent_id: ConsentId | None
    bank_id: str = Field(description="Empty: never connected, at a bank that is not one of ours.")
    iban: str
    currency: str
    kind: str
    bic: str
    holder_name: str | None
    source: str = Field(
        description="Where its statements come from: `direct` or `ponto` (read, and made here), `codabox`, `isabel` or "
        "`upload` (bank-made, passed on)."
    )
    source_from: Day | None = Field(description="First day of this source; null: since the beginning.")
    alias: str | None
    position: int = Field(description="Place among the accounts of the client.")
    is_visible: bool
    is_default_debtor: bool = Field(description="The client pays from it when a payment names no account.")
    dossier_code: str | None = Field(description="Where it is not the client's own dossier code.")
    delivery: str | None = Field(description="Its own channel; null: as its client.")
    destination: str | None = Field(description="Its own destination.")
    destination_confirmed_at: MomentText | None = Field(description="Null: nothing is delivered there.")
    statements_from: Day | None = Field(
        description="First day of statements; null: not chosen yet, and no statement is made."
    )
    statements_from_proposed: Day | None = Field(
        description="Proposed while none is chosen: the start of the present quarter, or the first day of history."
    )
    takes_over_on: Day | None = Field(description="The day on which it moves here from another office, if one has it.")
    moved_on: Day | None = Field(description="The day on which it moved to another office: read-only since.")
    releases_computed: bool = Field(
        description="Days without a booked balance of the bank are issued as `computed`; default false."
    )
    issues_derived: bool = Field(
        description="The first statements do not wait until a later balance confirms their opening; default false."
    )
    empty_statement: Literal["none", "daily"] = Field(
        description="`daily`: a day without entries makes an empty file with its own number."
    )
    excluded_reason: str | None = Field(description="Why no statements are made of it; null: they are made.")
    warnings: list[str] = Field(
        description="`foreign_iban`: its files have account structure 3, which not every package reads."
    )
    is_quiet: bool = Field(description="Little happens on it on purpose: its silence is not told.")
    dormant_since: Day | None = Field(
        description="Day of the last entry of an account that fell silent: 3 times its usual gap, 35 days at least."
    )
    history_from: Day | None = Field(description="First day of history the bank gave.")
    complete_until: Day | None = Field(description="Last booking day that was over at the last reading.")
    gaps: list[GapRead] = Field(description="Days in between that are missing, the oldest first; mostly none.")
    health: str = Field(description="Who must act: `ok`, `we_act` or `you_act`.")
    health_code: str | None
    fresh_as_of: MomentText | None
    stale_reason: str | None = Field(description="Why the data is not current; null while it is.")
    last_sync_at: MomentText | None
    last_statement_id: StatementId | None
    last_statement_date: Day | None
    next_step: str | None = Field(description="What to do, in the caller's language.")

    @classmethod
    def of(cls, view: AccountView, language: str) -> AccountRead:
        """The shape of a view."""
        account, last = view.account, view.last_statement
        return cls(
            id=account.id,
            client_id=account.client_id,
            consent_id=account.consent_id,
            bank_id=account.bank_id,
            iban=account.iban,
            currency=account.currency,
            kind=account.kind,
            bic=account.bic,
            holder_name=account.holder_name,
            source=str(source_of(account)),
            source_from=account.source_from,
            alias=account.alias,
            position=account.position,
            is_visible=account.is_visible,
            is_default_debtor=account.is_default_debtor,
            dossier_code=account.dossier_code,
            delivery=account.delivery,
            destination=account.destination,
            destination_confirmed_at=account.destination_confirmed_at,
            statements_from=account.statements_from,
            statements_from_proposed=view.proposed_start,
            takes_over_on=account.takes_over_on,
            moved_on=account.moved_on,
            releases_computed=account.releases_computed,
            issues_derived=account.issues_derived,
            empty_statement="daily" if account.empty_statement == "daily" else "none",
            excluded_reason=account.excluded_reason,
            warnings=warnings_of(account),
            is_quiet=account.is_quiet,
            dormant_since=account.dormant_since,
            history_from=account.history_from,
            complete_until=account.complete_until,
            gaps=[
                GapRead(first_day=gap.first_day, last_day=gap.last_day, cause=gap.cause, ways_to_fill=list(WAYS))
                for gap in view.gaps
            ],
            health=view.health,
            health_code=account.health_code,
            fresh_as_of=account.fresh_as_of,
            stale_reason=view.stale_reason,
            last_sync_at=account.last_sync_at,
            last_statement_id=last.id if last is not None else None,
            last_statement_date=last.day if last is not None else None,
            next_step=translate(language, view.next_step) if view.next_step is not None else None,
        )


class AccountWrite(TakesMetadata):
    """What the office sets; a field that is left out stays as it is."""

    alias: Alias = None
    position: Position = 1
    is_visible: bool = True
    is_default_debtor: bool = False
    dossier_code: DossierCode = None
    is_quiet: bool = Field(default=False, description="Little happens on it on purpose: its silence is not told.")
    delivery: Literal["download", "sftp", "ftps", "email", "agent", "manual"] | None = Field(
        default=None, description="Its own channel, for the office to set; null: as its client."
    )
    destination: Annotated[str, StringConstraints(min_length=1, max_length=254, strip_whitespace=True)] | None = Field(
        default=None,
        examples=["boekhouding@example.be"],
        description="Its own destination, with an own channel; gets nothing until another admin confirms it. "
        "A person needs a fresh second factor.",
    )
    statements_from: Day | None = Field(
        default=None,
        description="Not before the first day of history the bank gave, and not once the first statement is issued.",
    )
    releases_computed: bool = Field(
        default=False,
        description="Issue days for which the bank names no booked balance, as `computed`. For the office to set.",
    )
    issues_derived: bool = Field(
        default=False,
        description="Issue the first statements at once, from an opening that no later balance has confirmed yet. "
        "For the office to set.",
    )
    empty_statement: Literal["none", "daily"] = Field(
        default="none", description="Whether a day without entries makes an empty file. For the office to set."
    )
    excluded_reason: Annotated[str, StringConstraints(min_length=1, max_length=140, strip_whitespace=True)] | None = (
        Field(default=None, description="Make no statements of this account, for this reason. For the office to set.")
    )


class BalanceRead(Shape):
    """One balance."""

    kind: str = Field(description="`closing_booked`, `interim_booked`, `expected` …")
    balance: MoneyShape
    reference_date: Day | None
    read_at: MomentText
    basis: str = Field(description="`bank` as reported, `computed` from a balance of the next day, or `document`.")

    @classmethod
    def of(cls, balance: Balance) -> BalanceRead:
        """The shape of a row."""
        return cls(
            kind=balance.kind,
            balance=money(balance.amount, balance.currency),
            reference_date=balance.reference_date,
            read_at=balance.read_at,
            basis=balance.basis,
        )


class BalanceDayRead(Shape):
    """The closing balance of one day; a day without proof is a gap, never an interpolation."""

    day: Day
    balance: MoneyShape | None
    basis: str | None = Field(
        description="`bank` as reported, `computed` from the bank's balances around it, or `document` of the bank: "
        "after a restart, or its own file."
    )
    cause: str | None = Field(description="Stable code of why there is none.")

    @classmethod
    def of(cls, day: ClosingDay, currency: str) -> BalanceDayRead:
        """The shape of a day."""
        return cls(
            day=day.day,
            balance=money(day.amount, currency) if day.amount is not None else None,
            basis=day.basis,
            cause=day.cause,
        )


class BalancesRead(Shape):
    """The balances of the newest reading, and one closing balance per day, with freshness."""

    account_id: AccountId
    fresh_as_of: MomentText | None
    stale_reason: str | None
    health: str
    next_step: str | None
    items: list[BalanceRead] = Field(description="Those of the newest reading, of every kind that the bank gives.")
    days: list[BalanceDayRead] = Field(description="Every day of the period that is over at the bank, in order.")


class DayRead(Shape):
    """What became of one day."""

    day: Day
    state: str = Field(description="`statement`, `no_entries`, `held`, `source_failed`, `left_out` or `before_start`.")
    proof: str | None = Field(
        description="`proven`, `proven_by_span`, `derived`, `computed`, or `bank_file`: by a file of the bank that is "
        "passed on; null while it is not proven."
    )
    bank_file_id: BankFileId | None = Field(description="Of `bank_file`: that file.")
    file_name: str | None = Field(description="Its name as it was sent.")
    restarted: bool = Field(description="Its statement is the first one after a documented restart.")
    cause: str | None = Field(description="Stable code of why it is not proven.")
    opening_balance: MoneyShape | None
    closing_balance: MoneyShape | None
    entries_count: int
    late_count: int
    span_from: Day | None
    span_until: Day | None

    @classmethod
    def of(cls, view: DayView, currency: str) -> DayRead:
        """The shape of a view."""
        row, file = view.row, view.file
        return cls(
            day=row.day,
            state=row.state,
            proof=row.proof,
            bank_file_id=file.bank_file_id if file is not None else None,
            file_name=file.name if file is not None else None,
            restarted=row.is_restarted,
            cause=row.cause,
            opening_balance=money(row.opening_balance, currency) if row.opening_balance is not None else None,
            closing_balance=money(row.closing_balance, currency) if row.closing_balance is not None else None,
            entries_count=row.entries_count,
            late_count=row.late_count,
            span_from=row.span_from,
            span_until=row.span_until,
        )


class DaysRead(Shape):
    """The calendar of an account: every day of the period that is over at the bank."""

    account_id: AccountId
    fresh_as_of: MomentText | None
    stale_reason: str | None
    health: str
    next_step: str | None
    items: list[DayRead]


class SyncRead(Shape):
    """One reading of an account."""

    id: SyncId
    account_id: AccountId
    state: str = Field(description="`queued`, `running`, `stored` (days are being closed), `done` or `failed`.")
    reason: str
    is_attended: bool = Field(description="Whether the bank was told that the account holder is present.")
    requested_at: MomentText
    started_at: MomentText | None
    finished_at: MomentText | None
    window_from: Day | None
    window_until: Day | None
    counts: dict[str, int]
    error_code: str | None
    retry_after_seconds: int | None

    @classmethod
    def of(cls, sync: Sync) -> SyncRead:
        """The shape of a row."""
        return cls.model_validate({name: getattr(sync, name) for name in cls.model_fields})


class SyncWrite(Shape):
    """How far back to read."""

    is_full: bool = Field(
        default=False,
        description="Read all history the bank gives, not only the newest days. It takes `full_reading_calls` of the "
        "account's calls; its call budget says beforehand how many are left.",
    )


class BankCallRead(Shape):
    """One unattended call about an account."""

    called_at: MomentText
    reason: str = Field(
        description="`planned`, `first`, `request`, `full`, `reread` (a held day), `event` or `unknown`."
    )
    is_own: bool = Field(description="False: another office reads the same account; it is not said which.")
    sync_id: SyncId | None = Field(description="The reading, where it is this office's.")
    outcome: str | None = Field(description="`ok` or a code; null while it is under way, or when its end is not known.")


class CallBudgetRead(Shape):
    """How often the bank may be called for an account without its holder; the last 24 hours, all offices together."""

    account_id: AccountId
    limit: int = Field(description="Calls in any 24 hours; 0 for an account that no bank is asked about.")
    used: int = Field(description="Failed ones included.")
    remaining: int
    remaining_on_request: int = Field(
        description="What is left for readings that are asked for; planned ones go first."
    )
    resets_at: MomentText | None = Field(description="When the next used call comes free; null while none is used.")
    on_request_from: MomentText | None = Field(
        description="From when on a reading may be asked for; null for an account that no bank is asked about."
    )
    full_reading_calls: int = Field(description="What a full reading costs.")
    full_reading_from: Day | None = Field(description="The first day that a full reading asks for.")
    calls: list[BankCallRead] = Field(description="What used it, newest first.")

    @classmethod
    def of(cls, found: CallBudget) -> CallBudgetRead:
        """The shape of a ledger."""
        standing = found.standing
        return cls(
            account_id=found.account.id,
            limit=standing.maximum,
            used=standing.used,
            remaining=standing.remaining,
            remaining_on_request=standing.remaining_on_request,
            resets_at=standing.resets_at,
            on_request_from=standing.free_at("request") if standing.maximum else None,
            full_reading_calls=FULL_READING_CALLS,
            full_reading_from=found.history_from,
            calls=[
                BankCallRead(
                    called_at=call.called_at,
                    reason=call.reason,
                    is_own=call.sync_id in found.own,
                    sync_id=call.sync_id if call.sync_id in found.own else None,
                    outcome=call.outcome,
                )
                for call in reversed(standing.calls)
            ],
        )
