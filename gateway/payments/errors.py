"""What baskets, payments and exports refuse."""

from __future__ import annotations

from gateway.errors import ConflictError, InputError, NotFound, PreconditionRequired, StaleError


class BasketNotFound(NotFound):
    """No such basket, or another office's."""

    code = "basket_not_found"
    title = "There is no basket with this id"


class PaymentNotFound(NotFound):
    """No such payment, or another office's."""

    code = "payment_not_found"
    title = "There is no payment with this id"


class ExportNotFound(NotFound):
    """No such export, or another office's."""

    code = "export_not_found"
    title = "There is no export with this id"


class ExternalIdTaken(ConflictError):
    """The caller's own id stands on another object."""

    code = "external_id_taken"
    title = "This external_id is in use"
    hint = "Find the object by this external_id; use another one for something new."


class BasketNotDraft(ConflictError):
    """Payments are added while the basket is a draft only."""

    code = "basket_not_draft"
    title = "The basket has been submitted"
    detail = "The basket is {state}; payments are added while it is a draft."
    hint = "Put the payments in a new basket, or withdraw this one."


class BasketFull(ConflictError):
    """A basket holds at most 10,000 payments."""

    code = "basket_full"
    title = "The basket is full"
    detail = "A basket holds at most {maximum} payments; this one has {count}."
    hint = "Put the payments in a new basket."


class BasketEmpty(ConflictError):
    """There is nothing to submit."""

    code = "basket_empty"
    title = "There is no payment to submit"
    hint = "Add payments, or repair the blocked ones."


class PaymentsBlocked(ConflictError):
    """Blocked payments cannot be submitted."""

    code = "payments_blocked"
    title = "Some payments have faults"
    detail = "{count} payments are blocked; each is listed in errors."
    hint = "Correct or cancel the payments named, or submit the others with leave_blocked."


class WarningsNotAccepted(ConflictError):
    """A warning passes only when somebody has said yes to it."""

    code = "warnings_not_accepted"
    title = "Some warnings have not been accepted"
    detail = "Not accepted: {codes}."
    hint = "Look at the payments named, then repeat with the codes in accepted_findings."


class PaymentNotEditable(ConflictError):
    """What left, or ended, is not edited."""

    code = "payment_not_editable"
    title = "The payment can no longer be changed"
    detail = "The payment is {state}."
    hint = "Make a new payment."


class PaymentChanged(StaleError):
    """The ETag is of an earlier version."""

    code = "payment_changed"
    title = "The payment changed since you read it"


class BasketChanged(StaleError):
    """The ETag is of an earlier version."""

    code = "basket_changed"
    title = "The basket changed since you read it"


class VersionRequired(PreconditionRequired):
    """An edit says which version it was based on."""

    code = "version_required"
    title = "Say which version you are changing"
    hint = "Send the ETag of the object in the If-Match header."


class BasketNotApproved(ConflictError):
    """Files are made from approved baskets."""

    code = "basket_not_approved"
    title = "The basket is not approved"
    detail = "The basket is {state}."
    hint = "Have the waiting payments decided on, or cancel them; then the others can leave."


class ClientNotActive(ConflictError):
    """Payment files are made and downloaded for active clients only."""

    code = "client_not_active"
    title = "The client is not active"
    hint = "An administrator of the office activates the client first."


class NothingToExport(ConflictError):
    """No payment of the selection can leave."""

    code = "nothing_to_export"
    title = "There is no approved payment to export"
    hint = "Wait for the approvals; GET /v1/payments shows the state of each."


class AlreadyExported(ConflictError):
    """A payment is in one live file at most (law 4)."""

    code = "already_exported"
    title = "The payments are in a file already"
    detail = "They are in: {export_ids}."
    hint = "Download that file; its bytes are always the same. A payment leaves in a second file never."


class ExportRefused(ConflictError):
    """A check before leaving failed; nothing was exported (PAY-13)."""

    code = "export_refused"
    title = "The payments may not leave as they are"
    detail = "{count} checks failed; each is listed in errors with its payment and rule. Nothing was exported."
    hint = "Withdraw the basket and submit it again, so that the payments are approved as they are now."


class ExportVoided(ConflictError):
    """A check at the first download failed; the file is void and its payments wait for approval again."""

    code = "export_voided"
    title = "The file is void"
    detail = "The file was voided because a check failed: {reason}."
    hint = "Have the payments approved again, then export them in a new file."


class FileDamaged(ConflictError):
    """The stored bytes are not those that were made."""

    code = "file_damaged"
    title = "The stored file is damaged"
    hint = "Do not use any copy of it. The operator compares the database with the backup and the audit chain."


class RowRefused(InputError):
    """One row of a bulk request cannot be stored at all."""

    code = "payment_refused"
    title = "The payment cannot be stored"
