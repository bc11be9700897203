"""A ledger in which everything was read, and ways to spoil it: for the tests of the gate."""

from collections.abc import Mapping, Sequence

from keyaudit.gate import decide
from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.gating.acceptance import Acceptance
from keyaudit.model.gating.allowances import Allowance
from keyaudit.model.gating.optional import MAY_LACK, MayLack
from keyaudit.model.gating.waivers import Waiver
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import PolicyText, Tally, UnknownGroup
from keyaudit.model.results.run import NotJudged, Results, Run, Verdict
from keyaudit.model.severity import Severity

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
TENANT = Scope("/tenants/t", "contoso.example", ScopeKind.TENANT)
SUB = Scope(SUBSCRIPTION, "Production", ScopeKind.SUBSCRIPTION)
RUN = Run(
    run_id="r",
    tenant_id="t",
    tenant_name="contoso.example",
    environment="public",
    identity="alice",
    as_of=0,
    tool_version="0",
    rows={"vault": 1, "key": 2},
)
NEEDED = {"key.list": ("p-key",), "key.get": ("p-key",), "vault.list": ("p-key", "p-vault"), "subscription.list": ("p-vault",)}


def vault(name: str = "kv-a") -> Scope:
    return Scope(f"{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.keyvault/vaults/{name}", name, ScopeKind.VAULT)


def policy(id_: str = "p-key", table: str = "key") -> PolicyText:
    return PolicyText(id=id_, title=id_, problem=id_, severity=Severity.HIGH, table=table, why="", fix={})


def read(scope: Scope, operation: str, kept: int = 1) -> Coverage:
    return Coverage(scope=scope, operation=operation, state=State.ASSESSED, received=kept, kept=kept)


def blind(scope: Scope, operation: str, reason: Reason, kept: int = 0, detail: str = "") -> Coverage:
    state = State.PARTIAL if kept else State.NOT_ASSESSED
    return Coverage(scope=scope, operation=operation, state=state, reason=reason, detail=detail, received=kept, kept=kept)


WHOLE = (
    read(TENANT, "subscription.list"),
    read(SUB, "vault.list"),
    read(vault(), "key.list", 2),
    read(vault(), "key.get", 2),
)
PASSING = (Tally(policy=policy(), passed=2), Tally(policy=policy("p-vault", "vault"), passed=1))


def verdict(
    coverage: Sequence[Coverage] = WHOLE,
    *,
    tallies: Sequence[Tally] = PASSING,
    groups: Sequence[UnknownGroup] = (),
    needed: Mapping[str, tuple[str, ...]] = NEEDED,
    fail_on: Severity | None = Severity.HIGH,
    allow: Sequence[str] = (),
    run: Run = RUN,
    unsupplied: Sequence[NotJudged] = (),
    waivers: Sequence[Waiver] = (),
    waived: Mapping[str, int] | None = None,
    optional: MayLack = MAY_LACK,
    new_only: bool = False,
) -> Verdict:
    return decide(
        run,
        coverage,
        Results(
            tallies=tuple(tallies),
            groups=tuple(groups),
            not_judged=(),
            unsupplied=tuple(unsupplied),
            waived=waived or {},
            needed_by=needed,
        ),
        Acceptance(waivers=tuple(waivers), allowances=tuple(Allowance.parse(text) for text in allow), new_only=new_only),
        fail_on=fail_on,
        optional=optional,
    )


def swap(record: Coverage) -> tuple[Coverage, ...]:
    """The whole ledger with one record replaced."""
    same = [(each.scope, each.operation) for each in WHOLE].index((record.scope, record.operation))
    return (*WHOLE[:same], record, *WHOLE[same + 1 :])


def cell(reason: Reason = Reason.PERMISSION, column: str = "kty", count: int = 1) -> UnknownGroup:
    return UnknownGroup(policy="p-key", severity=Severity.LOW, scope_id=vault().id, causes={column: reason}, count=count)


def unknown(count: int = 1, failed: Mapping[Severity, int] | None = None) -> tuple[Tally, ...]:
    return (Tally(policy=policy(), passed=1, failed=failed or {}, unknown={Severity.LOW: count}), PASSING[1])
