"""`keyaudit explain`: a policy in full, a finding with its evidence and why it has its severity, or a topic."""

import contextlib
import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from keyaudit.cli.options import Choice, Live, Stored, flags
from keyaudit.cli.policies import details, named
from keyaudit.cli.terminal.streams import printing
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.results.causes import SHORT, WHOLE, is_id
from keyaudit.model.results.findings import Outcome

if TYPE_CHECKING:
    from keyaudit.model.results.expiring import Owner
    from keyaudit.model.results.findings import Finding

_LISTED = 10


@flags(Live, Stored, Choice)
def explain(
    live: Live,
    stored: Stored,
    choice: Choice,
    *,
    topic: Annotated[
        str,
        typer.Argument(
            metavar="ID|NAME|TOPIC",
            help=f"A policy id, a finding id (its first {SHORT} digits are enough), with --from or --demo the name or id of a "
            "resource, or a topic. Default: list all topics.",
        ),
    ] = "",
) -> int:
    """Explain a policy, a finding or a topic.

    A policy: why it exists, what it reads, how to fix its findings. A finding: its evidence and severity; it is looked up in
    --from DIR, --demo or the live tenant. A resource: its finding, or a list of them. Without an argument: all topics.
    """
    from keyaudit.questions.explain import render_policy
    from keyaudit.report import topics

    name = topic.lower()
    if is_id(name):
        return _finding(name, live, stored, choice)
    if not name:
        text = topics.overview()
    elif name == "commands":
        from keyaudit.cli.app import app
        from keyaudit.cli.every_command import every_command

        text = every_command(app())
    elif name in topics.TOPICS:
        text = topics.topic(name)
    else:
        try:
            policy = named(topic, choice.policies, "explain", besides=topics.TOPICS)
        except UsageError as error:
            # A tenant is not read for a misspelt name.
            if not (stored.from_ or live.demo):
                raise
            return _resource(topic, live, stored, choice, error)
        text = render_policy(policy.text, details(policy), _page(sys.stdout))
    with printing() as out:
        out.write(text)
    return Exit.CLEAN


def _page(out: TextIO | None) -> int:
    """The width of the text: at most that of a page, and less on a narrow terminal."""
    from keyaudit.cli.output import options
    from keyaudit.report.options import PAGE

    return PAGE if out is None else min(PAGE, options(out).page)


def _finding(id_: str, live: Live, stored: Stored, choice: Choice) -> int:
    from keyaudit.cli.sources.judged import judged
    from keyaudit.questions.explain.finding import render_finding

    with judged(live, stored, choice) as report:
        # Passes are searched last: they are many and rarely asked for.
        found = _beginning(id_, report.owned(False)) or _beginning(id_, report.owned(True))
        if not found:
            unread = "" if report.verdict.complete else ", and not everything was read"
            raise UsageError(
                "explain",
                f"no finding has the id {id_} here{unread}",
                "see the column finding_id of keyaudit report -o csv, or name another tenant or snapshot",
            )
        if len(found) > 1:
            ids = ", ".join(f"{finding.id} ({finding.policy.id})" for _, finding in found[:_LISTED])
            raise UsageError("explain", f"the ids of several findings begin with {id_}: {ids}", "give more digits")
        with printing() as out:
            owner, finding = found[0]
            out.write(render_finding(finding, owner, report.run, _page(out)))
    return Exit.CLEAN


def _resource(name: str, live: Live, stored: Stored, choice: Choice, unknown: UsageError) -> int:
    """Explain the open finding of the resource of that name or id, or list several. Raises `unknown` if no resource has it."""
    from keyaudit.cli.sources.judged import judged
    from keyaudit.model.scope.part import Part
    from keyaudit.model.values.text import one_line
    from keyaudit.questions.explain.finding import in_short, render_finding
    from keyaudit.report.lines import plural

    with contextlib.ExitStack() as stack:
        try:
            report = stack.enter_context(judged(live, stored, choice, part=Part(resources=(name,))))
        except UsageError as error:
            if error.place != "--resource":
                raise
            raise unknown from error
        found = [pair for pair in report.owned(False) if pair[1].open or pair[1].outcome is Outcome.UNKNOWN]
        with printing() as out:
            if len(found) == 1:
                [(owner, finding)] = found
                out.write(render_finding(finding, owner, report.run, _page(out)))
                return Exit.CLEAN
            out.write(f"{one_line(name)}: {plural(len(found), 'open or unknown result')}\n")
            out.writelines(in_short(finding, _page(out)) for _, finding in found)
            if found:
                out.write(f"keyaudit explain with the first {SHORT} digits shows the fix of one.\n")
    return Exit.CLEAN


def _beginning(id_: str, pairs: "Iterator[tuple[Owner, Finding]]") -> "list[tuple[Owner, Finding]]":
    """The findings whose id begins so; the first one if that is its whole id."""
    found = (pair for pair in pairs if pair[1].id.startswith(id_))
    return list(islice(found, 1 if len(id_) == WHOLE else _LISTED + 1))
