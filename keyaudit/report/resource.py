"""What a finding is about, in words and as typed facts: its name, what it is, who owns it, and which facts are unknown."""

from keyaudit.model import times
from keyaudit.model.columns import Table, Type
from keyaudit.model.findings import Finding, Value
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

BELOW = "not read far enough: see the gaps below"
_REASONS = {str(reason): reason for reason in Reason}
_HOLDERS = {"application": "app", "service_principal": "service principal"}


class Facts:
    """The row of a finding, with absent and unknown kept apart. Empty for a finding on a scope."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        self.table: Table | None = TABLES.get(finding.policy.table)
        self.row = {name: value for name, value in finding.row.items() if name != "unknown"}
        self.unknown = {**_reasons(finding.row.get("unknown")), **finding.unknown}
        """Every column known to be unknown, with its reason."""
        for name, value in self.row.items():
            column = self.table.by_name.get(name) if self.table else None
            if value is None and column and not column.absent and name not in self.unknown:
                self.unknown[name] = Reason.INTERNAL_ERROR  # a NULL that nobody explained is not an absence

    def text(self, name: str) -> str | None:
        """A column as plain text; None where it is absent, unknown, or not of this table."""
        value = self.row.get(name)
        return None if value is None else plain(self.type(name), value)

    def integer(self, name: str) -> int | None:
        """A time or number; None where it is absent, unknown, or not of this table."""
        value = self.row.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def type(self, name: str) -> Type | None:
        """The declared type of a column, if it is declared."""
        column = self.table.by_name.get(name) if self.table else None
        return column.type if column else None

    def shown(self, name: str, unknown: str) -> str:
        """A column as text, `unknown` where nobody knows, empty where it is absent. A count may be known within bounds."""
        return self.text(name) or (unknown if name in self.unknown else "")


def plain(type_: Type | None, value: Value) -> str:
    """A value as exact text: ISO 8601 times and durations, `true`, lists joined by commas, counts as bounds."""
    match value:
        case None:
            text = ""
        case bool():
            text = "true" if value else "false"
        case int() if type_ is Type.TIME:
            text = times.iso_time(value)
        case int() if type_ is Type.DURATION:
            text = iso_duration(value)
        case (low, high) if isinstance(value, tuple):
            text = str(low) if low == high else f"at least {low}" if high is None else f"{low} to {high}"
        case list():
            text = ",".join(value)
        case dict():
            text = ",".join(f"{key}={value[key]}" for key in sorted(value))
        case _:
            text = str(value)
    return text


def iso_duration(seconds: int) -> str:
    """ISO 8601, exact: whole days as `P730D`, anything else in seconds."""
    sign, size = ("-" if seconds < 0 else ""), abs(seconds)
    return f"{sign}P{size // times.DAY}D" if size % times.DAY == 0 else f"{sign}PT{size}S"


def label(facts: Facts) -> str:
    """How people call it: `kv-prod/keys/codesign-2021`, `app ci-deployer`. As the tenant spells it: not safe to print."""
    finding, row = facts.finding, facts.text
    if not facts.row:
        return f"{finding.scope.kind} {finding.scope.name or finding.scope.id}" if finding.scope else finding.subject
    name = row("name") or _last(row("id") or finding.subject)
    match finding.policy.table:
        case "key":
            called = f"{row('vault_name')}/keys/{name}"
        case "vault":
            called = name
        case "application":
            called = f"app {name}"
        case "credential":
            called = f"{_holder(facts)}, {row('kind') or 'credential'} {row('name') or row('key_id') or name}"
        case "signing_certificate":
            called = f"{_holder(facts)}, SAML certificate {row('name') or row('thumbprint') or name}"
        case table:
            called = f"{table.replace('_', ' ')} {name}"
    return called


def context(facts: Facts) -> str:
    """What it is, in a few words: "RSA 2048, software, owner team-release". Not safe to print."""
    if not facts.row:
        return BELOW
    shown = facts.shown
    match facts.finding.policy.table:
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
            parts = [f"client id {shown('app_id', 'unknown')}", _expiry(facts)]
        case _:
            parts = []
    return ", ".join(part for part in parts if part)


def algorithm(facts: Facts) -> str:
    """`RSA 2048`, `EC-HSM P-256`; empty where it is unknown or the thing has none."""
    return " ".join(filter(None, (facts.text("kty"), facts.text("key_size"), facts.text("curve"))))


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


def _last(id_: str) -> str:
    return id_.rpartition("/")[2]


def _reasons(value: Value) -> dict[str, Reason]:
    if not isinstance(value, dict):
        return {}
    return {name: _REASONS.get(reason, Reason.UNRECOGNISED) for name, reason in value.items()}
