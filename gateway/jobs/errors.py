"""What jobs refuse."""

from gateway.errors import ConflictError, NotFound


class JobNotFound(NotFound):
    """No such job, or one that is not yours to see."""

    code = "job_not_found"
    title = "There is no job with this id"


class JobEnded(ConflictError):
    """What has ended cannot be cancelled."""

    code = "job_ended"
    title = "This job has ended already"
    detail = "The job is in state {state}."
    hint = "Look at its result; what it did stays done."
