"""The default app management policy that a tenant has, from a file in which `az rest` saved it."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from keyaudit.inventory.disk import input_file
from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import one_line

APP_MANAGEMENT_URL = "https://graph.microsoft.com/beta/policies/defaultAppManagementPolicy"
"""Only /beta shows the restrictions of audiences and redirect URIs, and takes them back:
https://github.com/microsoft/entra-apps-identifier-uri-protection, enable-protection-using-graph.md
"""
SAVED = "current.json"
SAVE = f"az rest --url {APP_MANAGEMENT_URL} --output-file {SAVED}"
"""The command that saves the policy."""
_MAX_SIZE = 1 << 20
_ANNOTATION = "@odata.context"
"""Annotations that Graph shows and does not take back:
https://github.com/microsoft/entra-apps-identifier-uri-protection, Invoke-ScrubPolicyForPatch
"""

Restriction = dict[str, Any]


class Restrictions(Struct, rename="camel"):
    """The restrictions of applications or of service principals; the last three are of applications alone."""

    password_credentials: list[Restriction] | None = None
    key_credentials: list[Restriction] | None = None
    identifier_uris: dict[str, Restriction | None] | None = None
    audiences: Restriction | None = None
    redirect_uris: Restriction | None = None

    def members(self) -> dict[str, Any]:
        """The members of the document that say something, without annotations."""
        return {name: _plain(value) for name, value in msgspec.to_builtins(self).items() if value is not None}


class InForce(Struct, rename="camel", kw_only=True):
    """The default policy as Graph shows it."""

    is_enabled: bool
    application_restrictions: Restrictions
    service_principal_restrictions: Restrictions


def read_in_force(path: Path) -> InForce:
    """The policy in a file. Raises UsageError if it is not one."""
    place, remedy = one_line(str(path), 1_024), f"name a file that {SAVE} wrote"
    data = input_file.read(path, _MAX_SIZE, remedy)
    if len(data) > _MAX_SIZE:
        raise UsageError(place, f"larger than {_MAX_SIZE:,} bytes", remedy)
    try:
        found = msgspec.json.decode(data, type=InForce)
    except (ValueError, RecursionError) as error:
        raise UsageError(place, f"not the default app management policy: {one_line(str(error))}", remedy) from error
    for part in (found.application_restrictions, found.service_principal_restrictions):
        for restriction in (*(part.password_credentials or ()), *(part.key_credentials or ())):
            if not isinstance(restriction.get("restrictionType"), str):
                raise UsageError(place, "not the default app management policy: a restriction without a type", remedy)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if not name.endswith(_ANNOTATION)}
    return value
