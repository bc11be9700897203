"""Reads a list of repositories: the JSON of a hosting service's API, or CSV.

https://docs.github.com/rest/repos/repos#list-organization-repositories
https://docs.gitlab.com/api/groups/#list-projects
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from keyaudit.collect.rows import Row
from keyaudit.collect.supplied_file import UnreadError, content, text
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Scope
from keyaudit.model.errors import UsageError
from keyaudit.model.evidence import REPOSITORIES
from keyaudit.model.repositories import ListedRepository, Repositories
from keyaudit.model.tables.repository import REPOSITORY
from keyaudit.model.values.text import one_line

PLACE = f"--import {REPOSITORIES}"
_REMEDY = "write it as keyaudit explain evidence shows"
_MOST_BYTES = 16 * 1024 * 1024
_MOST = 200_000
_COLUMNS = ("host", "path", "id", "owner_id")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?", re.ASCII)
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+", re.ASCII)
_ID = re.compile(r"[1-9]\d{0,18}", re.ASCII)
_SPACE = re.compile(r"\s*")


def repositories(path: Path) -> Repositories:
    """The list in a file. Raises UsageError with its place for anything that is not in one of the known forms."""
    place = f"{PLACE}: {one_line(str(path), 1024)}"
    try:
        data = content(path, _MOST_BYTES)
        held = text(data)
    except (UnreadError, ValueError) as error:
        raise UsageError(place, error.what if isinstance(error, UnreadError) else "not a path", "name the file") from error
    form = _json if held.lstrip()[:1] in ("[", "{") else _csv
    found: dict[ListedRepository, None] = {}
    for each in form(held, place):
        found[each] = None
        if len(found) > _MOST:
            raise UsageError(place, f"more than {_MOST:,} repositories", "list only repositories from which pipelines sign in")
    if not found:
        raise UsageError(place, "lists no repository", _REMEDY)
    return Repositories(digest=hashlib.sha256(data).hexdigest(), listed=tuple(found))


def write_repositories(unit: Unit, scope: Scope, found: Repositories) -> None:
    """Write a row per repository."""
    for number, each in enumerate(found.listed):
        id_ = f"{scope.id}/repository/{number}"
        row = Row(REPOSITORY, id=id_, resource_id=id_, scope_id=scope.id, url=PLACE, version="")
        row.put_all(name=each.path, host=each.host, repository_id=each.id, owner=each.owner, owner_id=each.owner_id)
        unit.row(REPOSITORY.name, row.finish())


def _json(held: str, place: str) -> Iterator[ListedRepository]:
    for number, each in enumerate(_objects(held, place), 1):
        yield _from_object(each, f"{place}: repository {number}")


def _objects(held: str, place: str) -> Iterator[object]:
    """The items of one document or of several in a row, as `--paginate` and `--slurp` write them."""
    decoder = json.JSONDecoder(parse_constant=_constant)
    at = _SPACE.match(held).end()  # type: ignore[union-attr]
    while at < len(held):
        try:
            document, at = decoder.raw_decode(held, at)
        except json.JSONDecodeError as error:
            raise UsageError(f"{place}:{error.lineno}:{error.colno}", f"not JSON: {error.msg}", _REMEDY) from error
        except (ValueError, RecursionError) as error:
            raise UsageError(place, "not JSON of a list of repositories", _REMEDY) from error
        at = _SPACE.match(held, at).end()  # type: ignore[union-attr]
        pages = document if isinstance(document, list) else [document]
        for page in pages:
            yield from page if isinstance(page, list) else [page]


def _constant(name: str) -> object:
    raise ValueError(name)


def _from_object(each: object, place: str) -> ListedRepository:
    """A repository of GitHub's API (`full_name`), or a project of GitLab's (`path_with_namespace`)."""
    if not isinstance(each, dict):
        raise UsageError(place, "not an object", _REMEDY)
    gitlab = "path_with_namespace" in each
    path = _member(each, "path_with_namespace" if gitlab else "full_name", place)
    page = _member(each, "web_url" if gitlab else "html_url", place)
    owner: Any = each.get("namespace" if gitlab else "owner")
    if not isinstance(owner, dict):
        raise UsageError(place, f"has no {'namespace' if gitlab else 'owner'}", _REMEDY)
    return _checked(_host_of(page, path, place), path, _number(each, place), _number(owner, f"{place}, owner"), place)


def _member(each: dict[str, Any], name: str, place: str) -> str:
    value = each.get(name)
    if not isinstance(value, str):
        raise UsageError(place, f"has no {name}", _REMEDY)
    return value


def _number(each: dict[str, Any], place: str) -> str:
    value = each.get("id")
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(place, "its id is not a number", _REMEDY)
    return str(value)


def _host_of(page: str, path: str, place: str) -> str:
    """The host of a web page, which must be the repository's own, so that lists of several services are kept apart."""
    try:
        split = urlsplit(page)
    except ValueError:
        split = urlsplit("")
    if split.scheme not in ("https", "http") or split.path.strip("/").lower() != path.lower():
        raise UsageError(place, f"its web page does not belong to {one_line(path)!r}", _REMEDY)
    return split.netloc


def _csv(held: str, place: str) -> Iterator[ListedRepository]:
    reader = csv.DictReader(held.splitlines(), strict=True)
    try:
        lacking = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if lacking:
            what = f"neither JSON nor CSV with the columns {', '.join(_COLUMNS)}: {', '.join(lacking)} not found"
            raise UsageError(f"{place}:1", what, _REMEDY)
        for line in reader:
            cells = [(line[name] or "").strip() for name in _COLUMNS]
            yield _checked(cells[0], cells[1], cells[2], cells[3], f"{place}:{reader.line_num}")
    except csv.Error as error:
        raise UsageError(f"{place}:{reader.line_num}", f"not CSV: {error}", _REMEDY) from error


def _checked(host: str, path: str, id_: str, owner_id: str, place: str) -> ListedRepository:
    forms = (("host", _HOST, host.lower()), ("path", _PATH, path), ("id", _ID, id_), ("id of the owner", _ID, owner_id))
    for name, form, value in forms:
        if not form.fullmatch(value):
            raise UsageError(place, f"the {name} {one_line(value)!r} is malformed", _REMEDY)
    return ListedRepository(host.lower(), path, id_, owner_id)
