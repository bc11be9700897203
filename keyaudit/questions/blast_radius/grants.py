"""The step that removes access to a key from those who do not use it. Who is at work, or may be, keeps it."""

from collections.abc import Iterator, Mapping, Sequence

from keyaudit.model.results.fixes import version_needed
from keyaudit.model.tables.grant import Allows
from keyaudit.model.values.text import one_line
from keyaudit.questions.access.answer import Way
from keyaudit.questions.access.words import grant_text
from keyaudit.questions.blast_radius.activity import Work, in_vault
from keyaudit.questions.blast_radius.answer import BlastRadius, Edge, Kind, Relation
from keyaudit.questions.blast_radius.work import NEEDED, NO_LOGS, evidence
from keyaudit.report.lines import listed, plural
from keyaudit.report.steps import Phase, Step, option_word

_FEW = 20
"""The maximum number of principals or grants that a step names."""
_OWN_SCOPES = ("vault", "hsm", "object")
_UNLOGGED = frozenset((Allows.GRANT, Allows.SET_POLICY, Allows.PURGE_VAULT, Allows.CONNECT))
"""Permissions that are used without a record in the log of the vault."""


def at_work(found: BlastRadius, kept: Edge, users: Sequence[Edge]) -> str:
    """The principals among `users` that used the vault of a key, for a sentence."""
    names = _names(found, [use for use in users if found.worked(in_vault(kept.facts["vault_id"], use.target)).used])
    return names or "its users"


def cut_off(found: BlastRadius, kept: Edge, shown: str, users: Sequence[Edge]) -> Iterator[Step]:
    """The steps for the principals that can use a key: `kept` is the edge to its vault, `users` the edges to them."""
    vault_id = kept.facts["vault_id"]
    work = {use.target: found.worked(in_vault(vault_id, use.target)) for use in users}
    held: dict[str, list[Edge]] = {}
    for use in users:
        if use.way is not None:
            held.setdefault(use.way.id, []).append(use)
    host = "/".join(kept.facts["thing_id"].lower().split("/")[:3])
    unserved = host not in found.serving and not _unread(found, Relation.ENCRYPTS)
    ended = {id_: uses for id_, uses in held.items() if _may_end(found, uses, work, unserved=unserved)}
    vault = kept.facts.get("vault_name", "")
    alone = _alone(found, held, work)
    if at_once := _commands(vault, [uses[0] for uses in alone.values()][:_FEW]):
        who = [use for uses in alone.values() for use in uses if work[use.target].outside]
        yield _of_thieves(found, shown, at_once, who, work)
    commands = _commands(vault, [uses[0] for uses in ended.values()][:_FEW])
    going = [use for uses in ended.values() for use in uses]
    text = [
        *_kept(found, [use for use in users if use.way is None or use.way.id not in {*ended, *alone}], work),
        *([_going(found, going, work)] if going else []),
        version_needed(commands),
    ]
    yield Step(
        phase=Phase.REVOKE,
        title=f"Remove access of principals that do not use {shown}",
        text=" ".join(filter(None, text)),
        breaks="everything that they do with the vault, legitimate work too",
        commands=commands,
    )


def _alone(found: BlastRadius, held: Mapping[str, Sequence[Edge]], work: Mapping[str, Work]) -> dict[str, Sequence[Edge]]:
    """If a theft is stated, the grants of those that used the vault only outside the baseline, and that nobody else needs."""
    return {
        id_: uses
        for id_, uses in held.items()
        if found.stated
        and uses[0].way is not None
        and _is_own(uses[0].way)
        and any(work[use.target].outside for use in uses)
        and all(work[use.target].outside or work[use.target].may_end for use in uses)
    }


def _of_thieves(found: BlastRadius, shown: str, commands: Sequence[str], who: Sequence[Edge], work: Mapping[str, Work]) -> Step:
    """The step that removes the access of those that used the vault only outside the baseline."""
    return Step(
        phase=Phase.BLOCK,
        title=f"Remove the access of {_names(found, who)} to {shown}, if nobody planned its uses outside the baseline",
        text=(
            f"Outside the baseline: {_named(found, who, work)}. The first commands show the grants as they are: keep their"
            " output, to make them again. Afterwards keyaudit access shows that they are gone."
        ),
        breaks="everything that they do with the vault",
        commands=commands,
    )


def _kept(found: BlastRadius, users: Sequence[Edge], work: Mapping[str, Work]) -> Iterator[str]:
    """Who keeps access: those at work, those outside the baseline, and those about whom nothing is known."""
    busy = [use for use in users if work[use.target].at_work]
    if busy:
        yield f"At work, and kept: {_named(found, busy, work)}."
    strange = [use for use in users if work[use.target].outside]
    if strange:
        yield (
            f"At work, but outside the baseline, and kept: {_named(found, strange, work)}. Compare these uses with the work"
            " that their owners planned."
        )
    rest = [use for use in users if not work[use.target].used]
    if rest and found.logged:
        yield (
            f"May be in use, so no command is printed: {_by_way(found, rest)}. To show that they are not would take"
            f" {NEEDED}. Management roles, such as Owner, are used without a record in these logs."
        )
    elif rest:
        yield f"No command is printed, because no logs were supplied: {NO_LOGS}. Have access: {_by_way(found, rest)}."


def _going(found: BlastRadius, uses: Sequence[Edge], work: Mapping[str, Work]) -> str:
    """Who loses access, what shows that they do not need it, what must be true first, and how to go back."""
    return (
        f"The commands remove the access of {_names(found, uses)}. The log of the vault is complete for"
        f" {work[uses[0].target].covered}, and shows no use by them. The imported logs do not show who only reads public"
        " keys or lists: ask them first. The first commands show the grants as they are: keep their output, so that you can"
        " restore them. Afterwards keyaudit access shows that they are gone."
    )


def _named(found: BlastRadius, uses: Sequence[Edge], work: Mapping[str, Work]) -> str:
    ids = list(dict.fromkeys(use.target for use in uses))
    return "; ".join(f"{one_line(found.nodes[each].name)} ({evidence(work[each])})" for each in ids[:_FEW]) + _more(len(ids))


def _names(found: BlastRadius, uses: Sequence[Edge]) -> str:
    ids = list(dict.fromkeys(use.target for use in uses))
    return listed([one_line(found.nodes[each].name) for each in ids[:_FEW]]) + _more(len(ids))


def _by_way(found: BlastRadius, uses: Sequence[Edge]) -> str:
    names = list(dict.fromkeys(f"{one_line(found.nodes[use.target].name)} by {grant_text(use.way)}" for use in uses if use.way))
    return "; ".join(names[:_FEW]) + _more(len(names))


def _more(count: int) -> str:
    return f"; and {plural(count - _FEW, 'more principal')}, which keyaudit access lists" if count > _FEW else ""


def _may_end(found: BlastRadius, uses: Sequence[Edge], work: Mapping[str, Work], *, unserved: bool) -> bool:
    """Whether a grant can be removed without cutting off anybody: complete logs show no use by any who holds it."""
    way = uses[0].way
    if way is None or not _is_own(way) or not _UNLOGGED.isdisjoint(way.allows):
        return False
    if way.through and _unread(found, Relation.USED_BY):
        return False
    # A service that encrypts with a key of the vault unwraps as an identity that the inventory does not name.
    serves = Allows.WRAP in way.allows and not unserved
    return all(
        work[use.target].may_end and use.doubt is None and not (serves and found.nodes[use.target].note != "user")
        for use in uses
    )


def _unread(found: BlastRadius, relation: Relation) -> bool:
    return any(edge.relation is relation and found.nodes[edge.target].kind is Kind.UNSEEN for edge in found.edges)


def _is_own(way: Way) -> bool:
    return way.scope_kind in _OWN_SCOPES


def _commands(vault: str, uses: Sequence[Edge]) -> tuple[str, ...]:
    """The commands that show the grants as they are, then those that remove them."""
    show = [line for use in uses for line in _as_it_is(vault, use)]
    remove = [line for use in uses for line in taken_away(vault, use)]
    return tuple(dict.fromkeys([*show, *remove])) if remove else ()


def _as_it_is(vault: str, use: Edge) -> Iterator[str]:
    way = use.way
    if way is None:
        return
    if way.kind == "access-policy":
        yield f"az keyvault show {option_word('--name', vault)} --query properties.accessPolicies"
    elif way.kind == "hsm-role":
        below = way.scope.partition("/managedhsms/")[2].partition("/")[2]
        yield f"az keyvault role assignment list {option_word('--hsm-name', vault)} {option_word('--scope', f'/{below}')}"
    else:
        yield f"az role assignment list {option_word('--scope', way.scope)}"


def taken_away(vault: str, use: Edge) -> Iterator[str]:
    """The command that removes a grant on the vault itself. A grant of a group is removed from the group."""
    way = use.way
    if way is None or not _is_own(way):
        return
    holder = way.through[0].id if way.through else use.target
    if way.kind == "access-policy":
        through = f" {option_word('--application-id', way.application_id)}" if way.application_id else ""
        yield f"az keyvault delete-policy {option_word('--name', vault)} {option_word('--object-id', holder)}{through}"
    elif way.kind == "hsm-role":
        # Without its scope the Azure CLI looks for the assignment at another one, and passes over that there is none.
        below = way.scope.partition("/managedhsms/")[2].partition("/")[2]
        yield (
            f"az keyvault role assignment delete {option_word('--hsm-name', vault)} {option_word('--scope', f'/{below}')}"
            f" {option_word('--ids', way.id)}"
        )
    elif way.standing:
        yield f"az role assignment delete {option_word('--ids', way.id)}"
