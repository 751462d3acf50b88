"""Every encrypted column of the database, listed once: rotation, `sluis keys status` and a test go by this list.

`binding` is what `KeyRing.encrypt` was given as `table`; `row` names the column that holds the row id it was bound to.
A binary column that is no ciphertext has a name that says what it is (`…_hash`, `mac`, `content`), see the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.traffic.models import READING_BINDING
from gateway.transactions.models import RAW_TABLE


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """A column of ciphertexts."""

    table: str
    column: str
    binding: str
    row: str = "id"


ENCRYPTED: Final = (
    EncryptedColumn("app_user", "totp_secret", "app_user"),
    EncryptedColumn("bank_document", "document_cipher", "bank_document"),
    EncryptedColumn("bank_transaction", "raw_cipher", RAW_TABLE),
    EncryptedColumn("client_import_row", "content_cipher", "client_import_row"),
    EncryptedColumn("client_number_change", "document_cipher", "client_number_change"),
    EncryptedColumn("consent", "link_cipher", "consent.link"),
    EncryptedColumn("consent", "handle_cipher", "consent.handle"),
    EncryptedColumn("consent", "callback_cipher", "consent.callback"),
    EncryptedColumn("consent", "tokens_cipher", "consent.tokens"),
    EncryptedColumn("consent_evidence", "content_cipher", "consent_evidence"),
    EncryptedColumn("consent_sitting", "link_cipher", "consent_sitting.link"),
    EncryptedColumn("idempotency_key", "answer_cipher", "idempotency_key"),
    EncryptedColumn("mail_message", "content_cipher", "mail_message"),
    EncryptedColumn("oidc_provider", "secret_cipher", "oidc_provider"),
    EncryptedColumn("recorded_reading", "content_cipher", READING_BINDING),
    EncryptedColumn("review_item", "raw_cipher", "review_item"),
    EncryptedColumn("statement_upload_file", "content_cipher", "statement_upload_file"),
    EncryptedColumn("sync", "psu_cipher", "sync.psu"),
    # The form before, kept as it was encrypted for the transaction itself.
    EncryptedColumn("transaction_revision", "raw_cipher", RAW_TABLE, row="transaction_id"),
    EncryptedColumn("webhook_endpoint", "url_cipher", "webhook_endpoint.url"),
    EncryptedColumn("webhook_endpoint", "secret_cipher", "webhook_endpoint.secret"),
    EncryptedColumn("webhook_endpoint", "old_secret_cipher", "webhook_endpoint.secret"),
)
