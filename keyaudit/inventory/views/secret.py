"""The view of secrets, by version."""

from keyaudit.inventory.views import sql, versions
from keyaudit.inventory.views.sql import Sources, Wanted


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    content_type = "split_part(stored.content_type, ';', 1)"
    columns = {
        **versions.columns(sources.sql),
        "certificate_id": f"{versions.certificate_of('secret_id')} AS certificate_id",
        # Content types are free text, so that people write them as in a header: in any case, and with parameters.
        "media_type": f"{sources.sql.lower(sources.sql.trimmed(content_type))} AS media_type",
    }
    doubts = {
        **versions.reasons(sources.sql),
        "certificate_id": "stored.unknown['managed']",
        "media_type": "stored.unknown['content_type']",
    }
    joins = versions.relations(sources, "secret", "secret_id")
    return sql.view("secret", sources, columns=columns, doubts=doubts, joins=joins, wanted=wanted)
