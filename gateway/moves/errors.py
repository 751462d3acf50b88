"""What moves refuse."""

from gateway.errors import ConflictError, InputError, RightsError


class MoveDateInvalid(InputError):
    """A move is on a day from today on."""

    code = "move_date_invalid"
    title = "Choose a day of the move from today on"
    hint = "At most a year from now."


class NothingToMove(ConflictError):
    """No account of the client is connected here, or all of them move already."""

    code = "nothing_to_move"
    title = "No connected account of this client can move"
    hint = "Connect the accounts at this office first; the account holder can choose the move at the bank's page too."


class MoveByAdministrator(RightsError):
    """The client itself chooses, not its office."""

    code = "move_by_administrator"
    title = "An administrator of the client chooses this"
    hint = "Ask an administrator of the client, or send the account holder a link to the bank."
