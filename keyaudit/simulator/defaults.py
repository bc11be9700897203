"""Defaults of every tenant: a Global Administrator, and the roles of the identity that reads it."""

from collections.abc import Callable

from msgspec.structs import replace

from keyaudit.simulator.estate import DirectoryRole, DirectoryRoleGrant, Estate, HsmAssignment, ManagedHsm, RoleAssignment, User
from keyaudit.simulator.roles import READER

_GLOBAL = DirectoryRole(id="62e90394-69f5-4237-9190-012177145e10", name="Global Administrator")
_CRYPTO_AUDITOR = "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3"
"""It reads, and opens no key: https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles"""


def with_what_is_always_there(estate: Estate, reader: str, guid: Callable[..., str]) -> Estate:
    """The estate with these defaults added if missing. `reader`: the object id of the service principal that reads it."""
    if not any(not grant.eligible for grant in estate.directory_role_grants):
        user = User(id=guid("emergency"), name="Emergency Access", upn=f"emergency@{estate.name}.example")
        granted = DirectoryRoleGrant(principal_id=user.id, role_id=_GLOBAL.id)
        defined = {role.id for role in estate.directory_roles}
        estate = replace(
            estate,
            users=(*estate.users, user),
            directory_roles=(*estate.directory_roles, *(() if _GLOBAL.id in defined else (_GLOBAL,))),
            directory_role_grants=(*estate.directory_role_grants, granted),
        )
    if not estate.role_assignments:
        scope = f"/providers/Microsoft.Management/managementGroups/{estate.tenant_id}"
        reads = RoleAssignment(id=guid("reader"), scope=scope, role=READER, principal=reader, principal_type="ServicePrincipal")
        estate = replace(estate, role_assignments=(reads,))
    return replace(estate, hsms=tuple(_read_by(hsm, reader, guid) for hsm in estate.hsms))


def _read_by(hsm: ManagedHsm, reader: str, guid: Callable[..., str]) -> ManagedHsm:
    """The HSM with a local role of the reader, if nobody has a role on the whole HSM."""
    if any(one.scope == "/" for one in hsm.assignments):
        return hsm
    reads = HsmAssignment(id=guid("reader", hsm.name), role=_CRYPTO_AUDITOR, principal=reader)
    return replace(hsm, assignments=(*hsm.assignments, reads))
