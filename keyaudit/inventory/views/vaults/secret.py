"""The view of secrets, by version."""

from keyaudit.inventory.facts.fact import Derived
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.vaults import versions
from keyaudit.model.tables.vaults.secret_use import DISKS, ORDER, SECRETS_NAMED


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "secret")
    of_object = versions.of_object(rows, "secret_id")

    # Content types are free text, so that people write them as in a header: in any case, and with parameters.
    def media_type(content_type: str) -> str:
        return sources.sql.lower(sources.sql.trimmed(f"split_part({content_type}, ';', 1)"))

    uses = Rows(sources, "secret_use", "use")
    users = groups(uses, "users", by=uses["secret_id"], key=rows["secret_id"], missing=unread("listed", SECRETS_NAMED))
    users = users.counting("secret_use", *SECRETS_NAMED[-1:])
    consumer, active = uses["consumer_id"], uses.flag("active")
    return {
        **versions.facts(rows, of_object),
        "certificate_id": versions.certificate_of(rows, "secret_id"),
        "media_type": rows["content_type"].map(media_type),
        "encrypts_disks": users.count_of("disks", uses["kind"].among(DISKS) & active, different=consumer),
        "bought_certificates": users.count_of("orders", uses["kind"].eq(ORDER) & active, different=consumer),
    }
