"""Stands before the collectors in place of Azure, and answers from a plan. It refuses what a plan lacks, and says so."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from keyaudit.cloud.answers.pages import Page, Step
from keyaudit.cloud.answers.tables import Rows
from keyaudit.cloud.connection import Connection, Identity
from keyaudit.cloud.environment import Environment
from keyaudit.cloud.gateway import Gateway, Instead, Listing
from keyaudit.cloud.replay import Memory
from keyaudit.model.coverage import Refusal
from keyaudit.model.forecast import Forecast
from keyaudit.model.reasons import Reason
from keyaudit.plan.answers import Answers
from keyaudit.plan.unread_resources import ONLY_SEEN_IN_THE_TENANT

T = TypeVar("T")

_ABSENT = Refusal(Reason.NOT_IN_PLAN)


class PlanGateway(Gateway):
    """A gateway without a network."""

    def __init__(self, answers: Answers) -> None:
        self.observe = None
        self._answers = answers

    def pages(
        self,
        operation: str,
        item: type[T],
        *,
        by: Callable[[T], str] | None,
        host: str = "",
        body: Mapping[str, object] | None = None,  # noqa: ARG002 - a query is about everything
        **segments: str,
    ) -> Listing[T]:
        """A list of the plan, which is one page."""
        held = self._answers.listed(operation, host, segments)
        lacking = self._lacking(operation)
        absent = lacking or _ABSENT

        async def fetch(_: Step) -> Page | Refusal:
            if held is None:
                return absent
            gone = Refusal(Reason.AFTER_APPLY, f"{held.gone} is deleted, and may be the last one") if held.gone else None
            return Page(held.items, refusal=gone or (lacking if held.whole else absent))

        return Listing(fetch, Step(operation) if held else absent, item, by)

    def rows(
        self,
        operation: str,
        item: type[T],
        *,
        by: Callable[[T], str],
        body: Mapping[str, object],
        instead: Instead | None = None,  # noqa: ARG002
    ) -> Listing[T]:
        """The same: a query is about everything."""
        return self.pages(operation, item, by=by, host="", body=body)

    def _lacking(self, operation: str) -> Refusal | None:
        return None if operation in ONLY_SEEN_IN_THE_TENANT else self._answers.lacking(operation)

    async def lists(
        self, operation: str, item: type[T], *, by: Callable[[T], str], places: Sequence[Mapping[str, str]]
    ) -> Sequence[Listing[T]]:
        """One list for each of `places`."""
        return [self.pages(operation, item, by=by, host="", body=None, **place) for place in places]

    async def get(self, operation: str, item: type[T], *, host: str = "", **segments: str) -> T | Refusal:
        """An object of the plan; Refusal(bad_item) if a value that it cannot be without is not known."""
        found = self._answers.read(operation, host, segments)
        if found is None:
            return self._lacking(operation) or _ABSENT
        try:
            return msgspec.json.decode(found, type=item)
        except msgspec.ValidationError:
            return Refusal(Reason.AFTER_APPLY)

    async def make(self, operation: str, item: type[T], body: Mapping[str, object]) -> T | Refusal:  # noqa: ARG002
        """Nothing: a plan is only read."""
        return _ABSENT

    async def query(self, operation: str, text: str, **segments: str) -> Rows | Refusal:  # noqa: ARG002
        """Nothing: a plan has no logs."""
        return _ABSENT


class PlanConnection(Connection):
    """A connection to a plan."""

    def __init__(self, answers: Answers, identity: Identity, environment: Environment) -> None:
        self.gateway, self.identity, self.environment = PlanGateway(answers), identity, environment

    def watch(self, waits: Callable[..., None], gone: Callable[[str], Awaitable[bool]]) -> None:
        """Nothing is waited for."""

    def remembering(self, memory: Memory) -> "PlanConnection":  # noqa: ARG002
        """Itself: nothing is asked twice."""
        return self

    def monotonic(self) -> float:
        """No time passes: all of a plan is read."""
        return 0.0

    def forecast(
        self,
        surface: str,  # noqa: ARG002
        operation: str,  # noqa: ARG002
        requests: int,  # noqa: ARG002
        subscription: str = "",  # noqa: ARG002
    ) -> Forecast | None:
        """None: nothing is sent."""
        return None

    @property
    def requests(self) -> int:
        """None were sent."""
        return 0

    def skew(self) -> int | None:
        """None: no service told the time."""
        return None
