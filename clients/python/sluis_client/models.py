"""The shapes of the REST API. Written by generate.py from openapi/gateway.yaml; do not edit."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from sluis_client.shape import Shape

AddressKind = str
"""What was set. One of `contact`, `destination`."""
AddressMode = str
"""What a bank accepts, set per bank and channel. One of `none`, `minimal`, `structured`, `hybrid`."""
ArchiveForm = str
"""What the ZIP holds. One of `files`, `joined`."""
BankFileState = str
"""Where a bank-made file stands. One of `held`, `passed_on`, `set_aside`."""
BasketState = str
"""Where a basket stands. One of `draft`, `submitted`, `approved`, `processing`, `closed`, `cancelled`."""
ChangeState = str
"""Where it stands. One of `waiting`, `confirmed`, `refused`, `replaced`."""
CheckResult = str
"""What the checks say of a payment as a whole. One of `complete`, `warning`, `blocked`."""
ClientState = str
"""OFF-03. One of `pending`, `active`, `suspended`, `closed`."""
ConsentState = str
"""Where a consent stands. One of `created`, `awaiting_authorisation`, `partially_authorised`, `valid`, `replaced`,
`expired`, `revoked`, `rejected`, `abandoned`, `failed`.
"""
DateChoice = str
"""How the execution date of a payment was asked. One of `today`, `fixed`, `due_date`, `before_due_date`."""
Decision = str
"""What a person may say of an entry. One of `credit`, `debit`, `leave_out`, `changed`, `separate`, `acknowledge`."""
DeliveryState = str
"""What became of one message to one endpoint. One of `pending`, `retrying`, `delivered`, `exhausted`, `discarded`."""
Direction = str
"""Which way the money went, seen from the account holder. One of `credit`, `debit`."""
EndpointState = str
"""Whether an address receives; a removed one keeps its log. One of `enabled`, `disabled`, `removed`."""
ExportState = str
"""Where an export stands. One of `created`, `downloaded`, `sent`, `accepted`, `partly_refused`, `refused`, `settled`,
`replaced`, `voided`.
"""
GatewayTakeoverJudgingVerdict = str
"""What holds of an account before its mandate is cancelled. One of `continues`, `unsure`, `cannot`."""
HandoverState = str
"""Where a hand-over stands. One of `proposed`, `refused`, `confirmed`, `replaced`."""
InvitationState = str
"""Where it stands; an open one that is older than its last moment answers like an ended one. One of `proposed`,
`open`, `accepted`, `ended`.
"""
ItemState = str
"""Where an item stands. One of `done`, `todo`, `not_needed`."""
JobState = str
"""API-05. One of `queued`, `running`, `succeeded`, `failed`, `cancelled`."""
LiveState = str
"""What the newest readings say. One of `working`, `disturbed`, `refused`, `unknown`."""
Mode = str
"""How many of a rule's approvers must approve. One of `all`, `count`, `sequence`."""
MoveState = str
"""Where a move stands. One of `requested`, `done`."""
NumberReason = str
"""Why a number changes. One of `start_up`, `merger`, `other`."""
Outcome = str
"""What became of a row. One of `waiting`, `queued`, `imported`, `undo_queued`, `undone`, `kept`."""
Part = str
"""What of a template can be applied to existing clients. One of `services`, `delivery`, `numbering`, `reminders`,
`approval_rules`.
"""
PaymentState = str
"""Where a payment stands; a download executes nothing, a bank status is not a booking (PAY-20). One of `draft`,
`submitted`, `approved`, `rejected`, `cancelled`, `paid_elsewhere`, `initiating`, `qr_shown`, `exported`, `sent`,
`executed`, `altered`, `refused`, `returned`.
"""
ProposalState = str
"""Where it stands. One of `proposed`, `confirmed`, `withdrawn`, `expired`."""
RejectionReason = str
"""Why a payment is rejected; a text goes with it. One of `not_due`, `wrong_amount`, `wrong_account`,
`unknown_creditor`, `duplicate`, `disputed`, `other`.
"""
RenewalAnswer = str
"""What the account holder says at a renewal of an account that is not as before. One of `added`, `replaces`, `gone`,
`wanted`, `left_out`.
"""
ReviewState = str
"""Whether somebody decided. One of `open`, `decided`."""
RunKind = str
"""Carrying an import out, or undoing it. One of `import`, `undo`."""
SepaApprovalVerdict = str
"""What a person decided. One of `approve`, `reject`."""
Service = str
"""What an office does for a client, switched for the office and then per client (OFF-06). One of `transactions`,
`coda`, `payments`.
"""
Severity = str
"""Whether a finding stops the payment or asks for a person's acceptance. One of `blocked`, `warning`."""
Source = str
"""Where the statements of an account come from; one at a time. One of `direct`, `ponto`, `codabox`, `isabel`,
`upload`.
"""
State = str
"""Where a payment stands. `REFUSED`: it can never be approved as things are; the reasons say why. One of `waiting`,
`approved`, `rejected`, `refused`.
"""
StatementState = str
"""Life of one numbered period. One of `collecting`, `held`, `proven`, `proven_by_span`, `computed`, `no_entries`,
`issued`, `compared`, `left_out`, `withdrawn`.
"""
StatementsFrom = str
"""The first day of statements of an account that is newly connected (OFF-10). One of `ask`, `quarter_start`,
`history_start`, `connection_day`.
"""
TransactionState = str
"""What a transaction is at the bank. One of `booked`, `pending`, `vanished`."""
UploadState = str
"""Where an upload stands. One of `proposed`, `refused`, `confirmed`."""
VerdictInput = str
"""What a person decided. One of `approve`, `reject`."""
View = str
"""Which list. One of `by_me`, `by_others`, `approved`, `rejected`."""


class AcceptanceRead(Shape):
    """A warning that was let pass."""

    code: str
    accepted_by_kind: str
    accepted_by: str
    accepted_at: dt.datetime


class AccountRead(Shape):
    """An account with freshness and health; an expired permission or an outage is never an empty answer."""

    metadata: dict[str, str]
    """Your pairs of key and value."""
    id: str
    client_id: str
    consent_id: str | None
    bank_id: str
    """Empty: never connected, at a bank that is not one of ours."""
    iban: str
    currency: str
    kind: str
    bic: str
    holder_name: str | None
    source: str
    """Where its statements come from: `direct` or `ponto` (read, and made here), `codabox`, `isabel` or `upload`
    (bank-made, passed on).
    """
    source_from: dt.date | None
    """First day of this source; null: since the beginning."""
    alias: str | None
    position: int
    """Place among the accounts of the client."""
    is_visible: bool
    is_default_debtor: bool
    """The client pays from it when a payment names no account."""
    dossier_code: str | None
    """Where it is not the client's own dossier code."""
    delivery: str | None
    """Its own channel; null: as its client."""
    destination: str | None
    """Its own destination."""
    destination_confirmed_at: dt.datetime | None
    """Null: nothing is delivered there."""
    statements_from: dt.date | None
    """First day of statements; null: not chosen yet, and no statement is made."""
    statements_from_proposed: dt.date | None
    """Proposed while none is chosen: the start of the present quarter, or the first day of history."""
    takes_over_on: dt.date | None
    """The day on which it moves here from another office, if one has it."""
    moved_on: dt.date | None
    """The day on which it moved to another office: read-only since."""
    releases_computed: bool
    """Days without a booked balance of the bank are issued as `computed`; default false."""
    issues_derived: bool
    """The first statements do not wait until a later balance confirms their opening; default false."""
    empty_statement: str
    """`daily`: a day without entries makes an empty file with its own number."""
    excluded_reason: str | None
    """Why no statements are made of it; null: they are made."""
    warnings: list[str]
    """`foreign_iban`: its files have account structure 3, which not every package reads."""
    is_quiet: bool
    """Little happens on it on purpose: its silence is not told."""
    dormant_since: dt.date | None
    """Day of the last entry of an account that fell silent: 3 times its usual gap, 35 days at least."""
    history_from: dt.date | None
    """First day of history the bank gave."""
    complete_until: dt.date | None
    """Last booking day that was over at the last reading."""
    gaps: list[GapRead]
    """Days in between that are missing, the oldest first; mostly none."""
    health: str
    """Who must act: `ok`, `we_act` or `you_act`."""
    health_code: str | None
    fresh_as_of: dt.datetime | None
    stale_reason: str | None
    """Why the data is not current; null while it is."""
    last_sync_at: dt.datetime | None
    last_statement_id: str | None
    last_statement_date: dt.date | None
    next_step: str | None
    """What to do, in the caller's language."""


class AccountWrite(Shape):
    """What the office sets; a field that is left out stays as it is."""

    metadata: dict[str, Any] | None = None
    """All pairs of key and value, at most 20. Left out or null: they stay as they are; empty: none."""
    alias: str | None = None
    position: int | None = None
    """Place among the accounts of the client."""
    is_visible: bool | None = None
    is_default_debtor: bool | None = None
    dossier_code: str | None = None
    """Where it is not the client's own dossier code."""
    is_quiet: bool | None = None
    """Little happens on it on purpose: its silence is not told."""
    delivery: str | None = None
    """Its own channel, for the office to set; null: as its client."""
    destination: str | None = None
    """Its own destination, with an own channel; gets nothing until another admin confirms it. A person needs a fresh
    second factor.
    """
    statements_from: dt.date | None = None
    """Not before the first day of history the bank gave, and not once the first statement is issued."""
    releases_computed: bool | None = None
    """Issue days for which the bank names no booked balance, as `computed`. For the office to set."""
    issues_derived: bool | None = None
    """Issue the first statements at once, from an opening that no later balance has confirmed yet. For the office to
    set.
    """
    empty_statement: str | None = None
    """Whether a day without entries makes an empty file. For the office to set."""
    excluded_reason: str | None = None
    """Make no statements of this account, for this reason. For the office to set."""


class AddressChangeRead(Shape):
    """A new or changed address: what it is now, and whether it may get anything."""

    id: str
    client_id: str
    client_name: str
    account_id: str | None
    """The account whose own destination it is; null: the client's."""
    kind: AddressKind
    state: ChangeState
    contact_name: str | None
    """Of a contact."""
    contact_email: str | None
    """Of a contact."""
    mobile: str | None
    """Of a contact."""
    delivery: str | None
    """Of a destination: the channel."""
    destination: str | None
    """Of a destination."""
    import_id: str | None
    created_at: dt.datetime
    effective_at: dt.datetime | None
    """When it counts by itself: the office has one admin."""
    decided_at: dt.datetime | None
    decider_id: str | None
    can_confirm: bool
    """Whether the caller is an admin who did not set it."""


class AddressDecisionRead(Shape):
    """How many addresses were decided on."""

    verdict: str
    count: int


class AddressDecisionWrite(Shape):
    """What is decided, on these changes or on all that wait of one import."""

    verdict: str
    change_ids: list[str] | None = None
    import_id: str | None = None


class AddressShape(Shape):
    """A postal address in parts; free `lines` go along only where the bank takes them."""

    department: str | None = None
    street: str | None = None
    building_number: str | None = None
    building_name: str | None = None
    floor: str | None = None
    post_box: str | None = None
    room: str | None = None
    post_code: str | None = None
    town: str | None = None
    country_subdivision: str | None = None
    country: str | None = None
    lines: list[str] | None = None


class AddressesRead(Shape):
    """Where a client is written to and where its files go; without a moment of confirmation nothing does."""

    contact_name: str | None = None
    contact_email: str | None = None
    mobile: str | None = None
    contact_confirmed_at: dt.datetime | None = None
    """Null: nothing is sent to the contact."""
    delivery: str | None = None
    destination: str | None = None
    destination_confirmed_at: dt.datetime | None = None
    """Null: nothing is delivered."""


class AddressesWrite(Shape):
    """The fields to set; null takes one away, those left out stay as they are."""

    contact_name: str | None = None
    contact_email: str | None = None
    mobile: str | None = None
    delivery: str | None = None
    """`download`, `sftp`, `ftps`, `email`, `agent` or `manual`."""
    destination: str | None = None


class ApplicationCreated(Shape):
    """A new application with its first secret, shown this once."""

    client_id: str
    client_secret: str


class ApplicationRead(Shape):
    """An application as this office sees it; `id` is its `client_id`."""

    id: str
    name: str
    scopes: list[str]
    """What it has at this office."""
    allowed_addresses: list[str]
    is_own: bool
    """Made by this office, which keeps its secrets; otherwise by the operator."""
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    secrets: list[SecretRead]
    """At most two; empty when the operator keeps them."""


class ApplicationWrite(Shape):
    """A new application; scopes for decisions and exports are granted by the operator."""

    name: str
    scopes: list[str]
    allowed_addresses: list[str] | None = None
    """Networks it may call from; empty: from anywhere."""


class ApprovalSettingsRead(Shape):
    """The settings of a client."""

    is_payment_process_on: bool
    version: int
    preparer_may_approve: bool | None = None


class ApprovalSettingsWrite(Shape):
    """Whether payments need approval, and whether who prepared one may approve it."""

    is_payment_process_on: bool
    preparer_may_approve: bool | None = None


class ApproverShape(Shape):
    """A user or a group, each person up to an amount."""

    user_id: str | None = None
    group_id: str | None = None
    amount_max: MoneyShape | None = None


class AssertionLinkWrite(Shape):
    """An assertion of the person's own, fresh from the identity provider."""

    assertion: str


class AssignedClients(Shape):
    """The clients a person of the office sees, beside those of the groups."""

    client_ids: list[str]


class AuditBundleRead(Shape):
    """A bundle: being made, ready to be downloaded, or not made because the chain does not hold."""

    id: str
    state: str
    job_id: str | None
    """The job that makes it: progress, cancelling."""
    client_ids: list[str]
    from_: dt.date = Field(alias="from")
    """Calendar day in Brussels."""
    until: dt.date
    """Calendar day in Brussels."""
    seed: str
    created_at: dt.datetime
    finished_at: dt.datetime | None
    failure: str | None
    """The first broken entry, or `cancelled`, when it was not made."""
    head_position: int | None
    entries: int | None
    """Audit entries shown in full."""
    sha256: str | None
    size: int | None


class AuditBundleWrite(Shape):
    """Which clients and days, whole days in Brussels, both inclusive."""

    client_ids: list[str]
    from_: dt.date = Field(alias="from")
    """Calendar day in Brussels."""
    until: dt.date
    """Calendar day in Brussels."""
    seed: str | None = None
    """Draws the random sample."""
    sample_size: int | None = None
    first_payment_above: str | None = None
    """In EUR: limit of the list of first payments."""


class AuditChainRead(Shape):
    """Whether the chain holds: what was added since the last signed head is proved now, the whole every night."""

    is_intact: bool
    entries: int
    first_fault: str | None
    """The first broken or missing entry, in words."""
    verified_from: int
    """First entry proved just now; those before it were proved when their head was signed."""
    verified_until: int
    """Last entry proved just now."""
    whole_verified_at: dt.datetime | None
    """When the chain was last proved from its first entry; null before the first night."""
    whole_verified_until: int | None
    """The last entry it had then."""


class AuditCheckpointRead(Shape):
    """The head of the chain at a position, signed by the key that `sluis keys public` prints."""

    id: str
    position: int
    link: str
    """Hexadecimal; the hash chain after the entry at this position."""
    made_at: dt.datetime
    key: str
    """Fingerprint of the signing key."""
    signature: str
    """Ed25519, hexadecimal."""
    document: dict[str, Any]
    """What the signature covers, as canonical JSON."""


class AuditEntryRead(Shape):
    """One act. Values are not shown here; `digests` names the fields that changed."""

    id: str
    position: int
    """1, 2, 3 … within the office, without gaps."""
    occurred_at: dt.datetime
    actor_kind: str
    actor_id: str
    action: str
    object_kind: str
    object_id: str
    client_id: str | None
    request_id: str | None
    second_factor: str | None
    via: str | None
    """The application through which a person acted."""
    changed_fields: list[str]
    mac: str
    """Hexadecimal; covers this entry and the one before it."""


class BalanceDayRead(Shape):
    """The closing balance of one day; a day without proof is a gap, never an interpolation."""

    day: dt.date
    """Calendar day in Brussels."""
    balance: MoneyShape | None
    basis: str | None
    """`bank` as reported, `computed` from the bank's balances around it, or `document` of the bank: after a restart,
    or its own file.
    """
    cause: str | None
    """Stable code of why there is none."""


class BalanceRead(Shape):
    """One balance."""

    kind: str
    """`closing_booked`, `interim_booked`, `expected` …"""
    balance: MoneyShape
    reference_date: dt.date | None
    read_at: dt.datetime
    basis: str
    """`bank` as reported, `computed` from a balance of the next day, or `document`."""


class BalancesRead(Shape):
    """The balances of the newest reading, and one closing balance per day, with freshness."""

    account_id: str
    fresh_as_of: dt.datetime | None
    stale_reason: str | None
    health: str
    next_step: str | None
    items: list[BalanceRead]
    """Those of the newest reading, of every kind that the bank gives."""
    days: list[BalanceDayRead]
    """Every day of the period that is over at the bank, in order."""


class BankCallRead(Shape):
    """One unattended call about an account."""

    called_at: dt.datetime
    reason: str
    """`planned`, `first`, `request`, `full`, `reread` (a held day), `event` or `unknown`."""
    is_own: bool
    """False: another office reads the same account; it is not said which."""
    sync_id: str | None
    """The reading, where it is this office's."""
    outcome: str | None
    """`ok` or a code; null while it is under way, or when its end is not known."""


class BankCapabilities(Shape):
    """What the bank's interface offers: `yes`, `no` or `unknown`; unknowns are marked, not invented."""

    booked_balance: str
    """Needed to prove a day for CODA."""
    pending: str
    single_payments: str
    bulk_payments: str
    instant_payments: str


class BankFileRead(Shape):
    """A file of one account as its bank made it."""

    id: str
    account_id: str
    client_id: str
    state: BankFileState
    """`passed_on` byte for byte; `held` where another source gives its days, until a person chooses; `set_aside`: that
    person chose the other source.
    """
    source: str
    """The declared source of the account: when it came, or when it was passed on."""
    origin: str
    """Always `bank-made`: never mixed with files that are made here."""
    first_day: dt.date
    """Calendar day in Brussels."""
    last_day: dt.date
    """Calendar day in Brussels."""
    name: str | None
    """As it was sent."""
    size: int
    """Bytes."""
    sha256: str
    created_at: dt.datetime


class BankFilesRead(Shape):
    """What became of files that were sent."""

    items: list[BankFileRead]
    refused_files: list[FileFaultRead]
    """Files that were not taken, each with its cause."""


class BankLiveStatus(Shape):
    """How the bank works just now, as the readings of this office met it in the last 24 hours."""

    state: LiveState
    """`working`, `disturbed` (its newest reading failed at the bank), `refused` (it does not accept this installation)
    or `unknown` (nothing was read there).
    """
    as_of: dt.datetime | None
    """The reading that tells it."""


class BankMissing(Shape):
    """Something the installation lacks before this bank can be linked."""

    code: str
    """`access`, `tls_certificate`, `tls_certificate_unusable`, `seal_certificate`, `seal_certificate_unusable`,
    `identifier_differs`, `key_id`, `api_key` or `client_secret`.
    """
    text: str
    """The same for people, in the caller's language."""


class BankRead(Shape):
    """A bank of the directory."""

    id: str
    name: str
    former_names: list[str]
    """Banks whose accounts live here now."""
    bics: list[str]
    is_configured: bool
    """False: this installation has no access yet, and cannot offer it."""
    missing: list[BankMissing]
    """What the operator must see to before the bank is offered; empty for one that is configured."""
    route: str
    """`direct`, or `ponto` for what is read from the copy Ponto keeps."""
    linked_as: str
    """The bank id of a consent for accounts at this bank. Another than `id` where the bank has no connection of its
    own and the account holder chooses it at that other one.
    """
    consent_days_max: int
    is_consent_maximum_confirmed: bool
    history_days: int
    capabilities: BankCapabilities
    live_status: BankLiveStatus
    proof: str
    """How far the connection was proven: described, simulated, sandbox, live."""
    user_hint: str | None
    """What the account holder needs at hand, in the caller's language."""


class BankRequestRead(Shape):
    """A bank the office asked for."""

    id: str
    name: str
    """As the first who asked wrote it."""
    created_at: dt.datetime


class BankRequestWrite(Shape):
    """A bank that is missing."""

    name: str
    """As its customers know it."""


class BasketRead(Shape):
    """A basket with its counts and totals."""

    metadata: dict[str, str]
    """Your pairs of key and value."""
    id: str
    client_id: str
    name: str
    external_id: str | None
    state: BasketState
    version: int
    payment_count: int
    total: MoneyShape
    """Of the payments that were not rejected, cancelled or paid elsewhere."""
    subtotals: list[SubtotalRead]
    created_at: dt.datetime
    submitted_at: dt.datetime | None


class BasketWrite(Shape):
    """A new basket of one client."""

    client_id: str
    name: str
    metadata: dict[str, Any] | None = None
    """All pairs of key and value, at most 20. Left out or null: they stay as they are; empty: none."""
    external_id: str | None = None


class BulkDecisionWrite(Shape):
    """One decision of many, with the seal that was seen."""

    verdict: VerdictInput
    payment_id: str
    seal: str
    reason_code: RejectionReason | None = None
    reason_text: str | None = None


class CallBudgetRead(Shape):
    """How often the bank may be called for an account without its holder; the last 24 hours, all offices together."""

    account_id: str
    limit: int
    """Calls in any 24 hours; 0 for an account that no bank is asked about."""
    used: int
    """Failed ones included."""
    remaining: int
    remaining_on_request: int
    """What is left for readings that are asked for; planned ones go first."""
    resets_at: dt.datetime | None
    """When the next used call comes free; null while none is used."""
    on_request_from: dt.datetime | None
    """From when on a reading may be asked for; null for an account that no bank is asked about."""
    full_reading_calls: int
    """What a full reading costs."""
    full_reading_from: dt.date | None
    """The first day that a full reading asks for."""
    calls: list[BankCallRead]
    """What used it, newest first."""


class ChainRestartRead(Shape):
    """A restart that two people of the office decided."""

    id: str
    account_id: str
    day: dt.date
    """Calendar day in Brussels."""
    balance: MoneyShape
    previous_until: dt.date | None
    """Up to there the chain was closed; null: it had not begun."""
    previous_balance: MoneyShape | None
    left_out_from: dt.date
    """Calendar day in Brussels."""
    left_out_entries: int
    document_id: str
    proposer_id: str
    confirmer_id: str
    restarted_at: dt.datetime


class ChainRestartWrite(Shape):
    """A balance of the bank at which the chain goes on."""

    day: dt.date
    """The last day that is left out; the balance is the one at its end."""
    balance: MoneyShape
    document: str
    """The document of the bank that states it: PDF, PNG or JPEG in base64, at most 5 MiB."""


class ChecklistsRead(Shape):
    """The office's own list and a page of its clients'."""

    office: list[ItemRead] | None
    """Null for a caller who does not work for all clients."""
    items: list[ClientChecklistRead]
    next_cursor: str | None


class ClientChecklistRead(Shape):
    """What is still to be done for a client."""

    client_id: str
    name: str
    items: list[ItemRead]


class ClientGroupRead(Shape):
    """A group with its clients."""

    id: str
    name: str
    is_everyone: bool
    """The group of all clients, those to come as well."""
    client_count: int
    """Clients listed in the group; 0 for the group of all clients."""
    user_ids: list[str]
    created_at: dt.datetime
    client_ids: list[str]


class ClientGroupRow(Shape):
    """A group in a list."""

    id: str
    name: str
    is_everyone: bool
    """The group of all clients, those to come as well."""
    client_count: int
    """Clients listed in the group; 0 for the group of all clients."""
    user_ids: list[str]
    created_at: dt.datetime


class ClientGroupWrite(Shape):
    """A group as it is to be."""

    name: str
    client_ids: list[str] | None = None
    user_ids: list[str] | None = None


class ClientImportRead(Shape):
    """A file that was read, and what would come of it."""

    id: str
    file_name: str | None
    format: str
    columns: list[ImportColumn]
    row_count: int
    counts: ImportCounts
    created_at: dt.datetime
    erase_after: dt.datetime
    """The rows are erased from then on; counts stay."""
    erased_at: dt.datetime | None
    run: ImportRunRead | None
    """The newest run."""


class ClientRead(Shape):
    """A client of the office."""

    metadata: dict[str, str]
    """Your pairs of key and value."""
    id: str
    name: str
    language: str
    state: ClientState
    enterprise_number: str | None
    dossier_code: str
    external_id: str | None
    financial_year_end: str
    registered: bool
    """False: admitted before the registry knew the number, to be confirmed."""
    record: ClientRecordRead
    services: list[Service]
    """Services that are on for the client, as far as the office has them on."""
    portal: PortalFlags
    created_at: dt.datetime


class ClientRecord(Shape):
    """What the office notes of a client; what is not named stays as it is, null empties a field."""

    client_code: str | None = None
    """Names folders: no slashes and no two dots in a row."""
    contact_name: str | None = None
    contact_email: str | None = None
    """Gets nothing until it is confirmed."""
    mobile: str | None = None
    responsible_id: str | None = None
    """Who of the office looks after the client."""
    labels: list[str] | None = None
    package: str | None = None
    """Accounting package."""
    delivery: str | None = None
    """Null: as the office."""
    destination: str | None = None
    """Gets nothing until it is confirmed."""


class ClientRecordRead(Shape):
    """The record, and which of its addresses count."""

    contact_confirmed: bool
    destination_confirmed: bool
    client_code: str | None = None
    """Names folders: no slashes and no two dots in a row."""
    contact_name: str | None = None
    contact_email: str | None = None
    """Gets nothing until it is confirmed."""
    mobile: str | None = None
    responsible_id: str | None = None
    """Who of the office looks after the client."""
    labels: list[str] | None = None
    package: str | None = None
    """Accounting package."""
    delivery: str | None = None
    """Null: as the office."""
    destination: str | None = None
    """Gets nothing until it is confirmed."""


class ClientServicesWrite(Shape):
    """The services of a client, and what the portal shows of it."""

    services: list[Service]
    """The services that are on; the others are off."""
    portal: PortalFlags


class ClientSettingsRead(Shape):
    """As they are now."""

    numbering: Numbering
    reminders: Reminders
    template_version: int
    """The template they came from last; 0: none."""
    version: int
    """0: the defaults."""
    late_entry_date: str | None = None
    """Date in the file of an entry that came after its day was issued: `file`, the file's own, with the bank's in the
    text; or `booking`, the bank's booking date, where the package takes it.
    """


class ClientSettingsWrite(Shape):
    """Numbering and reminders of a client."""

    numbering: Numbering
    reminders: Reminders
    late_entry_date: str | None = None
    """Date in the file of an entry that came after its day was issued: `file`, the file's own, with the bank's in the
    text; or `booking`, the bank's booking date, where the package takes it.
    """


class ClientStateWrite(Shape):
    """The state to move to."""

    state: ClientState


class ClientWrite(Shape):
    """A client by its key: the enterprise number with the dossier code, or `external_id` for a person without one."""

    name: str
    metadata: dict[str, Any] | None = None
    """All pairs of key and value, at most 20. Left out or null: they stay as they are; empty: none."""
    language: str | None = None
    enterprise_number: str | None = None
    dossier_code: str | None = None
    external_id: str | None = None
    financial_year_end: str | None = None
    state: str | None = None
    """Of a new client. A pending one is set up and moves nothing until its first bank permission or accepted
    invitation, or an administrator of the office, makes it active. One that is there keeps its state.
    """
    skip_registry_check: bool | None = None
    """Admit a starter whose number is not registered yet. The check digits hold all the same, and the client is listed
    with `registered=false` until that is confirmed.
    """
    record: ClientRecord | None = None


class ClockRead(Shape):
    """The clock of an office in test mode."""

    now: dt.datetime
    offset_seconds: int


class ClockWrite(Shape):
    """How far to move the clock forward."""

    advance_days: int | None = None
    advance_seconds: int | None = None


class ConditionsShape(Shape):
    """When the rule applies: all that are given must be met; without any it is a catch-all. Amounts are inclusive."""

    creditors: list[str] | None = None
    """Supplier ids, enterprise numbers or IBANs."""
    labels: list[str] | None = None
    debtor_account_ids: list[str] | None = None
    categories: list[str] | None = None
    sources: list[str] | None = None
    creditor_states: list[str] | None = None
    amount_from: MoneyShape | None = None
    basket_total_from: MoneyShape | None = None
    creditor_total_24h_from: MoneyShape | None = None
    creditor_total_30d_from: MoneyShape | None = None


class ConnectedAccountRead(Shape):
    """An account the account holder chose for the office."""

    id: str
    account_id: str
    iban: str | None
    """Only the last four for support, who reads no accounts."""
    currency: str
    kind: str
    name: str | None
    product: str | None


class ConsentCreated(Shape):
    """A new consent with the address for the account holder; it is shown this once."""

    consent: ConsentRead
    authorisation_url: str
    """Send the account holder here; it names office and client, and leads to the bank."""


class ConsentEvidenceRead(Shape):
    """A document that proves which accounts were connected, when, from which address and after which text."""

    id: str
    made_at: dt.datetime
    text_version: str
    """Another one whenever a word of the text changes in that language."""
    accounts_count: int
    sha256: str


class ConsentRead(Shape):
    """A consent; `valid_until` is the earliest of bank answer, bank maximum and office cap."""

    metadata: dict[str, str]
    """Your pairs of key and value."""
    id: str
    client_id: str
    bank_id: str
    state: str
    state_since: dt.datetime
    end_code: str | None
    refusal_code: str | None
    """Why the last try at the bank did not succeed."""
    language: str
    valid_until: dt.date | None
    is_expiring: bool
    """It holds, and its end is near enough to renew it."""
    renewable_from: dt.date | None
    """First day on which it can be renewed while it holds."""
    replaces: str | None
    """The consent that this one renews."""
    created_at: dt.datetime
    authorisation_url_expires_at: dt.datetime
    accounts: list[ConnectedAccountRead]
    renewal_answers: list[RenewalAnswerRead]


class ConsentWrite(Shape):
    """What is needed to ask an account holder for permission."""

    client_id: str
    bank_id: str
    metadata: dict[str, Any] | None = None
    """All pairs of key and value, at most 20. Left out or null: they stay as they are; empty: none."""
    language: str | None = None
    """Language of the page for the account holder."""
    return_url: str | None = None
    """Where the page leads back to at the end; registered letter by letter."""
    replaces: str | None = None
    """The consent that this one renews, of the same client and bank: possible in its last 30 days and at any time
    after its end. It works on until the new one reads its accounts.
    """


class CredentialCreated(Shape):
    """A new API key with its secret, shown this once."""

    credential: CredentialRead
    token: str


class CredentialRead(Shape):
    """An API key without its secret."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    allowed_addresses: list[str]
    client_ids: list[str] | None
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None


class CredentialWrite(Shape):
    """A new API key."""

    name: str
    scopes: list[str]
    expires_at: dt.datetime | None = None
    allowed_addresses: list[str] | None = None
    """Networks it may call from; empty: from anywhere."""
    client_ids: list[str] | None = None
    """The only clients it sees; null: all of the office."""


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
    state: str | None
    """Of this IBAN, at submission."""


class CreditorWrite(Shape):
    """Who is paid. Wrong values are stored with findings, so that they can be repaired."""

    name: str
    iban: str
    bic: str | None = None
    address: AddressShape | None = None
    supplier_id: str | None = None
    enterprise_number: str | None = None


class DateChangeWrite(Shape):
    """One new execution date for a selection of a draft basket."""

    payment_ids: list[str]
    execution_date: ExecutionDateShape


class DayRead(Shape):
    """What became of one day."""

    day: dt.date
    """Calendar day in Brussels."""
    state: str
    """`statement`, `no_entries`, `held`, `source_failed`, `left_out` or `before_start`."""
    proof: str | None
    """`proven`, `proven_by_span`, `derived`, `computed`, or `bank_file`: by a file of the bank that is passed on; null
    while it is not proven.
    """
    bank_file_id: str | None
    """Of `bank_file`: that file."""
    file_name: str | None
    """Its name as it was sent."""
    restarted: bool
    """Its statement is the first one after a documented restart."""
    cause: str | None
    """Stable code of why it is not proven."""
    opening_balance: MoneyShape | None
    closing_balance: MoneyShape | None
    entries_count: int
    late_count: int
    span_from: dt.date | None
    span_until: dt.date | None


class DaysRead(Shape):
    """The calendar of an account: every day of the period that is over at the bank."""

    account_id: str
    fresh_as_of: dt.datetime | None
    stale_reason: str | None
    health: str
    next_step: str | None
    items: list[DayRead]


class DecisionChallengeWrite(Shape):
    """What will be decided: exactly the payments of the decision, export or download, with their seals."""

    decision: str
    items: list[SealedPayment]


class DecisionRead(Shape):
    """One person's decision; one of an earlier round no longer counts."""

    id: str
    user_id: str
    verdict: SepaApprovalVerdict
    reason_code: str | None
    reason_text: str | None
    rule_versions: dict[str, int]
    decided_at: dt.datetime
    is_counting: bool


class DecisionResultRead(Shape):
    """What became of one decision."""

    payment_id: str
    status: str
    payment: PaymentRead | None
    evaluation: EvaluationRead | None
    code: str | None
    detail: str | None
    hint: str | None


class DecisionResultsRead(Shape):
    """A result for every decision, in their order."""

    items: list[DecisionResultRead]


class DecisionSignatureRead(Shape):
    """A signature that waits for its decision, for five minutes."""

    id: str
    decision: str
    signed_at: dt.datetime


class DecisionWrite(Shape):
    """Approve, or reject with a reason and a text. The payment's seal goes in If-Match."""

    verdict: VerdictInput
    reason_code: RejectionReason | None = None
    reason_text: str | None = None


class DecisionsWrite(Shape):
    """Up to 500 decisions."""

    items: list[BulkDecisionWrite]


class DossierRead(Shape):
    """A payment with what its approval rests on."""

    payment: PaymentRead
    prepared_by: list[str]
    """Users and credentials who made or changed it; they cannot decide."""
    evaluation: EvaluationRead | None
    decisions: list[DecisionRead]
    accepted_findings: list[AcceptanceRead]


class DownloadRead(Shape):
    """One download of a file."""

    downloaded_by: str
    downloaded_at: dt.datetime
    is_first: bool


class DroppedRead(Shape):
    """What became of the files that were sent."""

    items: list[HandoverRead]
    """One per account."""
    refused_files: list[FileFaultRead]
    """Files that were not taken, each with its cause."""


class EmailChangeAnswer(Shape):
    """A mailed link."""

    token: str
    """The last part of the mailed address."""


class EmailChangeRead(Shape):
    """Whether the other address still has to agree."""

    is_complete: bool


class EmailChangeWrite(Shape):
    """The address to sign in with from now on."""

    email: str


class EndingConsent(Shape):
    """A permission that ends within 30 days."""

    id: str
    client_id: str
    client_name: str
    bank_id: str
    valid_until: dt.date | None


class EnrolmentCodeRead(Shape):
    """What a person without second factor types when setting up a new one."""

    code: str
    """Six digits, shown this once."""
    expires_at: dt.datetime


class EntryRead(Shape):
    """An entry as it stands in the file."""

    sequence: int
    transaction_id: str
    entry_date: dt.date
    """The date in the file."""
    booking_date: dt.date
    """The bank's own booking date."""
    value_date: dt.date | None
    amount: MoneyShape
    bank_reference: str
    """Unique in the account; repeated in every record of the entry."""
    coda_code: str
    coda_code_basis: str
    counterparty_name: str | None
    counterparty_iban: str | None
    remittance_information: str | None
    structured_reference: str | None
    reverses: ReversedEntry | None
    """Of a reversal: the issued entry that the bank took back or changed, which this one offsets."""


class ErasureItemRead(Shape):
    """One kind of data about the person."""

    kind: str
    is_erased: bool
    count: int
    kept_until: dt.date | None
    """Last day of the legal retention, where that is the reason."""
    reason: str | None
    """Why it stays: `payments_retention`, `other_organisation` or `audit_chain` (ids only)."""


class ErasureRead(Shape):
    """What is erased and what stays, until when and why."""

    user_id: str
    dry_run: bool
    proposal_id: str | None
    """What another admin confirms; none for a dry run."""
    is_done: bool
    """False while it waits for another admin or its time."""
    items: list[ErasureItemRead]


class ErasureWrite(Shape):
    """Whom to erase; with `dry_run` only what it would do is told."""

    user_id: str
    dry_run: bool | None = None


class EvaluationRead(Shape):
    """Where a payment stands under its rules."""

    payment_id: str
    state: State
    reasons: list[str]
    """`no_rule_matches`, `rule_unsatisfiable`."""
    requirements: list[RequirementRead]
    may_act: list[str]
    """Who is asked now."""


class EventRead(Shape):
    """Something that happened; a webhook for it carries the same id."""

    id: str
    type: str
    object_kind: str
    object_id: str
    client_id: str | None
    mode: str
    """`live` or `test`."""
    occurred_at: dt.datetime
    position: int
    """1, 2, 3 … within the office, in the order in which it was committed."""
    data: dict[str, Any]
    """States and counts; no names, account numbers or texts."""


class ExecutionDateShape(Shape):
    """When to pay; `date` belongs to `fixed`, `days_before` (1-10 business days) to `before_due_date`."""

    choice: DateChoice | None = None
    date: dt.date | None = None
    days_before: int | None = None


class ExportRead(Shape):
    """A pain.001 file; its bytes are at `/content`."""

    id: str
    client_id: str
    basket_id: str
    debtor_account_id: str
    state: ExportState
    message_id: str
    pain_version: str
    file_name: str
    sha256: str
    size: int
    payment_count: int
    total: MoneyShape
    created_by: str
    created_at: dt.datetime
    first_downloaded_at: dt.datetime | None
    voided_reason: str | None


class ExportWrite(Shape):
    """Which approved payments leave; all of the basket when none are named."""

    payment_ids: list[str] | None = None


class ExportsRead(Shape):
    """The files made in one act: one per debtor account."""

    items: list[ExportRead]


class FieldDifference(Shape):
    """One field, as it is stored and as the present mapping reads it."""

    field: str
    before: Any
    after: Any


class FieldDifferenceRead(Shape):
    """A field that would change."""

    name: str
    stored: str | None
    replayed: str | None


class FileFaultRead(Shape):
    """What is wrong, with both values."""

    code: str
    file: str
    """Name of the file; empty where it is about all of them."""
    found: str
    """What the files say; account numbers by their last four digits."""
    expected: str
    """What it should be, or what the bank says."""
    detail: str
    """The same in the caller's language."""


class FindingRead(Shape):
    """Something the checks found, with what to do about it."""

    code: str
    severity: Severity
    pointer: str
    """JSON Pointer into the payment."""
    text: str
    hint: str
    found: str
    expected: str
    proposal: str | None
    """A correction to offer; never applied unasked."""


class GapRead(Shape):
    """Days that no reading covers and no file proves yet."""

    first_day: dt.date
    """Calendar day in Brussels."""
    last_day: dt.date
    """Calendar day in Brussels."""
    cause: str
    """Why they were not read in time; `bank_history_short` when nothing hindered it."""
    ways_to_fill: list[str]
    """Files to import: `coda`, `camt053` or `mt940`."""


class GatewayAccountSourcesSchemasDifferenceRead(Shape):
    """One thing that differs; empty where one side has nothing."""

    field: str
    """Of the day, or `movement.…` of a movement that both have; `movement`: one side alone has it."""
    ours: str
    theirs: str
    amount: MoneyShape | None
    """Of the movement it is about."""


class GatewayConsentsSchemasInvitationWrite(Shape):
    """How an invitation goes out."""

    mail: bool | None = None
    """Mail the address, never the code, to the client's confirmed contact."""


class GatewayPeopleSchemasInvitationWrite(Shape):
    """Whom to invite to what: roles of the office, or at `client_id`."""

    email: str
    first_name: str
    last_name: str
    roles: list[str]
    language: str | None = None
    client_id: str | None = None
    salaries: bool | None = None
    from_date: dt.date | None = None
    until_date: dt.date | None = None


class GatewayTrafficSchemasDifferenceRead(Shape):
    """A row that would not be as it is."""

    kind: str
    transaction_id: str | None
    """Null for a row that is not stored."""
    booking_date: dt.date | None
    fields: list[FieldDifferenceRead]


class GroupRead(Shape):
    """A group with its present members."""

    id: str
    client_id: str
    version: int
    name: str
    user_ids: list[str]


class GroupWrite(Shape):
    """People of the client who can stand for one another."""

    name: str
    user_ids: list[str]


class HandoverRead(Shape):
    """How an account's statements go on after the files of its former source; counts once it is confirmed."""

    id: str
    client_id: str
    iban: str
    currency: str
    state: HandoverState
    basis: str
    """`files`, or `typed` by a person."""
    number_key: str
    """The number that the next one follows: `coda` or `paper`."""
    coda_number: int | None
    """Of the last file; null when it was typed."""
    paper_number: int | None
    last_number: int
    closing_date: dt.date
    """Calendar day in Brussels."""
    closing_balance: MoneyShape
    first_day: dt.date
    """First day of statements made here."""
    next_number: int
    """Number of the first file made here."""
    files_count: int
    last_file_id: str | None
    faults: list[FileFaultRead]
    """Why it is `refused`, each with both values."""
    created_at: dt.datetime
    confirmed_at: dt.datetime | None


class HandoverWrite(Shape):
    """Number, day and balance of the last file of the former source, as the package shows them."""

    client_id: str
    iban: str
    number: int
    """Of the last file, not of the next one."""
    closing_date: dt.date
    """Calendar day in Brussels."""
    closing_balance: MoneyShape
    number_key: str | None = None
    """Which of the two numbers it is; null: the one the client's package goes by."""


class HeldRoleRead(Shape):
    """A role that a person holds: of the office when `client_id` is null."""

    id: str
    role: str
    client_id: str | None
    salaries: bool
    from_date: dt.date | None
    until_date: dt.date | None
    created_at: dt.datetime


class ImportChange(Shape):
    """One field that gets another value."""

    field: str
    old: str | int | bool | list[str] | None
    """Null: it was empty."""
    new: str | int | bool | list[str] | None


class ImportColumn(Shape):
    """One column of the file."""

    letter: str | None
    """As the spreadsheet shows it; null in JSON."""
    header: str
    field: str | None
    """What it stands for; null: the column is passed over."""


class ImportCounts(Shape):
    """Rows by kind, and by what became of them."""

    new: int
    existing: int
    invalid: int
    imported: int
    undone: int
    kept: int
    """An undo left these clients as they are; the rows say why."""
    only_here: int | None = None
    """Clients the file does not name; they are never touched. Null in lists."""


class ImportFault(Shape):
    """What is wrong with one cell."""

    column: str | None
    """Letter of the column; null in JSON."""
    header: str
    """Header of the column, or the field that is missing."""
    field: str
    code: str
    """Stable."""
    detail: str
    """In the language of Accept-Language."""


class ImportNote(Shape):
    """A code with its sentence."""

    code: str
    detail: str


class ImportRefusalWrite(Shape):
    """What the accounting package said of the file."""

    message: str


class ImportRowRead(Shape):
    """One row of the file, or one client that the file does not name."""

    number: int | None
    """As the spreadsheet shows it; null for `only_here`."""
    kind: str
    client_id: str | None
    name: str | None
    cells: dict[str, str]
    """What stands in the row, by field; refused texts are left out."""
    changes: list[ImportChange]
    faults: list[ImportFault]
    warnings: list[ImportNote]
    outcome: Outcome | None
    reason: ImportNote | None
    """Why an undo left the client as it is."""


class ImportRowWrite(Shape):
    """New texts for cells; null empties one. Without any, the row is checked again."""

    cells: dict[str, str | None] | None = None


class ImportRunRead(Shape):
    """Carrying out or undoing an import."""

    job_id: str
    kind: RunKind
    total: int
    done: int
    counts: dict[str, int]
    """created, changed, unchanged, invalid of an import; undone and kept of an undo."""
    started_at: dt.datetime
    finished_at: dt.datetime | None


class ImportRunWrite(Shape):
    """Which rows to import."""

    rows: list[int] | None = None
    """Row numbers; without them every valid row that waits."""


class ImportUndoWrite(Shape):
    """Nothing to choose: whatever can be taken back is."""


class InvitationCodeRead(Shape):
    """An address and the code that opens it; both are to reach the account holder by different ways."""

    consent_id: str
    authorisation_url: str
    """For a mail, a letter or a QR code."""
    code: str
    """Six digits, shown this once; never in the mail with the address."""
    expires_at: dt.datetime
    """Until when the address works."""
    is_mailed: bool
    """The address went to the client's contact."""


class InvitationCreated(Shape):
    """An invitation just made or sent again."""

    invitation: InvitationRead
    code: str | None
    """Six digits, shown this once: hand them over by another channel than mail."""
    proposal: ProposalRead | None
    """What a second person must confirm before the mail goes out."""


class InvitationRead(Shape):
    """An invitation and where it stands; its link is in the mail only."""

    id: str
    email: str
    first_name: str
    last_name: str
    language: str
    client_id: str | None
    roles: list[str]
    salaries: bool
    from_date: dt.date | None
    until_date: dt.date | None
    state: InvitationState
    inviter_id: str
    created_at: dt.datetime
    sent_at: dt.datetime | None
    expires_at: dt.datetime | None
    """When the link ends, if it is not used before."""
    accepted_at: dt.datetime | None


class ItemRead(Shape):
    """One line of a checklist."""

    key: str
    state: ItemState
    next_step: str | None
    """With `todo`: what to do, in the language of Accept-Language."""


class JobFault(Shape):
    """What went wrong, as a problem would say it."""

    pointer: str
    """JSON Pointer into what was sent; empty when it is about the whole."""
    code: str
    """Stable; listed in docs/errors.md."""
    detail: str


class JobRead(Shape):
    """Long work that was asked for (API-05)."""

    id: str
    kind: str
    """What is done."""
    state: JobState
    is_cancel_requested: bool
    """It stops at its next step."""
    client_id: str | None
    done: int
    """Rows, files or calls done so far."""
    total: int | None
    """Of how many; null while that is not known."""
    result: dict[str, Any] | None
    """Ids, counts and addresses; null until it succeeded."""
    faults: list[JobFault]
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None


class KnownAccountPatch(Shape):
    """The fields to change; those left out stay as they are. The number itself does not change."""

    bic: str | None = None
    alias: str | None = None
    position: int | None = None
    """Place among the accounts of the client."""
    is_visible: bool | None = None
    is_default_debtor: bool | None = None
    dossier_code: str | None = None
    """Where it is not the client's own dossier code."""
    statements_from: dt.date | None = None


class KnownAccountRead(Shape):
    """A client's number that is not connected; own transfers are recognised by it, and payments can leave from it."""

    id: str
    client_id: str
    debtor_account_id: str
    """What payments name to leave from it; the account's id once it is connected."""
    iban: str
    bic: str | None
    bank_id: str | None
    alias: str | None
    position: int
    is_visible: bool
    is_default_debtor: bool
    dossier_code: str | None
    statements_from: dt.date | None
    created_at: dt.datetime
    version: int


class KnownAccountWrite(Shape):
    """A number of a client, without a consent."""

    client_id: str
    iban: str
    """Blanks are accepted."""
    bic: str | None = None
    alias: str | None = None
    position: int | None = None
    """Without it, after the client's last account."""
    is_visible: bool | None = None
    is_default_debtor: bool | None = None
    dossier_code: str | None = None
    """Where it is not the client's own dossier code."""
    statements_from: dt.date | None = None
    """First day of statements, once the account is connected."""


class LabelsWrite(Shape):
    """All labels that the transaction shall have; an empty list takes them away."""

    labels: list[str]


class MappingApplicationRead(Shape):
    """What was taken over."""

    account_id: str
    changed: int


class MappingApplicationWrite(Shape):
    """Which differences to take over."""

    date_from: dt.date
    """Calendar day in Brussels."""
    date_until: dt.date
    """Calendar day in Brussels."""
    seal: str


class MappingDifference(Shape):
    """One transaction that the present mapping reads otherwise."""

    transaction_id: str
    is_applicable: bool
    """False: it would move a balance or a day, which only a reading may."""
    fields: list[FieldDifference]


class MappingDifferencesRead(Shape):
    """What the present mapping makes of the stored answers; nothing was changed, and no bank called."""

    account_id: str
    date_from: dt.date
    """Calendar day in Brussels."""
    date_until: dt.date
    """Calendar day in Brussels."""
    read: int
    unreadable: int
    """Rows that the present mapping cannot read; they stay as they are."""
    seal: str
    """Stands for exactly these differences; applying them asks for it."""
    differences: list[MappingDifference]


class MeRead(Shape):
    """Who the caller is and may do."""

    kind: str
    id: str
    office_id: str
    language: str | None
    offices: list[OfficeListed]
    """Offices this session may switch to; empty for an API token."""
    permissions: list[str]
    """Held for the office as a whole."""
    client_permissions: dict[str, list[str]]
    """Held per client id."""


class MetadataShape(Shape):
    """All pairs of an object; what is left out is removed."""

    metadata: dict[str, Any]
    """At most 20 pairs of texts."""


class MoneyShape(Shape):
    """`{"amount": "1250.00", "currency": "EUR"}`."""

    amount: str
    """Decimal point, no thousands."""
    currency: str


class MonitorRead(Shape):
    """Where something stands still; lists hold at most 100 rows each, counts say how many there are."""

    accounts_by_health: dict[str, int]
    accounts: list[MonitoredAccount]
    """Those that are not well, the longest first."""
    consents_ending: list[EndingConsent]
    webhook_endpoints: list[MonitoredEndpoint]
    deliveries_by_state: dict[str, int]
    """Webhook deliveries of the last seven days."""
    deliveries: list[MonitoredDelivery]
    """Those that did not arrive, the newest first."""
    mails_by_state: dict[str, int]
    """Mails of the last seven days."""
    mails: list[MonitoredMail]
    jobs_failed: list[MonitoredJob]


class MonitoredAccount(Shape):
    """An account that is not read as it should be."""

    id: str
    client_id: str
    client_name: str
    bank_id: str
    iban: str
    """The last four characters; the others are masked."""
    health: str
    """Who must act: `we_act` or `you_act`."""
    health_code: str | None
    health_since: dt.datetime
    last_sync_at: dt.datetime | None
    next_step: str | None


class MonitoredDelivery(Shape):
    """A message that did not arrive."""

    id: str
    endpoint_id: str
    event_type: str
    state: str
    attempts: int
    last_status: int | None
    last_fault: str | None
    created_at: dt.datetime
    due_at: dt.datetime


class MonitoredEndpoint(Shape):
    """Where messages go; its address stays with the admins."""

    id: str
    description: str
    state: str
    is_failing: bool
    """The last attempt failed."""


class MonitoredJob(Shape):
    """Long work that failed."""

    id: str
    client_id: str | None
    kind: str
    ended_at: dt.datetime | None
    codes: list[str]


class MonitoredMail(Shape):
    """A mail whose last attempt failed: which one it is, not to whom or what it says."""

    template: str
    state: str
    attempts: int
    fault: str | None
    created_at: dt.datetime
    due_at: dt.datetime


class MoveAccountRead(Shape):
    """One account of a move."""

    account_id: str
    done_at: dt.datetime | None
    is_chain_continued: bool
    """Balance and number go on where another office's last file ended."""


class MoveRead(Shape):
    """Accounts that move to this office on a day, as the client chose."""

    id: str
    client_id: str
    move_on: dt.date
    """Calendar day in Brussels."""
    state: MoveState
    proof: str
    """How the client proved control: `authorisation` at the bank or `administrator`."""
    created_at: dt.datetime
    done_at: dt.datetime | None
    accounts: list[MoveAccountRead]
    with_rules: bool
    rules: list[MovedRuleRead] | None
    """Each rule of the former office and whether it went along; null before the move is done or when they were not
    asked for. Groups come with those members only who have a role at the client here.
    """


class MoveWrite(Shape):
    """When the client's accounts move to this office, and what goes along."""

    move_on: dt.date
    """Calendar day in Brussels."""
    with_rules: bool | None = None
    """Whether the approval rules of the former office go along, as far as they can."""


class MovedRuleRead(Shape):
    """An approval rule that the former office had for the client."""

    name: str
    reason: str | None
    """Why it stayed there: `person_not_here` (it names somebody without a role at the client here),
    `account_not_here`, `name_taken` (the client has a rule of this name here), `client_pays_here` (payments were
    submitted here before: two administrators change its rules). null: it went along.
    """


class NumberChangeRead(Shape):
    """A change of a client's number."""

    id: str
    client_id: str
    old_number: str | None
    old_dossier_code: str
    new_number: str
    new_dossier_code: str
    reason: NumberReason
    document_sha256: str
    document_type: str
    changed_by: str
    """Who did it, a person or a key."""
    changed_at: dt.datetime


class NumberChangeWrite(Shape):
    """Another number for a client, with the document that proves it."""

    enterprise_number: str
    """10 digits; dots, blanks and BE are accepted."""
    reason: NumberReason
    document: str
    """PDF, PNG or JPEG in base64, at most 5 MiB."""
    dossier_code: str | None = None
    skip_registry_check: bool | None = None


class Numbering(Shape):
    """Where statements of a newly connected account begin."""

    statements_from: StatementsFrom | None = None
    """`ask`: chosen per account, and no statement is made until then."""
    first_coda_number: int | None = None


class ObjectField(Shape):
    """One field as the audit chain last saw it change."""

    field: str
    value: Any
    is_erased: bool
    """The value was erased; that it changed is still proved."""
    position: int
    changed_at: dt.datetime
    entry_id: str


class ObjectStateRead(Shape):
    """An object as its audit entries tell it, at the moment asked for."""

    object_id: str
    as_of: dt.datetime
    items: list[ObjectField]


class OfficeListed(Shape):
    """An office of the person."""

    id: str
    name: str


class OfficeRead(Shape):
    """The office the caller works for."""

    id: str
    name: str
    language: str
    mode: str
    consent_days_max: int
    """The office's cap on the life of a consent, in days."""
    services: list[Service]
    """Services that are on for the office."""
    default_delivery: str | None
    """Channel of clients that have none of their own."""
    version: int


class OfficeServicesWrite(Shape):
    """The services of the office."""

    services: list[Service]
    """The services that are on; the others are off."""


class OfficeSwitch(Shape):
    """The office to go on in."""

    office_id: str


class OfficeWrite(Shape):
    """What an office says of itself."""

    name: str
    language: str
    default_delivery: str | None = None
    """Of clients that have no channel of their own."""
    consent_days_max: int | None = None
    """The office's cap on the life of a consent, in days; null: as it is."""


class OidcLinkRead(Shape):
    """An account of the person at a provider of the office."""

    provider_id: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None


class OidcProviderRead(Shape):
    """An identity provider without its secret."""

    id: str
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    sign_in_url: str
    """Where people of the office sign in through this provider."""
    redirect_url: str
    """To register at the provider."""
    created_at: dt.datetime


class OidcProviderWrite(Shape):
    """An identity provider of the office."""

    name: str
    issuer: str
    """To the letter as the provider writes it in `iss`."""
    client_id: str
    client_secret: str | None = None
    """Left out for a public client; never shown again."""


class OtherSessionsEnded(Shape):
    """How many sessions were ended."""

    ended: int


class PageAccountRead(Shape):
    """PageAccountRead"""

    items: list[AccountRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageAddressChangeRead(Shape):
    """PageAddressChangeRead"""

    items: list[AddressChangeRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageApplicationRead(Shape):
    """PageApplicationRead"""

    items: list[ApplicationRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageAuditBundleRead(Shape):
    """PageAuditBundleRead"""

    items: list[AuditBundleRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageAuditCheckpointRead(Shape):
    """PageAuditCheckpointRead"""

    items: list[AuditCheckpointRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageAuditEntryRead(Shape):
    """PageAuditEntryRead"""

    items: list[AuditEntryRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageBankFileRead(Shape):
    """PageBankFileRead"""

    items: list[BankFileRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageBankRead(Shape):
    """PageBankRead"""

    items: list[BankRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageBankRequestRead(Shape):
    """PageBankRequestRead"""

    items: list[BankRequestRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageBasketRead(Shape):
    """PageBasketRead"""

    items: list[BasketRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageChainRestartRead(Shape):
    """PageChainRestartRead"""

    items: list[ChainRestartRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageClientGroupRow(Shape):
    """PageClientGroupRow"""

    items: list[ClientGroupRow]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageClientImportRead(Shape):
    """PageClientImportRead"""

    items: list[ClientImportRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageClientRead(Shape):
    """PageClientRead"""

    items: list[ClientRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageConsentEvidenceRead(Shape):
    """PageConsentEvidenceRead"""

    items: list[ConsentEvidenceRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageConsentRead(Shape):
    """PageConsentRead"""

    items: list[ConsentRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageCredentialRead(Shape):
    """PageCredentialRead"""

    items: list[CredentialRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageDossierRead(Shape):
    """PageDossierRead"""

    items: list[DossierRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageDownloadRead(Shape):
    """PageDownloadRead"""

    items: list[DownloadRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageEntryRead(Shape):
    """PageEntryRead"""

    items: list[EntryRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageEventRead(Shape):
    """PageEventRead"""

    items: list[EventRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageExportRead(Shape):
    """PageExportRead"""

    items: list[ExportRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageGroupRead(Shape):
    """PageGroupRead"""

    items: list[GroupRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageHandoverRead(Shape):
    """PageHandoverRead"""

    items: list[HandoverRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageImportRowRead(Shape):
    """PageImportRowRead"""

    items: list[ImportRowRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageInvitationRead(Shape):
    """PageInvitationRead"""

    items: list[InvitationRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageJobRead(Shape):
    """PageJobRead"""

    items: list[JobRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageKnownAccountRead(Shape):
    """PageKnownAccountRead"""

    items: list[KnownAccountRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageMoveRead(Shape):
    """PageMoveRead"""

    items: list[MoveRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageNumberChangeRead(Shape):
    """PageNumberChangeRead"""

    items: list[NumberChangeRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageOidcProviderRead(Shape):
    """PageOidcProviderRead"""

    items: list[OidcProviderRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PagePasskeyRead(Shape):
    """PagePasskeyRead"""

    items: list[PasskeyRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PagePaymentRead(Shape):
    """PagePaymentRead"""

    items: list[PaymentRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageProposalRow(Shape):
    """PageProposalRow"""

    items: list[ProposalRow]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageReviewItemRead(Shape):
    """PageReviewItemRead"""

    items: list[ReviewItemRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageRightRead(Shape):
    """PageRightRead"""

    items: list[RightRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageRuleRead(Shape):
    """PageRuleRead"""

    items: list[RuleRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageRuleVersionRead(Shape):
    """PageRuleVersionRead"""

    items: list[RuleVersionRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageSessionListed(Shape):
    """PageSessionListed"""

    items: list[SessionListed]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageSourceSwitchRead(Shape):
    """PageSourceSwitchRead"""

    items: list[SourceSwitchRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageStatementRead(Shape):
    """PageStatementRead"""

    items: list[StatementRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageStatementUploadRead(Shape):
    """PageStatementUploadRead"""

    items: list[StatementUploadRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageTrafficRecordingRow(Shape):
    """PageTrafficRecordingRow"""

    items: list[TrafficRecordingRow]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageTransactionRead(Shape):
    """PageTransactionRead"""

    items: list[TransactionRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageUserRead(Shape):
    """PageUserRead"""

    items: list[UserRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageWebhookDeliveryRead(Shape):
    """PageWebhookDeliveryRead"""

    items: list[WebhookDeliveryRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PageWebhookEndpointRead(Shape):
    """PageWebhookEndpointRead"""

    items: list[WebhookEndpointRead]
    next_cursor: str | None
    """Pass it as `cursor` to get the next page; null on the last page."""


class PasskeyAdded(Shape):
    """The new passkey, and the session's token to use from now on."""

    passkey: PasskeyRead
    token: str


class PasskeyAnswer(Shape):
    """What the authenticator gave back."""

    challenge_id: str
    credential: dict[str, Any]
    """PublicKeyCredential as its toJSON() gives it."""


class PasskeyQuestion(Shape):
    """What to hand to the authenticator; to be answered once, within five minutes."""

    challenge_id: str
    options: dict[str, Any]
    """For parseCreationOptionsFromJSON or parseRequestOptionsFromJSON."""


class PasskeyRead(Shape):
    """A passkey of the person."""

    id: str
    name: str
    is_backed_up: bool
    """Kept by a password manager, so it survives the loss of a device."""
    is_blocked: bool
    """Its counter went backwards, so it may have been copied; remove it."""
    created_at: dt.datetime
    last_used_at: dt.datetime | None


class PasskeySessionWrite(Shape):
    """Signing in with a passkey alone."""

    challenge_id: str
    credential: dict[str, Any]
    """PublicKeyCredential as its toJSON() gives it."""
    office_id: str | None = None
    """Needed by people of several offices."""


class PasskeyWrite(Shape):
    """A new passkey."""

    challenge_id: str
    credential: dict[str, Any]
    """PublicKeyCredential as its toJSON() gives it."""
    name: str
    enrolment_code: str | None = None
    """From an administrator; needed for a first second factor with rights."""


class PasswordResetAnswer(Shape):
    """The mailed link and the new password."""

    token: str
    """The last part of the mailed address."""
    password: str
    """At least 12 characters, not a common one."""


class PasswordResetWrite(Shape):
    """Somebody forgot the password."""

    email: str


class PasswordWrite(Shape):
    """The present and the new password."""

    current_password: str
    """At least 12 characters, not a common one."""
    password: str
    """At least 12 characters, not a common one."""


class PaymentPatch(Shape):
    """The fields to change; those left out stay as they are."""

    metadata: dict[str, Any] | None = None
    """All pairs of key and value, at most 20. Left out or null: they stay as they are; empty: none."""
    debtor_account_id: str | None = None
    creditor: CreditorWrite | None = None
    amount: MoneyShape | None = None
    execution_date: ExecutionDateShape | None = None
    remittance: UnstructuredRemittance | StructuredRemittance | None = None
    category_purpose: str | None = None
    labels: list[str] | None = None
    source_reference: str | None = None
    invoice_date: dt.date | None = None
    due_date: dt.date | None = None
    amount_due: MoneyShape | None = None
    already_paid: MoneyShape | None = None
    is_source_unbooked: bool | None = None
    invoice_sha256: str | None = None
    accepted_findings: list[str] | None = None
    """Codes of warnings to let pass."""


class PaymentRead(Shape):
    """A payment order and where it stands."""

    metadata: dict[str, str]
    """Your pairs of key and value."""
    id: str
    client_id: str
    basket_id: str
    position: int
    state: PaymentState
    version: int
    debtor_account_id: str
    debtor_iban: str
    creditor: CreditorRead
    amount: MoneyShape
    execution_date: ExecutionDateShape
    asked_date: dt.date | None
    """The fixed or due date; null for today."""
    used_date: dt.date | None
    """The execution date in the file."""
    remittance: UnstructuredRemittance | StructuredRemittance | None
    sent_remittance: UnstructuredRemittance | StructuredRemittance | None
    category_purpose: str | None
    labels: list[str]
    source: str
    external_id: str | None
    source_reference: str | None
    invoice_date: dt.date | None
    due_date: dt.date | None
    amount_due: MoneyShape | None
    already_paid: MoneyShape | None
    remaining: MoneyShape | None
    is_source_unbooked: bool
    invoice_sha256: str | None
    end_to_end_id: str
    check_result: CheckResult
    findings: list[FindingRead]
    approval_basis: str | None
    seal: str | None
    """Send it as If-Match with a decision; null before submission."""
    created_at: dt.datetime
    submitted_at: dt.datetime | None


class PaymentSettingsShape(Shape):
    """What the client's bank takes."""

    pain_version: Literal["pain.001.001.09"] | None = None
    address_mode: AddressMode | None = None


class PaymentWrite(Shape):
    """A payment order."""

    creditor: CreditorWrite
    amount: MoneyShape
    metadata: dict[str, Any] | None = None
    """All pairs of key and value, at most 20. Left out or null: they stay as they are; empty: none."""
    debtor_account_id: str | None = None
    """Without it, the client's default debtor account."""
    execution_date: ExecutionDateShape | None = None
    remittance: UnstructuredRemittance | StructuredRemittance | None = None
    category_purpose: str | None = None
    labels: list[str] | None = None
    external_id: str | None = None
    source_reference: str | None = None
    """Your reference of the invoice."""
    invoice_date: dt.date | None = None
    due_date: dt.date | None = None
    amount_due: MoneyShape | None = None
    already_paid: MoneyShape | None = None
    is_source_unbooked: bool | None = None
    invoice_sha256: str | None = None


class PaymentsWrite(Shape):
    """Up to 1,000 payments at once; a dry run checks them and stores nothing."""

    items: list[PaymentWrite]
    dry_run: bool | None = None


class PortalFlags(Shape):
    """What the portal shows and does for a client."""

    show_transactions: bool
    show_coda: bool
    prepare_while_processing: bool
    """Prepare payments while invoices are still processed."""


class Problem(Shape):
    """RFC 9457: what was refused, why, and who must act."""

    type: str
    title: str
    status: int
    code: str
    """Stable; listed in docs/errors.md."""
    detail: str
    hint: str
    """What to do, in the language of Accept-Language."""
    request_id: str | None
    service: str | None = None
    """With `service_disabled`: which service is off."""
    level: str | None = None
    """With `service_disabled`: where it is off."""
    count: int | None = None
    """With `payments_under_way`: how many."""
    bank_fault: str | None = None
    """With trouble at a bank: which of seven kinds it is; `detail` says what happens next."""
    errors: list[ProblemField] | None = None


class ProblemField(Shape):
    """ProblemField"""

    pointer: str
    """JSON Pointer."""
    code: str
    detail: str
    hint: str


class ProposalRead(Shape):
    """A proposal and where it stands."""

    id: str
    kind: str
    object_id: str
    client_id: str | None
    content: dict[str, Any]
    state: ProposalState
    proposer_id: str
    confirmer_id: str | None
    created_at: dt.datetime
    expires_at: dt.datetime
    effective_at: dt.datetime | None
    """When it takes effect by itself, because there is nobody else who could confirm it."""
    decided_at: dt.datetime | None
    can_confirm: bool
    """Whether the caller is one of those it waits for."""


class ProposalRow(Shape):
    """A proposal in a list."""

    id: str
    kind: str
    object_id: str
    client_id: str | None
    content: dict[str, Any]
    state: ProposalState
    proposer_id: str
    confirmer_id: str | None
    created_at: dt.datetime
    expires_at: dt.datetime
    effective_at: dt.datetime | None
    """When it takes effect by itself, because there is nobody else who could confirm it."""
    decided_at: dt.datetime | None


class ProposalWrite(Shape):
    """What is proposed, and about what."""

    kind: str
    """`role.grant`: give the user `object_id` a role, content `{role, salaries}`, the client in `client_id` (none for
    an office role). `role.end`: end the role `object_id`. `invitation.send`: let an invitation to such roles go
    out; made by `POST /v1/invitations`. `user.legal_event`: suspend the user `object_id`, content `{event,
    document_reference, successor_id}`. `client.unsuspend`: end the suspension of the client `object_id`.
    `person.erase`: erase the user `object_id`; made by `POST /v1/erasures`. `second_factor.reset`: take away the
    second factor of the user `object_id`; made by `POST /v1/users/{user_id}/second-factor-resets`.
    `signing_limit.set`: decisions of the client `object_id` above `{amount}` (euro, or null) are signed with a
    passkey. `statement_chain.restart`, `statement.withdraw`: made by the operations on restarts and withdrawals.
    `approval_rule.create`, `approval_rule.change`, `approver_group.change`, `approval_settings.change`: made by the
    operations on approval rules, approver groups and approval settings; `version` in the content is the one they
    were made on.
    """
    object_id: str
    client_id: str | None = None
    content: dict[str, str | bool | int | None] | None = None


class ReauthorisationCreated(Shape):
    """The address at which the account holder authorises one account anew; it is shown this once."""

    account_id: str
    authorisation_url: str
    """Send the account holder here; it names office and client, and leads to the bank."""
    expires_at: dt.datetime
    """Until when the address works, also more than once."""


class RecordedAnswerRead(Shape):
    """One answer of the bank."""

    kind: str
    template: str
    """The call, without ids."""
    status: int
    content_type: str | None
    headers: dict[str, str]
    body: str
    """As it came; what is no UTF-8 is replaced."""


class RecordedReadingRead(Shape):
    """A recorded reading with the bank's answers, in their order."""

    id: str
    account_id: str
    recorded_at: dt.datetime
    calls: int
    body_bytes: int
    is_whole: bool
    """False where a limit was reached in the middle: it cannot be played back."""
    error_code: str | None
    """Why the reading failed then; null when it was stored."""
    answers: list[RecordedAnswerRead]


class RecordedReadingRow(Shape):
    """One recorded reading of one account."""

    id: str
    account_id: str
    recorded_at: dt.datetime
    calls: int
    body_bytes: int
    is_whole: bool
    """False where a limit was reached in the middle: it cannot be played back."""
    error_code: str | None
    """Why the reading failed then; null when it was stored."""


class RecoveryCodesRead(Shape):
    """Ten codes, shown this once."""

    codes: list[str]


class Reminders(Shape):
    """When people are reminded."""

    consent_days: list[int] | None = None
    """Days before a consent ends."""
    approval_days: list[int] | None = None
    """Business days that a payment has been waiting."""
    approval_expiry_days: int | None = None
    """Business days after which a waiting payment is a draft again."""


class RemovedRead(Shape):
    """A pending transaction that is no longer announced."""

    id: str
    account_id: str


class RenewalAnswerRead(Shape):
    """What the account holder said, at a renewal, of an account that is not as before."""

    account_id: str
    answer: RenewalAnswer
    """`added` or `replaces` (new), `gone` or `wanted` (not offered any more), `left_out` (not ticked)."""
    instead_of_account_id: str | None
    """For `replaces`: the account whose place it took."""
    answered_at: dt.datetime


class RenewalLinkRead(Shape):
    """The address at which every permission of a client is renewed; it is shown this once."""

    client_id: str
    renewal_url: str
    """Send the account holder here; it names office and client, and works without sign-in."""
    expires_at: dt.datetime
    """Until when the address works, also more than once."""


class ReplayedReadingRead(Shape):
    """What the present connector makes of a recorded reading, beside what is stored."""

    id: str
    account_id: str
    recorded_at: dt.datetime
    calls: int
    body_bytes: int
    is_whole: bool
    """False where a limit was reached in the middle: it cannot be played back."""
    error_code: str | None
    """Why the reading failed then; null when it was stored."""
    outcome: str
    code: str | None
    """Why it was not compared: an error code, or the call that was not recorded."""
    unchanged: int
    added: int
    gone: int
    changed: int
    changed_since: int
    """Rows the bank changed after the recording; not compared."""
    pending: int
    rejected: dict[str, int]
    """Rows that cannot be read, by reason."""
    differences: list[GatewayTrafficSchemasDifferenceRead]
    """The first 200."""


class RequirementRead(Shape):
    """What one rule asks, and of whom."""

    rule_id: str
    rule_name: str
    rule_version: int
    needed: int
    given: int
    available: int
    is_sequence: bool
    is_satisfied: bool
    may_act: list[str]
    eligible: list[str]


class ReversedEntry(Shape):
    """The issued entry that a reversal offsets."""

    statement_id: str
    year: int | None
    number: int | None
    sequence: int


class ReviewDecisionWrite(Shape):
    """How the row is to be read."""

    decision: Decision
    transaction_id: str | None = None
    """With `changed`: the vanished transaction that it is, where there are several."""


class ReviewItemRead(Shape):
    """A row of the bank that nobody can decide without a person."""

    id: str
    account_id: str
    state: ReviewState
    reason: str
    """`sign_undecided`, `edit_undecided`, `changed_after_issue`, or why the row could not be read."""
    booking_date: dt.date | None
    options: list[ReviewOptionRead]
    transaction_id: str | None
    """The transaction as it is stored now, if it is."""
    candidate_ids: list[str]
    """Vanished transactions whose new form it may be."""
    statement_id: str | None
    """The issued statement it stands on."""
    bank_form: dict[str, Any] | None
    """What the bank gave; null for a change of a stored row."""
    decision: Decision | None
    created_at: dt.datetime
    decided_at: dt.datetime | None


class ReviewOptionRead(Shape):
    """One way to read the row."""

    decision: Decision
    effect: MoneyShape | None
    """What it does to the balance as it stands; null: no amount is known."""


class RightRead(Shape):
    """A role somebody held at the moment asked for."""

    membership_id: str
    user_id: str
    role: str
    client_id: str | None
    """Null for a role of the office."""
    salaries: bool
    """Whether payments of wages are included."""
    since: dt.datetime
    from_date: dt.date | None
    """First day of an auditor."""
    until_date: dt.date | None
    """Last day of an auditor."""
    ended_at: dt.datetime | None


class RoleWrite(Shape):
    """A role to give: of the office, or at `client_id`."""

    role: str
    client_id: str | None = None
    """Needed by the roles at a client."""
    salaries: bool | None = None
    """Whether payments of wages are shown and decided."""
    from_date: dt.date | None = None
    """First day of an auditor; today without it."""
    until_date: dt.date | None = None
    """Last day of an auditor, who needs one."""


class RowFaultRead(Shape):
    """One faulty field of a row."""

    pointer: str
    code: str
    detail: str
    hint: str


class RowRead(Shape):
    """What became of one row."""

    index: int
    status: str
    payment: PaymentRead | None
    existing_payment_id: str | None
    errors: list[RowFaultRead]


class RowsRead(Shape):
    """A result for every row, in their order."""

    items: list[RowRead]


class RuleRead(Shape):
    """A rule as it is now; what was submitted keeps the version of its submission."""

    id: str
    client_id: str
    version: int
    name: str
    is_active: bool
    conditions: ConditionsShape
    mode: Mode
    count: int
    approvers: list[ApproverShape]
    created_by: str
    created_at: dt.datetime


class RuleVersionRead(Shape):
    """What an approval rule said from one moment on."""

    rule_id: str
    client_id: str
    version: int
    name: str
    is_active: bool
    conditions: dict[str, Any]
    approvers: list[dict[str, Any]]
    mode: str
    count: int
    created_by: str
    created_at: dt.datetime


class RuleWrite(Shape):
    """An approval rule. `all`: each entry needs a person; `count`: so many among all; `sequence`: one after another."""

    name: str
    approvers: list[ApproverShape]
    is_active: bool | None = None
    conditions: ConditionsShape | None = None
    mode: Mode | None = None
    count: int | None = None


class SealedPayment(Shape):
    """A payment with the seal that was shown."""

    payment_id: str
    seal: str


class SecondFactorWrite(Shape):
    """A code from the authenticator, or one of the recovery codes: exactly one of the two."""

    code: str | None = None
    recovery_code: str | None = None


class SecondFactorsRead(Shape):
    """What the person has set up."""

    has_authenticator: bool
    passkeys: int
    """Passkeys that can be used."""
    recovery_codes_left: int


class SecretCreated(Shape):
    """A new secret, shown this once."""

    id: str
    client_secret: str


class SecretRead(Shape):
    """A secret in use, without the secret."""

    id: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None


class SessionListed(Shape):
    """One of the person's own sessions, without its token."""

    id: str
    office_id: str
    device: str
    """Browser and system, as the browser calls itself."""
    sign_in_method: str
    second_factor_method: str | None
    created_at: dt.datetime
    last_seen_at: dt.datetime
    is_current: bool


class SessionRead(Shape):
    """A session; the token is shown this once and goes into `Authorization: Bearer`."""

    id: str
    token: str
    """To use from now on; a session that gains its second factor gets a new one."""
    user_id: str
    office_id: str
    has_fresh_second_factor: bool


class SessionWrite(Shape):
    """Signing in as a person."""

    email: str
    password: str
    code: str | None = None
    """Six digits from the authenticator, once one is set up."""
    office_id: str | None = None
    """Needed by people of several offices."""


class ShadowDayRead(Shape):
    """One day on which either side has a statement."""

    day: dt.date
    """Calendar day in Brussels."""
    outcome: str
    """`identical`, `identical_in_amounts` or `different`."""
    state: str | None
    """Of ours: `compared`, which is proven and gets no number, or `held`; null: no such day was read."""
    hold_code: str | None
    """Why it is held."""
    is_in_ours: bool
    is_in_theirs: bool
    ours_count: int
    """Entries."""
    theirs_count: int
    differences: list[GatewayAccountSourcesSchemasDifferenceRead]


class ShadowRead(Shape):
    """A period of one account, ours beside the bank's own files."""

    account_id: str
    date_from: dt.date
    """Calendar day in Brussels."""
    date_until: dt.date
    """Calendar day in Brussels."""
    sentence: str
    """In the caller's language."""
    days_count: int
    identical_count: int
    identical_in_amounts_count: int
    """Wholly identical ones included."""
    days: list[ShadowDayRead]


class SigningLimitRead(Shape):
    """From which total on decisions of the client are signed with a passkey."""

    amount: MoneyShape | None
    """Null: no signature is asked for."""


class SourceRead(Shape):
    """Where an account's statements come from."""

    account_id: str
    source: Source
    from_day: dt.date | None
    """First day of this source; null: since the beginning."""


class SourceSwitchRead(Shape):
    """One switch of an account's source."""

    id: str
    account_id: str
    former: Source
    source: Source
    from_day: dt.date
    """Calendar day in Brussels."""
    reason: str | None
    created_at: dt.datetime


class SourceWrite(Shape):
    """Another source of an account, and from which day."""

    source: Source
    from_day: dt.date
    """First day whose statement comes from it: the day after the last one before."""
    reason: str | None = None
    """Why, for whoever looks at the account later."""


class StatementRead(Shape):
    """A numbered period; while it is held it has no number and no file, and says why."""

    id: str
    account_id: str
    client_id: str
    closing_date: dt.date
    """Calendar day in Brussels."""
    part: int
    """Above 1 only where a day has more than 9,999 entries."""
    state: str
    """`issued`; `held`; `left_out` where the chain was restarted behind it; `withdrawn` where it is in no package and
    was issued anew.
    """
    proof: str | None
    """`proven`, `proven_by_span`, `derived`; or `computed`: no balance of the bank has proven it yet."""
    restarted: bool
    """The first one after two people restarted the chain at a bank document."""
    restart_id: str | None
    year: int | None
    number: int | None
    opening_balance: MoneyShape
    closing_balance: MoneyShape
    entries_count: int
    credit_total: MoneyShape
    debit_total: MoneyShape
    late_count: int
    """Entries whose booking date lies before the closing date."""
    crosses_period: bool
    """One of them lies in an earlier month."""
    old_balance_date: dt.date | None
    issued_at: dt.datetime | None
    file_name: str | None
    sha256: str | None
    hold_code: str | None
    """Why it is held, such as `difference` or `awaiting_bank_balance`."""
    difference: MoneyShape | None
    """The bank's balance less ours."""
    bank_balance: MoneyShape | None
    bank_balance_basis: str | None
    likely_causes: list[str]
    span_from: dt.date | None
    span_until: dt.date | None
    import_refused_at: dt.datetime | None
    import_refusal: str | None
    """The message of the package that refused the file."""
    revision: int
    """1, 2 … for a file that was issued anew; its name ends in `_R1`, `_R2` …"""
    replaces_id: str | None
    """The withdrawn statement that this one replaces."""
    withdrawn_at: dt.datetime | None


class StatementUploadRead(Shape):
    """Statements that somebody uploaded for accounts that are read at their bank."""

    id: str
    client_id: str
    state: UploadState
    """`proposed`: nothing is taken in before it is confirmed; `refused`: no account's statements fit."""
    uploaded_by_kind: str
    """As in the audit chain: `user`, `machine`, `app` or `system`."""
    uploaded_by: str
    """Id of who sent it."""
    created_at: dt.datetime
    confirmed_at: dt.datetime | None
    files: list[UploadedFileRead]
    accounts: list[UploadPartRead]
    refused_files: list[UploadFaultRead]
    """Files that were not taken, each with its cause."""


class StructuredRemittance(Shape):
    """A reference with check digits: `BBA` Belgian (+++123/4567/89002+++), `ISO` RF."""

    kind: Literal["structured"]
    issuer: str
    reference: str


class SubmissionRead(Shape):
    """What a submission did, or would do."""

    basket: BasketRead
    left_basket_id: str | None
    """The new draft that holds the blocked payments."""
    evaluations: list[EvaluationRead]


class SubmissionWrite(Shape):
    """How to submit. Which rules apply is not for the caller to say."""

    accepted_findings: list[str] | None = None
    """Codes of warnings to let pass."""
    leave_blocked: bool | None = None
    """Move blocked payments to a new draft basket."""
    dry_run: bool | None = None


class SubtotalRead(Shape):
    """Count and total of one debtor account, date and state."""

    debtor_account_id: str
    execution_date: ExecutionDateShape
    asked_date: dt.date | None
    category_purpose: str | None
    state: PaymentState
    payment_count: int
    total: MoneyShape


class SyncRead(Shape):
    """One reading of an account."""

    id: str
    account_id: str
    state: str
    """`queued`, `running`, `stored` (days are being closed), `done` or `failed`."""
    reason: str
    is_attended: bool
    """Whether the bank was told that the account holder is present."""
    requested_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    window_from: dt.date | None
    window_until: dt.date | None
    counts: dict[str, int]
    error_code: str | None
    retry_after_seconds: int | None


class SyncWrite(Shape):
    """How far back to read."""

    is_full: bool | None = None
    """Read all history the bank gives, not only the newest days. It takes `full_reading_calls` of the account's calls;
    its call budget says beforehand how many are left.
    """


class TakeoverAccountRead(Shape):
    """One account of the list."""

    number: str
    """As the list has it, without blanks."""
    iban: str | None
    """Null when the number is none."""
    client: str
    """As the list has it; empty where it says nothing."""
    banks: list[str]
    """Banks here to which the number belongs."""
    kind: str
    """`current`, `savings`, `card`, `loan`, `investment` or `other`."""
    verdict: GatewayTakeoverJudgingVerdict
    """`continues`; `unsure`: look at the reasons before the mandate is cancelled; `cannot`."""
    is_read: bool
    """It is read here already."""
    reasons: list[TakeoverReasonRead]


class TakeoverListRead(Shape):
    """What holds of each account before its mandate elsewhere is cancelled; nothing of the list is kept."""

    accounts: list[TakeoverAccountRead]
    notice: str
    """That archiving an account there may not stop the bank's own fee for CODA."""
    refused_files: list[FileFaultRead]
    """Files that could not be used, each with its cause."""


class TakeoverReasonRead(Shape):
    """Why an account cannot continue, or is to be checked."""

    code: str
    detail: str
    """The same in the caller's language."""


class TemplateApplicationWrite(Shape):
    """Which clients are brought to the template, and in what."""

    client_ids: list[str]
    parts: list[Part]
    template_version: int
    """The version that the user saw and confirms."""
    dry_run: bool | None = None


class TemplateDelivery(Shape):
    """How files reach a new client's package; what is null is left open."""

    channel: str | None = None
    """Null: the default delivery of the office."""
    destination: str | None = None
    """Gets nothing until another administrator has confirmed it."""
    package: str | None = None


class TemplateRead(Shape):
    """The template as it is now."""

    services: list[Service]
    """The services that are on; the others are off."""
    portal: PortalFlags
    version: int
    """0: the defaults, nobody has changed any."""
    delivery: TemplateDelivery | None = None
    numbering: Numbering | None = None
    reminders: Reminders | None = None
    approval_rules: list[TemplateRuleShape] | None = None


class TemplateResultRead(Shape):
    """What became of one client."""

    client_id: str
    changed: list[Part]
    """Parts that differ from the template; of a dry run: would change."""
    proposal_id: str | None
    """Approval rules wait for a second person under this proposal."""
    destination_waiting: bool
    """The destination gets nothing until another administrator confirms."""
    code: str | None
    """Why it was refused."""
    detail: str | None


class TemplateResultsRead(Shape):
    """A result per client, in the order asked."""

    items: list[TemplateResultRead]


class TemplateRuleShape(Shape):
    """An approval rule by the name of its approver group, which each client fills with its own people."""

    name: str
    group: str
    count: int | None = None
    """So many different people of the group."""
    amount_from: MoneyShape | None = None
    """In EUR, inclusive; null: every payment."""


class TemplateShape(Shape):
    """What each new client begins with."""

    services: list[Service]
    """The services that are on; the others are off."""
    portal: PortalFlags
    delivery: TemplateDelivery | None = None
    numbering: Numbering | None = None
    reminders: Reminders | None = None
    approval_rules: list[TemplateRuleShape] | None = None


class TestEventWrite(Shape):
    """An event to be made in test mode."""

    type: str
    client_id: str | None = None


class TrafficRecordingEnd(Shape):
    """How a recording is ended."""

    erase: bool | None = None
    """Erase at once what was recorded, instead of after the retention."""


class TrafficRecordingRead(Shape):
    """A recording with its readings, oldest first; none once they are erased."""

    id: str
    client_id: str
    consent_id: str
    bank_id: str
    reason: str
    started_at: dt.datetime
    expires_at: dt.datetime
    calls_max: int
    megabytes_max: int
    calls: int
    """Answers recorded so far."""
    body_bytes: int
    """Size of their bodies."""
    ended_at: dt.datetime | None
    end_code: str | None
    readings: list[RecordedReadingRow]


class TrafficRecordingRow(Shape):
    """A recording; what it holds stands in its readings."""

    id: str
    client_id: str
    consent_id: str
    bank_id: str
    reason: str
    started_at: dt.datetime
    expires_at: dt.datetime
    calls_max: int
    megabytes_max: int
    calls: int
    """Answers recorded so far."""
    body_bytes: int
    """Size of their bodies."""
    ended_at: dt.datetime | None
    end_code: str | None


class TrafficRecordingWrite(Shape):
    """Why, and within which limits; the first one reached ends the recording."""

    reason: str
    """For the audit; no names of persons."""
    days: int | None = None
    calls_max: int | None = None
    megabytes_max: int | None = None


class TrafficReplayRead(Shape):
    """The newest recorded reading of each account, played back; nothing was changed and no bank called."""

    recording_id: str
    readings: list[ReplayedReadingRead]


class TransactionChangesRead(Shape):
    """What changed since the cursor. Ask again with `next_cursor`: at once while `has_more`, later otherwise."""

    added: list[TransactionRead]
    modified: list[TransactionRead]
    """Changed or vanished at the bank; booked ones are never removed. One that you do not have yet changed before you
    read it: store it like an added one.
    """
    removed: list[RemovedRead]
    """Pending ones that are no longer announced."""
    next_cursor: str
    """Keep it: it is where the next call goes on."""
    has_more: bool


class TransactionRead(Shape):
    """A transaction in one form for every bank. An absent field is null and listed in `missing_fields`."""

    id: str
    account_id: str
    state: str
    """`booked`, `pending` or `vanished` at the bank."""
    booking_date: dt.date | None
    value_date: dt.date | None
    is_value_date_assumed: bool
    amount: MoneyShape
    """Above zero: a credit to the account holder."""
    original_amount: MoneyShape | None
    exchange_rate: str | None
    fee: MoneyShape | None
    counterparty_name: str | None
    counterparty_iban: str | None
    counterparty_bban: str | None
    counterparty_bic: str | None
    counterparty_source: str | None
    """`field`, or `text` when read from the bank's wording."""
    remittance_information: str | None
    additional_information: str | None
    structured_reference_kind: str | None
    """`belgian` or `rf`; check digits verified."""
    structured_reference: str | None
    end_to_end_id: str | None
    mandate_id: str | None
    creditor_id: str | None
    purpose_code: str | None
    iso_code: str | None
    proprietary_code: str | None
    batch_count: int | None
    bank_transaction_id: str | None
    coda_code: str
    coda_code_basis: str
    """Which step decided the CODA code."""
    missing_fields: list[str]
    warnings: list[str]
    labels: list[str]
    """The office's own words, in alphabetical order."""
    created_at: dt.datetime
    vanished_at: dt.datetime | None
    upload_id: str | None
    """The upload of statements that brought it, which says by whom; null for one that the bank gave."""


class UnstructuredRemittance(Shape):
    """Free text, at most 140 characters after conversion."""

    kind: Literal["unstructured"]
    text: str


class UploadFaultRead(Shape):
    """Why a file or the statements of an account are refused, with both values."""

    code: str
    file: str
    """Name of the file; empty where it is about an account."""
    found: str
    """What the files say; account numbers by their last four digits."""
    expected: str
    """What is known, or what would do."""
    day: dt.date | None
    """The day it is about, where it is about one."""
    detail: str
    """The same in the caller's language."""


class UploadPartRead(Shape):
    """What the statements of one account come to. With `faults` nothing of it is taken in."""

    account_id: str
    first_day: dt.date
    """Calendar day in Brussels."""
    last_day: dt.date
    """Calendar day in Brussels."""
    opening_balance: MoneyShape
    """At the end of the day before `first_day`."""
    closing_balance: MoneyShape
    statements_count: int
    added_count: int
    """Entries to add; those added, once it is confirmed."""
    late_count: int
    """Of these, booked before the period of their statement."""
    known_count: int
    """Entries that are there already; none is doubled."""
    faults: list[UploadFaultRead]


class UploadedFileRead(Shape):
    """A file as it was sent; kept encrypted."""

    name: str | None
    format: str
    """`coda`, `camt053` or `mt940`."""
    size: int
    """Bytes."""
    sha256: str


class UserRead(Shape):
    """A person of the office or of one of its clients, with the roles that the caller may see."""

    id: str
    first_name: str
    last_name: str
    email: str
    language: str
    has_second_factor: bool
    roles: list[HeldRoleRead]


class WebhookAttemptRead(Shape):
    """One POST."""

    started_at: dt.datetime
    milliseconds: int
    status: int | None
    fault: str | None
    """Why no answer came."""
    answer: str
    """The first 1,000 characters, without control characters."""


class WebhookDeliveryDetail(Shape):
    """With what was tried."""

    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    state: DeliveryState
    attempts: int
    due_at: dt.datetime
    created_at: dt.datetime
    finished_at: dt.datetime | None
    last_status: int | None
    last_fault: str | None
    log: list[WebhookAttemptRead]


class WebhookDeliveryRead(Shape):
    """One event on its way to one endpoint; `webhook-id` is the event's id."""

    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    state: DeliveryState
    attempts: int
    due_at: dt.datetime
    created_at: dt.datetime
    finished_at: dt.datetime | None
    last_status: int | None
    last_fault: str | None


class WebhookEndpointChange(Shape):
    """What is to be changed; what is left out stays."""

    url: str | None = None
    description: str | None = None
    event_types: list[str] | None = None
    client_ids: list[str] | None = None
    is_enabled: bool | None = None


class WebhookEndpointMade(Shape):
    """With the secret, which is never shown again."""

    id: str
    url: str
    description: str
    event_types: list[str]
    client_ids: list[str]
    mode: str
    """`live` or `test`: messages of that mode only."""
    state: EndpointState
    disabled_reason: str | None
    """`gone` after a 410, `office` when switched off."""
    old_secret_until: dt.datetime | None
    created_at: dt.datetime
    version: int
    secret: str


class WebhookEndpointRead(Shape):
    """An endpoint."""

    id: str
    url: str
    description: str
    event_types: list[str]
    client_ids: list[str]
    mode: str
    """`live` or `test`: messages of that mode only."""
    state: EndpointState
    disabled_reason: str | None
    """`gone` after a 410, `office` when switched off."""
    old_secret_until: dt.datetime | None
    created_at: dt.datetime
    version: int


class WebhookEndpointWrite(Shape):
    """A new endpoint."""

    url: str
    description: str | None = None
    event_types: list[str] | None = None
    """Types, or subjects such as `payment`; empty: every event."""
    client_ids: list[str] | None = None
    """Empty: every client."""


class WebhookReplayRead(Shape):
    """How many messages are sent again."""

    count: int


class WebhookReplayWrite(Shape):
    """A stretch of time in real time, its end not included; without an end: until now."""

    since: dt.datetime
    until: dt.datetime | None = None


class WebhookTestMade(Shape):
    """The test message under way."""

    event_id: str


class WithdrawalWrite(Shape):
    """That this file and all later ones of the account are in no package."""

    next_number: int | None = None
    """Corrected number of this file; the later ones of its year follow. Null: as they are."""
