"""`keyaudit policies guardrails`: Azure and Entra settings that prevent or report what the policies find."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from keyaudit.cli.options import ConfigFile, Profile, Selection, flags
from keyaudit.cli.terminal.streams import printing, tell
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.values.text import one_line

if TYPE_CHECKING:
    from keyaudit.questions.guardrails.default_policy import InForce
    from keyaudit.questions.guardrails.documents import Asked, Guarded


class As(StrEnum):
    """What to print."""

    TEXT = "text"
    AZURE_POLICY = "azure-policy"
    APP_MANAGEMENT_POLICY = "app-management-policy"
    ALERTS = "alerts"
    BICEP = "bicep"
    TERRAFORM = "terraform"


@flags(Selection)
def guardrails(
    selection: Selection,
    *,
    as_: Annotated[
        As,
        typer.Option(
            "--as",
            help="An overview, or a document of one kind to deploy; bicep and terraform are azure-policy in these languages.",
        ),
    ] = As.TEXT,
    profile: Profile = None,
    config: ConfigFile = None,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="A snapshot: the overview then names the GitHub owners that its managed identities trust. With --as "
            "app-management-policy, a file with the current policy: the document starts from it and keeps every restriction.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The file to write the document to. Default: stdout.")
    ] = None,
) -> int:
    """Print Azure and Entra settings that prevent findings.

    Azure Policy, app management policies and alert rules, with the limits of the policies. Nothing is deployed.
    """
    from keyaudit.questions.guardrails.default_policy import read_in_force
    from keyaudit.questions.guardrails.text import beside, overview
    from keyaudit.report.files import check, output_file

    if out is not None:
        if as_ is As.TEXT:
            raise UsageError("--out", "only works with --as and the kind of a document", "name one, or remove the option")
        check(out)
    if from_ is not None and as_ not in (As.TEXT, As.APP_MANAGEMENT_POLICY):
        raise UsageError("--from", "only works with the overview and with --as app-management-policy", "leave it out")
    owners = "" if from_ is None or as_ is not As.TEXT else _owners(from_)
    in_force = None if from_ is None or as_ is As.TEXT else read_in_force(from_)
    asked, limits = _asked(selection, profile, config)
    found = _kinds(asked, limits, in_force)
    if as_ is As.TEXT:
        with printing() as stdout:
            stdout.write(overview(asked, list(found.values()), limits))
            stdout.write(owners)
        return Exit.CLEAN
    guarded, render = _document(found, as_)
    if not guarded.covered:
        raise UsageError("--select, --ignore", f"no guardrail of the kind {as_} is for any of these policies", "select others")
    document = render(guarded.document)
    if out is None:
        with printing() as stdout:
            stdout.write(document)
    else:
        with output_file(out) as file:
            file.write(document)
        with printing() as stdout:
            stdout.write(f"{one_line(str(out), 1_024)}: written, for {len(guarded.covered)} of {len(asked)} policies\n")
    tell(beside(guarded, "FILE" if out is None else one_line(str(out), 1_024)))
    return Exit.CLEAN


def _owners(folder: Path) -> str:
    """The GitHub owners that managed identities of a snapshot trust."""
    from keyaudit import ask
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.model.results.listing import FEDERATED
    from keyaudit.questions.guardrails.trusted_owners import trusted_owners

    taken = open_snapshot(folder)
    with ask.inventory(taken, (FEDERATED.table,), as_of=taken.run.as_of, selection=FEDERATED) as found:
        return trusted_owners(found)


def _document(found: "Mapping[str, Guarded]", as_: As) -> "tuple[Guarded, Callable[[Mapping[str, object]], str]]":
    """What is printed of the kinds, with how it is put into force, and what writes it."""
    from keyaudit.questions.guardrails import bicep, terraform
    from keyaudit.report.members import inert

    languages = {As.BICEP: bicep, As.TERRAFORM: terraform}
    if as_ in languages:
        return replace(found[As.AZURE_POLICY], deploy=languages[as_].DEPLOY), languages[as_].render
    return found[as_], lambda document: inert(document, indent=2) + "\n"


def _asked(selection: Selection, profile: str | None, config: Path | None) -> "tuple[list[Asked], str]":
    """The selected policies with their limits, and the profile of these limits."""
    from keyaudit.cli.options import Choice, Live
    from keyaudit.cli.settings.limits import settled
    from keyaudit.cli.settings.policy_selection import chosen
    from keyaudit.policy.conditions.types import Kind
    from keyaudit.policy.load import load
    from keyaudit.questions.guardrails.documents import Asked

    known = load(besides=selection.policies)
    how = settled(Live(config=config), Choice(profile=profile), known)
    policies = chosen(known, selection)
    found = [
        Asked(
            text=bound.policy.text,
            limits=bound.values,
            shown={name: bound.shown(name) for name in bound.values},
            durations=frozenset(name for name, each in bound.policy.parameters.items() if each.kind is Kind.DURATION),
            classes=tuple(each.declared.name for each in bound.classes if each.values or not each.applies),
        )
        for bound in how.bound(policies)
    ]
    return found, how.profile


def _kinds(asked: "Sequence[Asked]", profile: str, in_force: "InForce | None") -> "dict[str, Guarded]":
    from keyaudit.questions.guardrails.alerts import alerts
    from keyaudit.questions.guardrails.app_management import app_management_policy
    from keyaudit.questions.guardrails.azure_policy import azure_policy

    made = (azure_policy(asked), app_management_policy(asked, profile, in_force), alerts(asked))
    return {each.kind: each for each in made}
