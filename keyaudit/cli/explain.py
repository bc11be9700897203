"""`keyaudit explain`: a policy in full, a finding with its evidence and the arithmetic of its score, or a topic."""

import re
from typing import Annotated

import typer

from keyaudit.cli.options import Choice, Live, Stored, flags
from keyaudit.cli.policies import details, named
from keyaudit.cli.streams import printing
from keyaudit.model.errors import Exit, UsageError

_FINGERPRINT = re.compile(r"[0-9a-f]{16}", re.ASCII)


@flags(Live, Stored, Choice)
def explain(
    live: Live,
    stored: Stored,
    choice: Choice,
    *,
    topic: Annotated[
        str,
        typer.Argument(
            metavar="ID|TOPIC", help="A policy id, a finding id (16 hex digits) or a topic. Default: list all topics."
        ),
    ] = "",
) -> int:
    """Explain a policy, a finding or a topic.

    A policy: why it exists, what it reads, how to fix its findings. A finding: its evidence and score; it is looked up in
    --from DIR, --demo or the live tenant. Without an argument: all topics.
    """
    from keyaudit.report import topics
    from keyaudit.report.explain import render_policy

    name = topic.lower()
    if _FINGERPRINT.fullmatch(name):
        return _finding(name, live, stored, choice)
    if not name:
        text = topics.overview()
    elif name in topics.TOPICS:
        text = topics.topic(name)
    else:
        policy = named(topic, choice.policies, "explain", besides=topics.TOPICS)
        text = render_policy(policy.text, details(policy))
    with printing() as out:
        out.write(text)
    return Exit.CLEAN


def _finding(fingerprint: str, live: Live, stored: Stored, choice: Choice) -> int:
    from keyaudit.audit import SCORES
    from keyaudit.cli.judged import judged
    from keyaudit.report.finding import render_finding

    with judged(live, stored, choice, detail=SCORES) as report:
        # Passes are searched last: they are many and rarely asked for.
        pairs = (pair for passes in (False, True) for pair in report.owned(passes))
        found = next((pair for pair in pairs if pair[1].id == fingerprint), None)
        if found is None:
            unread = "" if report.verdict.complete else ", and not everything was read"
            raise UsageError(
                "explain",
                f"no finding has the fingerprint {fingerprint} here{unread}",
                "see the column finding_id of keyaudit report -o csv, or name another tenant or snapshot",
            )
        with printing() as out:
            owner, finding = found
            out.write(render_finding(finding, owner, report.run))
    return Exit.CLEAN
