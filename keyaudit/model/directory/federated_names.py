"""The repository or project that a federated credential trusts, by name and by id.

The forms are documented at the addresses in `federated_subject`.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from keyaudit.model.directory.federated_subject import (
    GITHUB,
    conditions,
    host_of,
    is_github,
    is_github_server,
    is_gitlab,
    literal,
)

_PAIR = re.compile(
    r"(?:^|:)(repo|repository|repository_owner|repository_id|repository_owner_id|job_workflow_ref|project_path|project_id)"
    r":([^:]+)"
)
_WHOLE = re.compile(r"([^/@:*?]+)(?:@(\d+))?/([^/@:*?]+)(?:@(\d+))?", re.ASCII)
_ID = re.compile(r"\d{1,20}", re.ASCII)


class Repository(Struct, frozen=True):
    """What a credential trusts on a hosting service. A member is None where the credential does not require it."""

    host: str
    """The host of the service's web pages, in lower case."""
    owner: str | None
    """The organisation, user or group."""
    owner_id: str | None
    path: str | None
    """OWNER/REPOSITORY of GitHub; the path of a GitLab project."""
    id: str | None


def repository(issuer: str, subject: str | None, expression: str | None) -> Repository | None:
    """The repository, project or owner; None if the issuer is neither GitHub nor GitLab, or none is required."""
    host = hosting(issuer)
    if host is None:
        return None
    asked = {"sub": (subject, False)} if subject is not None else conditions(expression) if expression is not None else None
    if not asked:
        return None
    exact = {name: value for name, (value, matches) in asked.items() if not (matches and literal(value) != value)}
    named = _named(exact.get("sub") or _settled(asked.get("sub", ("", False))[0]), exact)
    owner, owner_id, path, id_ = (_github if is_github(issuer) else _gitlab)(named)
    if not (owner or owner_id or path or id_):
        return None
    return Repository(host, owner, owner_id, path, id_)


def hosting(issuer: str) -> str | None:
    """The host of the web pages of the hosting service that has this issuer; None if it is neither GitHub nor GitLab."""
    host, path = host_of(issuer)
    if host == GITHUB:
        return "github.com"
    if is_github_server(path):
        return host
    if is_github(issuer):
        return host.removeprefix("token.actions.")
    return host if is_gitlab(host) else None


def _settled(pattern: str) -> str:
    """The part of a pattern whose names are complete: up to the last separator before the first wildcard."""
    before = literal(pattern)
    whole, separator, _ = before.rpartition(":")
    rest = before[len(whole) :]
    if "/" in rest and whole.endswith(("repo", "project_path")):
        return f"{whole}{rest.rpartition('/')[0]}/"
    return f"{whole}{separator}"


def _named(subject: str, exact: Mapping[str, str]) -> dict[str, str]:
    """The values by claim. The conditions of an expression are added to the parts of the subject."""
    found: dict[str, str] = {}
    for name, value in _PAIR.findall(subject):
        found.setdefault(name, value)
    for name, value in exact.items():
        if name != "sub":
            found.setdefault(name, value)
    return found


def _github(named: Mapping[str, str]) -> tuple[str | None, str | None, str | None, str | None]:
    where = named.get("repo") or named.get("repository")
    if where is None and "repository_id" not in named and "job_workflow_ref" in named:
        # The owner of the workflow's repository decides what it does.
        where = "/".join(named["job_workflow_ref"].split("/")[:2])
    owner, owner_id, path, id_ = named.get("repository_owner"), None, None, None
    whole = _WHOLE.fullmatch(where) if where else None
    if whole:
        owner, owner_id, id_ = whole[1], whole[2], whole[4]
        path = f"{whole[1]}/{whole[3]}"
    elif where and where.endswith("/"):
        owner = where.rstrip("/").partition("@")[0]
        owner_id = where.rstrip("/").partition("@")[2] or None
    return owner, _id(named.get("repository_owner_id")) or owner_id, path, _id(named.get("repository_id")) or id_


def _gitlab(named: Mapping[str, str]) -> tuple[str | None, str | None, str | None, str | None]:
    where = named.get("project_path", "")
    owner = where.rpartition("/")[0] or None
    path = where if owner and not where.endswith("/") else None
    return owner, _id(named.get("namespace_id")), path, _id(named.get("project_id"))


def _id(value: str | None) -> str | None:
    return value if value is not None and _ID.fullmatch(value) else None
