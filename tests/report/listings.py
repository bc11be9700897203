"""Fixed listings, an examination and rights, for the golden files and for tests of all their formats."""

from collections.abc import Iterator, Mapping

from msgspec import structs

from keyaudit.model.operations import OPERATIONS, Right, Rights
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Ending, Owner
from keyaudit.model.results.findings import Value
from keyaudit.model.results.listing import Listing, Unknown
from keyaudit.model.results.run import Expiring, Inventory, Verdict
from keyaudit.model.tables import TABLES
from keyaudit.questions.doctor.examine import Examination, examine
from keyaudit.questions.permissions.needs import Need, Needed
from keyaudit.report.owner_rules import Proposed, Unowned
from tests.report.example import (
    APP_ROW,
    AS_OF,
    BLIND,
    CODESIGN,
    DAY,
    ROLLED,
    RUN,
    SEALED_KEY,
    SECRET_ROW,
    VAULT_ROW,
    VERDICT,
)

READ: Verdict = structs.replace(
    VERDICT, failed={}, unknown={}, passed=0, not_applicable=0, not_judged=(), allowed_unknown=0, unused_allowances=()
)
KEYS = (CODESIGN, ROLLED, SEALED_KEY)


def _listing(table: str, *rows: Mapping[str, Value], unknown: tuple[Unknown, ...] = ()) -> Listing:
    return Listing(TABLES[table], len(rows), unknown, lambda: iter(rows))


KEY = _listing(
    "key",
    *KEYS,
    unknown=(Unknown("created_on", Reason.CONTROL_PLANE_ONLY, 1), Unknown("kty", Reason.CONTROL_PLANE_ONLY, 1)),
)
INVENTORY = Inventory(RUN, READ, (_listing("vault", VAULT_ROW), KEY, _listing("application", APP_ROW)))
OF_KEYS = structs.replace(INVENTORY, listings=(KEY,))
EMPTY = structs.replace(INVENTORY, listings=(_listing("credential"),))

_TEAM = Owner(("team-release",), "tag owner", None)
_ENDINGS = (
    Ending(_TEAM, "key", CODESIGN, AS_OF - 3 * DAY, retired=False),
    Ending(_TEAM, "key", {**ROLLED, "expires_on": AS_OF + 9 * DAY}, AS_OF + 9 * DAY, retired=True),
    Ending(Owner((), "", None), "credential", {**SECRET_ROW, "expires_on": AS_OF + 3_600}, AS_OF + 3_600, retired=False),
    Ending(Owner((), "", Reason.PERMISSION), "key", SEALED_KEY, None, retired=False),
)


def expiring(endings: tuple[Ending, ...] = _ENDINGS) -> Expiring:
    """All that ends within 30 days."""

    def again() -> Iterator[Ending]:
        return iter(endings)

    return Expiring(
        run=RUN,
        verdict=READ,
        before=AS_OF + 30 * DAY,
        overdue=1,
        soon=1,
        unknown=1,
        retired=1,
        looked={"key": 3, "credential": 1},
        endings=again,
    )


UNOWNED = Unowned(findings=9, without=3, proposed=(Proposed(pattern="vault", value="kv-orders-prod", count=2),))


def examination(run: object = RUN, verdict: Verdict = READ) -> Examination:
    """What the fixed coverage says of every surface."""
    needs = dict.fromkeys(("key.list", "key.get", "key.rotation_policy"), BLIND)
    return examine(run, verdict, set(OPERATIONS), [*BLIND, "app-secret-too-long"], needs, unowned=UNOWNED)  # type: ignore[arg-type]


def _need(right: Right, *operations: str, policies: tuple[str, ...] = (), columns: tuple[str, ...] = ()) -> Need:
    return Need(right, tuple(OPERATIONS[operation] for operation in operations), policies, columns)


NEEDED = Needed(
    "0.1.0",
    None,
    (
        _need(
            Right(rights=Rights.AZURE, name="Reader", on="the subscription"), "subscription.list", "vault.list", policies=BLIND
        ),
        _need(
            Right(rights=Rights.AZURE, name="Key Vault Reader", on="the vault"),
            "key.list",
            "key.rotation_policy",
            policies=BLIND[1:],
            columns=("key", "key.auto_rotates"),
        ),
        _need(
            Right(rights=Rights.GRAPH, name="Domain.Read.All", on="Microsoft Graph"),
            "domain.list",
            columns=("tenant.default_domain", "tenant.verified_domains"),
        ),
        _need(
            Right(rights=Rights.GRAPH, name="Application.Read.All", on="Microsoft Graph"),
            "application.list",
            policies=("app-secret-too-long",),
        ),
    ),
)
