"""Questions about findings: one reading of the findings answers all that wait, with a page of them in memory for each."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from keyaudit.model.errors import AuditError, UsageError
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.scope.filters import close_to, did_you_mean
from keyaudit.model.severity import Severity
from keyaudit.questions.findings.answers import Answer, about, count, paged, required_gaps, some_gaps
from keyaudit.report.facts import Facts
from keyaudit.report.json import finding_member, policy_member
from keyaudit.report.resource import label

_BATCH = 1_000
"""The number of names that are compared at once with one that matched nothing."""


class Question(ABC):
    """A question, which is shown the findings one by one."""

    done = False
    """Whether it was shown all that it needs."""
    failure: AuditError | None = None
    """Why that could not be read."""

    @abstractmethod
    def reads(self, passes: bool, /) -> bool:
        """Whether it needs the findings; with `passes`, those with the passes among them, which are read last."""

    @abstractmethod
    def take(self, owner: Owner, finding: Finding, passes: bool, /) -> None:
        """One finding of a reading that it needs."""

    @abstractmethod
    def answer(self, report: Report) -> Answer:
        """The answer after all readings. Raises UsageError if the question names nothing that there is."""


def read(report: Report, questions: Sequence[Question]) -> None:
    """Shows the findings to each question that needs them."""
    try:
        for passes in (False, True):
            asking = [each for each in questions if each.reads(passes)]
            for owner, finding in report.owned(passes) if asking else ():
                for each in asking:
                    each.take(owner, finding, passes)
    except AuditError as error:
        for each in questions:
            each.failure = error
    for each in questions:
        each.done = True


def answered(report: Report, question: Question) -> Answer:
    """The answer to a question after its reading. Raises the error of that reading."""
    if question.failure is not None:
        raise question.failure
    if not question.done:
        raise RuntimeError("the findings were not read completely")
    return question.answer(report)


class OneFinding(Question):
    """The finding with this id, and its policy."""

    def __init__(self, id_: str) -> None:
        self._id = id_
        self._found: Answer | None = None

    def reads(self, _passes: bool, /) -> bool:
        return self._found is None

    def take(self, owner: Owner, finding: Finding, _passes: bool, /) -> None:
        if self._found is None and finding.id == self._id:
            self._found = {"finding": finding_member(owner, finding), "policy": policy_member(finding.policy)}

    def answer(self, report: Report) -> Answer:
        if self._found is None:
            raise UsageError("id", f"{self._id} is not one of the findings here", "see findings")
        return {**about(report.run, report.verdict), "data": self._found}


class Findings(Question):
    """The findings with an outcome, of this severity and above, of one policy, and of resources whose name or id contains a
    text.
    """

    def __init__(self, *, policy: str, severity: Severity, outcome: Outcome, resource: str, offset: int, limit: int) -> None:
        self._policy, self._severity, self._outcome = policy, severity, outcome
        self._resource, self._offset, self._limit = resource, offset, limit
        self._matching = self._unknown = 0
        self._items: list[Answer] = []
        self._named = not resource
        """Whether the text is in the name or id of a resource of any finding, passes included."""
        self._near: Sequence[str] = ()
        self._others: set[str] = set()

    def reads(self, passes: bool, /) -> bool:
        return passes == (self._outcome is Outcome.PASS) or (passes and not self._named)

    def take(self, owner: Owner, finding: Finding, passes: bool, /) -> None:
        if self._resource and not self._is_named(finding):
            return
        self._named = True
        if passes != (self._outcome is Outcome.PASS) or finding.severity.rank < self._severity.rank:
            return
        if self._policy not in ("", finding.policy.id):
            return
        self._unknown += finding.outcome is Outcome.UNKNOWN
        if finding.outcome is self._outcome:
            self._matching += 1
            # One more than the page has.
            if self._offset < self._matching <= self._offset + self._limit + 1:
                self._items.append(_short(owner, finding))

    def _is_named(self, finding: Finding) -> bool:
        shown, text = label(Facts.of(finding)), self._resource.lower()
        if text in finding.subject.lower() or text in shown.lower():
            return True
        if not self._named:
            self._others.update((shown, *shown.split("/")))
            if len(self._others) > _BATCH:
                self._compare()
        return False

    def _compare(self) -> None:
        self._near = close_to(self._resource, {*self._near, *self._others})
        self._others.clear()

    def answer(self, report: Report) -> Answer:
        if not self._named:
            self._compare()
            near = did_you_mean(self._resource, self._near) or "findings without resource lists the names"
            raise UsageError("resource", "no result, passed or not, concerns a resource with this text in its name or id", near)
        verdict, policy = report.verdict, self._policy
        gaps = [gap for gap in required_gaps(report) if not policy or policy in gap.blinds]
        lacking = {each.policy.id: list(each.needs) for each in verdict.not_judged if policy in ("", each.policy.id)}
        unknown = self._unknown if self._outcome is not Outcome.UNKNOWN else 0
        answer = {
            **about(report.run, verdict),
            "count": count(self._matching, gaps, unknown, lacking=bool(lacking)),
            "policies_not_evaluated": lacking,
            "data": some_gaps(gaps),
        }
        return paged(answer, {"findings": self._items}, self._offset, self._limit)


def _short(owner: Owner, finding: Finding) -> Answer:
    """What tells a finding from others; its row, evidence and fix are in the answer about the finding itself."""
    whole = finding_member(owner, finding)
    kept = ("id", "policy", "problem", "outcome", "severity", "resource", "owners", "message", "unknown", "waiver", "known")
    return {name: whole[name] for name in kept}
