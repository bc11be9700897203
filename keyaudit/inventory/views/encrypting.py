"""The system-assigned identities of services that encrypt with a key of a vault."""

from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.prepared import Prepared, shared
from keyaudit.inventory.facts.relation import Rows, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.agents import object_id
from keyaudit.model.tables.key_use import USES_FOUND


def identities(sources: Sources) -> Prepared:
    """Every service principal, by `object_id`, and whether it is the identity of such a service (`encrypts`)."""
    rows, uses = Rows(sources, "service_principal", "identity"), Rows(sources, "key_use", "use")
    of = groups(uses, "uses", by=uses["consumer_id"], key=rows["arm_id"], missing=unread("services_listed", USES_FOUND))
    encrypts = rows["arm_id"].present & of.any_of("some")
    return shared(sources, {"object_id": object_id(rows), "encrypts": encrypts}, rows.sql, "encrypting")
