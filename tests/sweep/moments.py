"""Answers of different moments: something was created, deleted, rotated or assigned while the tenant was read.

To a reader, an object that was created between two reads looks like one that was deleted between them in the other order. So
each change is tried with one read before it and the rest after it, and with one read after it and the rest before it.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.cloud.clients import Answer
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.results.findings import Outcome
from keyaudit.simulator.estate import Certificate, Estate, Key, Secret, Vault
from tests.sweep.audited import Audited, Auditor, Result
from tests.sweep.compare import GONE, Wrong
from tests.sweep.estate import ESTATE
from tests.sweep.faults import LEFT_OUT, Answering, Effect, Fault
from tests.sweep.members import decoded
from tests.sweep.tenant import Answers, Call

K = TypeVar("K", Key, Certificate)
T = TypeVar("T")

_OF_APPLICATIONS = ("application.list", "application.owners", "application.federated")
OF_PRINCIPALS = ("service_principal.list", "service_principal.owners", "service_principal.app_roles")
OF_AGENTS = ("agent.list", "agent.sponsors", "agent_user.list", *OF_PRINCIPALS)
_OF_KEYS = ("key.list", "key.versions", "key.get", "key.rotation_policy", "arm.key.list", "arm.key.versions", "arm.key.get")
_OF_CERTIFICATES = (
    *("certificate.list", "certificate.versions", "certificate.get", "secret.list", "secret.versions"),
    *_OF_KEYS,
)
_OF_ROLES = ("directory_role.assignments", "directory_role.eligibilities", "principal.lookup")
_OF_AZURE_ROLES = ("role_assignment.query", "principal.lookup", "group.members")
_OF_MEMBERS = ("group.members", "group.direct_members", "principal.lookup")


class Change(Struct, frozen=True):
    """One change of the tenant. `shown_by`: the reads that show it."""

    kind: str
    """created, rotated or assigned."""
    of: str
    """What, for people."""
    about: tuple[str, ...]
    """The names of the objects that have to do with it, in lower case."""
    before: Estate
    shown_by: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name among faults."""
        return f"{self.kind} {self.of}"


def changes(after: Estate) -> Iterator[Change]:
    """Every change that led to this tenant."""
    yield from _created(after)
    yield from _rotated(after)
    yield from _assigned(after)


class Moments:
    """The faults of all changes of a tenant, and what an audit came to before each."""

    def __init__(self, after: Estate) -> None:
        self._changes = {change.name: change for change in changes(after)}
        self._known: dict[str, Answers] = {}
        self._before: dict[str, Mapping[Result, Outcome]] = {}

    def faults(self, calls: Collection[Call]) -> Iterator[Fault]:
        """For each change, each read that shows it before it alone, and after it alone; for agents also all plain lists."""
        asked = {call.operation for call in calls}
        for change in self._changes.values():
            effect = self._earlier(change)
            for operation in change.shown_by:
                if operation in asked:
                    for when, struck in (("before", effect), ("after", self._later(change, operation))):
                        yield Fault(
                            operation,
                            f"{change.name}, read {when} it",
                            change.kind,
                            None,
                            struck,
                            change.about,
                            elsewhere=when == "after",
                            moment=change.name,
                        )
            if change.shown_by == OF_AGENTS:
                first, *others = OF_PRINCIPALS
                name = f"{change.name}, in no plain list"
                yield Fault(first, name, LEFT_OUT, None, effect, change.about, also=tuple(others), moment=change.name)

    def learn(self, fault: Fault, auditor: Auditor) -> None:
        """Audit the tenant as it was before the change."""
        if fault.moment and fault.moment not in self._before:
            change = self._changes[fault.moment]
            came = auditor.run(lambda call, true: self._answers(change).ask(OPERATIONS[call.operation], call.url, call.body))
            assert isinstance(came, Audited), came
            self._before[fault.moment] = came.results

    def believed(self, fault: Fault, wrong: Wrong) -> str:
        """Why a change of a result is right: it was so before the change of the tenant."""
        before = self._before.get(fault.moment)
        if before is None:
            return ""
        was = before.get((wrong.policy, wrong.row), GONE)
        gone = was == GONE and wrong.after.startswith(GONE)
        return "so it was at the other moment" if gone or wrong.after == was else ""

    def _earlier(self, change: Change) -> Effect:
        return lambda call, true, before: self._answers(change).ask(OPERATIONS[call.operation], call.url, call.body)

    def _later(self, change: Change, operation: str) -> Effect:
        """One operation alone is read after the change: what it shows that is new was made during the run."""
        earlier = self._earlier(change)

        def effect(call: Call, true: Answering, before: int) -> Answer:
            if call.operation != operation:
                return earlier(call, true, before)
            made = operation == "application.list" and change.kind == "created"
            return _made_now(true(call), change.about) if made else true(call)

        return effect

    def _answers(self, change: Change) -> Answers:
        if change.name not in self._known:
            self._known[change.name] = Answers(change.before)
        return self._known[change.name]


def _made_now(answer: Answer, ids: Collection[str]) -> Answer:
    """The list, in which the objects of these ids were made at the time of the run."""
    body = decoded(answer.body)
    made = datetime.fromtimestamp(ESTATE.as_of, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    items = [each | {"createdDateTime": made} if each["id"] in ids else each for each in body["value"]]
    return Answer(answer.status, answer.headers, json.dumps(body | {"value": items}).encode())


def _created(after: Estate) -> Iterator[Change]:
    for name in ("Integration Hub", "Gift Card Blueprint"):
        found = next(one for one in after.applications if one.name == name)
        principals = {one.id for one in after.service_principals if one.app_id == found.app_id}
        left = tuple(one for one in after.applications if one is not found)
        before = replace(_without_principals(after, principals), applications=left)
        about = (found.id, found.app_id, *sorted(principals))
        yield Change("created", f"application {name}", about, before, (*_OF_APPLICATIONS, *OF_PRINCIPALS))
    shown_by = {"Alpine Ski House Booking": OF_PRINCIPALS, "Fabrikam Agents": OF_PRINCIPALS, "Returns Agent": OF_AGENTS}
    for one in after.service_principals:
        if one.name in shown_by:
            about = tuple(filter(None, (one.id, one.app_id, one.blueprint)))
            before = _without_principals(after, {one.id})
            yield Change("created", f"service principal {one.name}", about, before, shown_by[one.name])
    for vault, key in (("kv-payments-prod", "settlement-signing"), ("kv-sandbox-labs", "prototype-wrap")):
        yield Change("created", f"key {key}", _key(vault, key), _in(after, vault, _without(key)), _OF_KEYS)
    vault, name = "kv-platform-edge", "api-gateway-tls"
    yield Change(
        "created", f"certificate {name}", _certificate(vault, name), _in(after, vault, _without(name)), _OF_CERTIFICATES
    )


def _rotated(after: Estate) -> Iterator[Change]:
    for vault, key in (("kv-payments-prod", "settlement-signing"), ("kv-orders-prod", "warehouse-manifest-signing")):
        yield Change("rotated", f"key {key}", _key(vault, key), _in(after, vault, _one_version_ago(key)), _OF_KEYS)
    for vault, name in (("kv-platform-edge", "api-gateway-tls"), ("kv-data-prod", "etl-client")):
        before = _in(after, vault, _one_version_ago(name))
        yield Change("rotated", f"certificate {name}", _certificate(vault, name), before, _OF_CERTIFICATES)
    found = next(one for one in after.applications if one.name == "Legacy Reporting")
    older = replace(found, passwords=found.passwords[:-1])
    before = replace(after, applications=tuple(older if one is found else one for one in after.applications))
    yield Change("rotated", f"secret of {found.name}", (found.id, found.app_id), before, ("application.list",))


def _assigned(after: Estate) -> Iterator[Change]:
    for grant in (after.app_role_grants[0], after.app_role_grants[-1]):
        principal = grant.principal_id
        before = replace(after, app_role_grants=_but(after.app_role_grants, grant))
        yield Change("assigned", f"app role to {principal}", (principal,), before, ("service_principal.app_roles",))
    for role in after.directory_role_grants[:2]:
        principal = role.principal_id
        before = replace(after, directory_role_grants=_but(after.directory_role_grants, role))
        yield Change("assigned", f"directory role to {principal}", (principal,), before, _OF_ROLES)
    for role_assignment in after.role_assignments[:3]:
        about = (role_assignment.principal, role_assignment.scope.lower())
        before = replace(after, role_assignments=_but(after.role_assignments, role_assignment))
        yield Change("assigned", f"Azure role {role_assignment.id}", about, before, _OF_AZURE_ROLES)
    group = next(one for one in after.groups if one.name == "Order Signing")
    smaller = replace(group, members=group.members[:-1])
    before = replace(after, groups=tuple(smaller if one is group else one for one in after.groups))
    yield Change("assigned", f"member of {group.name}", (group.id, group.members[-1]), before, _OF_MEMBERS)


def _but(all_: tuple[T, ...], one: T) -> tuple[T, ...]:
    return tuple(each for each in all_ if each is not one)


def _without_principals(estate: Estate, gone: set[str]) -> Estate:
    """Without these service principals, and all that they were granted."""
    return replace(
        estate,
        service_principals=tuple(one for one in estate.service_principals if one.id not in gone),
        app_role_grants=tuple(one for one in estate.app_role_grants if gone.isdisjoint((one.principal_id, one.resource_id))),
        consents=tuple(one for one in estate.consents if gone.isdisjoint((one.client_id, one.resource_id))),
        directory_role_grants=tuple(one for one in estate.directory_role_grants if one.principal_id not in gone),
        role_assignments=tuple(one for one in estate.role_assignments if one.principal not in gone),
        eligibilities=tuple(one for one in estate.eligibilities if one.principal not in gone),
        groups=tuple(replace(one, members=tuple(each for each in one.members if each not in gone)) for one in estate.groups),
    )


def _in(estate: Estate, vault: str, edit: Callable[[Vault], Vault]) -> Estate:
    return replace(estate, vaults=tuple(edit(one) if one.name == vault else one for one in estate.vaults))


def _without(name: str) -> Callable[[Vault], Vault]:
    """Without the key, the certificate and the secret of that name."""

    def edit(vault: Vault) -> Vault:
        return replace(
            vault,
            keys=tuple(one for one in vault.keys if one.name != name),
            certificates=tuple(one for one in vault.certificates if one.name != name),
            secrets=tuple(one for one in vault.secrets if one.name != name),
        )

    return edit


def _one_version_ago(name: str) -> Callable[[Vault], Vault]:
    """With the key, the certificate and the secret of that name as they were before their newest version."""

    def edit(vault: Vault) -> Vault:
        return replace(
            vault,
            keys=tuple(_older(one) if one.name == name else one for one in vault.keys),
            certificates=tuple(_older(one) if one.name == name else one for one in vault.certificates),
            secrets=tuple(_older_secret(one) if one.name == name else one for one in vault.secrets),
        )

    return edit


def _older(one: K) -> K:
    left = [each for each in one.versions if each.version != one.current]
    return replace(one, versions=tuple(left), current=max(left, key=lambda each: each.created or 0).version)


def _older_secret(one: Secret) -> Secret:
    newest = max(one.versions, key=lambda each: each.created or 0)
    return replace(one, versions=_but(one.versions, newest))


def _key(vault: str, name: str) -> tuple[str, ...]:
    return (f"https://{vault}.vault.azure.net/keys/{name}",)


def _certificate(vault: str, name: str) -> tuple[str, ...]:
    """A certificate's own name, and those of its key and its secret."""
    return tuple(f"https://{vault}.vault.azure.net/{kind}/{name}" for kind in ("certificates", "keys", "secrets"))
