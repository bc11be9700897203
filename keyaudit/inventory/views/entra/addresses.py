"""Of an application, the identifier URIs and the hosts of redirect URIs that nobody here is known to own."""

from keyaudit.inventory.facts.fact import Derived, Fact, Items, case, known, strict
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, one, unread
from keyaudit.model.tables.azure_host import HOSTS_NAMED

# The host of api://contoso.com/orders and https://orders.contoso.com, or all of a URI without one.
_HOST = r"^(?:[a-z][a-z0-9+.-]*://)?([^/?#:]*)"


def addresses(rows: Rows) -> dict[str, Derived]:
    """The derived columns, over the rows of applications."""
    domains = _domains(rows)
    return {
        "loose_uris": _outside(rows, rows["uris_without_id"], domains),
        "unverified_hosts": _outside(rows, rows["web_hosts"], domains),
        "unowned_hosts": _unowned(rows),
    }


def _domains(rows: Rows) -> Fact:
    """The tenant's verified domains."""
    tenant = Rows(rows.sources, "tenant", "of_tenant")
    scope = Fact(f"{rows.alias}.scope_id")
    missing = unread("of_tenant_listed", ("organization.get",), scope=scope.value)
    return one(tenant, key=scope, missing=missing)["verified_domains"]


def _outside(rows: Rows, uris: Fact, domains: Fact) -> Fact:
    """The URIs or hosts that are in none of the domains."""
    sql = rows.sources.sql

    def elsewhere(uris: str, verified: str) -> str:
        host, domain = sql.extracted(sql.lower("uri"), _HOST), sql.lower("domain")
        below = sql.endswith(host, f"'.' || {domain}")
        inside = f"({host} = {domain} OR {below})"
        return sql.chosen(uris, "uri", f"{sql.size(sql.chosen(verified, 'domain', inside))} = 0")

    return case((uris.told(lambda items: f"{sql.size(items)} = 0"), uris), otherwise=strict(elsewhere, uris, domains))


def _unowned(rows: Rows) -> Fact:
    sql = rows.sources.sql
    given, every = Rows(rows.sources, "azure_host", "given"), known("every one")
    unlisted = unread("hosts_listed", HOSTS_NAMED, scope=f"{rows.alias}.scope_id")
    owned = groups(given, "hosts", by=every, key=every, missing=unlisted).items_of("owned", given["host"])
    hosts = rows["azure_hosts"]
    left = _without(rows, hosts, owned)
    certain = Fact(
        f"CASE WHEN {owned.doubt.sql} IS NULL THEN {left.value} END", owned.doubt | left.doubt, reads=left.everything
    )
    return case((left.told(lambda items: f"{sql.size(items)} = 0"), left), otherwise=certain)


def _without(rows: Rows, hosts: Fact, owned: Items) -> Fact:
    """Those of the hosts that are certainly no resource's or may be none's: a name that one has is known from its row alone."""
    sql = rows.sources.sql
    names = f"coalesce({owned.known}, {sql.texts(())})"
    value = sql.chosen(hosts.value, "host", f"NOT ({sql.has(names, 'host')})")
    return Fact(value, hosts.doubt, hosts.exact, reads=hosts.reads | owned.reads)
