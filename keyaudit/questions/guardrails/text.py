"""Guardrails for people: what each kind covers, how a document differs from its policies, and uncovered policies."""

import re
from collections.abc import Iterator, Mapping, Sequence

from keyaudit.model.guardrails import APP_MANAGEMENT_POLICY, AZURE_POLICY, KINDS
from keyaudit.model.values.shell import shell_quoted
from keyaudit.questions.guardrails.built_ins import NEAR
from keyaudit.questions.guardrails.documents import Asked, Guarded, in_entra, unsupplied
from keyaudit.report.lines import joined, plural, wrap

_WIDTH = 80
_FILE = re.compile(r"(@?)\{file\}")


def overview(asked: Sequence[Asked], found: Sequence[Guarded], profile: str) -> str:
    """All kinds, in lines of at most 80 columns, and the policies that none of them covers."""
    return joined(_overview(asked, found, profile))


def beside(guarded: Guarded, file: str) -> str:
    """Notes on a document: how it is deployed, and what it does not cover.

    `file`: the document's path.
    """
    return joined(_beside(guarded, file))


def _overview(asked: Sequence[Asked], found: Sequence[Guarded], profile: str) -> Iterator[str]:
    yield from wrap(f"Guardrails for {_policies(len(asked))}, by the limits of the profile {profile}", _WIDTH)
    for each in found:
        yield ""
        yield from wrap(f"{each.kind}: {KINDS[each.kind]}; for {_policies(len(each.covered))}", _WIDTH)
        for policy in each.covered:
            differs = each.partly.get(policy, "")
            yield from wrap(f"{policy}{': ' if differs else ''}{differs}", _WIDTH, "  ", "    ")
    left = {each.text.id: _why(each, found) for each in asked if not any(each.text.id in one.covered for one in found)}
    if left:
        yield ""
        yield from wrap(f"Nothing refuses or reports beforehand what {_policies(len(left))} would find", _WIDTH)
        yield from _by_reason(left)
    yield ""
    yield from wrap(f"Next: keyaudit policies guardrails --as {', '.join(KINDS)}, for a document to review.", _WIDTH)


def _beside(guarded: Guarded, file: str) -> Iterator[str]:
    for paragraph in guarded.lead:
        yield from wrap(paragraph, _WIDTH)
    for command in guarded.deploy:
        # PowerShell takes an unquoted @ for an operator, so it is quoted with the path.
        yield f"  {_FILE.sub(lambda found: shell_quoted(found[1] + file), command)}"
    if guarded.partly:
        yield from wrap(f"It differs from {_policies(len(guarded.partly))}:", _WIDTH)
        for policy, differs in guarded.partly.items():
            yield from wrap(f"{policy}: {differs}", _WIDTH, "  ", "    ")
    if guarded.left:
        yield from wrap(f"It covers none of {_policies(len(guarded.left))}:", _WIDTH)
        yield from _by_reason(guarded.left)


def _by_reason(left: Mapping[str, str]) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for policy, why in left.items():
        found.setdefault(why, []).append(policy)
    for why, policies in found.items():
        yield from wrap(f"{why}:", _WIDTH, "  ", "  ")
        yield from wrap(", ".join(policies), _WIDTH, "    ", "    ")


def _policies(count: int) -> str:
    return plural(count, "policy", "policies")


def _why(asked: Asked, found: Sequence[Guarded]) -> str:
    """The reason of the most relevant kind."""
    kind = APP_MANAGEMENT_POLICY if in_entra(asked.text) and asked.text.id not in NEAR else AZURE_POLICY
    return unsupplied(asked.text) or next(each.left[asked.text.id] for each in found if each.kind == kind)
