"""What proposals refuse."""

from gateway.errors import ConflictError, InputError, NotFound, RightsError


class ProposalNotFound(NotFound):
    """No such proposal, or none that the caller may see."""

    code = "proposal_not_found"
    title = "There is no proposal with this id"
    hint = "Check the id; proposals of clients you do not see are not shown."


class ProposalDecided(ConflictError):
    """Confirmed, withdrawn or expired already."""

    code = "proposal_decided"
    title = "This proposal has been decided already"
    hint = "Read the proposal again; make a new one if it is still wanted."


class ProposalOvertaken(ConflictError):
    """It was made on a version that is not the present one any more."""

    code = "proposal_overtaken"
    title = "What this proposal would change has changed since"
    hint = "Withdraw it, look at the present version, and propose what is still wanted."


class ProposalExists(ConflictError):
    """The same is waiting for confirmation."""

    code = "proposal_exists"
    title = "The same has been proposed already"
    hint = "Let another person confirm the proposal that is waiting."


class SecondPersonRequired(RightsError):
    """Who proposed something does not confirm it."""

    code = "second_person_required"
    title = "Another person must confirm this"
    hint = "Ask somebody else with the right to decide; whoever proposed it can only withdraw it."


class SecondPersonMissing(ConflictError):
    """It takes two, and there is nobody else with the right."""

    code = "second_person_missing"
    title = "There is no second person who could confirm this"
    hint = "Invite another person with the right to decide first."


class ProposalKindUnknown(InputError):
    """There is no such kind of proposal."""

    code = "proposal_kind_unknown"
    title = "There is no such kind of proposal"
    hint = "The documentation of the operation lists the kinds."
