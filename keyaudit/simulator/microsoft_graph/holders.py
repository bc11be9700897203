"""The two collections of Graph with credentials: applications and service principals."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from keyaudit.simulator.estate import Application, ServicePrincipal
from keyaudit.simulator.microsoft_graph import objects, odata
from keyaudit.simulator.service import Directory

Holder = Application | ServicePrincipal


class Kind(Struct, frozen=True):
    """One collection: its name in paths, in operations and in types, the members of an object, and the objects."""

    name: str
    operation: str
    type: str
    members: tuple[str, ...]
    holders: Sequence[Holder]
    body: Callable[[Holder, bool], dict[str, object]]
    """The object as Graph shows it; true: with the public part of its keys."""


def applications(directory: Directory) -> Kind:
    """The application registrations."""

    def body(holder: Holder, with_key: bool) -> dict[str, object]:
        return objects.application(directory, holder, with_key=with_key) if isinstance(holder, Application) else {}

    none = Application(id="", app_id="", name=None, created=None)
    members = (*body(none, False), *objects.only_selected(none))
    found = directory.estate.applications
    return Kind("applications", "application", "microsoft.graph.application", members, found, body)


def principals(directory: Directory) -> Kind:
    """The service principals."""

    def body(holder: Holder, with_key: bool) -> dict[str, object]:
        return objects.service_principal(holder, with_key=with_key) if isinstance(holder, ServicePrincipal) else {}

    none = ServicePrincipal(id="", app_id="", name=None, created=None)
    members = (*body(none, False), *objects.only_selected(none))
    found = directory.estate.service_principals
    return Kind("servicePrincipals", "service_principal", "microsoft.graph.servicePrincipal", members, found, body)


def member(holder: Holder, name: str) -> object:
    """What a filter reads of a holder; raises BadQueryError for what is not simulated."""
    known: dict[str, object] = {
        "id": holder.id,
        "appId": holder.app_id,
        "displayName": holder.name,
        "servicePrincipalNames": holder.app_id,
        "federated": holder.federated,
    }
    if name not in known:
        raise odata.BadQueryError("Request_UnsupportedQuery", f"Unsupported query filter on property '{name}'.")
    return known[name]
