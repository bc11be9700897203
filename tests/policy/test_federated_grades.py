"""What shipped policies say of each grade of a federated credential, from its issuer and subject on."""

import pytest

from keyaudit.model.directory.federated_subject import Breadth, Grade, retires_on, trusted
from keyaudit.policy.evaluation.binding import bind
from keyaudit.policy.examples.samples import NOW
from keyaudit.policy.load import load
from tests.policy.interpreter import Interpreter
from tests.policy.test_differential import plain

TENANT, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
IDENTITY = "33333333-3333-4333-8333-333333333333"
GITHUB, GITLAB = "https://token.actions.githubusercontent.com", "https://gitlab.com"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"
VSTOKEN = "https://vstoken.dev.azure.com/44444444-4444-4444-8444-444444444444"
AKS = f"https://westeurope.oic.prod-aks.azure.com/{TENANT}/{OTHER}/"
BROAD, ANY_REF, MUTABLE, DANGLING, RETIRING, UNKNOWN = (
    f"fed-fic-{name}"
    for name in ("broad-subject", "any-ref", "mutable-subject", "dangling", "issuer-retiring", "unknown-issuer")
)


def violated(issuer: str, subject: str | None, expression: str | None = None, *, gone: bool = False) -> set[str]:
    """The policies of the family that such a credential violates; for none may that be unknown."""
    graded = trusted(issuer, subject, expression, TENANT)
    assert graded is not None
    row = {
        "kind": "federated",
        "issuer": issuer,
        "issuer_host": issuer.split("/")[2],
        "issuer_own": TENANT in issuer,
        "subject": subject,
        "claims_expression": expression,
        "audiences": ["api://AzureADTokenExchange"],
        "subject_grade": str(graded.grade),
        "subject_breadth": str(graded.breadth),
        "subject_dangling": gone,
        "issuer_retires_on": retires_on(issuer),
        "repository_listed": "not-compared",
    }
    bounds = bind([policy for policy in load() if policy.text.id.startswith("fed-fic-")], "default", {})
    answers = {
        bound.policy.text.id: Interpreter(row, {}, plain(bound.values), NOW).holds(bound.policy.violated_when.text)
        for bound in bounds
    }
    assert None not in answers.values()
    return {id_ for id_, holds in answers.items() if holds}


@pytest.mark.parametrize(
    ("issuer", "subject", "expression"),
    [
        (GITHUB, "repo:o@11/r@22:environment:production", None),
        (GITHUB, "repo:o@11/r@22:ref:refs/heads/main", None),
        (GITHUB, None, "claims['sub'] eq 'repo:o/r:ref:refs/heads/main' and claims['repository_id'] eq '22'"),
        (GITLAB, "project_id:57:ref_type:branch:ref:main", None),
        (ENTRA, "/eid1/c/pub/t/x/a/y/sc/org/connection", None),
        (ENTRA, IDENTITY, None),
        (AKS, "system:serviceaccount:payments:worker", None),
        ("https://accounts.google.com", "112633961854638529490", None),
    ],
)
def test_the_safe_form_of_each_issuer_passes_every_policy_of_the_family(
    issuer: str, subject: str | None, expression: str | None
) -> None:
    assert violated(issuer, subject, expression) == set()


@pytest.mark.parametrize(
    ("issuer", "subject", "expression", "expected"),
    [
        (GITHUB, "repo:o/r:environment:production", None, {MUTABLE}),
        (GITHUB, "repo:o@11/r@22:pull_request", None, {BROAD}),
        (GITHUB, "repo:o@11/r@22", None, {BROAD}),
        (GITHUB, "repository_id:22", None, {BROAD}),
        (GITHUB, "repository_owner_id:11", None, {BROAD}),
        (GITHUB, "repository_owner:o", None, {BROAD, MUTABLE}),
        (GITHUB, "job_workflow_ref:o/t/d.yml@refs/heads/main", None, {BROAD, MUTABLE}),
        (GITHUB, "repo:o/*", None, {BROAD, DANGLING}),
        (GITHUB, None, "claims['sub'] matches 'repo:o/r:ref:refs/heads/*'", {ANY_REF, MUTABLE}),
        (GITHUB, None, "claims['sub'] matches 'repo:o/r:ref:refs/heads/*' and claims['repository_id'] eq '22'", {ANY_REF}),
        (GITHUB, None, "claims['sub'] matches 'repo:o@11/r@22:environment:prod-?'", {ANY_REF}),
        (GITHUB, None, "claims['sub'] matches '*'", {BROAD}),
        (GITHUB, "environment:prod", None, {BROAD}),
        (GITLAB, "project_path:g/p:ref_type:branch:ref:main", None, {MUTABLE}),
        (GITLAB, "project_id:57", None, {ANY_REF}),
        ("https://gitlab.com.evil.example", "project_path:g/p:ref_type:branch:ref:main", None, {UNKNOWN}),
        ("https://app.terraform.io", "organization:o:project:p:workspace:w:run_phase:apply", None, {MUTABLE}),
        (VSTOKEN, "sc://org/project/connection", None, {MUTABLE, RETIRING}),
        (AKS, "system:serviceaccount:default:default", None, {BROAD}),
        (f"https://login.microsoftonline.com/{OTHER}/v2.0", IDENTITY, None, {DANGLING, UNKNOWN}),
        ("https://oidc.lab.example", "anything", None, {UNKNOWN}),
    ],
)
def test_each_grade_is_found_by_its_policies_and_by_no_other(
    issuer: str, subject: str | None, expression: str | None, expected: set[str]
) -> None:
    assert violated(issuer, subject, expression) == expected


def test_an_identity_that_is_gone_is_found() -> None:
    assert violated(ENTRA, IDENTITY, gone=True) == {DANGLING}


def test_every_grade_and_breadth_but_the_safe_ones_has_a_policy() -> None:
    """A value that is added to the grammar needs a policy that reads it."""
    read = " ".join(policy.violated_when.text for policy in load() if policy.text.id.startswith("fed-fic-"))
    # keyaudit knows no subjects of other issuers; `fed-fic-unknown-issuer` asks whether such an issuer may be trusted. Where
    # nobody is named, the breadth is everything.
    graded = {*Grade} - {Grade.IMMUTABLE, Grade.OTHER, Grade.UNNAMED}
    assert {each for each in (*graded, *Breadth) if f'"{each}"' not in read} == {Breadth.ONE}
