"""Redirect URIs of the applications of a plan: those in blocks of an application, and those of resources beside it.

docs/resources/application.md and application_redirect_uris.md of hashicorp/terraform-provider-azuread 3.9.0.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Raw, Struct

from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire
from keyaudit.model.operations import GLOBAL_CLOUD
from keyaudit.model.tables.entra.application import APPLICATION
from keyaudit.plan.answers import encoded
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, View, texts, wire
from keyaudit.plan.scopes import Ground

RESOURCE = "azuread_application_redirect_uris"
_PLATFORMS = {
    "web": ("web", "Web"),
    "spa": ("single_page_application", "SPA"),
    "publicClient": ("public_client", "PublicClient"),
}
"""By member of an application, the block of its resource, and the type of the resource beside it."""


class Platforms(Struct, rename="camel"):
    """The members of an application that have its redirect URIs."""

    web: Wire
    spa: Wire
    public_client: Wire


class Redirects:
    """The redirect URIs by application. A resource beside an application has all URIs of its type."""

    def __init__(self, ground: Ground, application_of: Callable[[Planned], str | None]) -> None:
        """`application_of`: the object id of the application that a resource names."""
        self._ground = ground
        self._lost: list[Planned] = []
        """Those of an application that is not known, which may be any."""
        self.beside: dict[str, list[Planned]] = {}
        """By application, the resources beside it."""
        for planned in ground.resources.of(RESOURCE):
            object_id = application_of(planned)
            held = self._lost if object_id is None else self.beside.setdefault(object_id, [])
            held.append(planned)

    def members(self, object_id: str, planned: Planned | None) -> Mapping[str, Any]:
        """The members of an application's answer; None: the plan has only what is beside it."""
        found = {member: self._uris(object_id, planned, *named) for member, named in _PLATFORMS.items()}
        web, spa, native = ({"redirectUris": uris} for uris in found.values())
        return {"web": {**web, "implicitGrantSettings": _implicit(planned)}, "spa": spa, "publicClient": native}

    def tell(self, object_id: str, id_: str) -> bool:
        """Note what an application that the plan only refers to comes from. Returns whether anything is beside it."""
        beside = self.beside.get(object_id, ())
        for planned in beside:
            self._ground.origin(id_, planned, "redirect_uris")
        return bool(beside)

    def decided(self, object_id: str, planned: Planned | None) -> Mapping[str, object]:
        """By column, what the known URIs decide although the plan does not have those of each type; empty if it has them."""
        members = self.members(object_id, planned)
        missing = [name for name in members if members[name]["redirectUris"] is NOT_IN_PLAN]
        if not missing or object_id not in self.beside:
            return {}
        known = {name: encoded({"redirectUris": []} if name in missing else shown) for name, shown in members.items()}
        row = Row(APPLICATION, id=object_id, resource_id=object_id, scope_id="", url="", version="")
        shown = Platforms(known["web"], known["spa"], known["publicClient"])
        here = [column for column in _TOLD if column != "azure_hosts" or self._ground.environment.name == GLOBAL_CLOUD]
        for column in here:
            row.take(column, shown, APPLICATION.by_name[column].wire)
        return {column: row.values[column] for column in here if row.values.get(column)}

    def _uris(self, object_id: str, planned: Planned | None, block: str, type_: str) -> Value:
        beside = [each for each in self.beside.get(object_id, ()) if each.value("type") in (type_, AFTER_APPLY)]
        lists = [_listed(each) for each in beside]
        own = _own(planned, block)
        if not (own is NOT_IN_PLAN and lists):
            lists.append(own)
        if planned and any(each.value("type") in (type_, AFTER_APPLY) for each in self._lost):
            lists.append(AFTER_APPLY)
        marked = [each for each in lists if isinstance(each, Raw)]
        return marked[0] if marked else [uri for each in lists for uri in each]


_TOLD = ("insecure_redirects", "wildcard_hosts", "wildcard_paths", "web_hosts", "local_redirects", "azure_hosts")
"""Columns that more URIs can only add to."""


def _listed(planned: Planned) -> Value:
    return AFTER_APPLY if isinstance(planned.value("type"), Raw) else texts(planned.value("redirect_uris"))


def _own(planned: Planned | None, block: str) -> Value:
    """The URIs that an application's own resource has. A registration has none, and one that exists may have got some."""
    if planned is None:
        return NOT_IN_PLAN
    if planned.type != "azuread_application":
        return [] if planned.is_new else NOT_IN_PLAN
    found = planned.block(block)
    return found if isinstance(found, Raw) else texts(found.value("redirect_uris")) if found else []


def _implicit(planned: Planned | None) -> Value:
    """The settings of what the authorization endpoint returns by itself."""
    web = planned.block("web") if planned else NOT_IN_PLAN
    grant = web.block("implicit_grant") if isinstance(web, View) else web
    issues = grant.value("access_token_issuance_enabled") if isinstance(grant, View) else grant
    if planned and planned.type != "azuread_application":
        issues = planned.value("implicit_access_token_issuance_enabled")
    return issues if isinstance(issues, Raw) else {"enableAccessTokenIssuance": wire(issues, default=False)}
