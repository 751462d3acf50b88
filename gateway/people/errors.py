"""What invitations refuse."""

from gateway.errors import ConflictError, InputError, NotFound, RightsError


class InvitationNotFound(NotFound):
    """No such invitation, or one that the caller may not see."""

    code = "invitation_not_found"
    title = "There is no invitation with this id"
    hint = "Take an id from the list of invitations."


class InvitationOver(ConflictError):
    """Accepted, or in a state that does not allow it."""

    code = "invitation_over"
    title = "This invitation cannot be changed any more"
    hint = "Read the invitation again; make a new one if it is still wanted."


class ActivationNotValid(NotFound):
    """Unknown, used, replaced, taken back or too old: the answer is the same."""

    code = "activation_not_valid"
    title = "This link is not valid any more"
    hint = "A link works once and for some days. Ask the person who invited you for a new one."


class ActivationCodeWrong(InputError):
    """The code that the inviter hands over, or the one from the authenticator."""

    code = "activation_code_wrong"
    title = "The code is not right"
    hint = "After five wrong codes the link ends; the person who invited you can send a new one."


class OwnSecondFactor(RightsError):
    """Nobody takes away the own second factor, or hands oneself the code for a new one (SEC-13)."""

    code = "own_second_factor"
    title = "Another administrator must do this for you"
    hint = "Ask another administrator; a lost phone is also replaced by a recovery code or a second passkey."


class ActivationForOther(RightsError):
    """Signed in as somebody else than the invited person."""

    code = "activation_for_other"
    title = "This invitation is for another person"
    hint = "Sign out, and sign in with the e-mail address that received the invitation."
