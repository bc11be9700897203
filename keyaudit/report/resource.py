"""What a finding is about, in words: its name, what it is, who owns it."""

from keyaudit.model import times
from keyaudit.model.expiring import Owner
from keyaudit.model.findings import Finding
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.text import one_line
from keyaudit.report.facts import Facts

BELOW = "not read far enough: see the gaps below"
_PROVIDERS = {"federated-domain": "federated domain", "external-idp": "identity provider"}
_HOLDERS = {"application": "app", "service_principal": "service principal"}


def thing(finding: Finding) -> tuple[str, object]:
    """What lives on when a row is replaced: a key over its versions. For a finding without a row, its scope."""
    if not finding.row:
        return "", finding.scope
    return finding.policy.table, finding.row[TABLES[finding.policy.table].subject]


def label(facts: Facts) -> str:
    """How people call it: `kv-prod/keys/codesign-2021`, `app ci-deployer`. As the tenant spells it: not safe to print."""
    row = facts.text
    if not facts.row:
        return facts.called
    name = row("name") or _last(row("id") or facts.called)
    match facts.kind:
        case "key" | "certificate" | "secret":
            called = f"{row('vault_name')}/{facts.kind}s/{name}"
        case "vault":
            called = name
        case "application":
            called = f"app {name}"
        case "credential":
            called = f"{_holder(facts)}, {row('kind') or 'credential'} {row('name') or row('key_id') or name}"
        case "signing_certificate":
            called = f"{_signer(facts)} {row('name') or row('thumbprint') or name}"
        case "account_key":
            called = f"account key {name}/{row('slot')}"
        case "usage" | "unusual_use":
            target = row("target_id") or row("target_class") or row("target_kind")
            called = f"{row('operation')} of {target}" if target else f"{row('operation') or facts.kind}: {name}"
        case "deleted":
            called = f"deleted {row('kind')} {name}"
        case table:
            called = f"{table.replace('_', ' ')} {name}"
    return called


def context(facts: Facts) -> str:
    """What it is, in a few words: "RSA 2048, software, owner team-release". Not safe to print."""
    if not facts.row:
        return BELOW
    shown = facts.shown
    match facts.kind:
        case "key":
            current = facts.row.get("is_current")
            version = "" if current else shown("version", "")
            parts = [
                algorithm(facts) or "algorithm unknown",
                shown("custody", "custody unknown"),
                "" if current else f"{'' if current is None else 'superseded '}version {version}",
                _owner_words(facts),
            ]
        case "vault":
            parts = [shown("sku", ""), shown("location", ""), shown("subscription_name", ""), _owner_words(facts)]
        case "application":
            live = shown("live_credentials", "unknown")
            parts = [f"{live} live credentials" if live != "1" else "1 live credential", _owner_words(facts)]
        case "service_principal":
            parts = [shown("principal_type", ""), f"home {shown('home', 'unknown')}", _owner_words(facts)]
        case "credential" | "signing_certificate":
            client = shown("app_id", "unknown")
            parts = [f"client id {client}" if client else "", _expiry(facts)]
        case "log_table":
            parts = [f"workspace {_last(shown('workspace_id', 'unknown'))}", f"plan {shown('plan', 'unknown')}"]
        case "account_key" | "key_use" | "deleted":
            parts = [shown("kind", ""), shown("location", ""), shown("subscription_name", "")]
        case _:
            parts = []
    return ", ".join(part for part in parts if part)


def algorithm(facts: Facts) -> str:
    """`RSA 2048`, `EC-HSM P-256`; empty where it is unknown or the thing has none."""
    family = facts.text("kty") or facts.text("key_type")
    return " ".join(filter(None, (family, facts.text("key_size"), facts.text("curve"))))


def owner(facts: Facts) -> tuple[str | None, str | None]:
    """Who owns it, and who says so: the tag `owner`, or Entra's owners as object ids. None: nobody is named, or unknown."""
    tags, owners = facts.row.get("tags"), facts.row.get("owner_ids")
    if isinstance(tags, dict) and tags.get("owner"):
        return tags["owner"], "tag owner"
    if isinstance(owners, list) and owners:
        return "|".join(owners), "Entra owners"
    return None, None


def owner_unknown(facts: Facts) -> Reason | None:
    """Why nobody can say who owns it; None where it can be said."""
    return facts.unknown.get("tags") or facts.unknown.get("owner_ids")


def owned_by(owner: Owner) -> str:
    """ "team-release (tag owner)", "no owner known", "owner unknown (permission)"."""
    if owner.reason:
        return f"owner unknown ({owner.reason})"
    if not owner.names:
        return "no owner known"
    return one_line(f"{', '.join(owner.names)} ({owner.source})", 500)


def _owner_words(facts: Facts) -> str:
    if owner_unknown(facts):
        return "owner unknown"
    owners = facts.row.get("owner_ids")
    if isinstance(owners, list) and owners:
        return "1 owner" if len(owners) == 1 else f"{len(owners)} owners"
    name, _ = owner(facts)
    return f"owner {name}" if name else "no owner"


def _expiry(facts: Facts) -> str:
    if "expires_on" in facts.unknown:
        return "expiry unknown"
    expires_on = facts.integer("expires_on")
    if expires_on is not None:
        return f"expires {times.iso_date(expires_on)}"
    return "" if facts.row.get("kind") == "federated" else "no expiry"


def _holder(facts: Facts) -> str:
    kind = facts.text("holder_kind") or "service_principal"
    return f"{_HOLDERS.get(kind, kind)} {facts.text('holder_name') or _last(facts.text('holder_id') or '')}"


def _signer(facts: Facts) -> str:
    """Whose certificate signs tokens: Entra's for an application, or an identity provider's that is trusted."""
    kind = facts.text("kind") or ""
    if kind in _PROVIDERS:
        holder = f"{_PROVIDERS[kind]} {facts.text('holder_name') or _last(facts.text('holder_id') or '')}"
    else:
        holder = _holder(facts)
    return f"{holder}, {'signing' if kind in {*_PROVIDERS, 'application'} else 'SAML'} certificate"


def _last(id_: str) -> str:
    return id_.rpartition("/")[2]
