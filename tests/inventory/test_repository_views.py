"""What a list of repositories says of the repositories that federated credentials trust."""

from typing import Any

import pytest
from msgspec import structs

from keyaudit.model.directory.federated_names import repository
from keyaudit.model.directory.federated_subject import trusted
from keyaudit.model.reasons import Reason
from tests.inventory.sample import RUN, TENANT, Row, assessed, credential, fetch, in_memory, row

SUPPLIED = structs.replace(RUN, evidence={"repositories": "0" * 64})
READ = {TENANT: assessed(TENANT, "application.list", "service_principal.list")}
GITHUB, GITLAB = "https://token.actions.githubusercontent.com", "https://gitlab.com"
COLUMNS = {"credential": {"repository_listed", "immutable_credential"}}


def trusting(subject: str | None, expression: str | None = None, issuer: str = GITHUB, name: str = "it") -> Row:
    """A credential as it is collected."""
    named, graded = repository(issuer, subject, expression), trusted(issuer, subject, expression, RUN.tenant_id)
    assert graded is not None
    facts: dict[str, Any] = {}
    if named is not None:
        facts = {
            "repository_host": named.host, "repository_owner": named.owner, "repository_owner_id": named.owner_id,
            "repository_path": named.path, "repository_id": named.id,
        }  # fmt: skip
    return credential(
        name, kind="federated", name=name, issuer=issuer, subject=subject, claims_expression=expression,
        audiences=["api://AzureADTokenExchange"], subject_grade=str(graded.grade), subject_breadth=str(graded.breadth), **facts,
    )  # fmt: skip


def listed(path: str, id_: str, owner_id: str, host: str = "github.com") -> Row:
    columns = {"host": host, "repository_id": id_, "owner": path.rpartition("/")[0], "owner_id": owner_id}
    return row("repository", f"{path} {id_}", scope_id=TENANT.id, name=path, **columns)


OURS = [listed("Contoso/Orders", "22", "11"), listed("g/s/p", "57", "9", host="gitlab.com")]


def compared(*credentials: Row, repositories: list[Row] = OURS) -> list[Any]:
    rows = {"credential": credentials, "repository": repositories}
    with in_memory(rows, READ, "credential", run=SUPPLIED, columns=COLUMNS) as connection:
        return fetch(
            connection, "SELECT name, repository_listed AS held, immutable_credential AS safe FROM credential ORDER BY name"
        )


@pytest.mark.parametrize(
    ("subject", "expression", "issuer", "held"),
    [
        ("repo:contoso/orders:environment:prod", None, GITHUB, "yes"),
        ("repo:contoso/other:environment:prod", None, GITHUB, "owner-only"),
        ("repo:stranger/orders:environment:prod", None, GITHUB, "no"),
        ("repository_owner:contoso", None, GITHUB, "yes"),
        ("repository_owner:stranger", None, GITHUB, "no"),
        ("repo:contoso@11/orders@22:environment:prod", None, GITHUB, "yes"),
        ("repo:contoso@11/other@99:environment:prod", None, GITHUB, "owner-only"),
        ("repo:contoso@66/orders@77:environment:prod", None, GITHUB, "no"),
        ("repository_id:22", None, GITHUB, "yes"),
        ("repository_owner_id:66", None, GITHUB, "no"),
        (None, "claims['sub'] matches 'repo:contoso/*' and claims['repository_owner_id'] eq '11'", GITHUB, "yes"),
        (None, "claims['sub'] matches '*'", GITHUB, None),
        ("project_path:g/s/p:ref_type:branch:ref:main", None, GITLAB, "yes"),
        ("project_path:g/q:ref_type:branch:ref:main", None, GITLAB, "owner-only"),
        ("project_id:58:ref_type:branch:ref:main", None, GITLAB, "no"),
        (None, "claims['sub'] matches 'project_path:g/*'", GITLAB, "yes"),
        ("repo:contoso/orders:environment:prod", None, "https://git.contoso.example/_services/token", "no"),
        ("sc://contoso/project/connection", None, "https://vstoken.dev.azure.com/1", None),
    ],
)
def test_the_list_says_whether_it_is_ours(subject: str | None, expression: str | None, issuer: str, held: str | None) -> None:
    [found] = compared(trusting(subject, expression, issuer))
    assert found["held"] == held


@pytest.mark.parametrize(
    ("beside", "held"),
    [
        ("repo:contoso@11/orders@22:environment:test", "yes"),
        ("repo:contoso@11/orders@99:environment:test", "re-registered"),
        ("repo:contoso@66/other@23:environment:test", "re-registered"),
        ("repo:stranger@66/orders@99:environment:test", "yes"),
    ],
)
def test_a_name_with_another_id_on_record_was_registered_again(beside: str, held: str) -> None:
    found = compared(trusting("repo:contoso/orders:environment:prod", name="a"), trusting(beside, name="b"))
    assert found[0]["held"] == held


def test_the_credential_by_ids_of_one_without_a_name_has_a_name() -> None:
    nameless = trusting("repo:contoso/orders:pull_request") | {"name": None, "unknown": {"name": str(Reason.BAD_VALUE)}}
    [found] = compared(nameless)
    assert found["safe"].startswith('{"name": "credential-by-id", "issuer": ')


@pytest.mark.parametrize("subject", ["repo:stranger/orders:environment:prod", "repository_owner:stranger"])
def test_what_only_another_credential_names_is_not_ours(subject: str) -> None:
    beside = trusting("repo:stranger@66/orders@99:environment:test", name="b")
    assert [each["held"] for each in compared(trusting(subject, name="a"), beside)] == ["no", "no"]


def test_two_lists_that_give_a_name_two_ids_show_that_it_was_registered_again() -> None:
    earlier = listed("contoso/orders", "21", "11")
    [found] = compared(trusting("repo:contoso/orders:environment:prod"), repositories=[*OURS, earlier])
    assert (found["held"], found["safe"]) == ("re-registered", None)


@pytest.mark.parametrize(
    ("subject", "issuer", "safe"),
    [
        ("repo:contoso/orders:environment:prod", GITHUB, "repo:Contoso@11/Orders@22:environment:prod"),
        ("repo:contoso/orders:pull_request", GITHUB, "repo:Contoso@11/Orders@22:pull_request"),
        ("project_path:g/s/p:ref_type:branch:ref:main", GITLAB, "project_id:57:ref_type:branch:ref:main"),
        ("repo:contoso@11/orders@22:environment:prod", GITHUB, None),
        ("repo:contoso/other:environment:prod", GITHUB, None),
        ("repository_owner:contoso", GITHUB, None),
        ('repo:contoso/orders:environment:"prod', GITHUB, None),
        ("repo:contoso/orders:environment:\\", GITHUB, None),
    ],
)
def test_the_credential_by_ids_names_the_same_workload(subject: str, issuer: str, safe: str | None) -> None:
    [found] = compared(trusting(subject, issuer=issuer))
    if safe is None:
        assert found["safe"] is None
    else:
        expected = '{{"name": "it-by-id", "issuer": "{}", "subject": "{}", "audiences": ["api://AzureADTokenExchange"]}}'
        assert found["safe"] == expected.format(issuer, safe)


def test_without_a_list_nothing_is_compared() -> None:
    rows = {"credential": [trusting("repo:contoso/orders:environment:prod")]}
    with in_memory(rows, READ, "credential", columns=COLUMNS) as connection:
        [found] = fetch(connection, "SELECT repository_listed AS held, immutable_credential AS safe FROM credential")
    assert (found["held"], found["safe"]) == ("not-compared", None)


def test_a_subject_that_was_not_read_is_unknown() -> None:
    unread = dict.fromkeys(("subject", "claims_expression", "subject_grade", "subject_breadth"), Reason.PERMISSION)
    named = {f"repository_{each}": Reason.PERMISSION for each in ("host", "owner", "owner_id", "path", "id")}
    made = credential("it", kind="federated", issuer=GITHUB, audiences=[], **unread, **named)
    rows = {"credential": [made], "repository": OURS}
    with in_memory(rows, READ, "credential", run=SUPPLIED, columns=COLUMNS) as connection:
        [found] = fetch(connection, "SELECT repository_listed AS held, unknown['repository_listed'] AS why FROM credential")
    assert (found["held"], found["why"]) == (None, Reason.PERMISSION)
