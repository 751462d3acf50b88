"""What consents refuse."""

from gateway.errors import ConflictError, InputError, NotFound, RightsError


class ConsentNotFound(NotFound):
    """No such consent, or another office's."""

    code = "consent_not_found"
    title = "There is no consent with this id"


class LinkNotValid(NotFound):
    """The link is unknown, ended or used up; all answer alike."""

    code = "consent_link_not_valid"
    title = "This link does not work any more"
    hint = "Ask the accountancy office for a new link."


class CallbackNotValid(InputError):
    """A call-back with an unknown, used or ended state, or in another browser (CON-07)."""

    code = "callback_not_valid"
    http_status = 400
    title = "This answer from the bank does not belong to an open authorisation here"
    hint = "Open the link of the office again in one browser and start again; nothing was changed."


class OtherBrowser(RightsError):
    """The accounts found open only in the browser that gave the permission (CON-07)."""

    code = "other_browser"
    title = "This was started in another browser"
    hint = "Go on in the browser in which you came back from the bank, or start again."


class AuthorisationNotOpen(ConflictError):
    """The consent is already authorised, or over."""

    code = "authorisation_not_open"
    title = "This authorisation cannot be started any more"
    detail = "The consent is {state}."
    hint = "Ask the office for a new link when the permission must be given again."


class ChoiceNotOpen(ConflictError):
    """Accounts are chosen while the consent is valid."""

    code = "choice_not_open"
    title = "There are no accounts to choose from"
    detail = "The consent is {state}."
    hint = "Give the permission at the bank first."


class ConsentNotValid(ConflictError):
    """Nothing can be read: the permission is not there, or over."""

    code = "consent_not_valid"
    title = "There is no valid permission to read this account"
    hint = "Create a new consent for this bank and send the account holder to its authorisation_url."


class ReauthorisationNotOffered(ConflictError):
    """At a bank one permission covers its accounts together (CON-16)."""

    code = "reauthorisation_not_offered"
    title = "This bank does not authorise accounts one by one"
    hint = "Create a new consent for this bank and send the account holder to its authorisation_url."


class ReturnUrlNotRegistered(InputError):
    """Return addresses must be registered letter by letter (CON-05)."""

    code = "return_url_not_registered"
    title = "The return address is not registered"
    hint = "The operator lists return addresses in SLUIS_RETURN_URLS."


class ChoiceEmpty(InputError):
    """Nothing was ticked."""

    code = "choice_empty"
    title = "Choose at least one account"
    hint = "Tick the accounts the office may read."


class AccountTypeNotSupported(InputError):
    """Only current accounts can be chosen (CON-08)."""

    code = "account_type_not_supported"
    title = "Only current accounts can be connected"
    hint = "Leave out savings, card, loan and investment accounts; the errors name each one."


class AccountNotFitting(InputError):
    """The bank gave no usable account number."""

    code = "account_iban_invalid"
    title = "The account number does not hold"
    hint = "The bank gave no IBAN with valid check digits for this account; ask the bank."


class AccountsNotShown(ConflictError):
    """A fresh permission that opens nothing: another signatory may have to act, and not every bank says so."""

    code = "accounts_not_shown"
    title = "The bank does not show the accounts yet"
    hint = (
        "If somebody else must approve at the bank too, wait for that and open this link again; it goes on here. "
        "Otherwise the permission must be given anew with another link."
    )


class AccountElsewhere(ConflictError):
    """The office has this account under another client."""

    code = "account_of_other_client"
    title = "This account belongs to another client of the office"
    hint = "Choose it under the client that holds it, or let the office correct the client first."


class RenewalTooEarly(ConflictError):
    """A consent that still holds can be renewed in its last days only (CON-11)."""

    code = "renewal_too_early"
    title = "This permission cannot be renewed yet"
    detail = "It can be renewed from {renewable_from} on."
    hint = "Wait until then, or renew every permission of the client in one sitting."


class RenewalNotPossible(ConflictError):
    """Only what holds, or has held and ended, can be renewed."""

    code = "renewal_not_possible"
    title = "This permission cannot be renewed"
    detail = "The consent is {state}."
    hint = "Renew the consent that reads the accounts now; one that was never given needs a new link."


class RenewalMismatch(InputError):
    """A renewal is for the same client at the same bank."""

    code = "renewal_mismatch"
    title = "The renewed permission is another client's or bank's"
    hint = "Give the client and the bank of the consent that is to be replaced."


class RenewalQuestionOpen(InputError):
    """Accounts are not as before, and the account holder has not said what became of them (CON-11)."""

    code = "renewal_question_open"
    title = "Say of each account that is not as before what became of it"
    hint = (
        "Choose for a new account whether it was added or replaces another, and for a missing one whether it is gone."
    )


class NothingToRenew(ConflictError):
    """The client has no permission that reads an account, or did."""

    code = "nothing_to_renew"
    title = "There is no bank permission to renew"
    hint = "Link a bank of this client first."


class ContactMissing(ConflictError):
    """The client has no confirmed address for mail (DEL-13)."""

    code = "contact_missing"
    title = "There is no confirmed contact to mail to"
    hint = "Confirm the contact of the client first, or hand the address over by another way."


class ProofNotFound(NotFound):
    """No account with this id waits for a proof here."""

    code = "account_proof_not_found"
    title = "No such account waits for a proof"


class ProofOver(ConflictError):
    """It was proven, left out, or its permission has ended (CON-08)."""

    code = "account_proof_over"
    title = "This account does not wait for a proof any more"
    hint = "Look at the accounts of the permission again."
    members = ("state",)


class ConsentEvidenceNotFound(NotFound):
    """No such document of a permission."""

    code = "consent_evidence_not_found"
    title = "There is no such evidence"


class EvidenceMasked(RightsError):
    """The document names whole account numbers, which this role sees masked (OFF-08)."""

    code = "evidence_masked"
    title = "The evidence shows whole account numbers"
    hint = "Ask somebody of the office who may read accounts."


class RelationMissing(InputError):
    """The bank names another holder, and nothing was said of that."""

    code = "relation_missing"
    title = "Say how the account belongs to the company"
    hint = "Choose what the holder whom the bank names is to the company."


class InvitationCodeWrong(InputError):
    """Not the code of this invitation, or one that was used already (CON-06)."""

    code = "invitation_code_wrong"
    title = "The code is not right"
    hint = "After five wrong codes in all the invitation ends; the accountancy office can make a new one."
    members = ("left",)


class InvitationCodeNeeded(RightsError):
    """This browser has not shown the code of the invitation (CON-06)."""

    code = "invitation_code_needed"
    title = "This invitation opens with a code"
    hint = "Open the link and type the six digits that the accountancy office gave you."
