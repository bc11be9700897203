"""Supplied evidence: files that the user exports, with data that Azure's read APIs do not return."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from msgspec import Struct

from keyaudit.collect.custody import custody
from keyaudit.collect.relying_parties.files import in_place
from keyaudit.collect.repositories import repositories
from keyaudit.collect.supplied_file import UnreadError, content, text
from keyaudit.inventory.logs import LogStore, open_logs
from keyaudit.inventory.usage.baseline import Baseline as UsageBaseline
from keyaudit.inventory.usage.baseline import open_baseline
from keyaudit.model.custody import Custody
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.evidence import CUSTODY, LOGS, RELYING_PARTIES, REPOSITORIES, UNIFIED_AUDIT, USAGE_BASELINE
from keyaudit.model.relying_parties import RelyingParties
from keyaudit.model.repositories import Repositories
from keyaudit.model.values.text import one_line

_PLACE = "--import ual"
_PARTIES = f"--import {RELYING_PARTIES}"
_BASELINE = f"--import {USAGE_BASELINE}"
_LOGS = f"--import {LOGS}"
_KINDS = {
    "ual": "ual=FILE",
    RELYING_PARTIES: f"{RELYING_PARTIES}=PATH",
    LOGS: f"{LOGS}=DIR",
    CUSTODY: f"{CUSTODY}=FILE",
    REPOSITORIES: f"{REPOSITORIES}=FILE",
    USAGE_BASELINE: f"{USAGE_BASELINE}=DIR",
}
_TOGETHER = {
    "ual": "put both objects in one file",
    RELYING_PARTIES: "put the files in one folder",
    LOGS: "import all logs into one folder",
    CUSTODY: "put the records in one file",
    REPOSITORIES: "put the lists in one file",
    USAGE_BASELINE: "add them up with usage learn --merge",
}
"""The remedy for several values of one kind."""
_EXPORT = (
    "export it with: @(Get-AdminAuditLogConfig; Get-OrganizationConfig) | ConvertTo-Json -Depth 3 |"
    " Out-File -Encoding utf8 ual.json"
)
_OBJECTS = 16

# In Exchange Online: NAMPR01A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/contoso.onmicrosoft.com - ...
_ORGANIZATION = re.compile(r"Microsoft Exchange Hosted Organizations/([^/ ]{1,253})", re.IGNORECASE)


class UnifiedAudit(Struct, frozen=True, kw_only=True):
    """The output of Get-AdminAuditLogConfig and Get-OrganizationConfig; None if its object is not in the file."""

    digest: str
    """SHA-256 of the file, in hex."""
    ingestion: bool | None
    """UnifiedAuditLogIngestionEnabled."""
    mailboxes: bool | None
    """Not AuditDisabled."""
    organizations: frozenset[str]
    """The organizations of the objects: domain names in lower case."""

    def belongs_to(self, domains: frozenset[str]) -> None:
        """Raises UnsafeError unless every organization in the file is one of these domains, in lower case."""
        for name in sorted(self.organizations - domains):
            what = f"the file is of the organization {one_line(name)}, which is not a domain of the audited tenant"
            raise UnsafeError(_PLACE, what, "export it from the audited tenant")


class Evidence(Struct, frozen=True, kw_only=True):
    """All supplied evidence."""

    unified_audit: UnifiedAudit | None = None
    relying_parties: RelyingParties | None = None
    logs: LogStore | None = None
    custody: Custody | None = None
    repositories: Repositories | None = None
    usual: UsageBaseline | None = None
    """The usage baseline."""

    @property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of each evidence, by its name in `model.evidence`; for a folder, its own digest."""
        given = {
            UNIFIED_AUDIT: self.unified_audit,
            RELYING_PARTIES: self.relying_parties,
            LOGS: self.logs,
            CUSTODY: self.custody,
            REPOSITORIES: self.repositories,
            USAGE_BASELINE: self.usual,
        }
        return {name: each.digest for name, each in given.items() if each}

    def belongs_to(self, tenant_id: str) -> None:
        """Raises UnsafeError if logs or baseline name another tenant."""
        for place, each in ((_LOGS, self.logs), (_BASELINE, self.usual)):
            if each and each.tenant_id and each.tenant_id.lower() != tenant_id.lower():
                what = f"of tenant {one_line(each.tenant_id)}, but the audited tenant is {tenant_id}"
                raise UnsafeError(place, what, "name a baseline or import of this tenant's logs")


NONE = Evidence()


def supplied(imports: Iterable[str]) -> Evidence:
    """The evidence of --import values such as ual=FILE. Raises UsageError for values that cannot be read or used."""
    paths: dict[str, Path] = {}
    for given in imports:
        kind, _, name = given.partition("=")
        if kind.lower() not in _KINDS or not name:
            known = " or ".join(_KINDS.values())
            raise UsageError(f"--import {one_line(given)!r}", "not a known kind of import", f"write {known}")
        if kind.lower() in paths:
            raise UsageError(f"--import {kind.lower()}", "given twice", _TOGETHER[kind.lower()])
        paths[kind.lower()] = Path(name)
    ual, parties, logs, records, hosted, usual = (paths.get(kind) for kind in _KINDS)
    if usual is not None and logs is None:
        raise UsageError(_BASELINE, "needs logs to compare with, and none were given", f"add --import {_KINDS[LOGS]}")
    return Evidence(
        unified_audit=unified_audit(ual) if ual else None,
        relying_parties=relying_parties(parties) if parties else None,
        logs=open_logs(logs) if logs else None,
        custody=custody(records) if records else None,
        repositories=repositories(hosted) if hosted else None,
        usual=open_baseline(usual) if usual else None,
    )


def relying_parties(path: Path) -> RelyingParties:
    """The content of the file, or of the files below the folder. Raises UsageError if there is nothing relevant."""
    found = in_place(path, _PARTIES, with_keys=True)
    if not (found.keys or found.validators or found.unread):
        what = f"{one_line(str(path), 1024)} contains neither keys nor settings for validating tokens"
        remedy = "name a folder with key sets (jwks.json), certificates (.pem), appsettings.json, web.config or similar files"
        raise UsageError(_PARTIES, what, remedy)
    return found


def unified_audit(path: Path) -> UnifiedAudit:
    """The file's content. Raises UsageError, with place and remedy, for a file that PowerShell did not write."""
    place = f"{_PLACE}: {one_line(str(path), 1024)}"
    data = _content(path, place)
    objects = list(_objects(_parsed(data, place), place))
    ingestion = _switch(objects, "UnifiedAuditLogIngestionEnabled", place)
    disabled = _switch(objects, "AuditDisabled", place)
    if ingestion is None and disabled is None:
        raise UsageError(place, "has neither UnifiedAuditLogIngestionEnabled nor AuditDisabled", _EXPORT)
    named = {match[1].lower() for each in objects for said in _texts(each) for match in _ORGANIZATION.finditer(said)}
    return UnifiedAudit(
        digest=hashlib.sha256(data).hexdigest(),
        ingestion=ingestion,
        mailboxes=None if disabled is None else not disabled,
        organizations=frozenset(named),
    )


def _content(path: Path, place: str) -> bytes:
    try:
        # A link that the user names is followed.
        return content(Path(os.path.realpath(path)))
    except (UnreadError, ValueError) as error:
        what = error.what if isinstance(error, UnreadError) else "not a path"
        raise UsageError(place, what, "name the exported file") from error


def _parsed(data: bytes, place: str) -> object:
    try:
        return json.loads(text(data), object_pairs_hook=_unique, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise UsageError(f"{place}:{error.lineno}:{error.colno}", f"not JSON: {error.msg}", _EXPORT) from error
    except (UnreadError, ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else one_line(str(error))
        raise UsageError(place, f"not JSON as PowerShell writes it: {what}", _EXPORT) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a duplicate member")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _objects(document: object, place: str) -> Iterator[dict[str, Any]]:
    """The objects in it: one, or a list, which Windows PowerShell may wrap as {"value": [...], "Count": 2}."""
    if isinstance(document, dict) and isinstance(document.get("value"), list) and "Count" in document:
        document = document["value"]
    several = document if isinstance(document, list) else [document]
    for each in several:
        if not isinstance(each, dict) or len(several) > _OBJECTS:
            raise UsageError(place, "neither an object nor a short list of objects", _EXPORT)
        yield each


def _switch(objects: list[dict[str, Any]], name: str, place: str) -> bool | None:
    """The switch in one of the objects; None if none has it."""
    values = [each[name] for each in objects if name in each]
    if len(values) > 1:
        raise UsageError(place, f"has {name} twice", "export a single organization")
    if values and not isinstance(values[0], bool):
        raise UsageError(place, f"{name} is not true or false", _EXPORT)
    return values[0] if values else None


def _texts(each: dict[str, Any]) -> Iterator[str]:
    """All text in an object's organization, which some versions of PowerShell write as an object."""
    waiting = [each.get("OrganizationId")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
