"""The plan in order: block, replace, revoke, verify. Commands are printed and never run."""

from collections.abc import Iterator, Sequence

from keyaudit.model.values.text import one_line
from keyaudit.questions.blast_radius import identities, signers, vaults
from keyaudit.questions.blast_radius.answer import BlastRadius, Kind, Relation
from keyaudit.questions.blast_radius.words import is_secret
from keyaudit.report.steps import Phase, Step, word

_ABOUT = {
    Relation.SIGNS_IN_AS: identities.identity,
    Relation.SIGNS_TOKENS_FOR: signers.signer,
    Relation.PUBLISHED_AS: signers.published,
    Relation.ISSUES_FOR: signers.authority,
    Relation.ENCRYPTS: vaults.service,
    Relation.ADMITS: vaults.account,
    Relation.KEPT_IN: vaults.kept,
}


def plan(found: BlastRadius) -> list[Step]:
    """Every step, in order. Uncertain edges have steps too."""
    steps = [step for edge in found.accepting() for step in _ABOUT[edge.relation](found, edge)]
    return sorted(_merged([*steps, *_once(found)]), key=_order)


def left(found: BlastRadius) -> list[Step]:
    """The steps that are not done, among those that end the trust in the subject."""
    return [step for step in plan(found) if step.settles is not None]


def _order(step: Step) -> tuple[int, bool]:
    """The sort key: by phase, then in the order of the graph, but a new key is created first."""
    return list(Phase).index(step.phase), step.phase is Phase.REPLACE and not step.makes


def _once(found: BlastRadius) -> Iterator[Step]:
    """The steps that are done once for the whole graph."""
    if is_secret(found):
        yield from vaults.of_secret(found)
    for edge in found.edges:
        if edge.relation is Relation.OPENS:
            name, through = one_line(found.nodes[edge.target].name), one_line(found.nodes[edge.source].name)
            yield Step(
                phase=Phase.REPLACE,
                title=f"Treat {name} as stolen, too: {through} can use it",
                text="It has a page and a plan of its own.",
                commands=(f"keyaudit incident {word('spki:' + edge.facts['public_key'])}",),
            )
    if any(node.kind is Kind.TENANT for node in found.nodes.values()):
        yield Step(
            phase=Phase.REVOKE,
            title="Look for what the holder left behind in the tenant",
            text=(
                "It could control the tenant. In Entra's audit log look for credentials, owners, app roles, directory"
                " roles, consents and federation settings added since the key may have been out; remove what nobody owns."
            ),
        )
    for edge in found.accepting():
        if edge.relation is Relation.SIGNS_IN_AS and identities.can_be_stopped(edge):
            yield identities.again(found, edge)
    yield _verify(found)


_KEEP = (
    " Keep a current snapshot, so that deletions can be recognised: make one with keyaudit collect before you begin, and add"
    " --since with its folder."
)


def _verify(found: BlastRadius) -> Step:
    since = f" --since {word(found.kept_in)}" if found.kept_in else ""
    text = (
        "Exit code 0 says so, if all required reads succeed. Ask the parties outside Azure that were given the public key:"
        " no API of Azure lists them."
    )
    if is_secret(found):
        text = (
            "It says what Azure still accepts. Whether the old value is refused elsewhere, its owner has to try; until then the"
            " exit code is 3."
        )
    return Step(
        phase=Phase.VERIFY,
        title=f"Read again, and check that nothing accepts the old {'value' if is_secret(found) else 'key'}",
        text=f"{text}{'' if since else _KEEP}",
        commands=tuple(f"keyaudit incident {word(each)} --verify{since}" for each in _targets(found)),
    )


def _targets(found: BlastRadius) -> list[str]:
    """The identifiers that distinguish each old key from its replacement."""
    targets = [f"spki:{digest}" for digest in found.digests]
    for edge in found.accepting():
        if edge.relation is Relation.KEPT_IN and edge.facts["noun"] in ("key", "secret"):
            targets.append(edge.target)
        has_digest = bool(found.digests) and edge.facts.get("kind") == "certificate"
        if edge.relation is Relation.SIGNS_IN_AS and not has_digest and "key_id" in edge.facts:
            targets.append(edge.facts["key_id"])
    return list(dict.fromkeys(targets)) or [found.target]


def _merged(steps: Sequence[Step]) -> list[Step]:
    """The steps without duplicates."""
    seen: dict[tuple[object, ...], Step] = {}
    for step in steps:
        settled = (step.settles.relation, step.settles.target) if step.settles else None
        seen.setdefault((step.phase, step.title, tuple(step.commands), settled), step)
    return list(seen.values())
