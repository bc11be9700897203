"""The managed identities of services that encrypt with a key of a vault."""

from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.prepared import Prepared, shared
from keyaudit.inventory.facts.relation import Rows, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra.agents import object_id
from keyaudit.model.consumers import WRAPPED
from keyaudit.model.tables.vaults.key_use import USES_FOUND

_USER_ASSIGNED = "/providers/microsoft.managedidentity/userassignedidentities/"


def identities(sources: Sources) -> Prepared:
    """Every service principal, by `object_id`, and whether it is the identity of such a service (`encrypts`): the one that the
    system assigned to it, or one that users did.
    """
    rows, uses = Rows(sources, "service_principal", "identity"), Rows(sources, "key_use", "use")
    arm_id, missing = rows["arm_id"], unread("services_listed", USES_FOUND)
    # Azure Disk Encryption reaches its key without the identity of the machine, which may sign for its own programs.
    reaching = ~uses["kind"].among(WRAPPED)
    own = groups(uses, "uses", by=uses["consumer_id"], key=arm_id, missing=missing, each=reaching)
    given = groups(uses, "given", by=uses["identity_ids"], key=arm_id, missing=missing, each=reaching, in_list=True)
    by_users = arm_id.told(lambda id_: f"{id_} LIKE '%{_USER_ASSIGNED}%'", absent=False)
    encrypts = arm_id.present & (own.any_of("some") | (by_users & given.any_of("some")))
    return shared(sources, {"object_id": object_id(rows), "encrypts": encrypts}, rows.sql, "encrypting")
