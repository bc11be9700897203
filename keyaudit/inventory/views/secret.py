"""The view of secrets, by version."""

from keyaudit.inventory.views import sql, versions
from keyaudit.inventory.views.sql import Sources, Wanted


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    columns = {**versions.COLUMNS, "certificate_id": f"{versions.certificate_of('secret_id')} AS certificate_id"}
    doubts = {**versions.REASONS, "certificate_id": "stored.unknown['managed']"}
    joins = versions.relations(sources, "secret", "secret_id")
    return sql.view("secret", sources, columns=columns, doubts=doubts, joins=joins, wanted=wanted)
