"""One method for each operation of the REST API. Written by generate.py from openapi/gateway.yaml; do not edit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from sluis_client import models
from sluis_client.transport import Transport


class Operations(Transport):
    """The operations, by their operationId. Each raises `Problem` for what the service refuses."""

    def create_source_switch(
        self, account_id: str, body: models.SourceWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.SourceRead:
        """Declare another source from a day on, so that no day has two and none is without one. To bank-made files it
        is the day after our last statement; back to reading, the day after the last bank-made one, at whose balance
        and after whose number ours go on. A known account can be given bank-made files without a consent.
        """
        return self._model(
            models.SourceRead,
            self._call(
                "POST",
                f"/v1/accounts/{self._segment(account_id)}/source-switches",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def list_source_switches(
        self, account_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageSourceSwitchRead:
        """The switches of an account's source so far, the newest first, each with its reason."""
        return self._model(
            models.PageSourceSwitchRead,
            self._call(
                "GET",
                f"/v1/accounts/{self._segment(account_id)}/source-switches",
                query={"limit": limit, "cursor": cursor},
            ),
        )

    def iter_source_switches(self, account_id: str, *, page_size: int = 200) -> Iterator[models.SourceSwitchRead]:
        """Every row of `list_source_switches`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_source_switches(account_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_shadow_comparison(
        self, account_id: str, *, from_: dt.date | None = None, to: dt.date | None = None
    ) -> models.ShadowRead:
        """Our statements as they would be, beside the bank's own files, day by day; nothing is issued."""
        return self._model(
            models.ShadowRead,
            self._call(
                "GET", f"/v1/accounts/{self._segment(account_id)}/shadow-comparison", query={"from": from_, "to": to}
            ),
        )

    def list_bank_files(
        self,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageBankFileRead:
        """Bank-made files, the newest first; never among the statements that are made here."""
        return self._model(
            models.PageBankFileRead,
            self._call(
                "GET",
                "/v1/bank-files",
                query={
                    "account_id": account_id,
                    "client_id": client_id,
                    "state": state,
                    "limit": limit,
                    "cursor": cursor,
                },
            ),
        )

    def iter_bank_files(
        self,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        state: str | None = None,
        page_size: int = 200,
    ) -> Iterator[models.BankFileRead]:
        """Every row of `list_bank_files`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_bank_files(
                account_id=account_id, client_id=client_id, state=state, limit=page_size, cursor=cursor
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_bank_file(self, bank_file_id: str) -> models.BankFileRead:
        """One bank-made file."""
        return self._model(models.BankFileRead, self._call("GET", f"/v1/bank-files/{self._segment(bank_file_id)}"))

    def get_bank_file_content(self, bank_file_id: str) -> bytes:
        """The file that is passed on; 409 `second_source` while it is held, and when it was set aside."""
        return self._call("GET", f"/v1/bank-files/{self._segment(bank_file_id)}/content").content

    def create_bank_file_set_aside(
        self, bank_file_id: str, *, idempotency_key: str | None = None
    ) -> models.BankFileRead:
        """Choose the other source for the days of a held file: it is kept, and not passed on."""
        return self._model(
            models.BankFileRead,
            self._call(
                "POST", f"/v1/bank-files/{self._segment(bank_file_id)}/set-asides", idempotency_key=idempotency_key
            ),
        )

    def list_accounts(
        self,
        *,
        client_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> models.PageAccountRead:
        """Connected accounts."""
        return self._model(
            models.PageAccountRead,
            self._call(
                "GET",
                "/v1/accounts",
                query={"client_id": client_id, "limit": limit, "cursor": cursor, "metadata": metadata},
            ),
        )

    def iter_accounts(
        self, *, client_id: str | None = None, metadata: Mapping[str, str] | None = None, page_size: int = 200
    ) -> Iterator[models.AccountRead]:
        """Every row of `list_accounts`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_accounts(client_id=client_id, metadata=metadata, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_account(self, account_id: str) -> models.AccountRead:
        """One account."""
        return self._model(models.AccountRead, self._call("GET", f"/v1/accounts/{self._segment(account_id)}"))

    def patch_account(self, account_id: str, body: models.AccountWrite | Mapping[str, Any]) -> models.AccountRead:
        """Set what the office decides of an account; fields left out stay as they are."""
        return self._model(
            models.AccountRead, self._call("PATCH", f"/v1/accounts/{self._segment(account_id)}", body=body)
        )

    def list_balances(
        self, account_id: str, *, from_: dt.date | None = None, to: dt.date | None = None
    ) -> models.BalancesRead:
        """The balances of the newest reading, and one closing balance per day; a day without proof is a gap."""
        return self._model(
            models.BalancesRead,
            self._call("GET", f"/v1/accounts/{self._segment(account_id)}/balances", query={"from": from_, "to": to}),
        )

    def list_days(self, account_id: str, *, from_: dt.date | None = None, to: dt.date | None = None) -> models.DaysRead:
        """What became of each day: statement, nothing, held, not read, before the start; no day is left out."""
        return self._model(
            models.DaysRead,
            self._call("GET", f"/v1/accounts/{self._segment(account_id)}/days", query={"from": from_, "to": to}),
        )

    def get_call_budget(self, account_id: str) -> models.CallBudgetRead:
        """How often the bank may still be called without the account holder, and what used the calls."""
        return self._model(
            models.CallBudgetRead, self._call("GET", f"/v1/accounts/{self._segment(account_id)}/call-budget")
        )

    def create_sync(
        self, account_id: str, body: Any | Mapping[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> models.SyncRead:
        """Read the account at the bank soon, its newest days or all history; the reading under way when there is one.
        Without room in the call budget it answers 429 with the moment from which on there is, and the bank is not
        called.
        """
        return self._model(
            models.SyncRead,
            self._call(
                "POST", f"/v1/accounts/{self._segment(account_id)}/syncs", body=body, idempotency_key=idempotency_key
            ),
        )

    def get_sync(self, sync_id: str) -> models.SyncRead:
        """How far a reading is, and what it brought."""
        return self._model(models.SyncRead, self._call("GET", f"/v1/syncs/{self._segment(sync_id)}"))

    def get_client_addresses(self, client_id: str) -> models.AddressesRead:
        """Contact and destination of a client, each with the moment from which it may get anything."""
        return self._model(models.AddressesRead, self._call("GET", f"/v1/clients/{self._segment(client_id)}/addresses"))

    def patch_client_addresses(
        self, client_id: str, body: models.AddressesWrite | Mapping[str, Any]
    ) -> models.AddressesRead:
        """Set contact or destination; a new address gets nothing until another admin of the office confirms it. In an
        office with one admin it waits 48 hours instead. A person needs a fresh second factor.
        """
        return self._model(
            models.AddressesRead, self._call("PATCH", f"/v1/clients/{self._segment(client_id)}/addresses", body=body)
        )

    def list_address_changes(
        self,
        *,
        state: str | None = None,
        client_id: str | None = None,
        import_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageAddressChangeRead:
        """New and changed addresses, the newest first."""
        return self._model(
            models.PageAddressChangeRead,
            self._call(
                "GET",
                "/v1/address-changes",
                query={
                    "state": state,
                    "client_id": client_id,
                    "import_id": import_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            ),
        )

    def iter_address_changes(
        self,
        *,
        state: str | None = None,
        client_id: str | None = None,
        import_id: str | None = None,
        page_size: int = 200,
    ) -> Iterator[models.AddressChangeRead]:
        """Every row of `list_address_changes`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_address_changes(
                state=state, client_id=client_id, import_id=import_id, limit=page_size, cursor=cursor
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def create_address_decision(
        self, body: models.AddressDecisionWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.AddressDecisionRead:
        """Confirm or refuse changed addresses, one by one or those of a whole import; all of them or none. For an
        admin of the office with a fresh second factor who did not set, import or have them set by an own key.
        """
        return self._model(
            models.AddressDecisionRead,
            self._call("POST", "/v1/address-decisions", body=body, idempotency_key=idempotency_key),
        )

    def list_approval_rules(
        self, client_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageRuleRead:
        """The client's rules as they are now."""
        return self._model(
            models.PageRuleRead,
            self._call(
                "GET",
                f"/v1/clients/{self._segment(client_id)}/approval-rules",
                query={"limit": limit, "cursor": cursor},
            ),
        )

    def iter_approval_rules(self, client_id: str, *, page_size: int = 200) -> Iterator[models.RuleRead]:
        """Every row of `list_approval_rules`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_approval_rules(client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def create_approval_rule(
        self, client_id: str, body: models.RuleWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.RuleRead | models.ProposalRead:
        """A new rule, for payments submitted from now on; administrators with a fresh second factor only. A second
        administrator confirms it (202 with the proposal). Where there is one only, it takes effect after 48 hours
        (`effective_at`), or at once before the client's first submission (201).
        """
        answer = self._call(
            "POST", f"/v1/clients/{self._segment(client_id)}/approval-rules", body=body, idempotency_key=idempotency_key
        )
        return (
            self._model(models.RuleRead, answer)
            if answer.status_code == 201
            else self._model(models.ProposalRead, answer)
        )

    def get_approval_rule(self, rule_id: str) -> models.RuleRead:
        """One rule as it is now."""
        return self._model(models.RuleRead, self._call("GET", f"/v1/approval-rules/{self._segment(rule_id)}"))

    def put_approval_rule(
        self, rule_id: str, body: models.RuleWrite | Mapping[str, Any], *, if_match: str | None = None
    ) -> models.RuleRead | models.ProposalRead:
        """A new version of the rule; payments submitted before keep the old one. A second administrator confirms it
        (202 with the proposal), as for a new rule. A proposal made on a version that is not the present one any
        more is refused when it is confirmed (`proposal_overtaken`).
        """
        answer = self._call(
            "PUT", f"/v1/approval-rules/{self._segment(rule_id)}", body=body, headers={"If-Match": if_match}
        )
        return (
            self._model(models.RuleRead, answer)
            if answer.status_code == 200
            else self._model(models.ProposalRead, answer)
        )

    def list_approver_groups(
        self, client_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageGroupRead:
        """The client's groups with their members."""
        return self._model(
            models.PageGroupRead,
            self._call(
                "GET",
                f"/v1/clients/{self._segment(client_id)}/approver-groups",
                query={"limit": limit, "cursor": cursor},
            ),
        )

    def iter_approver_groups(self, client_id: str, *, page_size: int = 200) -> Iterator[models.GroupRead]:
        """Every row of `list_approver_groups`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_approver_groups(client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def create_approver_group(
        self, client_id: str, body: models.GroupWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.GroupRead:
        """A new group, which no rule names yet; a person with a fresh second factor only."""
        return self._model(
            models.GroupRead,
            self._call(
                "POST",
                f"/v1/clients/{self._segment(client_id)}/approver-groups",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def get_approver_group(self, group_id: str) -> models.GroupRead:
        """One group."""
        return self._model(models.GroupRead, self._call("GET", f"/v1/approver-groups/{self._segment(group_id)}"))

    def put_approver_group(
        self, group_id: str, body: models.GroupWrite | Mapping[str, Any], *, if_match: str | None = None
    ) -> models.GroupRead | models.ProposalRead:
        """Rename a group and set its members, for waiting payments too. At once while no rule names the group; else a
        second administrator confirms it (202 with the proposal).
        """
        answer = self._call(
            "PUT", f"/v1/approver-groups/{self._segment(group_id)}", body=body, headers={"If-Match": if_match}
        )
        return (
            self._model(models.GroupRead, answer)
            if answer.status_code == 200
            else self._model(models.ProposalRead, answer)
        )

    def get_approval_settings(self, client_id: str) -> models.ApprovalSettingsRead:
        """Whether the client's payments need approval."""
        return self._model(
            models.ApprovalSettingsRead, self._call("GET", f"/v1/clients/{self._segment(client_id)}/approval-settings")
        )

    def put_approval_settings(
        self, client_id: str, body: models.ApprovalSettingsWrite | Mapping[str, Any], *, if_match: str | None = None
    ) -> models.ApprovalSettingsRead | models.ProposalRead:
        """Switch the approval process on or off, and let who prepared a payment approve it or not. A second
        administrator confirms it (202 with the proposal), as for a rule.
        """
        answer = self._call(
            "PUT",
            f"/v1/clients/{self._segment(client_id)}/approval-settings",
            body=body,
            headers={"If-Match": if_match},
        )
        return (
            self._model(models.ApprovalSettingsRead, answer)
            if answer.status_code == 200
            else self._model(models.ProposalRead, answer)
        )

    def list_approval_requests(
        self,
        *,
        view: str | None = None,
        client_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageDossierRead:
        """Payments with what is asked about them and of whom."""
        return self._model(
            models.PageDossierRead,
            self._call(
                "GET",
                "/v1/approval-requests",
                query={"view": view, "client_id": client_id, "limit": limit, "cursor": cursor},
            ),
        )

    def iter_approval_requests(
        self, *, view: str | None = None, client_id: str | None = None, page_size: int = 200
    ) -> Iterator[models.DossierRead]:
        """Every row of `list_approval_requests`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_approval_requests(view=view, client_id=client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_payment_approval(self, payment_id: str) -> models.DossierRead:
        """One payment with its rules, decisions and preparers; the ETag is the seal to decide on."""
        return self._model(models.DossierRead, self._call("GET", f"/v1/payments/{self._segment(payment_id)}/approval"))

    def create_decision(
        self,
        payment_id: str,
        body: models.DecisionWrite | Mapping[str, Any],
        *,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.DecisionResultRead:
        """Approve or reject exactly the content whose seal is in If-Match; a person with a fresh second factor only."""
        return self._model(
            models.DecisionResultRead,
            self._call(
                "POST",
                f"/v1/payments/{self._segment(payment_id)}/decisions",
                body=body,
                headers={"If-Match": if_match},
                idempotency_key=idempotency_key,
            ),
        )

    def create_decisions(
        self, body: models.DecisionsWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.DecisionResultsRead:
        """Up to 500 decisions, each with the seal that was seen and a result of its own."""
        return self._model(
            models.DecisionResultsRead, self._call("POST", "/v1/decisions", body=body, idempotency_key=idempotency_key)
        )

    def list_audit_entries(
        self,
        *,
        client_id: str | None = None,
        object_id: str | None = None,
        actor_id: str | None = None,
        action: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageAuditEntryRead:
        """Entries in order of position. Values are not shown; `changed_fields` names what changed."""
        return self._model(
            models.PageAuditEntryRead,
            self._call(
                "GET",
                "/v1/audit-entries",
                query={
                    "client_id": client_id,
                    "object_id": object_id,
                    "actor_id": actor_id,
                    "action": action,
                    "since": since,
                    "until": until,
                    "limit": limit,
                    "cursor": cursor,
                },
            ),
        )

    def iter_audit_entries(
        self,
        *,
        client_id: str | None = None,
        object_id: str | None = None,
        actor_id: str | None = None,
        action: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        page_size: int = 200,
    ) -> Iterator[models.AuditEntryRead]:
        """Every row of `list_audit_entries`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_audit_entries(
                client_id=client_id,
                object_id=object_id,
                actor_id=actor_id,
                action=action,
                since=since,
                until=until,
                limit=page_size,
                cursor=cursor,
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_audit_chain(self) -> models.AuditChainRead:
        """Prove what was added since the last signed head, at most 5,000 entries, and name the first broken or missing
        one. What lies before was proved when that head was signed. A job proves the whole chain every night; a
        fault it found is told here until it finds none.
        """
        return self._model(models.AuditChainRead, self._call("GET", "/v1/audit-chain"))

    def list_audit_checkpoints(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageAuditCheckpointRead:
        """Signed heads of the chain, the newest first: one for each day with entries, and one per thousand entries."""
        return self._model(
            models.PageAuditCheckpointRead,
            self._call("GET", "/v1/audit-checkpoints", query={"limit": limit, "cursor": cursor}),
        )

    def iter_audit_checkpoints(self, *, page_size: int = 200) -> Iterator[models.AuditCheckpointRead]:
        """Every row of `list_audit_checkpoints`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_audit_checkpoints(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def list_rights(
        self,
        *,
        as_of: dt.datetime | None = None,
        client_id: str | None = None,
        user_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageRightRead:
        """Who held which role at a moment, now or then."""
        return self._model(
            models.PageRightRead,
            self._call(
                "GET",
                "/v1/rights",
                query={"as_of": as_of, "client_id": client_id, "user_id": user_id, "limit": limit, "cursor": cursor},
            ),
        )

    def iter_rights(
        self,
        *,
        as_of: dt.datetime | None = None,
        client_id: str | None = None,
        user_id: str | None = None,
        page_size: int = 200,
    ) -> Iterator[models.RightRead]:
        """Every row of `list_rights`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_rights(as_of=as_of, client_id=client_id, user_id=user_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def list_approval_rule_versions(
        self,
        *,
        as_of: dt.datetime | None = None,
        client_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageRuleVersionRead:
        """Every version of the approval rules; with `as_of` those in force at that moment."""
        return self._model(
            models.PageRuleVersionRead,
            self._call(
                "GET",
                "/v1/approval-rule-versions",
                query={"as_of": as_of, "client_id": client_id, "limit": limit, "cursor": cursor},
            ),
        )

    def iter_approval_rule_versions(
        self, *, as_of: dt.datetime | None = None, client_id: str | None = None, page_size: int = 200
    ) -> Iterator[models.RuleVersionRead]:
        """Every row of `list_approval_rule_versions`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_approval_rule_versions(as_of=as_of, client_id=client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_object_state(self, *, object_id: str, as_of: dt.datetime | None = None) -> models.ObjectStateRead:
        """Any object as its audit entries tell it at a moment: each field with its last change until then."""
        return self._model(
            models.ObjectStateRead,
            self._call("GET", "/v1/object-states", query={"object_id": object_id, "as_of": as_of}),
        )

    def list_audit_bundles(self, *, limit: int | None = None, cursor: str | None = None) -> models.PageAuditBundleRead:
        """Bundles of clients the caller may see, the newest first."""
        return self._model(
            models.PageAuditBundleRead, self._call("GET", "/v1/audit-bundles", query={"limit": limit, "cursor": cursor})
        )

    def iter_audit_bundles(self, *, page_size: int = 200) -> Iterator[models.AuditBundleRead]:
        """Every row of `list_audit_bundles`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_audit_bundles(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def create_audit_bundle(
        self, body: models.AuditBundleWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.AuditBundleRead:
        """Ask for a bundle: a ZIP with everything about the clients and days, signed once every HMAC was checked."""
        return self._model(
            models.AuditBundleRead, self._call("POST", "/v1/audit-bundles", body=body, idempotency_key=idempotency_key)
        )

    def get_audit_bundle(self, bundle_id: str) -> models.AuditBundleRead:
        """One bundle and how far it is."""
        return self._model(models.AuditBundleRead, self._call("GET", f"/v1/audit-bundles/{self._segment(bundle_id)}"))

    def get_audit_bundle_content(self, bundle_id: str, *, if_none_match: str | None = None) -> bytes:
        """The file of a bundle, with its checksum in `Repr-Digest` (RFC 9530) and `X-Content-SHA256`."""
        return self._call(
            "GET", f"/v1/audit-bundles/{self._segment(bundle_id)}/content", headers={"If-None-Match": if_none_match}
        ).content

    def list_banks(self, *, iban: str | None = None, if_none_match: str | None = None) -> models.PageBankRead:
        """Banks by name, those without access marked as not configured; all on one page."""
        return self._model(
            models.PageBankRead,
            self._call("GET", "/v1/banks", query={"iban": iban}, headers={"If-None-Match": if_none_match}),
        )

    def create_bank_request(
        self, body: models.BankRequestWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.BankRequestRead:
        """Ask for a bank that is not on the list; the operator sees how many offices want it."""
        return self._model(
            models.BankRequestRead, self._call("POST", "/v1/bank-requests", body=body, idempotency_key=idempotency_key)
        )

    def list_bank_requests(self, *, limit: int | None = None, cursor: str | None = None) -> models.PageBankRequestRead:
        """Banks the office asked for, the newest first."""
        return self._model(
            models.PageBankRequestRead, self._call("GET", "/v1/bank-requests", query={"limit": limit, "cursor": cursor})
        )

    def iter_bank_requests(self, *, page_size: int = 200) -> Iterator[models.BankRequestRead]:
        """Every row of `list_bank_requests`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_bank_requests(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def create_client_group(
        self, body: models.ClientGroupWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.ClientGroupRead:
        """Make a group: the people in it see the clients in it. For admins of the office."""
        return self._model(
            models.ClientGroupRead, self._call("POST", "/v1/client-groups", body=body, idempotency_key=idempotency_key)
        )

    def list_client_groups(self, *, limit: int | None = None, cursor: str | None = None) -> models.PageClientGroupRow:
        """Groups by name; "Everyone" holds all clients and exists from the start."""
        return self._model(
            models.PageClientGroupRow, self._call("GET", "/v1/client-groups", query={"limit": limit, "cursor": cursor})
        )

    def iter_client_groups(self, *, page_size: int = 200) -> Iterator[models.ClientGroupRow]:
        """Every row of `list_client_groups`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_client_groups(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_client_group(self, client_group_id: str) -> models.ClientGroupRead:
        """One group with its clients and people."""
        return self._model(
            models.ClientGroupRead, self._call("GET", f"/v1/client-groups/{self._segment(client_group_id)}")
        )

    def put_client_group(
        self, client_group_id: str, body: models.ClientGroupWrite | Mapping[str, Any]
    ) -> models.ClientGroupRead:
        """Set name, clients and people of a group; what people see follows at once."""
        return self._model(
            models.ClientGroupRead, self._call("PUT", f"/v1/client-groups/{self._segment(client_group_id)}", body=body)
        )

    def delete_client_group(self, client_group_id: str) -> None:
        """Take a group away; its people no longer see its clients through it."""
        self._call("DELETE", f"/v1/client-groups/{self._segment(client_group_id)}")

    def create_consent(
        self, body: models.ConsentWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.ConsentCreated:
        """Ask for an account holder's permission; the answer carries the `authorisation_url` to send that person to.
        With `replaces` it renews another consent: that one works on until this one is valid and reads its accounts.
        409 `renewal_too_early` while its end is far away.
        """
        return self._model(
            models.ConsentCreated, self._call("POST", "/v1/consents", body=body, idempotency_key=idempotency_key)
        )

    def list_consents(
        self,
        *,
        client_id: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> models.PageConsentRead:
        """Consents, the newest first."""
        return self._model(
            models.PageConsentRead,
            self._call(
                "GET",
                "/v1/consents",
                query={"client_id": client_id, "state": state, "limit": limit, "cursor": cursor, "metadata": metadata},
            ),
        )

    def iter_consents(
        self,
        *,
        client_id: str | None = None,
        state: str | None = None,
        metadata: Mapping[str, str] | None = None,
        page_size: int = 200,
    ) -> Iterator[models.ConsentRead]:
        """Every row of `list_consents`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_consents(
                client_id=client_id, state=state, metadata=metadata, limit=page_size, cursor=cursor
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_consent(self, consent_id: str) -> models.ConsentRead:
        """One consent."""
        return self._model(models.ConsentRead, self._call("GET", f"/v1/consents/{self._segment(consent_id)}"))

    def create_consent_invitation(
        self,
        consent_id: str,
        body: models.GatewayConsentsSchemasInvitationWrite | Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> models.InvitationCodeRead:
        """Have the address of a consent open with a code of six digits only, handed over apart from it. A code made
        before opens nothing any more; five wrong codes in all end the invitation. 409 `authorisation_not_open` once
        the accounts are chosen or the consent is over, `contact_missing` when there is nobody to mail to. The
        answer shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.InvitationCodeRead,
            self._call(
                "POST",
                f"/v1/consents/{self._segment(consent_id)}/invitations",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def create_consent_revocation(self, consent_id: str, *, idempotency_key: str | None = None) -> models.ConsentRead:
        """End a consent here at once, and at the bank; tokens are destroyed, data stays for its retention."""
        return self._model(
            models.ConsentRead,
            self._call(
                "POST", f"/v1/consents/{self._segment(consent_id)}/revocations", idempotency_key=idempotency_key
            ),
        )

    def create_renewal_link(self, client_id: str, *, idempotency_key: str | None = None) -> models.RenewalLinkRead:
        """One address at which the account holder renews every permission of a client, bank after bank. Also those
        that are not due yet, so that they end together; each can be stopped there as well. 409 `nothing_to_renew`
        when the client has none.
        """
        return self._model(
            models.RenewalLinkRead,
            self._call(
                "POST", f"/v1/clients/{self._segment(client_id)}/renewal-links", idempotency_key=idempotency_key
            ),
        )

    def create_account_reauthorisation(
        self, account_id: str, *, idempotency_key: str | None = None
    ) -> models.ReauthorisationCreated:
        """Have one account authorised anew, where each has an end of its own (Ponto); the others stay as they are. 409
        `reauthorisation_not_offered` where a permission covers its accounts together.
        """
        return self._model(
            models.ReauthorisationCreated,
            self._call(
                "POST", f"/v1/accounts/{self._segment(account_id)}/reauthorisations", idempotency_key=idempotency_key
            ),
        )

    def list_consent_evidence(
        self, consent_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageConsentEvidenceRead:
        """The documents of a consent, the newest first: one each time accounts were connected under it."""
        return self._model(
            models.PageConsentEvidenceRead,
            self._call(
                "GET", f"/v1/consents/{self._segment(consent_id)}/evidence", query={"limit": limit, "cursor": cursor}
            ),
        )

    def iter_consent_evidence(self, consent_id: str, *, page_size: int = 200) -> Iterator[models.ConsentEvidenceRead]:
        """Every row of `list_consent_evidence`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_consent_evidence(consent_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_consent_evidence_content(self, consent_id: str, evidence_id: str) -> bytes:
        """A document of a consent, with its checksum in `Repr-Digest` (RFC 9530) and `X-Content-SHA256`."""
        return self._call(
            "GET", f"/v1/consents/{self._segment(consent_id)}/evidence/{self._segment(evidence_id)}/content"
        ).content

    def create_erasure(
        self, body: models.ErasureWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.ErasureRead:
        """Propose to erase a person without roles, as far as the law lets go; another admin confirms the proposal.
        With `dry_run` it is only told what would be erased and what stays.
        """
        return self._model(
            models.ErasureRead, self._call("POST", "/v1/erasures", body=body, idempotency_key=idempotency_key)
        )

    def list_events(
        self,
        *,
        after: str | None = None,
        type: str | None = None,
        client_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageEventRead:
        """What happened, in the order in which it was committed; kept for 90 days. Follow the log by passing the id of
        the last event you have seen as `after`: nothing is skipped and nothing comes twice. An id older than 90
        days answers 410 `cursor_expired`.
        """
        return self._model(
            models.PageEventRead,
            self._call(
                "GET",
                "/v1/events",
                query={"after": after, "type": type, "client_id": client_id, "limit": limit, "cursor": cursor},
            ),
        )

    def iter_events(
        self, *, after: str | None = None, type: str | None = None, client_id: str | None = None, page_size: int = 200
    ) -> Iterator[models.EventRead]:
        """Every row of `list_events`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_events(after=after, type=type, client_id=client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def create_test_event(
        self, body: models.TestEventWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.EventRead:
        """Make an event in an office in test mode, about an object that does not exist; webhooks are sent for it. A
        live office has no such thing (404).
        """
        return self._model(
            models.EventRead, self._call("POST", "/v1/test-events", body=body, idempotency_key=idempotency_key)
        )

    def list_numbering_handovers(
        self, *, client_id: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> models.PageHandoverRead:
        """Hand-overs, the newest first; those that a later one replaced too."""
        return self._model(
            models.PageHandoverRead,
            self._call(
                "GET", "/v1/numbering-handovers", query={"client_id": client_id, "limit": limit, "cursor": cursor}
            ),
        )

    def iter_numbering_handovers(
        self, *, client_id: str | None = None, page_size: int = 200
    ) -> Iterator[models.HandoverRead]:
        """Every row of `list_numbering_handovers`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_numbering_handovers(client_id=client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def create_numbering_handover(
        self, body: models.HandoverWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.HandoverRead:
        """Type number, day and balance of the last file instead; to be confirmed like one made from files."""
        return self._model(
            models.HandoverRead,
            self._call("POST", "/v1/numbering-handovers", body=body, idempotency_key=idempotency_key),
        )

    def get_numbering_handover(self, handover_id: str) -> models.HandoverRead:
        """One hand-over."""
        return self._model(
            models.HandoverRead, self._call("GET", f"/v1/numbering-handovers/{self._segment(handover_id)}")
        )

    def confirm_numbering_handover(
        self, handover_id: str, *, idempotency_key: str | None = None
    ) -> models.HandoverRead:
        """Let statements go on from there: first day, opening balance and number are settled. Refused once a statement
        of this account is issued here (`statements_started`), and where the bank has said something else meanwhile
        (`numbering_refused`).
        """
        return self._model(
            models.HandoverRead,
            self._call(
                "POST",
                f"/v1/numbering-handovers/{self._segment(handover_id)}/confirmations",
                idempotency_key=idempotency_key,
            ),
        )

    def create_session(
        self, body: models.SessionWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.SessionRead:
        """Sign in with e-mail address and password; with a code from the authenticator the session can act at once.
        Without a code the session can do nothing but give the second factor, or set one up when there is none yet.
        The answer shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.SessionRead, self._call("POST", "/v1/sessions", body=body, idempotency_key=idempotency_key)
        )

    def list_sessions(self, *, limit: int | None = None, cursor: str | None = None) -> models.PageSessionListed:
        """The person's own sessions that are alive, newest first."""
        return self._model(
            models.PageSessionListed, self._call("GET", "/v1/sessions", query={"limit": limit, "cursor": cursor})
        )

    def iter_sessions(self, *, page_size: int = 200) -> Iterator[models.SessionListed]:
        """Every row of `list_sessions`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_sessions(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def end_session(self) -> None:
        """Sign out the session of the token."""
        self._call("DELETE", "/v1/sessions/current")

    def end_other_sessions(self) -> models.OtherSessionsEnded:
        """Sign out everywhere else."""
        return self._model(models.OtherSessionsEnded, self._call("DELETE", "/v1/sessions/others"))

    def end_one_session(self, session_id: str) -> None:
        """End one of the person's own sessions at once."""
        self._call("DELETE", f"/v1/sessions/{self._segment(session_id)}")

    def confirm_second_factor(
        self, body: models.SecondFactorWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.SessionRead:
        """Confirm with a code; decisions are possible for five minutes. Use the answer's token from then on. The
        answer shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.SessionRead,
            self._call("POST", "/v1/sessions/current/second-factors", body=body, idempotency_key=idempotency_key),
        )

    def switch_office(
        self, body: models.OfficeSwitch | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.SessionRead:
        """Go on in another of the person's offices; the old token ends, use the answer's from then on. The answer
        shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.SessionRead,
            self._call("POST", "/v1/sessions/current/offices", body=body, idempotency_key=idempotency_key),
        )

    def get_me(self) -> models.MeRead:
        """Who the caller is, what the caller may do, and in which offices."""
        return self._model(models.MeRead, self._call("GET", "/v1/me"))

    def get_client_import_template(self, language: str, *, filled: bool | None = None) -> bytes:
        """The template with lists to choose from, in nl, fr, en or de. Sent back unchanged it changes nothing."""
        return self._call(
            "GET", f"/v1/client-import-templates/{self._segment(language)}.xlsx", query={"filled": filled}
        ).content

    def create_client_import(
        self, body: Any | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.ClientImportRead:
        """Read a file and sort its rows: a dry run, nothing is changed at any client. Rows are `new`, `existing` (with
        what would change), or `invalid` (with what is wrong in which cell).
        """
        return self._model(
            models.ClientImportRead,
            self._call("POST", "/v1/client-imports", body=body, idempotency_key=idempotency_key),
        )

    def list_client_imports(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageClientImportRead:
        """Imports, newest first."""
        return self._model(
            models.PageClientImportRead,
            self._call("GET", "/v1/client-imports", query={"limit": limit, "cursor": cursor}),
        )

    def iter_client_imports(self, *, page_size: int = 200) -> Iterator[models.ClientImportRead]:
        """Every row of `list_client_imports`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_client_imports(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_client_import(self, import_id: str) -> models.ClientImportRead:
        """One import with its counts and the progress of its newest run."""
        return self._model(models.ClientImportRead, self._call("GET", f"/v1/client-imports/{self._segment(import_id)}"))

    def list_client_import_rows(
        self,
        import_id: str,
        *,
        kind: str | None = None,
        outcome: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageImportRowRead:
        """Rows in the order of the file; with `kind=only_here` the clients that the file does not name, by name."""
        return self._model(
            models.PageImportRowRead,
            self._call(
                "GET",
                f"/v1/client-imports/{self._segment(import_id)}/rows",
                query={"kind": kind, "outcome": outcome, "limit": limit, "cursor": cursor},
            ),
        )

    def iter_client_import_rows(
        self, import_id: str, *, kind: str | None = None, outcome: str | None = None, page_size: int = 200
    ) -> Iterator[models.ImportRowRead]:
        """Every row of `list_client_import_rows`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_client_import_rows(import_id, kind=kind, outcome=outcome, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def patch_client_import_row(
        self, import_id: str, number: str, body: models.ImportRowWrite | Mapping[str, Any]
    ) -> models.ImportRowRead:
        """Repair a row in place; it is checked again with all rows that wait, since a key may have had a twin."""
        return self._model(
            models.ImportRowRead,
            self._call(
                "PATCH", f"/v1/client-imports/{self._segment(import_id)}/rows/{self._segment(number)}", body=body
            ),
        )

    def create_client_import_run(
        self, import_id: str, body: models.ImportRunWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.JobRead:
        """Import the valid rows, all or those named; sends nothing to anybody. Invalid rows stay to be repaired."""
        return self._model(
            models.JobRead,
            self._call(
                "POST",
                f"/v1/client-imports/{self._segment(import_id)}/runs",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def create_client_import_undo(
        self, import_id: str, body: models.ImportUndoWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.JobRead:
        """Within 24 hours: remove the clients it made and restore those it changed. A client that has a consent, a
        statement or a payment by now stays; its row says why (`outcome=kept`).
        """
        return self._model(
            models.JobRead,
            self._call(
                "POST",
                f"/v1/client-imports/{self._segment(import_id)}/undos",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def list_jobs(
        self, *, state: str | None = None, kind: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> models.PageJobRead:
        """Your own jobs, newest first; an administrator sees those of the whole office."""
        return self._model(
            models.PageJobRead,
            self._call("GET", "/v1/jobs", query={"state": state, "kind": kind, "limit": limit, "cursor": cursor}),
        )

    def iter_jobs(
        self, *, state: str | None = None, kind: str | None = None, page_size: int = 200
    ) -> Iterator[models.JobRead]:
        """Every row of `list_jobs`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_jobs(state=state, kind=kind, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_job(self, job_id: str) -> models.JobRead:
        """How far a job is and, once ended, its result or its faults."""
        return self._model(models.JobRead, self._call("GET", f"/v1/jobs/{self._segment(job_id)}"))

    def cancel_job(self, job_id: str, *, idempotency_key: str | None = None) -> models.JobRead:
        """Stop a job: at once while it waits, at its next step while it runs; what it did stays done."""
        return self._model(
            models.JobRead,
            self._call("POST", f"/v1/jobs/{self._segment(job_id)}/cancellations", idempotency_key=idempotency_key),
        )

    def create_credential(
        self, body: models.CredentialWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.CredentialCreated:
        """Make an API key; its secret is shown this once. A person with a fresh second factor only. The answer shows a
        secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.CredentialCreated, self._call("POST", "/v1/credentials", body=body, idempotency_key=idempotency_key)
        )

    def list_credentials(self, *, limit: int | None = None, cursor: str | None = None) -> models.PageCredentialRead:
        """API keys of the office, newest first, without their secrets."""
        return self._model(
            models.PageCredentialRead, self._call("GET", "/v1/credentials", query={"limit": limit, "cursor": cursor})
        )

    def iter_credentials(self, *, page_size: int = 200) -> Iterator[models.CredentialRead]:
        """Every row of `list_credentials`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_credentials(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def revoke_credential(self, credential_id: str) -> None:
        """End an API key at once."""
        self._call("DELETE", f"/v1/credentials/{self._segment(credential_id)}")

    def create_application(
        self, body: models.ApplicationWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.ApplicationCreated:
        """Make an application; its first secret is shown this once. A person with a fresh second factor only. The
        answer shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.ApplicationCreated,
            self._call("POST", "/v1/applications", body=body, idempotency_key=idempotency_key),
        )

    def list_applications(self, *, limit: int | None = None, cursor: str | None = None) -> models.PageApplicationRead:
        """Applications that serve the office, newest first, without their secrets."""
        return self._model(
            models.PageApplicationRead, self._call("GET", "/v1/applications", query={"limit": limit, "cursor": cursor})
        )

    def iter_applications(self, *, page_size: int = 200) -> Iterator[models.ApplicationRead]:
        """Every row of `list_applications`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_applications(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def revoke_application(self, application_id: str) -> None:
        """End an application for this office at once, and wholly when this office made it."""
        self._call("DELETE", f"/v1/applications/{self._segment(application_id)}")

    def create_application_secret(
        self, application_id: str, *, idempotency_key: str | None = None
    ) -> models.SecretCreated:
        """A second secret beside the one in use, to replace it without a stop; shown this once. The answer shows a
        secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.SecretCreated,
            self._call(
                "POST", f"/v1/applications/{self._segment(application_id)}/secrets", idempotency_key=idempotency_key
            ),
        )

    def revoke_application_secret(self, application_id: str, secret_id: str) -> None:
        """End one secret of an application at once."""
        self._call("DELETE", f"/v1/applications/{self._segment(application_id)}/secrets/{self._segment(secret_id)}")

    def create_assertion_link(
        self, body: models.AssertionLinkWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> None:
        """Say, signed in here, that this assertion is about oneself; decisions can then come through the portal."""
        self._call("POST", "/v1/assertion-links", body=body, idempotency_key=idempotency_key)

    def get_client_metadata(self, client_id: str) -> models.MetadataShape:
        """The pairs of key and value on this client; lists are filtered by them with `metadata[key]=value`."""
        return self._model(models.MetadataShape, self._call("GET", f"/v1/clients/{self._segment(client_id)}/metadata"))

    def put_client_metadata(
        self, client_id: str, body: models.MetadataShape | Mapping[str, Any]
    ) -> models.MetadataShape:
        """Set all pairs of this client: at most 20, keys of 40 and values of 500 characters; what is left out goes."""
        return self._model(
            models.MetadataShape, self._call("PUT", f"/v1/clients/{self._segment(client_id)}/metadata", body=body)
        )

    def get_account_metadata(self, account_id: str) -> models.MetadataShape:
        """The pairs of key and value on this account; lists are filtered by them with `metadata[key]=value`."""
        return self._model(
            models.MetadataShape, self._call("GET", f"/v1/accounts/{self._segment(account_id)}/metadata")
        )

    def put_account_metadata(
        self, account_id: str, body: models.MetadataShape | Mapping[str, Any]
    ) -> models.MetadataShape:
        """Set all pairs of this account: at most 20, keys of 40 and values of 500 characters; what is left out goes."""
        return self._model(
            models.MetadataShape, self._call("PUT", f"/v1/accounts/{self._segment(account_id)}/metadata", body=body)
        )

    def get_consent_metadata(self, consent_id: str) -> models.MetadataShape:
        """The pairs of key and value on this consent; lists are filtered by them with `metadata[key]=value`."""
        return self._model(
            models.MetadataShape, self._call("GET", f"/v1/consents/{self._segment(consent_id)}/metadata")
        )

    def put_consent_metadata(
        self, consent_id: str, body: models.MetadataShape | Mapping[str, Any]
    ) -> models.MetadataShape:
        """Set all pairs of this consent: at most 20, keys of 40 and values of 500 characters; what is left out goes."""
        return self._model(
            models.MetadataShape, self._call("PUT", f"/v1/consents/{self._segment(consent_id)}/metadata", body=body)
        )

    def get_basket_metadata(self, basket_id: str) -> models.MetadataShape:
        """The pairs of key and value on this basket; lists are filtered by them with `metadata[key]=value`."""
        return self._model(models.MetadataShape, self._call("GET", f"/v1/baskets/{self._segment(basket_id)}/metadata"))

    def put_basket_metadata(
        self, basket_id: str, body: models.MetadataShape | Mapping[str, Any]
    ) -> models.MetadataShape:
        """Set all pairs of this basket: at most 20, keys of 40 and values of 500 characters; what is left out goes."""
        return self._model(
            models.MetadataShape, self._call("PUT", f"/v1/baskets/{self._segment(basket_id)}/metadata", body=body)
        )

    def get_payment_metadata(self, payment_id: str) -> models.MetadataShape:
        """The pairs of key and value on this payment; lists are filtered by them with `metadata[key]=value`."""
        return self._model(
            models.MetadataShape, self._call("GET", f"/v1/payments/{self._segment(payment_id)}/metadata")
        )

    def put_payment_metadata(
        self, payment_id: str, body: models.MetadataShape | Mapping[str, Any]
    ) -> models.MetadataShape:
        """Set all pairs of this payment: at most 20, keys of 40 and values of 500 characters; what is left out goes."""
        return self._model(
            models.MetadataShape, self._call("PUT", f"/v1/payments/{self._segment(payment_id)}/metadata", body=body)
        )

    def get_monitor(self) -> models.MonitorRead:
        """Where something stands still: accounts, permissions that end, webhooks, mail and long work. For people of
        the office, support too: no amounts, no addresses, masked IBANs. Looks by support are recorded.
        """
        return self._model(models.MonitorRead, self._call("GET", "/v1/monitor"))

    def create_client_move(
        self, client_id: str, body: models.MoveWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.MoveRead:
        """Move the client's connected accounts here on a day; for an administrator of the client. Without it, several
        offices each keep their own accounts, permissions and numbering. Whether another office has these accounts
        changes nothing in the answer; that office is told, cannot refuse, and keeps reading what it has. Its
        approval rules go along if the client wishes; its users, keys, notes and destinations never do.
        """
        return self._model(
            models.MoveRead,
            self._call(
                "POST", f"/v1/clients/{self._segment(client_id)}/moves", body=body, idempotency_key=idempotency_key
            ),
        )

    def list_client_moves(
        self, client_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageMoveRead:
        """Moves of a client, the newest first."""
        return self._model(
            models.PageMoveRead,
            self._call(
                "GET", f"/v1/clients/{self._segment(client_id)}/moves", query={"limit": limit, "cursor": cursor}
            ),
        )

    def iter_client_moves(self, client_id: str, *, page_size: int = 200) -> Iterator[models.MoveRead]:
        """Every row of `list_client_moves`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_client_moves(client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_office(self) -> models.OfficeRead:
        """The office the caller works for."""
        return self._model(models.OfficeRead, self._call("GET", "/v1/office"))

    def put_office(
        self, body: models.OfficeWrite | Mapping[str, Any], *, if_match: str | None = None
    ) -> models.OfficeRead:
        """Name, language and default delivery; administrators of the office only."""
        return self._model(
            models.OfficeRead, self._call("PUT", "/v1/office", body=body, headers={"If-Match": if_match})
        )

    def put_office_services(self, body: models.OfficeServicesWrite | Mapping[str, Any]) -> models.OfficeRead:
        """Switch the services of the office; one that is off is off for every client. Administrators of the office
        only.
        """
        return self._model(models.OfficeRead, self._call("PUT", "/v1/office/services", body=body))

    def put_client(self, body: models.ClientWrite | Mapping[str, Any]) -> models.ClientRead:
        """Create or update the client with this key; repeated, it changes nothing."""
        return self._model(models.ClientRead, self._call("PUT", "/v1/clients", body=body))

    def list_clients(
        self,
        *,
        state: str | None = None,
        enterprise_number: str | None = None,
        external_id: str | None = None,
        label: str | None = None,
        package: str | None = None,
        responsible_id: str | None = None,
        financial_year_end: str | None = None,
        registered: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> models.PageClientRead:
        """Clients with a grant valid today, by name."""
        return self._model(
            models.PageClientRead,
            self._call(
                "GET",
                "/v1/clients",
                query={
                    "state": state,
                    "enterprise_number": enterprise_number,
                    "external_id": external_id,
                    "label": label,
                    "package": package,
                    "responsible_id": responsible_id,
                    "financial_year_end": financial_year_end,
                    "registered": registered,
                    "limit": limit,
                    "cursor": cursor,
                    "metadata": metadata,
                },
            ),
        )

    def iter_clients(
        self,
        *,
        state: str | None = None,
        enterprise_number: str | None = None,
        external_id: str | None = None,
        label: str | None = None,
        package: str | None = None,
        responsible_id: str | None = None,
        financial_year_end: str | None = None,
        registered: bool | None = None,
        metadata: Mapping[str, str] | None = None,
        page_size: int = 200,
    ) -> Iterator[models.ClientRead]:
        """Every row of `list_clients`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_clients(
                state=state,
                enterprise_number=enterprise_number,
                external_id=external_id,
                label=label,
                package=package,
                responsible_id=responsible_id,
                financial_year_end=financial_year_end,
                registered=registered,
                metadata=metadata,
                limit=page_size,
                cursor=cursor,
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_client(self, client_id: str) -> models.ClientRead:
        """One client."""
        return self._model(models.ClientRead, self._call("GET", f"/v1/clients/{self._segment(client_id)}"))

    def put_client_state(self, client_id: str, body: models.ClientStateWrite | Mapping[str, Any]) -> models.ClientRead:
        """Activate, suspend, close or reopen a client; administrators of the office only."""
        return self._model(
            models.ClientRead, self._call("PUT", f"/v1/clients/{self._segment(client_id)}/state", body=body)
        )

    def put_client_services(
        self, client_id: str, body: models.ClientServicesWrite | Mapping[str, Any]
    ) -> models.ClientRead:
        """Switch the services of a client and say what the portal shows; administrators of the office only."""
        return self._model(
            models.ClientRead, self._call("PUT", f"/v1/clients/{self._segment(client_id)}/services", body=body)
        )

    def create_registry_confirmation(self, client_id: str, *, idempotency_key: str | None = None) -> models.ClientRead:
        """The registry knows the number of a starter now; the client leaves the list of those that wait."""
        return self._model(
            models.ClientRead,
            self._call(
                "POST",
                f"/v1/clients/{self._segment(client_id)}/registry-confirmations",
                idempotency_key=idempotency_key,
            ),
        )

    def create_number_change(
        self, client_id: str, body: models.NumberChangeWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.NumberChangeRead:
        """Give a client another number, with proof; ids and history stay. Administrators of the office only."""
        return self._model(
            models.NumberChangeRead,
            self._call(
                "POST",
                f"/v1/clients/{self._segment(client_id)}/number-changes",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def list_number_changes(
        self, client_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageNumberChangeRead:
        """Changes of a client's number, newest first."""
        return self._model(
            models.PageNumberChangeRead,
            self._call(
                "GET",
                f"/v1/clients/{self._segment(client_id)}/number-changes",
                query={"limit": limit, "cursor": cursor},
            ),
        )

    def iter_number_changes(self, client_id: str, *, page_size: int = 200) -> Iterator[models.NumberChangeRead]:
        """Every row of `list_number_changes`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_number_changes(client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_number_change_document(self, client_id: str, number_change_id: str) -> bytes:
        """The proof of a change, with its checksum; administrators of the office only."""
        return self._call(
            "GET", f"/v1/clients/{self._segment(client_id)}/number-changes/{self._segment(number_change_id)}/document"
        ).content

    def get_test_clock(self) -> models.ClockRead:
        """What time it is for an office in test mode; a live office has no such clock (404)."""
        return self._model(models.ClockRead, self._call("GET", "/v1/test-clock"))

    def move_test_clock(
        self, body: models.ClockWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.ClockRead:
        """Move the clock of an office in test mode forward."""
        return self._model(
            models.ClockRead, self._call("POST", "/v1/test-clock/moves", body=body, idempotency_key=idempotency_key)
        )

    def get_office_logo(self) -> bytes:
        """The office's logo, with its ETag."""
        return self._call("GET", "/v1/office/logo").content

    def delete_office_logo(self) -> None:
        """Show no picture any more."""
        self._call("DELETE", "/v1/office/logo")

    def get_office_template(self) -> models.TemplateRead:
        """What each new client begins with."""
        return self._model(models.TemplateRead, self._call("GET", "/v1/office/template"))

    def put_office_template(
        self, body: models.TemplateShape | Mapping[str, Any], *, if_match: str | None = None
    ) -> models.TemplateRead:
        """What new clients begin with from now on; clients that are there change by `template-applications` only.
        Other approval rules are set by a person with a fresh second factor, never by a key.
        """
        return self._model(
            models.TemplateRead, self._call("PUT", "/v1/office/template", body=body, headers={"If-Match": if_match})
        )

    def create_template_application(
        self, body: models.TemplateApplicationWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.TemplateResultsRead:
        """Bring selected clients to the template, with a result each; a dry run says what would change. Approval rules
        become a proposal per client, confirmed by its administrator; a destination waits for another administrator
        of the office.
        """
        return self._model(
            models.TemplateResultsRead,
            self._call("POST", "/v1/office/template-applications", body=body, idempotency_key=idempotency_key),
        )

    def get_client_settings(self, client_id: str) -> models.ClientSettingsRead:
        """Numbering and reminders of a client."""
        return self._model(
            models.ClientSettingsRead, self._call("GET", f"/v1/clients/{self._segment(client_id)}/settings")
        )

    def put_client_settings(
        self, client_id: str, body: models.ClientSettingsWrite | Mapping[str, Any], *, if_match: str | None = None
    ) -> models.ClientSettingsRead:
        """Set numbering and reminders; for accounts connected and reminders sent from now on."""
        return self._model(
            models.ClientSettingsRead,
            self._call(
                "PUT", f"/v1/clients/{self._segment(client_id)}/settings", body=body, headers={"If-Match": if_match}
            ),
        )

    def list_onboarding_checklists(
        self, *, client_id: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> models.ChecklistsRead:
        """What is done, still to do (with the next step) or not needed, for the office and per client by name. The
        office: data, consent cap, users, delivery, clients, consents, first CODA. A client: consent, first sync,
        balance proof, first day and numbering, delivery, rules, users.
        """
        return self._model(
            models.ChecklistsRead,
            self._call(
                "GET", "/v1/onboarding-checklists", query={"client_id": client_id, "limit": limit, "cursor": cursor}
            ),
        )

    def create_passkey_registration(self, *, idempotency_key: str | None = None) -> models.PasskeyQuestion:
        """Begin adding a passkey; needs a fresh second factor, unless this is the first one."""
        return self._model(
            models.PasskeyQuestion, self._call("POST", "/v1/passkey-registrations", idempotency_key=idempotency_key)
        )

    def create_passkey(
        self, body: models.PasskeyWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.PasskeyAdded:
        """Put a passkey in use. Use the answer's token from then on. The answer shows a secret once: a repetition with
        the same key is told that the first succeeded.
        """
        return self._model(
            models.PasskeyAdded, self._call("POST", "/v1/passkeys", body=body, idempotency_key=idempotency_key)
        )

    def list_passkeys(self, *, limit: int | None = None, cursor: str | None = None) -> models.PagePasskeyRead:
        """The person's own passkeys, newest first."""
        return self._model(
            models.PagePasskeyRead, self._call("GET", "/v1/passkeys", query={"limit": limit, "cursor": cursor})
        )

    def iter_passkeys(self, *, page_size: int = 200) -> Iterator[models.PasskeyRead]:
        """Every row of `list_passkeys`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_passkeys(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def delete_passkey(self, passkey_id: str) -> None:
        """End a passkey at once; needs a fresh second factor, and another one to stay."""
        self._call("DELETE", f"/v1/passkeys/{self._segment(passkey_id)}")

    def create_passkey_challenge(self, *, idempotency_key: str | None = None) -> models.PasskeyQuestion:
        """Begin signing in with a passkey alone."""
        return self._model(
            models.PasskeyQuestion, self._call("POST", "/v1/passkey-challenges", idempotency_key=idempotency_key)
        )

    def create_passkey_session(
        self, body: models.PasskeySessionWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.SessionRead:
        """Sign in with a passkey alone: it is both factors. The answer shows a secret once: a repetition with the same
        key is told that the first succeeded.
        """
        return self._model(
            models.SessionRead, self._call("POST", "/v1/passkey-sessions", body=body, idempotency_key=idempotency_key)
        )

    def create_passkey_confirmation(self, *, idempotency_key: str | None = None) -> models.PasskeyQuestion:
        """Begin confirming with a passkey."""
        return self._model(
            models.PasskeyQuestion,
            self._call("POST", "/v1/sessions/current/passkey-challenges", idempotency_key=idempotency_key),
        )

    def confirm_with_passkey(
        self, body: models.PasskeyAnswer | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.SessionRead:
        """Confirm with a passkey; decisions are possible for five minutes. Use the answer's token from then on. The
        answer shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.SessionRead,
            self._call("POST", "/v1/sessions/current/passkey-answers", body=body, idempotency_key=idempotency_key),
        )

    def create_basket(
        self, body: models.BasketWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.BasketRead:
        """A new, empty basket of one client."""
        return self._model(
            models.BasketRead, self._call("POST", "/v1/baskets", body=body, idempotency_key=idempotency_key)
        )

    def list_baskets(
        self,
        *,
        client_id: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> models.PageBasketRead:
        """Baskets, newest first."""
        return self._model(
            models.PageBasketRead,
            self._call(
                "GET",
                "/v1/baskets",
                query={"client_id": client_id, "state": state, "limit": limit, "cursor": cursor, "metadata": metadata},
            ),
        )

    def iter_baskets(
        self,
        *,
        client_id: str | None = None,
        state: str | None = None,
        metadata: Mapping[str, str] | None = None,
        page_size: int = 200,
    ) -> Iterator[models.BasketRead]:
        """Every row of `list_baskets`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_baskets(
                client_id=client_id, state=state, metadata=metadata, limit=page_size, cursor=cursor
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_basket(self, basket_id: str) -> models.BasketRead:
        """One basket with count and total per debtor account, date and state."""
        return self._model(models.BasketRead, self._call("GET", f"/v1/baskets/{self._segment(basket_id)}"))

    def add_payments(
        self, basket_id: str, body: models.PaymentsWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.RowsRead:
        """Put up to 1,000 payments in a draft basket; each has its own result, and the good ones stay."""
        return self._model(
            models.RowsRead,
            self._call(
                "POST", f"/v1/baskets/{self._segment(basket_id)}/payments", body=body, idempotency_key=idempotency_key
            ),
        )

    def list_basket_payments(
        self,
        basket_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> models.PagePaymentRead:
        """The payments of a basket, in its order."""
        return self._model(
            models.PagePaymentRead,
            self._call(
                "GET",
                f"/v1/baskets/{self._segment(basket_id)}/payments",
                query={"limit": limit, "cursor": cursor, "metadata": metadata},
            ),
        )

    def iter_basket_payments(
        self, basket_id: str, *, metadata: Mapping[str, str] | None = None, page_size: int = 200
    ) -> Iterator[models.PaymentRead]:
        """Every row of `list_basket_payments`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_basket_payments(basket_id, metadata=metadata, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def change_dates(
        self, basket_id: str, body: models.DateChangeWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.BasketRead:
        """Give a selection of a draft basket one new execution date."""
        return self._model(
            models.BasketRead,
            self._call(
                "POST",
                f"/v1/baskets/{self._segment(basket_id)}/date-changes",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def submit_basket(
        self,
        basket_id: str,
        body: models.SubmissionWrite | Mapping[str, Any],
        *,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.SubmissionRead:
        """Submit a draft basket for approval; a dry run tells what would be asked and of whom."""
        return self._model(
            models.SubmissionRead,
            self._call(
                "POST",
                f"/v1/baskets/{self._segment(basket_id)}/submissions",
                body=body,
                headers={"If-Match": if_match},
                idempotency_key=idempotency_key,
            ),
        )

    def withdraw_basket(
        self, basket_id: str, *, if_match: str | None = None, idempotency_key: str | None = None
    ) -> models.BasketRead:
        """Take a submitted or approved basket back to draft; its approvals are void."""
        return self._model(
            models.BasketRead,
            self._call(
                "POST",
                f"/v1/baskets/{self._segment(basket_id)}/withdrawals",
                headers={"If-Match": if_match},
                idempotency_key=idempotency_key,
            ),
        )

    def cancel_basket(
        self, basket_id: str, *, if_match: str | None = None, idempotency_key: str | None = None
    ) -> models.BasketRead:
        """Cancel a basket that has not left, with all its payments."""
        return self._model(
            models.BasketRead,
            self._call(
                "POST",
                f"/v1/baskets/{self._segment(basket_id)}/cancellations",
                headers={"If-Match": if_match},
                idempotency_key=idempotency_key,
            ),
        )

    def list_payments(
        self,
        *,
        client_id: str | None = None,
        state: str | None = None,
        external_id: str | None = None,
        source_reference: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> models.PagePaymentRead:
        """Payments, newest first; found by your own ids from anywhere."""
        return self._model(
            models.PagePaymentRead,
            self._call(
                "GET",
                "/v1/payments",
                query={
                    "client_id": client_id,
                    "state": state,
                    "external_id": external_id,
                    "source_reference": source_reference,
                    "limit": limit,
                    "cursor": cursor,
                    "metadata": metadata,
                },
            ),
        )

    def iter_payments(
        self,
        *,
        client_id: str | None = None,
        state: str | None = None,
        external_id: str | None = None,
        source_reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
        page_size: int = 200,
    ) -> Iterator[models.PaymentRead]:
        """Every row of `list_payments`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_payments(
                client_id=client_id,
                state=state,
                external_id=external_id,
                source_reference=source_reference,
                metadata=metadata,
                limit=page_size,
                cursor=cursor,
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_payment(self, payment_id: str) -> models.PaymentRead:
        """One payment; its seal goes with a decision, its ETag with an edit."""
        return self._model(models.PaymentRead, self._call("GET", f"/v1/payments/{self._segment(payment_id)}"))

    def edit_payment(
        self, payment_id: str, body: models.PaymentPatch | Mapping[str, Any], *, if_match: str | None = None
    ) -> models.PaymentRead:
        """Change some fields. Once submitted, this voids the payment's approvals and asks anew."""
        return self._model(
            models.PaymentRead,
            self._call("PATCH", f"/v1/payments/{self._segment(payment_id)}", body=body, headers={"If-Match": if_match}),
        )

    def cancel_payment(
        self, payment_id: str, *, if_match: str | None = None, idempotency_key: str | None = None
    ) -> models.PaymentRead:
        """Take a payment out that has not left; the others of its basket are not asked about again."""
        return self._model(
            models.PaymentRead,
            self._call(
                "POST",
                f"/v1/payments/{self._segment(payment_id)}/cancellations",
                headers={"If-Match": if_match},
                idempotency_key=idempotency_key,
            ),
        )

    def get_payment_settings(self, client_id: str) -> models.PaymentSettingsShape:
        """What the client's bank takes."""
        return self._model(
            models.PaymentSettingsShape, self._call("GET", f"/v1/clients/{self._segment(client_id)}/payment-settings")
        )

    def put_payment_settings(
        self, client_id: str, body: models.PaymentSettingsShape | Mapping[str, Any]
    ) -> models.PaymentSettingsShape:
        """Set what the client's bank takes, as its contract says."""
        return self._model(
            models.PaymentSettingsShape,
            self._call("PUT", f"/v1/clients/{self._segment(client_id)}/payment-settings", body=body),
        )

    def create_exports(
        self, basket_id: str, body: models.ExportWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.ExportsRead:
        """Make the files of approved payments, one per debtor account; a person with a fresh second factor only."""
        return self._model(
            models.ExportsRead,
            self._call(
                "POST", f"/v1/baskets/{self._segment(basket_id)}/exports", body=body, idempotency_key=idempotency_key
            ),
        )

    def list_exports(
        self,
        *,
        client_id: str | None = None,
        basket_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageExportRead:
        """Exports, newest first."""
        return self._model(
            models.PageExportRead,
            self._call(
                "GET",
                "/v1/exports",
                query={"client_id": client_id, "basket_id": basket_id, "limit": limit, "cursor": cursor},
            ),
        )

    def iter_exports(
        self, *, client_id: str | None = None, basket_id: str | None = None, page_size: int = 200
    ) -> Iterator[models.ExportRead]:
        """Every row of `list_exports`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_exports(client_id=client_id, basket_id=basket_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_export(self, export_id: str) -> models.ExportRead:
        """One export; its bytes are at `/content`."""
        return self._model(models.ExportRead, self._call("GET", f"/v1/exports/{self._segment(export_id)}"))

    def list_export_downloads(
        self, export_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageDownloadRead:
        """Who downloaded the file and when, oldest first."""
        return self._model(
            models.PageDownloadRead,
            self._call(
                "GET", f"/v1/exports/{self._segment(export_id)}/downloads", query={"limit": limit, "cursor": cursor}
            ),
        )

    def iter_export_downloads(self, export_id: str, *, page_size: int = 200) -> Iterator[models.DownloadRead]:
        """Every row of `list_export_downloads`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_export_downloads(export_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_export_content(self, export_id: str) -> bytes:
        """The bytes, the same on every download. The first one runs the checks of the export again."""
        return self._call("GET", f"/v1/exports/{self._segment(export_id)}/content").content

    def create_invitation(
        self,
        body: models.GatewayPeopleSchemasInvitationWrite | Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> models.InvitationCreated:
        """Invite a person by mail to roles of the office, or at one client; the link in the mail works once. Roles
        that move money or rights go out once a second person confirms the proposal in the answer, and come with a
        code of six digits, shown this once, to be handed over by another channel than mail. The answer is the same
        whether or not somebody with this address exists. Needs a person with a fresh second factor. The answer
        shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.InvitationCreated, self._call("POST", "/v1/invitations", body=body, idempotency_key=idempotency_key)
        )

    def list_invitations(self, *, limit: int | None = None, cursor: str | None = None) -> models.PageInvitationRead:
        """Invitations to the office and to the clients whose users the caller sees, the newest first."""
        return self._model(
            models.PageInvitationRead, self._call("GET", "/v1/invitations", query={"limit": limit, "cursor": cursor})
        )

    def iter_invitations(self, *, page_size: int = 200) -> Iterator[models.InvitationRead]:
        """Every row of `list_invitations`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_invitations(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_invitation(self, invitation_id: str) -> models.InvitationRead:
        """One invitation."""
        return self._model(models.InvitationRead, self._call("GET", f"/v1/invitations/{self._segment(invitation_id)}"))

    def end_invitation(self, invitation_id: str) -> None:
        """Take an invitation back; its link ends at once."""
        self._call("DELETE", f"/v1/invitations/{self._segment(invitation_id)}")

    def send_invitation_again(
        self, invitation_id: str, *, idempotency_key: str | None = None
    ) -> models.InvitationCreated:
        """A new mail with a new link, and a new code where one is needed; the link before ends. The answer shows a
        secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.InvitationCreated,
            self._call(
                "POST", f"/v1/invitations/{self._segment(invitation_id)}/mails", idempotency_key=idempotency_key
            ),
        )

    def list_users(
        self, *, client_id: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> models.PageUserRead:
        """People of the office and of the clients the caller sees, by last name."""
        return self._model(
            models.PageUserRead,
            self._call("GET", "/v1/users", query={"client_id": client_id, "limit": limit, "cursor": cursor}),
        )

    def iter_users(self, *, client_id: str | None = None, page_size: int = 200) -> Iterator[models.UserRead]:
        """Every row of `list_users`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_users(client_id=client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_user(self, user_id: str) -> models.UserRead:
        """One person."""
        return self._model(models.UserRead, self._call("GET", f"/v1/users/{self._segment(user_id)}"))

    def create_role(
        self, user_id: str, body: models.RoleWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.HeldRoleRead | models.ProposalRead:
        """Give a role. `admin`, `administrator`, `approver` and `exporter` become a proposal for a second person
        (202).
        """
        answer = self._call(
            "POST", f"/v1/users/{self._segment(user_id)}/roles", body=body, idempotency_key=idempotency_key
        )
        return (
            self._model(models.HeldRoleRead, answer)
            if answer.status_code == 201
            else self._model(models.ProposalRead, answer)
        )

    def end_role(self, membership_id: str) -> models.ProposalRead | None:
        """Take a role away, at once. Roles that move money or rights become a proposal for a second person (202)."""
        answer = self._call("DELETE", f"/v1/roles/{self._segment(membership_id)}")
        return self._model(models.ProposalRead, answer) if answer.status_code == 202 else None

    def create_second_factor_reset(self, user_id: str, *, idempotency_key: str | None = None) -> models.ProposalRead:
        """Propose to take away a person's second factor; administrators other than the person decide (SEC-13). When it
        takes effect, all sessions of the person end, every administrator is told, and the person decides and
        exports nothing for 24 hours.
        """
        return self._model(
            models.ProposalRead,
            self._call(
                "POST", f"/v1/users/{self._segment(user_id)}/second-factor-resets", idempotency_key=idempotency_key
            ),
        )

    def create_enrolment_code(self, user_id: str, *, idempotency_key: str | None = None) -> models.EnrolmentCodeRead:
        """A code for a person without second factor, shown this once: hand it over by another channel than mail. Who
        approves, exports or administers sets up a new second factor with such a code only (SEC-13). The answer
        shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.EnrolmentCodeRead,
            self._call("POST", f"/v1/users/{self._segment(user_id)}/enrolment-codes", idempotency_key=idempotency_key),
        )

    def put_user_clients(
        self, user_id: str, body: models.AssignedClients | Mapping[str, Any]
    ) -> models.AssignedClients:
        """Set the clients that one person of the office sees, beside those of the groups (OFF-09)."""
        return self._model(
            models.AssignedClients, self._call("PUT", f"/v1/users/{self._segment(user_id)}/clients", body=body)
        )

    def list_known_accounts(
        self, *, client_id: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> models.PageKnownAccountRead:
        """Account numbers known without a consent; one that was connected is among the accounts."""
        return self._model(
            models.PageKnownAccountRead,
            self._call("GET", "/v1/known-accounts", query={"client_id": client_id, "limit": limit, "cursor": cursor}),
        )

    def iter_known_accounts(
        self, *, client_id: str | None = None, page_size: int = 200
    ) -> Iterator[models.KnownAccountRead]:
        """Every row of `list_known_accounts`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_known_accounts(client_id=client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def create_known_account(
        self, body: models.KnownAccountWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.KnownAccountRead:
        """Note an account number of a client; its check digits are checked, and nobody else is asked about it."""
        return self._model(
            models.KnownAccountRead,
            self._call("POST", "/v1/known-accounts", body=body, idempotency_key=idempotency_key),
        )

    def get_known_account(self, known_account_id: str) -> models.KnownAccountRead:
        """One known account."""
        return self._model(
            models.KnownAccountRead, self._call("GET", f"/v1/known-accounts/{self._segment(known_account_id)}")
        )

    def patch_known_account(
        self, known_account_id: str, body: models.KnownAccountPatch | Mapping[str, Any], *, if_match: str | None = None
    ) -> models.KnownAccountRead:
        """Change what the office notes of it; fields left out stay as they are."""
        return self._model(
            models.KnownAccountRead,
            self._call(
                "PATCH",
                f"/v1/known-accounts/{self._segment(known_account_id)}",
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def delete_known_account(self, known_account_id: str) -> None:
        """Forget the number; one that became an account stays (409)."""
        self._call("DELETE", f"/v1/known-accounts/{self._segment(known_account_id)}")

    def create_proposal(
        self, body: models.ProposalWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.ProposalRead:
        """Propose what takes two people. Needs a person with a fresh second factor; no token can do this. Where nobody
        else could confirm, it takes effect after 48 hours (`effective_at`), or at once before the client's first
        submission of a payment.
        """
        return self._model(
            models.ProposalRead, self._call("POST", "/v1/proposals", body=body, idempotency_key=idempotency_key)
        )

    def list_proposals(
        self, *, state: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> models.PageProposalRow:
        """Proposals of the office and of the clients whose users the caller may see, the newest first."""
        return self._model(
            models.PageProposalRow,
            self._call("GET", "/v1/proposals", query={"state": state, "limit": limit, "cursor": cursor}),
        )

    def iter_proposals(self, *, state: str | None = None, page_size: int = 200) -> Iterator[models.ProposalRow]:
        """Every row of `list_proposals`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_proposals(state=state, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_proposal(self, proposal_id: str) -> models.ProposalRead:
        """One proposal."""
        return self._model(models.ProposalRead, self._call("GET", f"/v1/proposals/{self._segment(proposal_id)}"))

    def confirm_proposal(self, proposal_id: str, *, idempotency_key: str | None = None) -> models.ProposalRead:
        """Confirm as the second person, with a fresh second factor; it takes effect at once. Refused when what it
        would change is not what it was when it was proposed (`proposal_overtaken`).
        """
        return self._model(
            models.ProposalRead,
            self._call(
                "POST", f"/v1/proposals/{self._segment(proposal_id)}/confirmations", idempotency_key=idempotency_key
            ),
        )

    def withdraw_proposal(self, proposal_id: str, *, idempotency_key: str | None = None) -> models.ProposalRead:
        """End a proposal without effect: the proposer takes it back, or somebody who could confirm it refuses."""
        return self._model(
            models.ProposalRead,
            self._call(
                "POST", f"/v1/proposals/{self._segment(proposal_id)}/withdrawals", idempotency_key=idempotency_key
            ),
        )

    def get_second_factors(self) -> models.SecondFactorsRead:
        """What the person has set up besides the password."""
        return self._model(models.SecondFactorsRead, self._call("GET", "/v1/me/second-factors"))

    def create_recovery_codes(self, *, idempotency_key: str | None = None) -> models.RecoveryCodesRead:
        """Ten new codes, shown this once; the ones before end. Needs a fresh second factor. The answer shows a secret
        once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.RecoveryCodesRead, self._call("POST", "/v1/recovery-codes", idempotency_key=idempotency_key)
        )

    def create_password_reset(
        self, body: models.PasswordResetWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Any:
        """Have a link mailed to this address, if it is somebody's; the answer does not tell."""
        return self._call("POST", "/v1/password-resets", body=body, idempotency_key=idempotency_key).json()

    def answer_password_reset(
        self, body: models.PasswordResetAnswer | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> None:
        """Set a new password by a mailed link: once, within an hour. Ends all sessions; the second factor stays."""
        self._call("POST", "/v1/password-reset-answers", body=body, idempotency_key=idempotency_key)

    def put_password(self, body: models.PasswordWrite | Mapping[str, Any]) -> None:
        """A new password; ends all other sessions. Needs a fresh second factor."""
        self._call("PUT", "/v1/me/password", body=body)

    def create_email_change(
        self, body: models.EmailChangeWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Any:
        """Begin using another address: both the old and the new one get a link. Needs a fresh second factor."""
        return self._call("POST", "/v1/email-changes", body=body, idempotency_key=idempotency_key).json()

    def answer_email_change(
        self, body: models.EmailChangeAnswer | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.EmailChangeRead:
        """One of the two addresses agrees."""
        return self._model(
            models.EmailChangeRead,
            self._call("POST", "/v1/email-change-answers", body=body, idempotency_key=idempotency_key),
        )

    def get_mapping_differences(
        self, account_id: str, *, from_: dt.date | None = None, to: dt.date | None = None
    ) -> models.MappingDifferencesRead:
        """How the present mapping reads stored answers of a period, 92 days at most; no bank is called."""
        return self._model(
            models.MappingDifferencesRead,
            self._call(
                "GET", f"/v1/accounts/{self._segment(account_id)}/mapping-differences", query={"from": from_, "to": to}
            ),
        )

    def create_mapping_application(
        self,
        account_id: str,
        body: models.MappingApplicationWrite | Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> models.MappingApplicationRead:
        """Take over the differences that were looked at, by their seal; amounts, days and issued files stay."""
        return self._model(
            models.MappingApplicationRead,
            self._call(
                "POST",
                f"/v1/accounts/{self._segment(account_id)}/mapping-applications",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def list_review_items(
        self,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageReviewItemRead:
        """Rows of a bank that a person must decide, the oldest first: none of them was dropped."""
        return self._model(
            models.PageReviewItemRead,
            self._call(
                "GET",
                "/v1/review-items",
                query={
                    "account_id": account_id,
                    "client_id": client_id,
                    "state": state,
                    "limit": limit,
                    "cursor": cursor,
                },
            ),
        )

    def iter_review_items(
        self,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        state: str | None = None,
        page_size: int = 200,
    ) -> Iterator[models.ReviewItemRead]:
        """Every row of `list_review_items`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_review_items(
                account_id=account_id, client_id=client_id, state=state, limit=page_size, cursor=cursor
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_review_item(self, review_item_id: str) -> models.ReviewItemRead:
        """One row, the ways to read it, and what each does to the balance."""
        return self._model(
            models.ReviewItemRead, self._call("GET", f"/v1/review-items/{self._segment(review_item_id)}")
        )

    def create_review_decision(
        self,
        review_item_id: str,
        body: models.ReviewDecisionWrite | Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> models.ReviewItemRead:
        """Say how it is to be read; the days that follow from it are closed anew. No issued file is touched."""
        return self._model(
            models.ReviewItemRead,
            self._call(
                "POST",
                f"/v1/review-items/{self._segment(review_item_id)}/decisions",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def get_signing_limit(self, client_id: str) -> models.SigningLimitRead:
        """From which total on decisions are signed; changed by a proposal of kind `signing_limit.set` (APP-12)."""
        return self._model(
            models.SigningLimitRead, self._call("GET", f"/v1/clients/{self._segment(client_id)}/signing-limit")
        )

    def create_decision_challenge(
        self, body: models.DecisionChallengeWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.PasskeyQuestion:
        """Begin to sign a decision, export or first download with a passkey; the challenge is a hash over it. The
        answer shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.PasskeyQuestion,
            self._call("POST", "/v1/decision-challenges", body=body, idempotency_key=idempotency_key),
        )

    def create_decision_signature(
        self, body: models.PasskeyAnswer | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.DecisionSignatureRead:
        """Hand in the passkey's answer; then send the decision itself within five minutes. It counts for one. The
        answer shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.DecisionSignatureRead,
            self._call("POST", "/v1/decision-signatures", body=body, idempotency_key=idempotency_key),
        )

    def create_oidc_provider(
        self, body: models.OidcProviderWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.OidcProviderRead:
        """Let the office's people sign in through its own identity provider; needs a fresh second factor."""
        return self._model(
            models.OidcProviderRead,
            self._call("POST", "/v1/oidc-providers", body=body, idempotency_key=idempotency_key),
        )

    def list_oidc_providers(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageOidcProviderRead:
        """Identity providers of the office, newest first."""
        return self._model(
            models.PageOidcProviderRead,
            self._call("GET", "/v1/oidc-providers", query={"limit": limit, "cursor": cursor}),
        )

    def iter_oidc_providers(self, *, page_size: int = 200) -> Iterator[models.OidcProviderRead]:
        """Every row of `list_oidc_providers`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_oidc_providers(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def delete_oidc_provider(self, oidc_provider_id: str) -> None:
        """Stop using a provider at once; sessions it opened end, links go with it."""
        self._call("DELETE", f"/v1/oidc-providers/{self._segment(oidc_provider_id)}")

    def get_oidc_links(self) -> Any:
        """The person's accounts at providers of this office; a link is made on the page My security."""
        return self._call("GET", "/v1/me/oidc-links").json()

    def delete_oidc_link(self, oidc_provider_id: str) -> None:
        """Unlink the account at this provider; sessions it opened end."""
        self._call("DELETE", f"/v1/me/oidc-links/{self._segment(oidc_provider_id)}")

    def get_statement_archive(
        self,
        *,
        statement_id: list[str] | None = None,
        account_id: str | None = None,
        client_id: str | None = None,
        period: str | None = None,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        state: str | None = None,
        year: int | None = None,
        number: int | None = None,
        amount: str | None = None,
        form: str | None = None,
    ) -> bytes:
        """Issued statements as a ZIP with a manifest: those named, or all that the filters find, at most 5,000."""
        return self._call(
            "GET",
            "/v1/statement-archive",
            query={
                "statement_id": statement_id,
                "account_id": account_id,
                "client_id": client_id,
                "period": period,
                "from": from_,
                "to": to,
                "state": state,
                "year": year,
                "number": number,
                "amount": amount,
                "form": form,
            },
        ).content

    def get_joined_statements(
        self,
        account_id: str,
        *,
        statement_id: list[str] | None = None,
        period: str | None = None,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        year: int | None = None,
    ) -> bytes:
        """Issued statements of one account as one file: byte for byte, but for the multiple-file code of record 9."""
        return self._call(
            "GET",
            f"/v1/accounts/{self._segment(account_id)}/statement-file",
            query={"statement_id": statement_id, "period": period, "from": from_, "to": to, "year": year},
        ).content

    def list_statement_uploads(
        self, *, client_id: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> models.PageStatementUploadRead:
        """Uploads, the newest first: who sent what, and what it brought."""
        return self._model(
            models.PageStatementUploadRead,
            self._call(
                "GET", "/v1/statement-uploads", query={"client_id": client_id, "limit": limit, "cursor": cursor}
            ),
        )

    def iter_statement_uploads(
        self, *, client_id: str | None = None, page_size: int = 200
    ) -> Iterator[models.StatementUploadRead]:
        """Every row of `list_statement_uploads`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_statement_uploads(client_id=client_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_statement_upload(self, upload_id: str) -> models.StatementUploadRead:
        """One upload."""
        return self._model(
            models.StatementUploadRead, self._call("GET", f"/v1/statement-uploads/{self._segment(upload_id)}")
        )

    def confirm_statement_upload(
        self, upload_id: str, *, idempotency_key: str | None = None
    ) -> models.StatementUploadRead:
        """Take in what was shown. Days that become complete are proven and closed like any other; issued files stay.
        Entries of days whose statement is issued go into the next one. Refused (`statement_upload_outdated`) when
        what is there has changed since the files were compared.
        """
        return self._model(
            models.StatementUploadRead,
            self._call(
                "POST",
                f"/v1/statement-uploads/{self._segment(upload_id)}/confirmations",
                idempotency_key=idempotency_key,
            ),
        )

    def list_statements(
        self,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        state: str | None = None,
        year: int | None = None,
        number: int | None = None,
        amount: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageStatementRead:
        """Statements, the newest closing date first; held ones say what is missing."""
        return self._model(
            models.PageStatementRead,
            self._call(
                "GET",
                "/v1/statements",
                query={
                    "account_id": account_id,
                    "client_id": client_id,
                    "from": from_,
                    "to": to,
                    "state": state,
                    "year": year,
                    "number": number,
                    "amount": amount,
                    "limit": limit,
                    "cursor": cursor,
                },
            ),
        )

    def iter_statements(
        self,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        state: str | None = None,
        year: int | None = None,
        number: int | None = None,
        amount: str | None = None,
        page_size: int = 200,
    ) -> Iterator[models.StatementRead]:
        """Every row of `list_statements`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_statements(
                account_id=account_id,
                client_id=client_id,
                from_=from_,
                to=to,
                state=state,
                year=year,
                number=number,
                amount=amount,
                limit=page_size,
                cursor=cursor,
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_statement(self, statement_id: str) -> models.StatementRead:
        """One statement."""
        return self._model(models.StatementRead, self._call("GET", f"/v1/statements/{self._segment(statement_id)}"))

    def list_entries(
        self, statement_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageEntryRead:
        """Entries in the order of the file; none while the statement is held."""
        return self._model(
            models.PageEntryRead,
            self._call(
                "GET", f"/v1/statements/{self._segment(statement_id)}/entries", query={"limit": limit, "cursor": cursor}
            ),
        )

    def iter_entries(self, statement_id: str, *, page_size: int = 200) -> Iterator[models.EntryRead]:
        """Every row of `list_entries`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_entries(statement_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_statement_content(self, statement_id: str) -> bytes:
        """The file of an issued statement, with its checksum in `Repr-Digest` (RFC 9530) and `X-Content-SHA256`."""
        return self._call("GET", f"/v1/statements/{self._segment(statement_id)}/content").content

    def create_chain_restart(
        self, account_id: str, body: models.ChainRestartWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.ProposalRead:
        """Propose to go on from a balance of a bank document where nothing proves; a second person of the office
        confirms. The unproven days up to that day become `left_out`, their entries listed; numbers continue, and
        the next statement is shown as `restarted`. Needs a person of the office with a fresh second factor.
        """
        return self._model(
            models.ProposalRead,
            self._call(
                "POST",
                f"/v1/accounts/{self._segment(account_id)}/chain-restarts",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def list_chain_restarts(
        self, account_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageChainRestartRead:
        """Restarts of the chain of an account, the newest first."""
        return self._model(
            models.PageChainRestartRead,
            self._call(
                "GET",
                f"/v1/accounts/{self._segment(account_id)}/chain-restarts",
                query={"limit": limit, "cursor": cursor},
            ),
        )

    def iter_chain_restarts(self, account_id: str, *, page_size: int = 200) -> Iterator[models.ChainRestartRead]:
        """Every row of `list_chain_restarts`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_chain_restarts(account_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_bank_document_content(self, document_id: str) -> bytes:
        """The document of the bank that states a balance, the same bytes as were sent, with its checksum."""
        return self._call("GET", f"/v1/bank-documents/{self._segment(document_id)}/content").content

    def create_import_refusal(
        self,
        statement_id: str,
        body: models.ImportRefusalWrite | Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> models.StatementRead:
        """Note that the accounting package refused this file, with its message. For people of the office."""
        return self._model(
            models.StatementRead,
            self._call(
                "POST",
                f"/v1/statements/{self._segment(statement_id)}/import-refusals",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def create_withdrawal(
        self, statement_id: str, body: models.WithdrawalWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.ProposalRead:
        """Declare that this refused file and all later ones of the account are in no package; a second person
        confirms. They become `withdrawn`, their bytes kept, and their days are issued anew with the corrected
        number and the present data of client and account. Needs a person of the office with a fresh second factor.
        """
        return self._model(
            models.ProposalRead,
            self._call(
                "POST",
                f"/v1/statements/{self._segment(statement_id)}/withdrawals",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def create_traffic_recording(
        self,
        consent_id: str,
        body: models.TrafficRecordingWrite | Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> models.TrafficRecordingRead:
        """Record, encrypted, what the bank answers on the accounts of a consent, until the first limit is reached."""
        return self._model(
            models.TrafficRecordingRead,
            self._call(
                "POST",
                f"/v1/consents/{self._segment(consent_id)}/traffic-recordings",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def list_traffic_recordings(
        self, consent_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageTrafficRecordingRow:
        """Recordings of a consent, the newest first."""
        return self._model(
            models.PageTrafficRecordingRow,
            self._call(
                "GET",
                f"/v1/consents/{self._segment(consent_id)}/traffic-recordings",
                query={"limit": limit, "cursor": cursor},
            ),
        )

    def iter_traffic_recordings(self, consent_id: str, *, page_size: int = 200) -> Iterator[models.TrafficRecordingRow]:
        """Every row of `list_traffic_recordings`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_traffic_recordings(consent_id, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_traffic_recording(self, recording_id: str) -> models.TrafficRecordingRead:
        """One recording with the readings in it, without what they hold."""
        return self._model(
            models.TrafficRecordingRead, self._call("GET", f"/v1/traffic-recordings/{self._segment(recording_id)}")
        )

    def create_traffic_recording_end(
        self,
        recording_id: str,
        body: models.TrafficRecordingEnd | Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> models.TrafficRecordingRead:
        """End a recording, and erase at once what it holds when that is asked; also after it ended by itself."""
        return self._model(
            models.TrafficRecordingRead,
            self._call(
                "POST",
                f"/v1/traffic-recordings/{self._segment(recording_id)}/endings",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def get_recorded_reading(self, recording_id: str, reading_id: str) -> models.RecordedReadingRead:
        """What the bank answered, as it came; audited."""
        return self._model(
            models.RecordedReadingRead,
            self._call(
                "GET", f"/v1/traffic-recordings/{self._segment(recording_id)}/readings/{self._segment(reading_id)}"
            ),
        )

    def create_traffic_replay(
        self, recording_id: str, *, idempotency_key: str | None = None
    ) -> models.TrafficReplayRead:
        """Play the recorded answers through the present rules and tell which rows would differ from the stored ones.
        Of each account the newest reading is played. No bank is called and nothing is changed; that it was done is
        audited.
        """
        return self._model(
            models.TrafficReplayRead,
            self._call(
                "POST", f"/v1/traffic-recordings/{self._segment(recording_id)}/replays", idempotency_key=idempotency_key
            ),
        )

    def list_transactions(
        self,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        amount_min: str | None = None,
        amount_max: str | None = None,
        direction: str | None = None,
        counterparty: str | None = None,
        counterparty_iban: str | None = None,
        reference: str | None = None,
        text: str | None = None,
        label: str | None = None,
    ) -> models.PageTransactionRead:
        """Transactions, the newest booking day first."""
        return self._model(
            models.PageTransactionRead,
            self._call(
                "GET",
                "/v1/transactions",
                query={
                    "account_id": account_id,
                    "client_id": client_id,
                    "from": from_,
                    "to": to,
                    "state": state,
                    "limit": limit,
                    "cursor": cursor,
                    "amount_min": amount_min,
                    "amount_max": amount_max,
                    "direction": direction,
                    "counterparty": counterparty,
                    "counterparty_iban": counterparty_iban,
                    "reference": reference,
                    "text": text,
                    "label": label,
                },
            ),
        )

    def iter_transactions(
        self,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        state: str | None = None,
        amount_min: str | None = None,
        amount_max: str | None = None,
        direction: str | None = None,
        counterparty: str | None = None,
        counterparty_iban: str | None = None,
        reference: str | None = None,
        text: str | None = None,
        label: str | None = None,
        page_size: int = 200,
    ) -> Iterator[models.TransactionRead]:
        """Every row of `list_transactions`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_transactions(
                account_id=account_id,
                client_id=client_id,
                from_=from_,
                to=to,
                state=state,
                amount_min=amount_min,
                amount_max=amount_max,
                direction=direction,
                counterparty=counterparty,
                counterparty_iban=counterparty_iban,
                reference=reference,
                text=text,
                label=label,
                limit=page_size,
                cursor=cursor,
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def sync_transactions(
        self,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.TransactionChangesRead:
        """What was added, modified or removed since the cursor; without one, everything. Nothing is ever skipped."""
        return self._model(
            models.TransactionChangesRead,
            self._call(
                "GET",
                "/v1/transactions/sync",
                query={"account_id": account_id, "client_id": client_id, "limit": limit, "cursor": cursor},
            ),
        )

    def get_transaction(self, transaction_id: str) -> models.TransactionRead:
        """One transaction."""
        return self._model(
            models.TransactionRead, self._call("GET", f"/v1/transactions/{self._segment(transaction_id)}")
        )

    def put_transaction_labels(
        self, transaction_id: str, body: models.LabelsWrite | Mapping[str, Any]
    ) -> models.TransactionRead:
        """Give a booked transaction exactly these labels; repeated, it changes nothing."""
        return self._model(
            models.TransactionRead,
            self._call("PUT", f"/v1/transactions/{self._segment(transaction_id)}/labels", body=body),
        )

    def create_webhook_endpoint(
        self, body: models.WebhookEndpointWrite | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> models.WebhookEndpointMade:
        """Add an address that receives events; its signing secret is in this answer and never again. Destinations are
        set by a person with a fresh second factor; in test mode also by a machine with scope `admin`. The answer
        shows a secret once: a repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.WebhookEndpointMade,
            self._call("POST", "/v1/webhook-endpoints", body=body, idempotency_key=idempotency_key),
        )

    def list_webhook_endpoints(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> models.PageWebhookEndpointRead:
        """The office's endpoints, oldest first."""
        return self._model(
            models.PageWebhookEndpointRead,
            self._call("GET", "/v1/webhook-endpoints", query={"limit": limit, "cursor": cursor}),
        )

    def iter_webhook_endpoints(self, *, page_size: int = 200) -> Iterator[models.WebhookEndpointRead]:
        """Every row of `list_webhook_endpoints`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_webhook_endpoints(limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_webhook_endpoint(self, endpoint_id: str) -> models.WebhookEndpointRead:
        """One endpoint."""
        return self._model(
            models.WebhookEndpointRead, self._call("GET", f"/v1/webhook-endpoints/{self._segment(endpoint_id)}")
        )

    def patch_webhook_endpoint(
        self, endpoint_id: str, body: models.WebhookEndpointChange | Mapping[str, Any], *, if_match: str | None = None
    ) -> models.WebhookEndpointRead:
        """Change address, filters or whether it receives. Switching off discards what waits; it can be replayed."""
        return self._model(
            models.WebhookEndpointRead,
            self._call(
                "PATCH",
                f"/v1/webhook-endpoints/{self._segment(endpoint_id)}",
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def delete_webhook_endpoint(self, endpoint_id: str) -> None:
        """Remove an endpoint; its log stays."""
        self._call("DELETE", f"/v1/webhook-endpoints/{self._segment(endpoint_id)}")

    def rotate_webhook_secret(
        self, endpoint_id: str, *, idempotency_key: str | None = None
    ) -> models.WebhookEndpointMade:
        """A new secret; for 24 hours messages carry the signatures of both. The answer shows a secret once: a
        repetition with the same key is told that the first succeeded.
        """
        return self._model(
            models.WebhookEndpointMade,
            self._call(
                "POST",
                f"/v1/webhook-endpoints/{self._segment(endpoint_id)}/secret-rotations",
                idempotency_key=idempotency_key,
            ),
        )

    def test_webhook_endpoint(self, endpoint_id: str, *, idempotency_key: str | None = None) -> models.WebhookTestMade:
        """Send a message of type `test.sent` to this endpoint alone; look for it in the deliveries."""
        return self._model(
            models.WebhookTestMade,
            self._call(
                "POST", f"/v1/webhook-endpoints/{self._segment(endpoint_id)}/tests", idempotency_key=idempotency_key
            ),
        )

    def replay_webhook_events(
        self,
        endpoint_id: str,
        body: models.WebhookReplayWrite | Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> models.WebhookReplayRead:
        """Send the events of a stretch of time again, at most 1,000, oldest first, with the ids they had."""
        return self._model(
            models.WebhookReplayRead,
            self._call(
                "POST",
                f"/v1/webhook-endpoints/{self._segment(endpoint_id)}/replays",
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def list_webhook_deliveries(
        self,
        *,
        endpoint_id: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.PageWebhookDeliveryRead:
        """What was and is to be sent, newest first."""
        return self._model(
            models.PageWebhookDeliveryRead,
            self._call(
                "GET",
                "/v1/webhook-deliveries",
                query={"endpoint_id": endpoint_id, "state": state, "limit": limit, "cursor": cursor},
            ),
        )

    def iter_webhook_deliveries(
        self, *, endpoint_id: str | None = None, state: str | None = None, page_size: int = 200
    ) -> Iterator[models.WebhookDeliveryRead]:
        """Every row of `list_webhook_deliveries`, page after page."""
        cursor: str | None = None
        while True:
            page = self.list_webhook_deliveries(endpoint_id=endpoint_id, state=state, limit=page_size, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_webhook_delivery(self, delivery_id: str) -> models.WebhookDeliveryDetail:
        """One delivery with the answers it got."""
        return self._model(
            models.WebhookDeliveryDetail, self._call("GET", f"/v1/webhook-deliveries/{self._segment(delivery_id)}")
        )

    def replay_webhook_delivery(
        self, delivery_id: str, *, idempotency_key: str | None = None
    ) -> models.WebhookDeliveryRead:
        """Send it again, with the same `webhook-id`."""
        return self._model(
            models.WebhookDeliveryRead,
            self._call(
                "POST", f"/v1/webhook-deliveries/{self._segment(delivery_id)}/replays", idempotency_key=idempotency_key
            ),
        )
