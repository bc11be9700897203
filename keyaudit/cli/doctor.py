"""`keyaudit doctor`: what can be read of a tenant, and what is missing for the rest."""

from enum import StrEnum
from typing import Annotated

import typer
from msgspec import structs

from keyaudit.cli.options import Live, Selection, Stored, flags


class As(StrEnum):
    """Formats of an examination."""

    TEXT = "text"
    JSON = "json"


@flags(Live, Stored, Selection)
def doctor(
    live: Live,
    stored: Stored,
    selection: Selection,
    *,
    output: Annotated[As, typer.Option("--output", "-o", help="Format on stdout.")] = As.TEXT,
) -> int:
    """Show what can be read, what cannot, and what grants it.

    Names the reason of each gap and the policies that it affects. It reads what a report would read and keeps nothing; with
    --from it explains the gaps of a snapshot.
    """
    from keyaudit.cli.chosen import chosen, needed_by
    from keyaudit.cli.output import show
    from keyaudit.cli.source import snapshot, unmet
    from keyaudit.gate import assess
    from keyaudit.inventory.access_models import with_access_models
    from keyaudit.model.tables import operations
    from keyaudit.policy.evidence import supplied
    from keyaudit.policy.judge import not_judged
    from keyaudit.policy.load import load
    from keyaudit.report.doctor import FORMATS
    from keyaudit.report.doctor.examine import examine

    policies = chosen(load(besides=selection.policies), selection)
    some = selection.select or selection.ignore
    with snapshot(live, stored) as (taken, as_of):
        with taken.judging(as_of, reach_known=False, names=("vault",)) as connection:
            lacking = not_judged(policies, supplied(taken.run, policies, (), connection))
        without = {each.policy.id for each in lacking}
        judged = [policy for policy in policies if policy.text.id not in without]
        needs = needed_by(judged)
        required = frozenset(needs) if some else operations().union(needs)
        run = structs.replace(taken.run, as_of=as_of)
        verdict = assess(run, taken.coverage, required, needed_by=needs, unmet=unmet(taken, live))
        verdict = structs.replace(verdict, not_judged=lacking)
        verdict = with_access_models(verdict, taken)
        found = examine(run, verdict, required, [policy.text.id for policy in judged], needs)
        return show(FORMATS[output], found, verdict)
