"""Describes the resource of a finding: its name, kind and owner."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding
from keyaudit.model.tables import TABLES
from keyaudit.model.values import times
from keyaudit.model.values.guid import GUID
from keyaudit.model.values.text import one_line
from keyaudit.report.assignment import COLUMNS as ASSIGNMENT
from keyaudit.report.assignment import assignment
from keyaudit.report.facts import Facts

_READ = frozenset(
    {
        "agent_type", "app_id", "curve", "custody", "expires_on", "holder_id", "holder_kind", "holder_name",
        "holder_type", "home", "is_current", "key_id", "key_size", "key_type", "kind", "kty", "live_credentials",
        "location", "operation", "parameter_set", "plan", "principal_type", "sku", "slot", "subscription_name",
        "target_class", "target_id", "target_kind", "thumbprint", "vault_name", "version", "workspace_id",
    }
)  # fmt: skip
SHOWN: Mapping[str, frozenset[str]] = {name: ASSIGNMENT | {"expires_on"} if name == "grant" else _READ for name in TABLES}
"""By table, the columns that `label`, `context` and the groups and orders of findings read, besides id, name and subject."""
BELOW = "not read completely: see the gaps below"
_PROVIDERS = {"federated-domain": "federated domain", "external-idp": "identity provider"}
_HOLDERS = {
    "application": "app registration",
    "service_principal": "service principal",
    "managed_identity": "managed identity",
}
_MANAGED, _AGENT = "ManagedIdentity", "agent-identity"
_CREDENTIALS = {"password": "client secret", "federated": "federated credential"}
_TABLES = {
    "agent": "agent identity",
    "blueprint": "agent blueprint",
    "trusted_authority": "certificate authority (CA)",
    "ekm_certificate": "EKM certificate",
    "key_use": "customer-managed key of",
    "secret_use": "secret of",
}
"""Tables whose rows have another display name than the table."""
_OWNED = frozenset(
    {"key", "certificate", "secret", "vault", "application", "service_principal", "credential", "signing_certificate"}
)
"""Tables whose rows should have an owner."""
_OWNERS = 3
"""The maximum number of named owners; others are counted."""
_HOMES = {"foreign": "external tenant", "microsoft": "Microsoft"}


def thing(finding: Finding) -> tuple[str, object]:
    """The resource of a finding, such as a key with all its versions. For a finding without a row, its scope."""
    if not finding.row:
        return "", finding.scope
    return finding.policy.table, finding.row[TABLES[finding.policy.table].subject]


def label(facts: Facts) -> str:
    """The display name: `kv-prod/keys/codesign-2021`, `app registration ci`. Text of the tenant, not safe to print."""
    if not facts.row:
        return facts.called
    name = facts.text("name") or _last(facts.text("id") or facts.called)
    return _LABELS.get(facts.kind, _of_table)(facts, name)


def context(facts: Facts, owner: Owner) -> str:
    """A short description with the owner: "RSA 2048, software, owner team-release". Not safe to print."""
    if not facts.row:
        return BELOW
    parts = _CONTEXTS[facts.kind](facts) if facts.kind in _CONTEXTS else []
    return ", ".join(part for part in (*parts, owner_words(facts, owner)) if part)


def algorithm(facts: Facts) -> str:
    """`RSA 2048`, `EC-HSM P-256`, `AKP ML-DSA-65`; empty if unknown or if there is none."""
    family = facts.text("kty") or facts.text("key_type")
    return " ".join(filter(None, (family, facts.text("parameter_set"), facts.text("key_size"), facts.text("curve"))))


def owner(facts: Facts) -> tuple[str | None, str | None]:
    """The tag `owner` of the row itself, with its source; None if there is none, or it is unknown.

    `Report.owned` also has Entra owners by name, and the owner of the vault.
    """
    tags = facts.row.get("tags")
    if isinstance(tags, dict) and tags.get("owner"):
        return tags["owner"], "tag owner"
    return None, None


def owner_unknown(facts: Facts) -> Reason | None:
    """Why the owner is unknown; None if it is known."""
    return facts.unknown.get("tags") or facts.unknown.get("owner_ids")


def owned_by(owner: Owner) -> str:
    """ "team-release (tag owner)", "no owner known", "owner unknown (the identity may not read it)"."""
    if owner.reason:
        return f"owner unknown ({ADVICE[owner.reason].meaning})"
    if not owner.names:
        return "no owner known"
    return one_line(f"{', '.join(names(owner.names))}{f' ({owner.source})' if owner.source else ''}", 500)


def owner_words(facts: Facts, owner: Owner) -> str:
    """ "owner ada@contoso.example", "no owner"; empty for tables that need no owner."""
    if owner.reason:
        return "owner unknown" if facts.kind in _OWNED else ""
    if not owner.names:
        return "no owner" if facts.kind in _OWNED else ""
    more = len(owner.names) - _OWNERS
    return f"owner {', '.join(names(owner.names[:_OWNERS]))}{f' and {more:,} more' if more > 0 else ''}"


def names(owners: Sequence[str]) -> Iterator[str]:
    """The owners in words: an object id stands for a name that was not read."""
    return (f"object id {name} (name not read)" if GUID.fullmatch(name) else name for name in owners)


def _expiry(facts: Facts) -> str:
    if "expires_on" in facts.unknown:
        return "expiry unknown"
    expires_on = facts.integer("expires_on")
    if expires_on is not None:
        return f"expires {times.iso_date(expires_on)}"
    return "" if facts.row.get("kind") == "federated" else "no expiry"


def _holder(facts: Facts) -> str:
    kind = facts.text("holder_kind") or "service_principal"
    kind = "managed_identity" if facts.text("holder_type") == _MANAGED else kind
    return f"{_HOLDERS.get(kind, kind)} {facts.text('holder_name') or _last(facts.text('holder_id') or '')}"


def _signer(facts: Facts) -> str:
    """The signer: Entra for an application, or a trusted identity provider."""
    kind = facts.text("kind") or ""
    if kind in _PROVIDERS:
        holder = f"{_PROVIDERS[kind]} {facts.text('holder_name') or _last(facts.text('holder_id') or '')}"
    else:
        holder = _holder(facts)
    return f"{holder}, {'signing' if kind in {*_PROVIDERS, 'application'} else 'SAML'} certificate"


def _last(id_: str) -> str:
    return id_.rpartition("/")[2]


def _of_table(facts: Facts, name: str) -> str:
    return f"{_TABLES.get(facts.kind) or facts.kind.replace('_', ' ')} {name}"


def _in_vault(facts: Facts, name: str) -> str:
    return f"{facts.text('vault_name')}/{facts.kind}s/{name}"


def _service_principal(facts: Facts, name: str) -> str:
    if facts.text("agent_type") == _AGENT:
        return f"{_TABLES['agent']} {name}"
    return f"{_HOLDERS['managed_identity' if facts.text('principal_type') == _MANAGED else 'service_principal']} {name}"


def _credential(facts: Facts, name: str) -> str:
    kind = facts.text("kind") or "credential"
    return f"{_holder(facts)}, {_CREDENTIALS.get(kind, kind)} {facts.text('name') or facts.text('key_id') or name}"


def _signing_certificate(facts: Facts, name: str) -> str:
    return f"{_signer(facts)} {facts.text('name') or facts.text('thumbprint') or name}"


def _usage(facts: Facts, name: str) -> str:
    target = facts.text("target_id") or facts.text("target_class") or facts.text("target_kind")
    operation = facts.text("operation")
    return f"{operation} of {target}" if target else f"{operation or facts.kind.replace('_', ' ')}: {name}"


_EKM_SIDES = {"server-ca": "proxy", "client-ca": "client certificate"}
_LABELS: Mapping[str, Callable[[Facts, str], str]] = {
    "key": _in_vault,
    "certificate": _in_vault,
    "secret": _in_vault,
    "vault": lambda _, name: name,
    "application": lambda _, name: f"{_HOLDERS['application']} {name}",
    "service_principal": _service_principal,
    "credential": _credential,
    "grant": lambda facts, _: assignment(facts),
    "signing_certificate": _signing_certificate,
    "account_key": lambda facts, name: f"account key {name}/{facts.text('slot')}",
    "usage": _usage,
    "unusual_use": _usage,
    "ekm_certificate": lambda facts, _: f"{facts.text('vault_name')}, CA of the EKM {_EKM_SIDES[facts.text('kind') or '']}",
    "deleted": lambda facts, name: f"deleted {(facts.text('kind') or '').replace('hsm-key', 'HSM key')} {name}",
}
"""Display names by table; rows of other tables have the table's noun and their name."""


def _key(facts: Facts) -> list[str]:
    current = facts.row.get("is_current")
    version = "" if current else facts.shown("version", "")
    return [
        algorithm(facts) or "algorithm unknown",
        facts.shown("custody", "custody unknown"),
        "" if current else f"{'' if current is None else 'superseded '}version {version}",
    ]


def _application(facts: Facts) -> list[str]:
    live = facts.shown("live_credentials", "an unknown number of")
    return [f"{live} unexpired credential{'' if live == '1' else 's'}"]


def _home(facts: Facts) -> list[str]:
    return ["home tenant unknown" if "home" in facts.unknown else _HOMES.get(facts.text("home") or "", "")]


def _of_application(facts: Facts) -> list[str]:
    client = facts.shown("app_id", "unknown")
    return [f"client id {client}" if client else "", _expiry(facts)]


def _log_table(facts: Facts) -> list[str]:
    return [f"workspace {_last(facts.shown('workspace_id', 'unknown'))}", f"plan {facts.shown('plan', 'unknown')}"]


def _shown(*names: str) -> Callable[[Facts], list[str]]:
    return lambda facts: [facts.shown(name, "") for name in names]


_PLACED = _shown("kind", "location", "subscription_name")
_CONTEXTS: Mapping[str, Callable[[Facts], list[str]]] = {
    "key": _key,
    "certificate": lambda facts: [algorithm(facts), _expiry(facts)],
    "secret": lambda facts: [_expiry(facts)],
    "vault": _shown("sku", "location", "subscription_name"),
    "application": _application,
    "service_principal": _home,
    "credential": _of_application,
    "signing_certificate": _of_application,
    "log_table": _log_table,
    "account_key": _PLACED,
    "key_use": _PLACED,
    "secret_use": _shown("kind"),
    "deleted": _PLACED,
}
"""Descriptions by table, beside the name."""
