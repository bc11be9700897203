"""What a federated credential trusts, form by form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyaudit.model.directory.federated_subject import Breadth, Grade, Trusted, conditions, retires_on, trusted

TENANT, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
IDENTITY = "33333333-3333-4333-8333-333333333333"
GITHUB, GITLAB = "https://token.actions.githubusercontent.com", "https://gitlab.com"
TERRAFORM, VSTOKEN = "https://app.terraform.io", "https://vstoken.dev.azure.com/44444444-4444-4444-8444-444444444444"
ENTRA, ENTRA_OTHER = (f"https://login.microsoftonline.com/{each}/v2.0" for each in (TENANT, OTHER))
AKS = f"https://westeurope.oic.prod-aks.azure.com/{TENANT}/{OTHER}/"
AWS = "https://a1faa616-d595-447d-bdfd-64b774ab199c.tokens.sts.global.api.aws"
ID, NAME, NOBODY, DEAD = Grade.IMMUTABLE, Grade.MUTABLE, Grade.UNNAMED, Grade.DEAD
B = Breadth


@pytest.mark.parametrize(
    ("issuer", "subject", "grade", "breadth"),
    [
        (GITHUB, "repo:o/r:ref:refs/heads/main", NAME, B.ONE),
        (GITHUB, "repo:o/r:ref:refs/tags/v1", NAME, B.ONE),
        (GITHUB, "repo:o/r:environment:prod", NAME, B.ONE),
        (GITHUB, "repo:o/r:environment:pull_request", NAME, B.PULL_REQUESTS),
        (GITHUB, "repo:o/r:pull_request", NAME, B.PULL_REQUESTS),
        (GITHUB, "repo:o/r", NAME, B.ANY_EVENT),
        (GITHUB, "repo:o/r:ref:refs/heads/", NAME, B.ANY_EVENT),
        (GITHUB, "repo:o@11/r@22:ref:refs/heads/main", ID, B.ONE),
        (GITHUB, "repo:o@11/r@22:environment:prod", ID, B.ONE),
        (GITHUB, "repo:o@11/r@22:pull_request", ID, B.PULL_REQUESTS),
        (GITHUB, "repo:o@11/r@22", ID, B.ANY_EVENT),
        (GITHUB, "repo:o@11/r:ref:refs/heads/main", NAME, B.ONE),
        (GITHUB, "repository_id:22", ID, B.ANY_EVENT),
        (GITHUB, "repository_owner_id:11:repository_id:22", ID, B.ANY_EVENT),
        (GITHUB, "repository_owner_id:11", ID, B.ORGANISATION),
        (GITHUB, "repository_owner:o", NAME, B.ORGANISATION),
        (GITHUB, "repo:o/r:job_workflow_ref:o/t/d.yml@refs/heads/main", NAME, B.ONE),
        (GITHUB, "job_workflow_ref:o/t/d.yml@refs/heads/main", NAME, B.ANY_CALLER),
        # A template of the subject without `repo`: no repository is named, so no name can be registered again.
        (GITHUB, "environment:prod", NOBODY, B.EVERYTHING),
        (GITHUB, "ref:refs/heads/main", NOBODY, B.EVERYTHING),
        (GITHUB, "environment:prod:repository_owner:o", NAME, B.EVERYTHING),
        (GITHUB, "actor:somebody", NAME, B.EVERYTHING),
        (GITHUB, "repo:o/*:environment:prod", DEAD, B.WILDCARD),
        ("https://token.actions.contoso.ghe.com", "repo:o/r:environment:prod", NAME, B.ONE),
        ("https://github.contoso.example/_services/token", "repo:o/r:pull_request", NAME, B.PULL_REQUESTS),
        (GITLAB, "project_path:g/p:ref_type:branch:ref:main", NAME, B.ONE),
        (GITLAB, "project_id:57:ref_type:branch:ref:main", ID, B.ONE),
        ("https://gitlab.contoso.com", "project_path:g/p", NAME, B.ANY_REF),
        (VSTOKEN, "sc://org/project/connection", NAME, B.ONE),
        (ENTRA, "/eid1/c/pub/t/x/a/y/sc/org/connection", ID, B.ONE),
        (ENTRA, IDENTITY, ID, B.ONE),
        (ENTRA_OTHER, IDENTITY, DEAD, B.ONE),
        (ENTRA_OTHER, "/eid1/c/pub/t/x/a/y/sc/org/connection", ID, B.ONE),
        (TERRAFORM, "organization:o:project:p:workspace:w:run_phase:apply", NAME, B.ONE),
        (AKS, "system:serviceaccount:ns:sa", ID, B.ONE),
        (AKS, "system:serviceaccount:default:default", ID, B.DEFAULT_ACCOUNT),
        (AWS, "arn:aws:iam::123456789012:role/deploy", ID, B.ONE),
        (AWS, "deploy", Grade.OTHER, B.ONE),
        ("https://accounts.google.com", "112633961854638529490", ID, B.ONE),
        ("https://accounts.google.com", "somebody@contoso.example", Grade.OTHER, B.ONE),
        ("https://oidc.lab.example", "anything", Grade.OTHER, B.ONE),
        ("https://token.actions.githubusercontent.com.evil.example", "repo:o/r", Grade.OTHER, B.ONE),
        ("https://gitlab.com.evil.example", "project_path:g/p:ref_type:branch:ref:main", Grade.OTHER, B.ONE),
        ("https://gitlab.company.example", "project_path:g/p:ref_type:branch:ref:main", NAME, B.ONE),
        ("https://[", "repo:o/r", Grade.OTHER, B.ONE),
    ],
)
def test_a_plain_subject(issuer: str, subject: str, grade: Grade, breadth: Breadth) -> None:
    assert trusted(issuer, subject, None, TENANT) == Trusted(grade, breadth)


@pytest.mark.parametrize(
    ("issuer", "asked", "grade", "breadth"),
    [
        (GITHUB, {"sub": "repo:o/r:ref:refs/heads/*", "repository_id": "22"}, ID, B.ANY_REF),
        (GITHUB, {"sub": "repo:o@11/r@22:*", "repository_id": "22"}, ID, B.ANY_EVENT),
        (GITHUB, {"sub": "repo:o@11/r@22:*"}, ID, B.ANY_EVENT),
        (GITHUB, {"sub": "repo:o/r:ref:refs/heads/*"}, NAME, B.ANY_REF),
        (GITHUB, {"sub": "repo:o/r:ref:refs/heads/main"}, NAME, B.ONE),
        (GITHUB, {"sub": "repo:o/*", "repository_owner_id": "11"}, ID, B.ORGANISATION),
        (GITHUB, {"sub": "repo:o*/r:environment:prod"}, NAME, B.EVERYTHING),
        # `?` stands for one character:
        # https://learn.microsoft.com/entra/workload-id/workload-identities-flexible-federated-identity-credentials
        (GITHUB, {"sub": "repo:o/r:environment:prod-?"}, NAME, B.FEW_REFS),
        (GITHUB, {"sub": "repo:o@11/r@22:ref:refs/heads/release/v?"}, ID, B.FEW_REFS),
        (GITHUB, {"sub": "repo:o/r:ref:refs/heads/????"}, NAME, B.ANY_REF),
        (GITHUB, {"sub": "repo:o/r:environment:prod-?*"}, NAME, B.ANY_REF),
        (GITHUB, {"sub": "repo:o/r:ref:refs/heads/release-*"}, NAME, B.ANY_REF),
        (GITHUB, {"sub": "*"}, NOBODY, B.EVERYTHING),
        (GITHUB, {"sub": "repo:*"}, NOBODY, B.EVERYTHING),
        (GITHUB, {"sub": "*:environment:prod"}, NOBODY, B.EVERYTHING),
        (GITHUB, {"sub": "environment:prod-*"}, NOBODY, B.EVERYTHING),
        (GITHUB, {"sub": "*:repo:o/r:*"}, NAME, B.EVERYTHING),
        (GITHUB, {"sub": "*", "job_workflow_ref": "o/*"}, NAME, B.EVERYTHING),
        (GITHUB, {"sub": "*", "repository_id": "22"}, ID, B.ANY_EVENT),
        (GITHUB, {"sub": "repo:o/*", "job_workflow_ref": "o/t/d.yml@refs/heads/main"}, NAME, B.ANY_CALLER),
        (GITHUB, {"job_workflow_ref": "o/t/d.yml@refs/heads/main"}, NAME, B.ANY_CALLER),
        (GITLAB, {"sub": "project_id:57:*", "project_id": "57"}, ID, B.ANY_REF),
        (GITLAB, {"sub": "project_path:g/*", "namespace_id": "9"}, ID, B.ORGANISATION),
        (GITLAB, {"sub": "project_path:g/p:*"}, NAME, B.ANY_REF),
        (GITLAB, {"sub": "project_path:g/p:ref_type:branch:ref:prod-?"}, NAME, B.FEW_REFS),
        (GITLAB, {"sub": "project_path:g/p:ref_type:branch:ref:?"}, NAME, B.ANY_REF),
        (GITLAB, {"sub": "project_path:*"}, NOBODY, B.EVERYTHING),
        (GITLAB, {"sub": "project_path:g*"}, NAME, B.EVERYTHING),
        (GITLAB, {"sub": "*"}, NOBODY, B.EVERYTHING),
        (TERRAFORM, {"sub": "organization:o:*"}, NAME, B.ORGANISATION),
        (TERRAFORM, {"sub": "organization:o:project:p:*"}, NAME, B.ANY_REF),
        (TERRAFORM, {"sub": "organization:o:project:p:workspace:w-?:run_phase:apply"}, NAME, B.FEW_REFS),
        (TERRAFORM, {"sub": "organization:*"}, NOBODY, B.EVERYTHING),
        (TERRAFORM, {"sub": "organization:o*"}, NAME, B.EVERYTHING),
        ("https://oidc.lab.example", {"sub": "a*"}, Grade.OTHER, B.EVERYTHING),
    ],
)
def test_an_expression(issuer: str, asked: dict[str, str], grade: Grade, breadth: Breadth) -> None:
    written = " and ".join(
        f"claims['{name}'] {'matches' if {*value} & {*'*?'} else 'eq'} '{value}'" for name, value in asked.items()
    )
    assert trusted(issuer, None, written, TENANT) == Trusted(grade, breadth)


@pytest.mark.parametrize(
    "expression",
    ["", "claims['sub']", "claims['sub'] eq 'a' or claims['sub'] eq 'b'", "claims['sub'] eq 'a' and", "claims[sub] eq 'a'",
     "claims['sub'] eq 'a' and claims['sub'] eq 'b'", "claims['sub'] like 'a'", "claims['sub'] eq 'a' junk"],
)  # fmt: skip
def test_an_expression_that_cannot_be_read_says_nothing(expression: str) -> None:
    assert conditions(expression) is None
    assert trusted(GITHUB, None, expression, TENANT) is None
    assert trusted(GITHUB, None, None, TENANT) is None


_NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
_NUMBERS = st.integers(1, 10**9).map(str)
_EVENTS = {
    "": B.ANY_EVENT,
    ":ref:refs/heads/main": B.ONE,
    ":ref:refs/tags/v1": B.ONE,
    ":environment:prod": B.ONE,
    ":pull_request": B.PULL_REQUESTS,
}
_REFS = {"": B.ANY_REF, ":ref_type:branch:ref:main": B.ONE, ":ref_type:tag:ref:v1": B.ONE}
_PATTERNS = {":*": B.ANY_EVENT, ":ref:refs/heads/*": B.ANY_REF, ":environment:*": B.ANY_REF}

Form = tuple[str, str | None, str | None, Grade, Breadth]
"""Issuer, subject, expression, and the grade and breadth that follow from how it was put together."""


@st.composite
def _forms(draw: st.DrawFn) -> Form:
    """A credential of one of the issuers, put together from its parts as the issuers' documentation has them."""
    owner, name, first, second = draw(st.tuples(_NAMES, _NAMES, _NUMBERS, _NUMBERS))
    pinned = draw(st.booleans())
    match draw(st.sampled_from(["github", "github expression", "gitlab", "gitlab expression", "terraform", "entra", "devops"])):
        case "github":
            what = draw(st.sampled_from([*_EVENTS]))
            subject = f"repo:{owner}@{first}/{name}@{second}{what}" if pinned else f"repo:{owner}/{name}{what}"
            return GITHUB, subject, None, ID if pinned else NAME, _EVENTS[what]
        case "github expression":
            what = draw(st.sampled_from([*_PATTERNS]))
            beside = f" and claims['repository_id'] eq '{second}'" if pinned else ""
            pattern = f"claims['sub'] matches 'repo:{owner}/{name}{what}'{beside}"
            return GITHUB, None, pattern, ID if pinned else NAME, _PATTERNS[what]
        case "gitlab":
            what = draw(st.sampled_from([*_REFS]))
            subject = f"project_id:{first}{what}" if pinned else f"project_path:{owner}/{name}{what}"
            return GITLAB, subject, None, ID if pinned else NAME, _REFS[what]
        case "gitlab expression":
            beside = f" and claims['namespace_id'] eq '{first}'" if pinned else ""
            return (
                GITLAB,
                None,
                f"claims['sub'] matches 'project_path:{owner}/*'{beside}",
                ID if pinned else NAME,
                B.ORGANISATION,
            )
        case "terraform":
            subject = f"organization:{owner}:project:{name}:workspace:w:run_phase:apply"
            return TERRAFORM, subject, None, NAME, B.ONE
        case "entra":
            return ENTRA if pinned else ENTRA_OTHER, IDENTITY, None, ID if pinned else DEAD, B.ONE
    return VSTOKEN, f"sc://{owner}/{name}/connection", None, NAME, B.ONE


@settings(max_examples=200, deadline=None)
@given(_forms())
def test_a_grade_follows_from_the_parts(form: Form) -> None:
    issuer, subject, expression, grade, breadth = form
    assert trusted(issuer, subject, expression, TENANT) == Trusted(grade, breadth)


@given(st.text(max_size=40), st.text(max_size=40) | st.none(), st.text(max_size=40) | st.none())
def test_any_text_has_an_answer(issuer: str, subject: str | None, expression: str | None) -> None:
    found = trusted(issuer, subject, expression, TENANT)
    assert found is None or subject is not None or expression is not None
    retires_on(issuer)


def test_the_issuer_of_azure_devops_ends() -> None:
    assert retires_on(VSTOKEN) == 1_814_400_000
    assert retires_on(GITHUB) is None
