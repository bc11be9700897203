"""A write of Azure Resource Manager, answered only with the right that it needs."""

from collections.abc import Callable

from keyaudit.simulator.arm_answers import error, write_denied
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Answer, Request
from keyaudit.simulator.writes import WriteError

Write = Callable[[Directory, Request, list[str]], Answer]


def allowed(directory: Directory, right: str, write: Write) -> Callable[[Request, list[str]], Answer]:
    """That write, refused without `right`; a WriteError is answered as Azure answers it."""

    def respond(request: Request, stars: list[str]) -> Answer:
        if not directory.may(right):
            return write_denied(directory, request)
        try:
            return write(directory, request, stars)
        except WriteError as problem:
            return error(problem.status, problem.code, str(problem))

    return respond
