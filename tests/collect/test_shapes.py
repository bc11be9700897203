"""Shapes of answers: what is declared is counted, and no value, name or id of a tenant gets into the file in any form.

And what is declared is asked for: a list that selects members selects those that are read.
"""

import asyncio
import base64
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from msgspec import Struct, structs
from multidict import CIMultiDict

from keyaudit.cloud.clients import Answer
from keyaudit.collect.access import assignments, definitions, delegations, roles
from keyaudit.collect.entra import managed_identities
from keyaudit.collect.entra.keys.key_material import Keyed
from keyaudit.collect.entra.relations import Related
from keyaudit.collect.key_vault import vaults
from keyaudit.collect.key_vault.key_rows import KeyItem
from keyaudit.collect.key_vault.vault_rows import VaultItem
from keyaudit.collect.logs import alert_rules
from keyaudit.collect.managed_hsm import devices
from keyaudit.collect.run import collect_all
from keyaudit.collect.services import hosts, items, secret_uses
from keyaudit.collect.shapes import MOST, Recorder
from keyaudit.model.operations import OPERATIONS, Operation
from keyaudit.model.schema.wire import paths, steps
from keyaudit.model.shapes import Answers
from keyaudit.model.tables import TABLES
from keyaudit.questions.doctor.shapes import write
from keyaudit.simulator.estates import estate
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import serve
from tests.collect.estate import AS_OF
from tests.collect.rig import EVIDENCE, Noted, begun, connected
from tests.matrices import some_with_each

STEM = "Kanarienvogel"
"""In every canary; no word of Azure, of keyaudit, or of the simulated tenants."""
KEY = b"a key of the tests"
Seen = tuple[Operation, object, Answer]


@cache
def seen() -> tuple[Seen, ...]:
    """Every answer that a run on a simulated tenant observes."""
    return observed("contoso")


def observed(name: str, *faults: Fault) -> tuple[Seen, ...]:
    found: list[Seen] = []

    async def run() -> None:
        with TemporaryDirectory() as folder:
            simulated = estate(name, AS_OF)
            async with serve(simulated, faults=faults) as simulator, connected(simulator) as connection:
                connection.gateway.observe = lambda *each: found.append(each)
                with begun(Path(folder) / "out", simulated.tenant_id) as spool:
                    await collect_all(connection, spool, progress=Noted(), evidence=EVIDENCE)

    asyncio.run(run())
    return tuple(found)


def answered(body: object, status: int = 200) -> Answer:
    return Answer(status, CIMultiDict(), body if isinstance(body, bytes) else json.dumps(body).encode())


def recorded(*answers: Answer, operation: str = "key.list", item: object = KeyItem) -> Answers:
    recorder = Recorder(KEY)
    for answer in answers:
        recorder(OPERATIONS[operation], item, answer)
    return recorder.shapes(simulated=True).operations[operation]


def written(answers: Iterator[Seen] | tuple[Seen, ...], key: bytes = KEY) -> str:
    """The whole file."""
    recorder, out = Recorder(key), StringIO()
    for each in answers:
        recorder(*each)
    write(recorder.shapes(simulated=True), out)
    return out.getvalue()


def forms(text: str) -> Iterator[str]:
    """In which a text may be hidden: as it is, in lower case, in hex, in base64 wherever it begins, and backwards."""
    for each in (text, text.lower(), text.upper(), text[::-1]):
        yield each
        yield each.encode().hex()
        for shift in range(3):
            # The first and last signs depend on the neighbours.
            yield base64.b64encode(b" " * shift + each.encode()).decode()[4:-4]


def canaries(value: Any, *, texts: bool, names: bool, added: bool, count: list[int]) -> Any:
    """`value` with canaries in place of texts or names of members, or as further members of each object."""

    def canary() -> str:
        count[0] += 1
        return f"{STEM}{count[0]}"

    if isinstance(value, dict):
        more = {canary(): canary(), canary(): {canary(): [canary(), {canary(): None}]}} if added else {}
        again = {
            canary() if names else name: canaries(each, texts=texts, names=names, added=added, count=count)
            for name, each in value.items()
        }
        return {**again, **more}
    if isinstance(value, list):
        return [canaries(each, texts=texts, names=names, added=added, count=count) for each in value]
    return canary() if texts and isinstance(value, str) else value


def texts(value: Any) -> Iterator[str]:
    """Every text that is no name of a member."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


CHANGES: dict[str, Callable[[Any, list[int]], Any]] = {
    "in every text": lambda body, count: canaries(body, texts=True, names=False, added=False, count=count),
    "in every name of a member": lambda body, count: canaries(body, texts=False, names=True, added=False, count=count),
    "in further members": lambda body, count: canaries(body, texts=False, names=False, added=True, count=count),
    "everywhere": lambda body, count: canaries(body, texts=True, names=True, added=True, count=count),
}


@pytest.mark.parametrize(("where", "status"), some_with_each(CHANGES, [200, 403]))
def test_no_canary_gets_into_the_file(where: str, status: int) -> None:
    count = [0]
    changed = [
        (operation, item, answered(CHANGES[where](json.loads(answer.body), count), status))
        for operation, item, answer in seen()
    ]
    # What the simulated tenants never send: canaries alone.
    reached = {operation.id for operation, _, _ in changed}
    changed += [
        (
            operation,
            None,
            answered(CHANGES["everywhere"]({"value": [{"name": "text", "tags": {"name": "text"}}]}, count), status),
        )
        for id_, operation in OPERATIONS.items()
        if id_ not in reached
    ]
    assert count[0] > 5_000
    text = written(tuple(changed))
    assert set(json.loads(text)["operations"]) >= set(OPERATIONS) - {"graph.batch"}
    assert [form for form in forms(STEM) if form in text] == []


def test_a_canary_that_gets_into_the_file_would_be_found() -> None:
    for text in (STEM, STEM.lower(), f"xx{STEM}".encode().hex(), base64.b64encode(f"ab{STEM}yz".encode()).decode()):
        assert any(form in text for form in forms(STEM)), text


def test_nothing_of_the_simulated_tenant_gets_into_the_file() -> None:
    text = written(seen())
    # Names, ids, addresses and dates have a digit, a space, a dot or an @; declared words may have them too.
    words = {value for table in TABLES.values() for column in table.columns for value in column.values}
    held = {each for _, _, answer in seen() for each in texts(json.loads(answer.body)) if re.search(r"[0-9 .@]", each)}
    ours = {each for each in held if each not in words and not each.startswith("#microsoft.graph.") and len(each) > 5}
    assert len(ours) > 2_000
    # An error's documented code, and Graph's types of keys.
    told = {"Subscription Not Registered", "AsymmetricX509Cert", "X509CertAndPassword"}
    assert {each for each in ours if each in text} == told


def test_a_member_is_counted_by_presence_type_and_length() -> None:
    items = [
        {"kid": "https://a.vault.azure.net/keys/one", "attributes": {"enabled": True, "exp": 1_700_000_000}},
        {"kid": "https://a.vault.azure.net/keys/two", "attributes": None, "tags": {"owner": "Kim"}},
        {"kid": "x", "managed": True},
    ]
    found = recorded(answered({"value": items, "nextLink": None}), answered({"value": [], "nextLink": None}))
    assert (found.answers, found.statuses) == (2, {"200": 2})
    members = found.members
    assert (members["value"].present, members["value[]"].present) == (2, 3)
    assert (members["nextLink"].present, members["nextLink"].null) == (2, 2)
    kid = members["value[].kid"]
    assert (kid.present, kid.null, kid.absent) == (3, 0, 0)
    assert kid.types == {"text": 1, "url": 2}
    assert kid.lengths == {"1": 1, "33-64": 2}
    attributes = members["value[].attributes"]
    assert (attributes.present, attributes.null, attributes.absent, attributes.types) == (2, 1, 1, {"object": 1})
    assert members["value[].attributes.enabled"].types == {"boolean": 1}
    assert members["value[].attributes.exp"].types == {"integer": 1}
    # Every item could have had it, and keyaudit reads it.
    assert (members["value[].managed"].present, members["value[].managed"].absent) == (1, 2)


def test_a_declared_member_that_never_came_is_absent() -> None:
    found = recorded(answered({"value": [{"kid": "a"}, {"kid": "b"}], "nextLink": None}))
    assert {path: member.absent for path, member in found.members.items() if not member.present} == {
        "value[].attributes": 2,
        "value[].tags": 2,
        "value[].managed": 2,
    }
    assert "value[].kid" not in recorded(answered({"value": [], "nextLink": None})).members


@pytest.mark.parametrize("name", ["displayName", "type", "owner", "enabled", "Kostenstelle", "@odata.type"])
def test_the_names_of_tags_are_hashes_even_where_they_are_those_of_members(name: str) -> None:
    item = {"kid": "a", "tags": {name: "RSA", "other": "RSA"}}
    below = [path for path in recorded(answered({"value": [item]})).members if path.startswith("value[].tags.")]
    assert len(below) == 2
    assert all(re.fullmatch(r"value\[\]\.tags\.hash:[0-9a-f]{12}", path) for path in below)


def test_below_a_member_that_is_not_declared_everything_is_a_hash() -> None:
    item = {"kid": "a", "extension_1": {"displayName": {"kty": "RSA"}, "list": [{"key": {"kty": "RSA"}}]}}
    found = recorded(answered({"value": [item]})).members
    below = [path.removeprefix("value[].") for path in found if path.startswith("value[].hash:")]
    assert len(below) == 7
    assert all(re.fullmatch(r"(hash:[0-9a-f]{12}(\[\])?\.?)+", path) for path in below)
    assert not any(found[path].words for path in found)


def test_a_declared_word_is_told_and_another_is_a_hash() -> None:
    keys = [{"key": {"kid": "a", "kty": kty, "key_ops": ["sign", "Kim"]}} for kty in ("RSA", "rsa-hsm", "RSA-4096", "RSA-4096")]
    members = recorded(*map(answered, keys), operation="key.get", item=None).members
    words = members["key.kty"].words
    assert {word: count for word, count in words.items() if not word.startswith("hash:")} == {"RSA": 1, "RSA-HSM": 1}
    assert [count for word, count in words.items() if word.startswith("hash:")] == [2]
    assert members["key.key_ops[]"].words["sign"] == 4
    # A name that is a word of another member stays a name.
    named = recorded(answered({"value": [{"displayName": "User"}, {"displayName": "RSA"}]}), operation="application.list")
    assert named.members["value[].displayName"].words == {}


def test_codes_of_errors_are_told_only_if_they_are_documented() -> None:
    bodies = [
        {"error": {"code": code, "message": "of Kim", "innererror": {"code": code}}} for code in ("Forbidden", "KimsVault")
    ]
    found = recorded(*(answered(body, 403) for body in bodies), answered({"code": "AuthorizationFailed", "message": "m"}, 403))
    assert found.statuses == {"403": 3}
    assert found.members == {}
    for path in ("error.code", "error.innererror.code"):
        words = found.errors[path].words
        assert words.pop("Forbidden") == 1
        assert [re.sub("[0-9a-f]{12}", "", word) for word in words] == ["hash:"]
    assert found.errors["code"].words == {"AuthorizationFailed": 1}
    assert found.errors["error.message"].words == {}
    # In any other answer a code is a text, and words of other members are none in an error.
    assert recorded(answered({"code": "Forbidden"})).members["code"].words == {}
    assert recorded(answered({"kty": "RSA", "key": {"kty": "RSA"}}, 403)).errors["key.kty"].words == {}


def test_hashes_are_equal_within_a_file_and_not_between_files() -> None:
    some = tuple(each for each in seen() if each[0].id == "application.list")
    assert written(some) == written(some)
    assert written(some) != written(some, b"another")
    hashes = [set(re.findall("hash:[0-9a-f]{12}", written(some, key))) for key in (KEY, b"another")]
    assert len(hashes[0]) == len(hashes[1]) > 3
    assert hashes[0].isdisjoint(hashes[1])


@pytest.mark.parametrize("body", [b"<html>", b"\xff\xfe", b'{"a": ', b"[" * 100_000], ids=["html", "bytes", "cut", "deep"])
def test_an_answer_that_is_no_json_is_counted(body: bytes) -> None:
    found = recorded(answered(body), answered(b"", 204))
    assert (found.answers, found.unreadable, found.members) == (2, 1, {})


def test_a_hostile_answer_does_not_grow_the_file() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = {"value": deep}
    found = recorded(answered({f"name {n}": n for n in range(2 * MOST)}), answered(deep))
    assert len(found.members) <= MOST
    assert found.left_out >= MOST
    words = recorded(*(answered({"key": {"kty": f"kind {n}"}}) for n in range(MOST + 100)), operation="key.get", item=None)
    assert len(words.members["key.kty"].words) == MOST + 1
    assert words.members["key.kty"].words["hash:more"] == 100


def test_a_run_observes_each_answer_once_with_its_own_operation() -> None:
    ids = {operation.id for operation, _, _ in seen()}
    # Parts of a batch are answers of their own operation.
    assert "graph.batch" not in ids
    assert {"group.members", "key.list", "service_principal.list", "organization.get"} <= ids
    assert "login.metadata" in ids


def test_an_answer_that_is_repeated_is_observed_each_time() -> None:
    throttled = Fault("key.list", status=429)
    statuses = [answer.status for operation, _, answer in observed("sized:1x2", throttled) if operation.id == "key.list"]
    assert statuses.count(429) == 1
    assert statuses.count(200) == 1


NOT_OF_AGENTS = {"keyCredentials", "passwordCredentials", "preferredTokenSigningKeyThumbprint", "appRoles"}
"""Members of a service principal that are read from the plain list alone: an agent identity has none of its own."""


def selected(query: tuple[tuple[str, str], ...]) -> set[str]:
    """The members that a query asks for; of a related object that it expands, its own member."""
    asked = dict(query)
    expanded = re.findall(r"(\w+)\(", asked.get("$expand", ""))
    return {*asked["$select"].split(","), *expanded}


def members(item: object) -> set[str]:
    """The members that are read from an item, without those with which Graph marks it."""
    kinds = [each for each in (item, *get_args(item)) if isinstance(each, type) and issubclass(each, Struct)]
    return {field.encode_name for kind in kinds for field in structs.fields(kind) if "@" not in field.encode_name}


def test_a_list_selects_the_members_that_are_read_from_it_and_no_others() -> None:
    # A member that is not selected is left out of every answer, and of many columns that would mean absent or false.
    read_as = {operation.id: item for operation, item, _ in seen()}
    unseen = {"application.get": Keyed, "service_principal.get": Keyed, "service_principal.owners_of": Related}
    of_agents = {"agent.list": NOT_OF_AGENTS}
    selecting = {id_: each for id_, each in OPERATIONS.items() if "$select" in dict(each.query)}
    assert selecting.keys() - read_as.keys() == {*unseen, "agent.get"}
    for id_, operation in selecting.items():
        if id_ == "agent.get":
            continue  # It answers for agents alone, and only that it answers is read.
        read = members(read_as.get(id_, unseen.get(id_))) - of_agents.get(id_, set())
        assert selected(operation.query) == read, id_
        assert {*operation.dispensable} <= read, id_
        if operation.query_elsewhere:
            assert selected(operation.query_elsewhere) == read - {"verifiedPublisher", "createdByAppId"}, id_


def test_a_query_of_resource_graph_returns_the_members_that_are_read_from_its_rows() -> None:
    queries = [
        *((query, VaultItem) for query in vaults.ASKED),
        (roles.SUBSCRIPTIONS, roles.SubscriptionItem),
        (assignments.QUERY, assignments.AssignmentItem),
        (definitions.QUERY, definitions.DefinitionItem),
        (delegations.QUERY, delegations.Item),
        (alert_rules.QUERY, alert_rules.Rule),
        (devices.QUERY, devices.Item),
        (managed_identities.QUERY, managed_identities.IdentityItem),
        (hosts.QUERY, hosts.Item),
        (items.QUERY, items.ServiceItem),
        (secret_uses.QUERY, secret_uses.Item),
    ]
    for query, item in queries:
        # Of a vault, Resource Graph has no systemData, and its row says so; only a plan has the API version.
        assert members(item) - query.columns.keys() <= {"systemData", "apiVersion"}, query.operation


def test_a_column_that_copies_a_member_is_filled_only_by_operations_that_ask_for_it() -> None:
    for table in TABLES.values():
        for column, way in table.ways().items():
            for operation in table.by_name[column].operations:
                query = OPERATIONS[operation].query
                if "$select" in dict(query):
                    asked = {steps(path)[0][0] for path in paths(way)}
                    assert asked <= selected(query), f"{table.name}.{column}: {operation}"
