"""The tokens of those who are followed in an incident."""

from collections.abc import Sequence

import duckdb
from msgspec import structs

from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.tokens import tokens_of
from keyaudit.questions.incident.answer import Act, Observed
from keyaudit.questions.incident.evidence.actors import who
from keyaudit.questions.incident.evidence.subject import About


def with_tokens(connection: duckdb.DuckDBPyConnection, about: About, found: Observed, baseline: Baseline | None) -> Observed:
    """The evidence with the tokens that the key's applications and the followed actors used in the window.

    `connection` is to all days of the log store, with tokens. Nothing is looked for if nobody is known.
    """
    actors = [who(act) for act in _followed(found, held=baseline is not None)]
    apps = {*about.apps, *(app for app, _ in actors)} - {""}
    principals = {principal for _, principal in actors} - {""}
    if not apps and not principals:
        return found
    return structs.replace(found, tokens=tokens_of(connection, found.window, baseline, apps=apps, principals=principals))


def _followed(found: Observed, *, held: bool) -> Sequence[Act]:
    return [act for act in (*found.uses, *found.timeline) if not held or act.outside]
