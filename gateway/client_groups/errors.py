"""What client groups refuse."""

from gateway.errors import ConflictError, NotFound


class ClientGroupNotFound(NotFound):
    """No such group."""

    code = "client_group_not_found"
    title = "There is no client group with this id"
    hint = "Take an id from the list of client groups."


class ClientGroupNameTaken(ConflictError):
    """Two groups of one name could not be told apart."""

    code = "client_group_name_taken"
    title = "There is a client group with this name already"
    hint = "Choose another name, or change the existing group."


class ClientGroupOfAll(ConflictError):
    """The group of all clients has no list, keeps its name and stays."""

    code = "client_group_of_all"
    title = "The group of all clients stays as it is"
    hint = "Only the people in it can be changed; make another group for some clients."
