"""Whose identifier URIs and hosts of redirect URIs are: those of the tenant and of its resources, others, or unknown."""

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from tests.inventory.sample import TENANT, Row, application, assessed, refused, row
from tests.inventory.test_views import only

LISTED = assessed(TENANT, "application.list", "organization.get", "domain.list", "subscription.list", "host.query")
NO_HOSTS = [*assessed(TENANT, "application.list", "subscription.list"), refused(TENANT, "host.query", Reason.PERMISSION)]
BAD = Reason.BAD_VALUE


def tenant(verified: object) -> Row:
    return row("tenant", TENANT.id, scope_id=TENANT.id, verified_domains=verified)


def host(name: object) -> Row:
    return row("azure_host", f"/subscriptions/s/{name}", scope_id=TENANT.id, host=name)


URIS: list[tuple[list[str], object, object]] = [
    ([], ["contoso.example"], []),
    (["https://contoso.example/a", "api://Contoso.Example/a", "https://a.contoso.example"], ["contoso.example"], []),
    (["https://contoso.example:443/a", "contoso.example"], ["Contoso.example"], []),
    (["https://evilcontoso.example/a", "api://pay"], ["contoso.example"], ["api://pay", "https://evilcontoso.example/a"]),
    (["https://contoso.example.evil/a"], ["contoso.example"], ["https://contoso.example.evil/a"]),
    (["urn:pay"], ["contoso.example"], ["urn:pay"]),
    # Without a URI it does not matter which domains there are.
    ([], BAD, []),
    (["api://pay"], BAD, "bad_value"),
]


@pytest.mark.parametrize(("uris", "verified", "loose"), URIS)
def test_identifier_uris_in_a_verified_domain_are_its_own(uris: list[str], verified: object, loose: object) -> None:
    rows = {"application": [application("a", uris_without_id=uris)], "tenant": [tenant(verified)]}
    assert told("loose_uris", rows, LISTED) == loose


HOSTS_OF_URIS: list[tuple[list[str], object, object]] = [
    (["a.example", "b.contoso.example"], ["contoso.example"], ["a.example"]),
    (["contoso.example"], ["contoso.example"], []),
    (["a.example"], BAD, "bad_value"),
    ([], BAD, []),
]


@pytest.mark.parametrize(("uris", "verified", "loose"), HOSTS_OF_URIS)
def test_hosts_in_no_verified_domain_are_told(uris: list[str], verified: object, loose: object) -> None:
    rows = {"application": [application("a", web_hosts=uris)], "tenant": [tenant(verified)]}
    assert told("unverified_hosts", rows, LISTED) == loose


def told(column: str, rows: dict[str, list[Row]], coverage: list[Coverage]) -> object:
    """The column's value, or why it is unknown."""
    found = only("application", rows, coverage)
    return found["unknown"].get(column, found[column])


HOSTS: list[tuple[object, list[Row], list[Coverage], object]] = [
    ([], [], LISTED, []),
    (["a.azurewebsites.net"], [host("a.azurewebsites.net")], LISTED, []),
    (["a.azurewebsites.net", "b.azurewebsites.net"], [host("a.azurewebsites.net")], LISTED, ["b.azurewebsites.net"]),
    (["a.azurewebsites.net"], [], LISTED, ["a.azurewebsites.net"]),
    # What was not read may have the name, but a name that a resource has is known.
    (["a.azurewebsites.net"], [], NO_HOSTS, "permission"),
    (["a.azurewebsites.net"], [host("a.azurewebsites.net")], NO_HOSTS, []),
    (["a.azurewebsites.net", "b.azurewebsites.net"], [host("a.azurewebsites.net")], NO_HOSTS, "permission"),
    (["a.azurewebsites.net"], [host(BAD)], LISTED, "bad_value"),
    ([], [host(BAD)], NO_HOSTS, []),
    (BAD, [host("a.azurewebsites.net")], LISTED, "bad_value"),
]


@pytest.mark.parametrize(("hosts", "given", "coverage", "unowned"), HOSTS)
def test_a_host_is_unowned_only_where_every_name_was_read(
    hosts: object, given: list[Row], coverage: list[Coverage], unowned: object
) -> None:
    rows = {"application": [application("a", azure_hosts=hosts)], "azure_host": given}
    assert told("unowned_hosts", rows, coverage) == unowned
