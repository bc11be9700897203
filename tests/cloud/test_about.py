"""An answer is about what was asked for: an answer, a page or an item that names another object is refused."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest

from keyaudit.cloud.answers.about import check_of
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import OPERATIONS, Operation, Paging, Surface
from keyaudit.model.operations.about import WHOLE_TENANT, Form, Named, Unnamed
from keyaudit.model.reasons import Reason
from tests.cloud.azure import Azure, Reply
from tests.cloud.conftest import Connect
from tests.cloud.reading import Bundle, all_of
from tests.model.test_recordings import FOLDER, HOSTS, Seen, shown

NAMED = [each for each in OPERATIONS.values() if isinstance(each.about, Named)]
MINE = {name: "Mine" for each in NAMED for name in re.findall(r"\{(\w+)\}", each.path)}
POSTED = {"ids": ["Mine"]}
_HOSTS = {Surface.VAULT: "mine.vault.azure.net", Surface.MANAGED_HSM: "mine.managedhsm.azure.net"}


def test_every_operation_says_how_its_answers_name_their_object_or_why_they_do_not() -> None:
    unnamed = {each.id: each.about for each in OPERATIONS.values() if isinstance(each.about, Unnamed)}
    assert len(NAMED) + len(unnamed) == len(OPERATIONS)
    assert not [id_ for id_, about in unnamed.items() if len(about.why.split()) < 4]
    # Only a request without a choice of objects is about the whole tenant.
    assert not [id_ for id_, about in unnamed.items() if about is WHOLE_TENANT and "{" in OPERATIONS[id_].path]


def test_an_operation_that_is_sent_for_one_object_of_many_must_say_how_it_is_named() -> None:
    with pytest.raises(ValueError, match="does not say how a response names it"):
        msgspec.structs.replace(OPERATIONS["application.get"], about=WHOLE_TENANT)


def host(operation: Operation) -> str:
    return _HOSTS.get(operation.surface, "management.azure.com")


def answer(operation: Operation, name: str) -> dict[str, Any]:
    """What an operation answers about something called so, with no more than what names it."""
    about = operation.about
    assert isinstance(about, Named)
    template = about.by or operation.path
    text = name if about.form is Form.ONE_OF else template.format_map(dict.fromkeys(MINE, name))
    if operation.surface in _HOSTS and about.form is Form.AT:
        text = f"https://{host(operation)}{text}"
    body: Any = text
    for step in [about.member] if about.of_page else reversed(about.member.split(".")):
        body = {step: body}
    assert isinstance(body, dict)
    return body


def judged(operation: Operation, body: Mapping[str, object]) -> Reason | None:
    check = check_of(operation, host(operation), MINE, POSTED)
    assert check is not None
    refusal = check.refusal(msgspec.json.encode(body))
    return refusal.reason if refusal else None


@pytest.mark.parametrize("operation", NAMED, ids=lambda operation: operation.id)
def test_the_object_asked_for_is_known_by_its_name_and_another_by_its_own(operation: Operation) -> None:
    assert judged(operation, answer(operation, "Mine")) is None
    assert judged(operation, answer(operation, "mINE")) is None
    named = operation.about
    assert isinstance(named, Named)
    if "{" in (named.by or operation.path) or named.form is Form.ONE_OF:
        # A name that begins alike is another name.
        for other in ("other", "Mine2", "Min"):
            assert judged(operation, answer(operation, other)) is Reason.INCONSISTENT


@pytest.mark.parametrize(
    # A scope within an HSM does not name the HSM.
    "operation",
    [each for each in NAMED if each.surface in _HOSTS and each.id != "hsm.role_assignment.of_key"],
    ids=lambda operation: operation.id,
)
def test_an_object_of_another_vault_is_another_object(operation: Operation) -> None:
    text = msgspec.json.encode(answer(operation, "Mine")).decode()
    assert judged(operation, json.loads(text.replace("//mine.", "//other."))) is Reason.INCONSISTENT
    # The service adds the port to some addresses.
    assert judged(operation, json.loads(text.replace(".net/", ".net:443/"))) is None


@pytest.mark.parametrize("body", [{}, {"id": None}, {"id": ""}, {"id": 7}, {"id": {}}])
def test_an_answer_that_does_not_say_what_it_is_about_is_bad(body: Mapping[str, object]) -> None:
    assert judged(OPERATIONS["vault.get"], body) is Reason.BAD_BODY


def test_the_default_rotation_policy_and_an_answer_without_metadata_name_nothing() -> None:
    assert judged(OPERATIONS["key.rotation_policy"], {"lifetimeActions": []}) is None
    assert judged(OPERATIONS["application.federated_of"], {"value": []}) is None
    assert judged(OPERATIONS["application.federated_of"], {"@odata.context": 7}) is Reason.BAD_BODY


@pytest.mark.parametrize(
    "context",
    [
        "https://graph.microsoft.com/v1.0/$metadata#applications('Mine')/federatedIdentityCredentials",
        "https://graph.microsoft.com/beta/$metadata#applications('mine')/federatedIdentityCredentials(id,name)",
        "https://microsoftgraph.chinacloudapi.cn/v1.0/$metadata#applications('Mine')/federatedIdentityCredentials/$entity",
        "https://graph.microsoft.us/v1.0/$metadata#Collection(microsoft.graph.federatedIdentityCredential)",
        "$metadata#applications('M%69ne')/federatedIdentityCredentials",
    ],
)
def test_every_spelling_of_a_context_is_read(context: str) -> None:
    assert judged(OPERATIONS["application.federated_of"], {"@odata.context": context, "value": []}) is None


@pytest.mark.parametrize("scope", ["/", "/keys", "/keys/Mine", "/KEYS/mine/"])
def test_a_keys_role_assignments_are_its_own_or_inherited(scope: str) -> None:
    assert judged(OPERATIONS["hsm.role_assignment.of_key"], {"properties": {"scope": scope}}) is None
    assert judged(OPERATIONS["hsm.role_assignment.of_key"], {"properties": {"scope": "/keys/other"}}) is Reason.INCONSISTENT


@pytest.mark.parametrize(
    "id_",
    [
        "/subscriptions/mine/providers/Microsoft.Authorization/RoleEligibilityScheduleInstances/a",
        "/providers/Microsoft.Subscription/subscriptions/Mine/providers/Microsoft.Authorization/RoleEligibilityScheduleInstances/a",
        "/providers/Microsoft.Management/managementGroups/g/providers/Microsoft.Authorization/RoleEligibilityScheduleInstances/a",
    ],
)
def test_what_is_inherited_by_a_subscription_is_of_it(id_: str) -> None:
    assert judged(OPERATIONS["role_eligibility.list"], {"id": id_}) is None


def test_a_managed_hsm_names_a_rotation_policy_without_its_host() -> None:
    policy = OPERATIONS["hsm.key.rotation_policy"]
    assert judged(policy, {"id": "keys/Mine/rotationpolicy"}) is None
    assert judged(policy, {"id": "keys/other/rotationpolicy"}) is Reason.INCONSISTENT


# What the services really sent


def recorded() -> Iterator[tuple[Path, Operation, str, str, Any]]:
    """Each recorded answer of status 200 that an operation may have got: its file, the operation, host, path and body."""
    for path in sorted(FOLDER.glob("*.json")):
        for exchange in json.loads(path.read_text())["exchanges"]:
            request, response = exchange["request"], exchange["response"]
            if response["status"] != 200 or not isinstance(response["body"], dict):
                continue
            asked = urlsplit(request["path"])
            surface = next(surface for host, surface in HOSTS.items() if request["host"].endswith(host))
            seen = Seen(path.stem, "", request["method"], surface, asked.path, {"api-version": ["7.5"]})
            for operation in shown(seen):
                yield path, operation, request["host"], asked.path, response["body"]


def test_every_recorded_answer_is_about_what_was_asked_for() -> None:
    judged_ = set[str]()
    for path, operation, at, asked, body in recorded():
        parts = zip(operation.path.split("/"), unquote(asked).split("/"), strict=True)
        segments = {name[1:-1]: value for name, value in parts if name.startswith("{")}
        check = check_of(operation, at, segments)
        if check is None:
            continue
        judged_.add(operation.id)
        whole = operation.paging is Paging.NONE or check.named.of_page
        for each in [body] if whole else body["value"]:
            assert check.refusal(msgspec.json.encode(each)) is None, (path.name, asked, each)
    assert judged_ >= {
        "vault.get", "vault.list", "deleted_vault.list", "key.list", "key.versions", "key.rotation_policy", "deleted_key.list",
        "certificate.list", "certificate.get", "deleted_certificate.list", "secret.list", "deleted_secret.list", "hsm.key.get",
        "application.get", "service_principal.get", "application.expressions_of",
    }  # fmt: skip


# Through the gateway


async def test_an_object_that_names_another_is_refused(azure: Azure, connected: Connect, vault: str) -> None:
    azure.script = lambda request: Reply({"key": {"kid": f"{vault}keys/other/1"}, "attributes": {}})
    async with connected() as connection:
        found = await connection.gateway.get("key.get", Bundle, host=vault, key="sign", version="")
    detail = "sign: its key.kid names another object than the one asked for"
    assert found == Refusal(Reason.INCONSISTENT, detail, 200)


async def test_one_item_of_another_object_is_set_aside_and_the_others_stay(
    azure: Azure, connected: Connect, vault: str
) -> None:
    ids = [f"{vault}secrets/s/1", f"{vault}secrets/other/2", f"{vault}secrets/s/3"]
    azure.script = lambda request: Reply({"value": [{"id": id_} for id_ in ids], "nextLink": None})
    async with connected() as connection:
        items, end = await all_of(connection.gateway, "secret.versions", host=vault, secret="s")
    assert items == [ids[0], ids[2]]
    assert (end.received, end.kept, end.quarantined) == (3, 2, 1)
    assert end.refusal is not None
    assert end.refusal.reason is Reason.INCONSISTENT
    assert end.refusal.detail == f"of another object: 1 of 3 items: number 2 ({ids[1]})"


async def test_a_page_of_another_object_is_no_page(azure: Azure, connected: Connect) -> None:
    context = "https://graph.microsoft.com/v1.0/$metadata#applications('{}')/federatedIdentityCredentials"
    reasons = []
    async with connected() as connection:
        for holder in ("mine", "other"):
            body = {"@odata.context": context.format(holder), "value": [{"id": "1"}]}
            azure.script = lambda request, body=body: Reply(body)  # type: ignore[misc]
            items, end = await all_of(connection.gateway, "application.federated_of", id="mine")
            reasons.append((items, end.refusal and end.refusal.reason))
    assert reasons == [(["1"], None), ([], Reason.INCONSISTENT)]


async def test_a_look_up_answers_about_the_ids_that_were_posted(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: Reply({"value": [{"id": "a"}, {"id": "c"}]})
    async with connected() as connection:
        items, end = await all_of(connection.gateway, "principal.lookup", body={"ids": ["A", "b"]})
    assert items == ["a"]
    assert end.refusal is not None
    assert end.refusal.reason is Reason.INCONSISTENT
