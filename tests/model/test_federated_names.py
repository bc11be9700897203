"""Which repository a federated credential trusts, by name and by id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.model.directory.federated_names import Repository, repository

GITHUB, GITLAB = "https://token.actions.githubusercontent.com", "https://gitlab.com"
HUB, LAB = "github.com", "gitlab.com"


@pytest.mark.parametrize(
    ("issuer", "subject", "expected"),
    [
        (GITHUB, "repo:o/r:environment:prod", (HUB, "o", None, "o/r", None)),
        (GITHUB, "repo:o@11/r@22:ref:refs/heads/main", (HUB, "o", "11", "o/r", "22")),
        (GITHUB, "repository_owner_id:11:repository_id:22", (HUB, None, "11", None, "22")),
        (GITHUB, "repository_owner:o", (HUB, "o", None, None, None)),
        (GITHUB, "job_workflow_ref:o/t/d.yml@refs/heads/main", (HUB, "o", None, "o/t", None)),
        (GITHUB, "repo:o/r:job_workflow_ref:other/t/d.yml@refs/heads/main", (HUB, "o", None, "o/r", None)),
        (f"{GITHUB}/contoso-enterprise", "repo:o/r:pull_request", (HUB, "o", None, "o/r", None)),
        ("https://token.actions.contoso.ghe.com", "repo:o/r:pull_request", ("contoso.ghe.com", "o", None, "o/r", None)),
        ("https://git.contoso.example/_services/token", "repo:o/r", ("git.contoso.example", "o", None, "o/r", None)),
        (GITLAB, "project_path:g/s/p:ref_type:branch:ref:main", (LAB, "g/s", None, "g/s/p", None)),
        (GITLAB, "project_id:57:ref_type:branch:ref:main", (LAB, None, None, None, "57")),
    ],
)
def test_a_plain_subject(issuer: str, subject: str, expected: tuple[str | None, ...]) -> None:
    assert repository(issuer, subject, None) == Repository(*expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("issuer", "expression", "expected"),
    [
        (GITHUB, "claims['sub'] matches 'repo:o/r:ref:refs/heads/*' and claims['repository_id'] eq '22'",
            (HUB, "o", None, "o/r", "22")),
        (GITHUB, "claims['sub'] matches 'repo:o/*' and claims['repository_owner_id'] eq '11'", (HUB, "o", "11", None, None)),
        (GITHUB, "claims['sub'] matches 'repo:o@11/*'", (HUB, "o", "11", None, None)),
        (GITHUB, "claims['sub'] matches 'repo:o@11/r@22:*'", (HUB, "o", "11", "o/r", "22")),
        (GITHUB, "claims['sub'] matches 'repo:o/r*:environment:prod'", (HUB, "o", None, None, None)),
        (GITHUB, "claims['sub'] eq 'repo:o/r:pull_request'", (HUB, "o", None, "o/r", None)),
        (GITLAB, "claims['sub'] matches 'project_path:g/*' and claims['namespace_id'] eq '9'", (LAB, "g", "9", None, None)),
        (GITLAB, "claims['sub'] matches 'project_path:g/p:*' and claims['project_id'] eq '57'", (LAB, "g", None, "g/p", "57")),
    ],
)  # fmt: skip
def test_an_expression(issuer: str, expression: str, expected: tuple[str | None, ...]) -> None:
    assert repository(issuer, None, expression) == Repository(*expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("issuer", "subject", "expression"),
    [
        (GITHUB, None, "claims['sub'] matches '*'"),
        (GITHUB, None, "claims['sub'] matches 'repo:o*/r:environment:prod'"),
        (GITHUB, None, "claims['sub'] matches"),
        (GITHUB, None, None),
        (GITHUB, "repo:o/*:environment:prod", None),
        ("https://vstoken.dev.azure.com/1", "sc://o/p/c", None),
        ("https://token.actions.githubusercontent.com.evil.example", "repo:o/r", None),
        ("https://gitlab.com.evil.example/x", "project_id:57", None),
    ],
)
def test_no_repository(issuer: str, subject: str | None, expression: str | None) -> None:
    found = repository(issuer, subject, expression)
    assert found is None or found.host not in (HUB, LAB)


@given(st.sampled_from([GITHUB, GITLAB]), st.text(max_size=40) | st.none(), st.text(max_size=60) | st.none())
def test_any_text_has_an_answer(issuer: str, subject: str | None, expression: str | None) -> None:
    found = repository(issuer, subject, expression)
    assert found is None or any((found.owner, found.owner_id, found.path, found.id))
