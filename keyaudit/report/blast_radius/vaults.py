"""The steps for vaults that store a key, and for services that encrypt with it."""

from collections.abc import Iterator, Sequence

from keyaudit.model.blast_radius import BlastRadius, Edge, Relation
from keyaudit.model.tables.key import OUTSIDE
from keyaudit.model.text import one_line
from keyaudit.report.access.words import by
from keyaudit.report.blast_radius.steps import Phase, Step, option_word
from keyaudit.report.lines import plural

_FEW = 20
"""The maximum number of grants that a step names."""
_OWN_SCOPES = ("vault", "hsm", "object")


def kept(found: BlastRadius, edge: Edge) -> Iterator[Step]:
    """The steps for a version of a key or certificate in a vault or Managed HSM."""
    facts = edge.facts
    vault, thing = facts.get("vault_name", ""), facts["thing_id"].rpartition("/")[2]
    shown = one_line(f"{vault}/{thing}")
    users = [use for use in found.edges if use.relation is Relation.USED_BY and use.source == edge.target]
    if users:
        yield _cut_off(found, vault, shown, users)
    option = "--hsm-name" if "/managedhsms/" in facts["vault_id"] else "--vault-name"
    place, text = f"{option_word(option, vault)} {option_word('--name', thing)}", ""
    make = f"az keyvault key rotate {place}"
    if facts.get("custody") == OUTSIDE:
        make = f"az keyvault key create {place} --external-key-id EXTERNAL_KEY_ID"
        text = "First make the new key in your own HSM; EXTERNAL_KEY_ID is its id at the EKM proxy."
    disable = f"az keyvault key set-attributes {option_word('--id', edge.target)} --enabled false"
    if facts["noun"] == "certificate":
        make = f"az keyvault certificate create {place} --policy '@policy.json'"
        text = (
            "policy.json is the member policy that az keyvault certificate show prints. In it, set reuseKey and exportable to "
            "false; otherwise the new version has the old key."
        )
        version = option_word("--version", facts.get("version", ""))
        disable = f"az keyvault certificate set-attributes {place} {version} --enabled false"
    yield Step(
        phase=Phase.REPLACE,
        makes=True,
        title=f"Make a new version of {shown}, on a new key",
        text=text,
        breaks="holders of the public key need the new one; a service that follows the key picks it up by itself",
        commands=(make,),
    )
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Disable {one_line(found.nodes[edge.target].name)}",
        text="The vault then refuses to use it. A copy of the private key outside of the vault still works: services have "
        "to stop trusting it.",
        breaks="everything that still uses it; data that it wrapped is unreadable until it is enabled again",
        commands=(disable,),
    )


def service(found: BlastRadius, edge: Edge) -> Iterator[Step]:
    """The steps for a service that encrypts with the key."""
    name, key_id = one_line(found.nodes[edge.target].name), one_line(edge.facts["key_id"])
    vault_uri, _, thing = edge.facts["key_id"].partition("/keys/")
    of_storage = (
        f"az storage account update {option_word('--ids', edge.target)} --encryption-key-source Microsoft.Keyvault"
        f" {option_word('--encryption-key-vault', vault_uri)} {option_word('--encryption-key-name', thing)}"
        " --encryption-key-version ''"
    )
    yield Step(
        phase=Phase.REPLACE,
        settles=edge,
        title=f"Move {name} to a new version of the key",
        text=(
            f"Set its encryption to {key_id} without a version. It wraps its keys again: check that it uses the new version"
            " before the old one is disabled."
        ),
        breaks=f"nothing, while the old version stays enabled; disabled too early, the data of {name} cannot be read",
        commands=(of_storage,) if edge.facts["kind"] == "storage" else (),
    )


def _cut_off(found: BlastRadius, vault: str, shown: str, users: Sequence[Edge]) -> Step:
    commands = list(dict.fromkeys(line for use in users for line in _taken_away(vault, use)))
    above = sorted(
        {f"{one_line(found.nodes[use.target].name)} by {by(use.way)}" for use in users if use.way and not _is_own(use)}
    )
    text = f"Some have access from a higher scope, and have to lose it there: {'; '.join(above[:_FEW])}." if above else ""
    left_out = max(len(commands) - _FEW, 0) + max(len(above) - _FEW, 0)
    more = f" Not shown: {plural(left_out, 'more grant')}; keyaudit access lists all." if left_out else ""
    return Step(
        phase=Phase.BLOCK,
        title=f"Remove access of principals that do not need to use {shown}",
        text=f"{text}{more}".strip(),
        breaks="everything that they do with the vault, legitimate work too",
        commands=tuple(commands[:_FEW]),
    )


def _is_own(use: Edge) -> bool:
    return use.way is not None and use.way.scope_kind in _OWN_SCOPES


def _taken_away(vault: str, use: Edge) -> Iterator[str]:
    """The command that removes a grant on the vault itself. A grant of a group is removed from the group."""
    way = use.way
    if way is None or not _is_own(use):
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
