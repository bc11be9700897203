"""Names of applications: severities depend on what an application opens, and its name changes none of them.

The table was written from what Microsoft documents of each application, before its policies were read:
Entra Connect: https://learn.microsoft.com/entra/identity/hybrid/connect/authenticate-application-id
P2P Server: https://learn.microsoft.com/entra/identity/devices/faq ("What are the MS-Organization-P2P-Access certificates?")
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from keyaudit.model.directory.tiers import EXCHANGE, GRAPH
from keyaudit.model.results.findings import Outcome
from keyaudit.model.severity import Severity
from keyaudit.simulator.estate import (
    Application,
    AppRole,
    AppRoleGrant,
    Estate,
    KeyCredential,
    PasswordCredential,
    ServicePrincipal,
    SignIn,
    User,
)
from keyaudit.simulator.estates import estate
from keyaudit.simulator.x509 import certificate
from tests.collect.estate import AS_OF, DAY, ESTATE, MICROSOFT, TENANT
from tests.collect.rig import take
from tests.judged import Outcomes, changed, judged

NAMES = (
    "P2P Server",
    "ConnectSyncProvisioning_evil",
    "aad-extensions-app. Do not modify. Used by AADB2C for storing user data.",
    "b2c-extensions-app. Do not modify. Used by AADB2C for storing user data.",
    "Tenant Schema Extension App",
    "CloudSyncCustomExtensionsApp",
    "ExchangeServerApp-3f6c2f6e-0000-4000-8000-00000000bbbb",
    "Microsoft Graph",
)
"""Names that Microsoft's own software gives to its registrations; anyone who registers applications can take them."""

_SYNCHRONIZATION = "6bf85cfa-ac8a-4be5-b5de-425a0d0dc016"
_PASSWORD_RESET = "93625bc8-bfe2-437a-97e0-3d0060024faa"
_PASSWORD_RESET_GOVERNMENT = "2e5ecfc8-ea79-48bd-8140-c19324acb278"
_OWN_API = "a1000000-0000-4000-8000-0000000000ff"
_WRITEBACK = (
    "PasswordWriteback.OffboardClient.All",
    "PasswordWriteback.RefreshClient.All",
    "PasswordWriteback.RegisterClientVersion.All",
)
_CONNECT = ((_SYNCHRONIZATION, "ADSynchronization.ReadWrite.All"), *((_PASSWORD_RESET, role) for role in _WRITEBACK))
_YEAR_9999 = 253_402_300_799
_USER = User(id="0a000000-0000-4000-8000-0000000000aa", name="Somebody", upn="somebody@b.example")


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of an application, and the severity of its worst finding: at least, and at most."""

    why: str
    opens: tuple[tuple[str, str], ...] = ()
    """APIs by client id, and the application permissions on them."""
    secret_until: int | None = None
    certificate: bool = False
    """A certificate that was added a month ago, for half a year."""
    owned: bool = False
    """A user owns it."""
    least: Severity | None
    """None: it may have no finding."""
    most: Severity


LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL
_FOR_90_DAYS = AS_OF + 60 * DAY
EXPECTED = (
    # It has no owner, and nobody can sign in as it.
    Facts(why="nothing", least=Severity.INFO, most=MEDIUM),
    Facts(why="a permission that reaches little", opens=((GRAPH, "User.Read.All"),), least=LOW, most=MEDIUM),
    Facts(why="a permission that reaches every mailbox", opens=((GRAPH, "Mail.ReadWrite"),), least=MEDIUM, most=HIGH),
    Facts(
        why="Exchange hybrid's permission", opens=((EXCHANGE, "full_access_as_app"),), certificate=True, least=MEDIUM, most=HIGH
    ),
    Facts(why="a secret for ever", secret_until=_YEAR_9999, least=MEDIUM, most=MEDIUM),
    Facts(why="a short secret", secret_until=_FOR_90_DAYS, least=LOW, most=MEDIUM),
    Facts(
        why="a secret that opens the tenant",
        opens=((GRAPH, "RoleManagement.ReadWrite.Directory"),),
        secret_until=_FOR_90_DAYS,
        least=CRITICAL,
        most=CRITICAL,
    ),
    Facts(why="Entra Connect as its installer makes it", opens=_CONNECT, certificate=True, least=None, most=MEDIUM),
    Facts(why="a secret on Entra Connect", opens=_CONNECT, secret_until=_FOR_90_DAYS, least=CRITICAL, most=CRITICAL),
    Facts(why="a user owns Entra Connect", opens=_CONNECT, certificate=True, owned=True, least=CRITICAL, most=CRITICAL),
    *(
        Facts(
            why=f"a secret that opens {role} alone",
            opens=((api, role),),
            secret_until=_FOR_90_DAYS,
            least=CRITICAL,
            most=CRITICAL,
        )
        for api, role in (*_CONNECT, *((_PASSWORD_RESET_GOVERNMENT, role) for role in _WRITEBACK))
    ),
    # A role of one's own API may have any name.
    Facts(
        why="the name of that permission on an API of the tenant's own",
        opens=((_OWN_API, "ADSynchronization.ReadWrite.All"), (_OWN_API, _WRITEBACK[0])),
        secret_until=_FOR_90_DAYS,
        least=LOW,
        most=MEDIUM,
    ),
)


def _id(number: int, kind: str) -> str:
    return f"{kind}-0000-4000-8000-{number:012x}"


def _named(name: str, facts: Facts, number: int) -> tuple[Application, ServicePrincipal]:
    """An application with these facts, and its service principal."""
    keys: tuple[KeyCredential, ...] = ()
    if facts.certificate:
        start, end = AS_OF - 30 * DAY, AS_OF + 150 * DAY
        key_id = _id(number, "c2000000")
        body = certificate(f"CN={key_id}", key_name=key_id, start=start, end=end)
        keys = (KeyCredential(key_id=key_id, start=start, end=end, certificate=body),)
    passwords: tuple[PasswordCredential, ...] = ()
    if facts.secret_until is not None:
        passwords = (PasswordCredential(key_id=_id(number, "c1000000"), start=AS_OF - 30 * DAY, end=facts.secret_until),)
    app_id = _id(number, "a1000000")
    application = Application(
        id=_id(number, "a0000000"),
        app_id=app_id,
        name=name,
        created=AS_OF - 400 * DAY,
        passwords=passwords,
        keys=keys,
        owners=(_USER.id,) if facts.owned else (),
    )
    principal = ServicePrincipal(
        id=_id(number, "50000000"), app_id=app_id, name=name, created=AS_OF - 400 * DAY, home_tenant=TENANT
    )
    return application, principal


def _granting() -> Iterator[ServicePrincipal]:
    """The service principals of the APIs in the table, with the roles that they publish."""
    published: dict[str, set[str]] = defaultdict(set)
    for facts in EXPECTED:
        for api, role in facts.opens:
            published[api].add(role)
    for number, (api, roles) in enumerate(sorted(published.items())):
        yield ServicePrincipal(
            id=_id(number, "51000000"),
            app_id=api,
            name=f"API {number}",
            created=AS_OF - 900 * DAY,
            home_tenant=TENANT if api == _OWN_API else MICROSOFT,
            # No id of a role decides: these are made up, and the name counts on that API alone.
            app_roles=tuple(AppRole(id=_id(each, f"52{number:06}"), value=role) for each, role in enumerate(sorted(roles))),
        )


def _tenant(name: str) -> Estate:
    """A tenant with one application for each row of the table, all of that name."""
    pairs = [_named(name, facts, number) for number, facts in enumerate(EXPECTED)]
    apis = tuple(_granting())
    grants = [
        AppRoleGrant(
            principal_id=principal.id,
            resource_id=api.id,
            role_id=next(each.id for each in api.app_roles if each.value == role),
            created=AS_OF - 300 * DAY,
        )
        for (_, principal), facts in zip(pairs, EXPECTED, strict=True)
        for api in apis
        for client_id, role in facts.opens
        if api.app_id == client_id
    ]
    return replace(
        ESTATE,
        vaults=(),
        users=(_USER,),
        applications=tuple(application for application, _ in pairs),
        service_principals=(*(principal for _, principal in pairs), *apis),
        app_role_grants=tuple(grants),
        sign_ins=tuple(SignIn(app_id=application.app_id, app_only=AS_OF - DAY) for application, _ in pairs),
    )


def _worst(found: Outcomes, number: int) -> tuple[Severity | None, list[tuple[str, Severity]]]:
    """The worst severity of an application, and what it comes from: findings on it, its principal and its credentials."""
    ids = (_id(number, "a0000000"), _id(number, "50000000"))
    failed = [
        (policy, severity)
        for (policy, subject), (outcome, severity) in sorted(found.items())
        if outcome is Outcome.FAIL and any(f"/{id_}" in subject for id_ in ids)
    ]
    return max((severity for _, severity in failed), key=lambda each: each.rank, default=None), failed


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """The table's tenant, judged under a name that nobody else uses."""
    return judged(asyncio.run(take(tmp_path_factory.mktemp("names") / "plain", estate=_tenant("payments"))))[0]


@pytest.mark.parametrize("number", range(len(EXPECTED)), ids=[facts.why for facts in EXPECTED])
def test_an_application_is_judged_by_what_it_opens(plain: Outcomes, number: int) -> None:
    expected = EXPECTED[number]
    worst, failed = _worst(plain, number)
    least = -1 if expected.least is None else expected.least.rank
    assert least <= (-1 if worst is None else worst.rank) <= expected.most.rank, failed


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if number < 2 else pytest.mark.exhaustive) for number, name in enumerate(NAMES)]
)
async def test_no_name_changes_a_severity(tmp_path: Path, plain: Outcomes, name: str) -> None:
    found, _ = judged(await take(tmp_path / "named", estate=_tenant(name)))
    assert _changed(plain, found) == {}


def _changed(before: Outcomes, after: Outcomes) -> Mapping[Any, Any]:
    """What differs, without what a name alone finds: it can add that finding and change no other."""
    return changed(*({of: found for of, found in each.items() if of[0] != _NAMED} for each in (before, after)))


_NAMED = "app-credential-where-none-belongs"


def _renamed(contoso: Estate, first: int) -> Estate:
    """Contoso with its own applications, and their service principals, renamed: the special names in turn."""
    names = {
        application.app_id: NAMES[(first + number) % len(NAMES)] for number, application in enumerate(contoso.applications)
    }
    return replace(
        contoso,
        applications=tuple(replace(each, name=names[each.app_id]) for each in contoso.applications),
        service_principals=tuple(replace(each, name=names.get(each.app_id, each.name)) for each in contoso.service_principals),
    )


@pytest.fixture(scope="module")
def contoso(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return judged(asyncio.run(take(tmp_path_factory.mktemp("names") / "contoso", estate=estate("contoso", AS_OF))))[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(0, len(NAMES), 2))
async def test_contoso_is_judged_alike_whatever_its_applications_are_called(
    tmp_path: Path, contoso: Outcomes, first: int
) -> None:
    found, _ = judged(await take(tmp_path / "renamed", estate=_renamed(estate("contoso", AS_OF), first)))
    assert _changed(contoso, found) == {}
