"""What approvals refuse; each says which rule, who can act and what comes next."""

from __future__ import annotations

from gateway.errors import ConflictError, InputError, NotFound, PreconditionRequired, RightsError, StaleError


class RuleNotFound(NotFound):
    """No such rule, or another office's."""

    code = "approval_rule_not_found"
    title = "There is no approval rule with this id"


class GroupNotFound(NotFound):
    """No such group, or another office's."""

    code = "approver_group_not_found"
    title = "There is no approver group with this id"


class GroupNameTaken(ConflictError):
    """Two groups of a client cannot have one name."""

    code = "group_name_taken"
    title = "The client has a group with this name"
    hint = "Choose another name, or change the members of the existing group."


class GroupInUse(ConflictError):
    """A group named by an active rule cannot go."""

    code = "group_in_use"
    title = "An active rule names this group"
    hint = "Change the rule first."


class RuleInvalid(InputError):
    """The rule names people, groups or accounts that are not this client's."""

    code = "approval_rule_invalid"
    title = "The rule cannot work"


class RuleChanged(StaleError):
    """The ETag is of an earlier version."""

    code = "approval_rule_changed"
    title = "The rule changed since you read it"


class GroupChanged(StaleError):
    """The ETag is of an earlier version."""

    code = "approver_group_changed"
    title = "The group changed since you read it"


class SettingsChanged(StaleError):
    """The ETag is of an earlier version."""

    code = "approval_settings_changed"
    title = "The settings changed since you read them"


class ClientAdministratorRequired(RightsError):
    """A client with an administrator of its own decides on its rules itself (APP-12)."""

    code = "client_administrator_required"
    title = "Only an administrator of the client can change this"
    hint = "Ask a person with the role administrator of this client."


class CatchAllNeeded(ConflictError):
    """Without a rule for everything, some payments could never be approved."""

    code = "catch_all_needed"
    title = "An active rule without conditions is needed"
    hint = "Make a rule without conditions first; it applies to every payment."


class ProcessNotReady(ConflictError):
    """The process cannot be switched on with these rules."""

    code = "approval_process_not_ready"
    title = "The approval process cannot be switched on"
    hint = "Resolve what errors names; every rule needs enough people with the role approver."


class ApprovalsWaiting(ConflictError):
    """The process cannot be switched off over the heads of those who are asked."""

    code = "approvals_waiting"
    title = "Payments are waiting for approval"
    detail = "{count} payments are waiting."
    hint = "Decide on them or withdraw their baskets first."


class NoRuleMatches(ConflictError):
    """A payment that no rule covers is refused, never approved (APP-03)."""

    code = "no_rule_matches"
    title = "No approval rule covers these payments"
    detail = "{count} payments are covered by no active rule; each is listed in errors."
    hint = "An administrator of the client makes a rule without conditions, or switches the approval process off."


class RuleUnsatisfiable(ConflictError):
    """Too few people could ever approve (APP-04)."""

    code = "rule_unsatisfiable"
    title = "Too few people can approve these payments"
    detail = "Rule {rule_id} needs {needed} people and {available} can act; every case is listed in errors."
    hint = "An administrator of the client adds approvers to the rule, or somebody else prepares the payment."


class SealRequired(PreconditionRequired):
    """A decision says what it is about."""

    code = "seal_required"
    title = "Say which content you decide on"
    hint = "Send the seal of the payment as you saw it in the If-Match header."


class SealChanged(StaleError):
    """The payment is not what the approver saw."""

    code = "seal_changed"
    title = "The payment changed since you looked at it"
    hint = "Read the payment again and decide on what it says now."


class SealBroken(ConflictError):
    """The row is not what was sealed: it was changed past this service."""

    code = "seal_broken"
    title = "The payment was changed in the database"
    hint = "Do not decide on it. Withdraw its basket, compare it with the invoice, and tell the operator."


class DecisionOvertaken(StaleError):
    """Somebody was faster; the payment waits no longer, or this person decided already."""

    code = "decision_overtaken"
    title = "The payment has been decided on in the meantime"
    detail = "The payment is {state}."
    hint = "Read the payment again; nothing was counted twice."


class NotAsked(RightsError):
    """This person is not asked now: not named, no longer an approver, or not yet in turn."""

    code = "not_asked"
    title = "You are not asked to decide on this payment now"
    detail = "Waiting rules: {rule_ids}. These people can act now: {user_ids}."
    hint = "Wait for one of them, or ask an administrator of the client to change the rule for later payments."


class PreparerExcluded(RightsError):
    """Who prepared a payment does not decide on it (APP-06)."""

    code = "preparer_excluded"
    title = "You prepared or changed this payment and cannot decide on it"
    detail = "Waiting rules: {rule_ids}. These people can act now: {user_ids}."
    hint = "Let one of them decide. You can withdraw or cancel the payment."


class ReasonRequired(InputError):
    """A rejection tells why."""

    code = "reason_required"
    title = "A rejection needs a reason from the list and a text"
