"""Edges and conclusions in words. Names of the tenant are made safe for one line here."""

from collections.abc import Iterator

from msgspec import Struct

from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.values.text import one_line
from keyaudit.questions.access.words import can, grant_text, notes, spoken
from keyaudit.questions.blast_radius.answer import TRUSTS, BlastRadius, Edge, Kind, Node, Relation
from keyaudit.report.lines import plural
from keyaudit.report.missing import extent

_NAME = 300
VERBS = {
    Relation.KEPT_IN: "is kept in",
    Relation.SIGNS_IN_AS: "signs in as",
    Relation.SIGNS_TOKENS_FOR: "signs tokens for",
    Relation.PUBLISHED_AS: "is published as",
    Relation.ISSUES_FOR: "issues certificates for",
    Relation.ENCRYPTS: "encrypts",
    Relation.ADMITS: "opens",
    Relation.GIVEN_TO: "is used by",
    Relation.USED_BY: "can be used by",
    Relation.HOLDS: "holds",
    Relation.REACHES: "reaches",
    Relation.OPENS: "opens",
    Relation.SPEAKS_FOR: "speaks for",
    Relation.CONTROLS: "controls",
}
NOUNS = {
    Kind.KEY: "key",
    Kind.CERTIFICATE: "certificate",
    Kind.SECRET: "secret",
    Kind.IDENTITY: "application",
    Kind.AGENT: "agent identity",
    Kind.RELYING_PARTY: "relying party",
    Kind.DOMAIN: "federated domain",
    Kind.PROVIDER: "identity provider",
    Kind.ISSUER: "issuer key",
    Kind.AUTHORITY: "certificate authority in",
    Kind.ROLE: "directory role",
    Kind.AZURE_ROLE: "Azure role",
    Kind.VAULT: "vault",
}


class Branch(Struct, frozen=True):
    """An edge in the tree, with the branches below its target."""

    edge: Edge
    node: Node
    below: "tuple[Branch, ...]"
    again: bool
    """Whether its target is drawn elsewhere in the tree."""


def tree(found: BlastRadius) -> tuple[Branch, ...]:
    """The graph as a tree from its subject; each node is expanded only at its first occurrence."""
    below: dict[str, list[Edge]] = {}
    for edge in found.edges:
        below.setdefault(edge.source, []).append(edge)
    drawn = {found.subject.id}

    def branches(source: str) -> tuple[Branch, ...]:
        edges = below.get(source, ())
        fresh = {edge.target for edge in edges} - drawn
        drawn.update(fresh)
        made = []
        for edge in edges:
            opened = edge.target in fresh
            fresh.discard(edge.target)
            again = not opened and edge.target in below
            made.append(Branch(edge, found.nodes[edge.target], branches(edge.target) if opened else (), again))
        return tuple(made)

    return branches(found.subject.id)


def edge_text(branch: Branch) -> str:
    """One edge as a sentence without a subject."""
    edge, node = branch.edge, branch.node
    if node.kind is Kind.UNSEEN:
        return f"unknown: {one_line(node.name, 1_000)}: {why(edge.doubt)}"
    noun = NOUNS.get(node.kind, "")
    name = f"{noun} {one_line(node.name, _NAME)}".strip()
    note = f" ({spoken(node.note) if node.kind is Kind.PRINCIPAL else one_line(node.note)})" if node.note else ""
    doubt = f"; not sure: {why(edge.doubt)}" if edge.doubt and not (edge.way and edge.way.doubt) else ""
    again = "; what follows is drawn elsewhere" if branch.again else ""
    return f"{VERBS[edge.relation]} {name}{note}{_how(edge)}{doubt}{again}"


def _how(edge: Edge) -> str:
    parts = [" ".join(part for part in (edge.how, one_line(edge.names, _NAME)) if part)]
    if edge.way and edge.relation is Relation.HOLDS:
        parts.append(", ".join(grant_text(edge.way).split(", ")[1:]))
        parts.append(notes(edge.way))
    elif edge.way:
        parts += [f"{can(edge.way.allows)}, by {grant_text(edge.way)}", notes(edge.way)]
    text = "; ".join(part for part in parts if part)
    return f": {text}" if text else ""


def why(reason: Reason | None) -> str:
    """A reason, with its meaning."""
    return f"{ADVICE[reason].meaning} ({reason})" if reason else ""


def conclusion(found: BlastRadius) -> str:
    """What trusts the subject, in one or two sentences. "Nothing" is stated only if everything relevant was read."""
    trusting = len({edge.target for edge in found.accepting() if edge.doubt is None})
    still = "still " if found.verify else ""
    unread = sum(1 for _ in unknown(found))
    if trusting:
        more = f" There may be more: {plural(unread, 'thing')} could not be checked." if unread else ""
        verb = "accepts" if trusting == 1 else "accept"
        return f"{plural(trusting, 'object')} {still}{verb} it.{more}"
    if unread:
        return f"Nothing that was read {still}trusts it, but {plural(unread, 'thing')} could not be checked."
    if limits := extent(found.verdict):
        return f"Nothing {still}trusts it{limits}."
    return f"Nothing in this tenant {still}trusts it: everything that could trust it was read."


def opened(found: BlastRadius) -> str:
    """The most that its holder has, in a sentence; empty if that was not computed, or is nothing that is known."""
    whole = [
        edge for edge in found.edges if edge.relation is Relation.CONTROLS and found.nodes[edge.target].kind is Kind.TENANT
    ]
    if whole:
        can = "can" if any(edge.doubt is None for edge in whole) else "may be able to"
        return f"Its holder {can} take over the whole tenant."
    vaults = {edge.target for edge in found.edges if edge.relation is Relation.REACHES and edge.doubt is None}
    vaults = {each for each in vaults if found.nodes[each].kind is Kind.VAULT}
    return f"Its holder reaches {plural(len(vaults), 'vault')}." if vaults else ""


def is_secret(found: BlastRadius) -> bool:
    """Whether the subject is a secret of a vault, which backs no certificate."""
    return found.subject.note == "secret"


def meaning(found: BlastRadius) -> str:
    """The meaning of the exit code."""
    own = {
        Exit.FINDINGS: "something still accepts it",
        Exit.CLEAN: f"{'nothing accepts it, and ' if found.verify else ''}everything required was read",
    }
    exit_ = found.verdict.exit
    return own.get(exit_, MEANINGS[exit_])


def limits(found: BlastRadius) -> Iterator[str]:
    """What the graph can never show, and what the answer of --verify means."""
    if any(node.kind in (Kind.IDENTITY, Kind.AGENT) for node in found.nodes.values()) and not found.verify:
        yield "Azure roles that give no right over keys, secrets or access are neither in the inventory nor in this graph."
    if found.gone:
        yield "It is gone: the snapshot that --since names has it, and this one does not."
    if found.verify and found.subject.note == "application":
        yield "Every credential of the application counts, new ones too: verify each old key by its own id, as the plan does."


def unknown(found: BlastRadius) -> Iterator[Edge]:
    """The uncertain edges of trust in it, except those that no API shows."""
    for edge in found.trusting():
        told = edge.doubt is Reason.NOT_SUPPLIED and edge.relation is not Relation.ADMITS
        if edge.doubt is not None and not told and edge.relation in TRUSTS:
            yield edge
