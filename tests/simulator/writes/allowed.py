"""A write of Azure Resource Manager, answered only with the right that it needs; and what is kept as it was given."""

from collections.abc import Callable

from msgspec.structs import replace

from keyaudit.simulator.estate import Stored
from keyaudit.simulator.resource_manager.answers import answer, error, write_denied
from keyaudit.simulator.resource_manager.stored_objects import named, resource
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Answer, Request
from tests.simulator.writes import May, WriteError

Write = Callable[[Directory, Request, list[str]], Answer]


def allowed(directory: Directory, may: May, right: str, write: Write) -> Callable[[Request, list[str]], Answer]:
    """That write, refused without `right`; a WriteError is answered as Azure answers it."""

    def respond(request: Request, stars: list[str]) -> Answer:
        if not may(right):
            return write_denied(directory, request)
        try:
            return write(directory, request, stars)
        except WriteError as problem:
            return error(problem.status, problem.code, str(problem))

    return respond


def keep(directory: Directory, made: Stored) -> Answer:
    """Put it in the place of an earlier one: 201 if it is new."""
    known = named(directory, made.id)
    others = tuple(one for one in directory.estate.stored if one is not known)
    directory.change(replace(directory.estate, stored=(*others, made)))
    return replace(answer(resource(made)), status=201 if known is None else 200)
