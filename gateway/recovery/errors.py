"""What recovery refuses."""

from gateway.errors import InputError
from gateway.identity.errors import SignInRefused


class LinkNotValid(InputError):
    """Unknown, used or too old: the answer does not say which."""

    code = "link_not_valid"
    http_status = 422
    title = "This link does not work any more"
    hint = "Links work once and for a short time; ask for a new one."


class PasswordWrong(SignInRefused):
    """The present password, asked once more before it changes."""

    code = "password_wrong"
    http_status = 422
    title = "The present password is not right"
    hint = "Enter the password you sign in with now; who forgot it signs out and asks for a new one."
