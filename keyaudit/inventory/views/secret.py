"""The view of secrets, by version."""

from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources, Wanted
from keyaudit.inventory.facts.view import view as view_of
from keyaudit.inventory.views import versions


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    rows = Rows(sources, "secret")
    of_object = versions.of_object(rows, "secret_id")

    # Content types are free text, so that people write them as in a header: in any case, and with parameters.
    def media_type(content_type: str) -> str:
        return sources.sql.lower(sources.sql.trimmed(f"split_part({content_type}, ';', 1)"))

    facts = {
        **versions.facts(rows, of_object),
        "certificate_id": versions.certificate_of(rows, "secret_id"),
        "media_type": rows["content_type"].map(media_type),
    }
    return view_of("secret", sources, facts, wanted)
