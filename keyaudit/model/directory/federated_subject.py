"""What a federated credential trusts: how many workloads, and whether somebody else can take over their names.

A subject or a claims-matching expression names workloads of an issuer by names, which can be given up and registered again by
others, or by ids, which cannot. Documentation of the forms:

* https://learn.microsoft.com/entra/workload-id/workload-identities-flexible-federated-identity-credentials
* https://docs.github.com/actions/reference/security/oidc
* https://docs.gitlab.com/ci/secrets/id_token_authentication/
* https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
* https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust-gcp
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from urllib.parse import urlsplit

from msgspec import Struct

from keyaudit.model.directory.hosts import ISSUING_HOSTS
from keyaudit.model.values.guid import GUID


class Grade(StrEnum):
    """Whether the trusted name can be taken over."""

    IMMUTABLE = "immutable"
    """Ids, or names that nobody outside can register."""
    MUTABLE = "mutable"
    """Names only: anyone who registers such a name after its owner gave it up is trusted."""
    UNNAMED = "unnamed"
    """No repository, project, owner or user is named: there is no name to take over, and everybody is trusted already."""
    DEAD = "dead"
    """No token of that issuer can ever match."""
    OTHER = "other"
    """keyaudit does not know the subjects of that issuer."""


class Breadth(StrEnum):
    """How many workloads the subject matches."""

    ONE = "one"
    """One branch, tag, environment, pipeline, identity or account."""
    FEW_REFS = "few-refs"
    """Branches, tags or environments of one repository or project whose names differ in single characters only."""
    ANY_REF = "any-ref"
    """Any branch, tag or environment of one repository or project."""
    ANY_EVENT = "any-event"
    """Everything that one repository or project runs, pull requests included."""
    PULL_REQUESTS = "pull-requests"
    """Every pull request of one repository."""
    ANY_CALLER = "any-caller"
    """Every repository that calls one reusable workflow."""
    DEFAULT_ACCOUNT = "default-account"
    """Every pod of a namespace that names no service account of its own."""
    ORGANISATION = "organisation"
    """Everything of an organisation, group or owner."""
    EVERYTHING = "everything"
    """Everybody who uses the issuer."""
    WILDCARD = "wildcard"
    """A plain subject with a wildcard. It is compared literally, so the wildcard has no effect."""


class Trusted(Struct, frozen=True):
    """What one federated credential trusts."""

    grade: Grade
    breadth: Breadth


GITHUB = "token.actions.githubusercontent.com"
_GITLAB = "gitlab.com"
_TERRAFORM = ("app.terraform.io", "app.eu.terraform.io")
_VSTOKEN = "vstoken.dev.azure.com"
_AKS = re.compile(r"(?:[a-z0-9-]+\.)+oic\.prod-aks\.azure\.com")
_AWS = re.compile(r"[a-z0-9-]+\.tokens\.sts\.global\.api\.aws")
_GOOGLE = "accounts.google.com"
RETIRED_ON: Mapping[str, int] = {_VSTOKEN: 1_814_400_000}
"""Hosts of issuers that are being retired, with the date: Azure DevOps' own on 2027-07-01.

https://learn.microsoft.com/azure/devops/pipelines/release/convert-service-connections
"""
_CONDITION = re.compile(r"\s*claims\['([^']+)'\]\s+(eq|matches)\s+'([^']*)'\s*", re.ASCII)
_AND = re.compile(r"and\b", re.ASCII)
_IDS = ("repository_id", "repository_owner_id", "project_id", "namespace_id", "user_id")
_OF_OWNER = ("repository_owner_id", "namespace_id", "user_id")
_WILD = re.compile(r"[*?]")
_PINNED = re.compile(r"[^/@:*?]+@\d+/[^/@:*?]+@\d+", re.ASCII)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:role|user)/.", re.ASCII)
"""A role or user of an account, whose number is never given to another."""
_NAMED = re.compile(
    r"(?:^|:)(?:repo|repository|repository_owner|workflow_ref|job_workflow_ref|actor|enterprise):[^:*?]", re.ASCII
)
"""A claim in a subject of GitHub that names a repository, or who has one. The order of claims in a subject can be chosen."""
_NAMES = ("repository", "repository_owner", "job_workflow_ref", "project_path", "namespace_path")
_REF = ("ref:refs/heads/", "ref:refs/tags/", "environment:")
_GITLAB_REF = re.compile(r":ref_type:(?:branch|tag):ref:(.+)")


def conditions(expression: str) -> dict[str, tuple[str, bool]] | None:
    """The value that a claims-matching expression requires for each claim, and whether it may have wildcards.

    None for an invalid expression, or one with two conditions on one claim.
    """
    found: dict[str, tuple[str, bool]] = {}
    at = 0
    while True:
        condition = _CONDITION.match(expression, at)
        if condition is None or condition[1] in found:
            return None
        found[condition[1]] = (condition[3], condition[2] == "matches")
        at = condition.end()
        if at == len(expression):
            return found
        joined = _AND.match(expression, at)
        if joined is None:
            return None
        at = joined.end()


def trusted(issuer: str, subject: str | None, expression: str | None, tenant_id: str) -> Trusted | None:
    """What a credential of an application or identity in `tenant_id` trusts.

    None where both subject and expression are missing, or the expression cannot be parsed.
    """
    if subject is not None:
        return _plain(issuer, subject, tenant_id)
    asked = conditions(expression) if expression is not None else None
    if asked is None:
        return None
    return _flexible(issuer, {name: (value, wild and bool(_WILD.search(value))) for name, (value, wild) in asked.items()})


def retires_on(issuer: str) -> int | None:
    """When an issuer is retired, in seconds since 1970 UTC; None if no retirement is known."""
    return RETIRED_ON.get(host_of(issuer)[0])


def host_of(issuer: str) -> tuple[str, list[str]]:
    """The host in lower case, and the segments of the path; empty for what is no address."""
    try:
        split = urlsplit(issuer)
        return (split.hostname or "").lower(), split.path.strip("/").split("/")
    except ValueError:
        return "", []


def is_github(issuer: str) -> bool:
    """Whether GitHub issues such tokens: github.com, GitHub Enterprise Cloud on ghe.com, or a GitHub Enterprise Server."""
    host, path = host_of(issuer)
    return host == GITHUB or (host.startswith("token.actions.") and host.endswith(".ghe.com")) or is_github_server(path)


def is_github_server(path: Sequence[str]) -> bool:
    """Whether the path of an issuer is that of a GitHub Enterprise Server."""
    return tuple(path[-2:]) == ("_services", "token")


def is_gitlab(host: str) -> bool:
    """Whether it is gitlab.com, or a host named as GitLab servers are."""
    return host == _GITLAB or (host.startswith("gitlab.") and not host.startswith(f"{_GITLAB}."))


def _plain(issuer: str, subject: str, tenant_id: str) -> Trusted:  # noqa: PLR0911 - one line an issuer
    host, path = host_of(issuer)
    if "*" in subject:
        return Trusted(Grade.DEAD, Breadth.WILDCARD)
    if is_github(issuer):
        return _github(subject)
    if is_gitlab(host):
        return _gitlab(subject)
    if host in ISSUING_HOSTS:
        return _entra(path[0].lower() if path else "", subject, tenant_id.lower())
    if host == _VSTOKEN or host in _TERRAFORM:
        return Trusted(Grade.MUTABLE, Breadth.ONE)
    if _AKS.fullmatch(host):
        default = subject.startswith("system:serviceaccount:") and subject.endswith(":default")
        return Trusted(Grade.IMMUTABLE, Breadth.DEFAULT_ACCOUNT if default else Breadth.ONE)
    if (_AWS.fullmatch(host) and _ROLE.match(subject)) or (host == _GOOGLE and subject.isdecimal()):
        return Trusted(Grade.IMMUTABLE, Breadth.ONE)
    return Trusted(Grade.OTHER, Breadth.ONE)


def _entra(issuing: str, subject: str, tenant_id: str) -> Trusted:
    """A GUID is an identity of the same tenant; other subjects are Microsoft services."""
    foreign = issuing != tenant_id and bool(GUID.fullmatch(subject))
    return Trusted(Grade.DEAD if foreign else Grade.IMMUTABLE, Breadth.ONE)


def _github(subject: str) -> Trusted:
    first, _, rest = subject.partition(":")
    if first == "repository_owner":
        return Trusted(Grade.MUTABLE, Breadth.ORGANISATION)
    if first == "repository_id" or subject.startswith("repository_owner_id:"):
        owner_alone = "repository_id:" not in subject.replace("repository_owner_id:", "")
        return Trusted(Grade.IMMUTABLE, Breadth.ORGANISATION if owner_alone else Breadth.ANY_EVENT)
    if first == "job_workflow_ref":
        return Trusted(Grade.MUTABLE, Breadth.ANY_CALLER)
    if first != "repo":
        return _everything(subject)
    repository, _, what = rest.partition(":")
    return Trusted(Grade.IMMUTABLE if _PINNED.fullmatch(repository) else Grade.MUTABLE, _github_breadth(what))


def _everything(subject: str) -> Trusted:
    """The result for a subject or pattern of GitHub that is not limited to an owner."""
    return Trusted(Grade.MUTABLE if _NAMED.search(subject) else Grade.UNNAMED, Breadth.EVERYTHING)


def _github_breadth(what: str) -> Breadth:
    """The breadth of the part after the repository, in a subject without wildcards."""
    if what == "pull_request" or what.endswith(":pull_request"):
        return Breadth.PULL_REQUESTS
    named = any(f":{kind}" in f":{what}" and not what.endswith(kind) for kind in (*_REF, "job_workflow_ref:"))
    return Breadth.ONE if named else Breadth.ANY_EVENT


def _gitlab(subject: str) -> Trusted:
    named, _, rest = subject.partition(":")[2].partition(":")
    grade = Grade.IMMUTABLE if subject.startswith("project_id:") and named.isdecimal() else Grade.MUTABLE
    return Trusted(grade, Breadth.ONE if _GITLAB_REF.search(f":{rest}") else Breadth.ANY_REF)


def _flexible(issuer: str, asked: Mapping[str, tuple[str, bool]]) -> Trusted:
    """The result for an expression; a value without wildcards is treated as a plain subject."""
    host, _ = host_of(issuer)
    subject, wild = asked.get("sub", ("*", True))
    ids = [name for name in _IDS if name in asked and not asked[name][1]]
    of_one = [name for name in ids if name not in _OF_OWNER]
    if is_github(issuer):
        found = _wild_github(subject) if wild else _github(subject)
        workflow = "job_workflow_ref" in asked and not asked["job_workflow_ref"][1]
    elif is_gitlab(host):
        found, workflow = _wild_gitlab(subject) if wild else _gitlab(subject), False
    elif host in _TERRAFORM:
        found, workflow = _wild_terraform(subject) if wild else Trusted(Grade.MUTABLE, Breadth.ONE), False
    else:
        return Trusted(Grade.OTHER, Breadth.EVERYTHING if wild else Breadth.ONE)
    breadth = found.breadth
    if breadth in (Breadth.EVERYTHING, Breadth.ORGANISATION):
        breadth = Breadth.ANY_EVENT if of_one else Breadth.ORGANISATION if ids else breadth
    if breadth in (Breadth.EVERYTHING, Breadth.ORGANISATION) and workflow:
        breadth = Breadth.ANY_CALLER
    named = found.grade is Grade.UNNAMED and any(literal(asked[name][0]) for name in _NAMES if name in asked)
    return Trusted(Grade.IMMUTABLE if ids else Grade.MUTABLE if named else found.grade, breadth)


def literal(pattern: str) -> str:
    """The part before the first wildcard."""
    return _WILD.split(pattern, maxsplit=1)[0]


def _ref(pattern: str, *, named: bool) -> Breadth:
    """The breadth of a pattern for refs of one repository; `named`: part of the name of the ref stands before the wildcard."""
    return Breadth.FEW_REFS if named and "*" not in pattern else Breadth.ANY_REF


def _wild_terraform(pattern: str) -> Trusted:
    before = literal(pattern)
    organisation, whole, _ = before.removeprefix("organization:").partition(":")
    if not whole:
        return Trusted(Grade.MUTABLE if organisation else Grade.UNNAMED, Breadth.EVERYTHING)
    if before.count(":") < 4:
        return Trusted(Grade.MUTABLE, Breadth.ORGANISATION)
    return Trusted(Grade.MUTABLE, _ref(pattern, named=not before.endswith(":")))


def _wild_github(pattern: str) -> Trusted:
    before = literal(pattern)
    if not before.startswith("repo:") or "/" not in before:
        return _everything(pattern)
    repository, whole, what = before.removeprefix("repo:").partition(":")
    if not whole:
        return Trusted(Grade.MUTABLE, Breadth.ORGANISATION)
    breadth = _ref(pattern, named=what not in _REF) if what.startswith(_REF) else Breadth.ANY_EVENT
    return Trusted(Grade.IMMUTABLE if _PINNED.fullmatch(repository) else Grade.MUTABLE, breadth)


def _wild_gitlab(pattern: str) -> Trusted:
    named, whole, ref = literal(pattern).partition(":")[2].partition(":")
    if not whole:
        breadth = Breadth.ORGANISATION if "/" in named else Breadth.EVERYTHING
        return Trusted(Grade.MUTABLE if named else Grade.UNNAMED, breadth)
    pinned = pattern.startswith("project_id:") and named.isdecimal()
    of_one = bool(_GITLAB_REF.search(f":{ref}"))
    return Trusted(Grade.IMMUTABLE if pinned else Grade.MUTABLE, _ref(pattern, named=of_one))
