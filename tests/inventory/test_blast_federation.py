"""A federated application can be signed in to by every principal that can sign in as the trusted identity."""

import duckdb
import pytest

from keyaudit.inventory.blast.graph import Graph
from keyaudit.inventory.blast.trust import federated
from keyaudit.model.blast_radius import Kind, Node, Relation

TENANT = "11111111-1111-4111-8111-111111111111"
OWN = f"https://login.microsoftonline.com/{TENANT}/v2.0"
MI = "aaaaaaaa-1111-4111-8111-111111111111"


def walked(issuer: str, subject: str, kind: str = "federated") -> Graph:
    """From the managed identity whose client id is `mi`, over one credential of the application `app`."""
    graph = Graph(Node(id="subject", kind=Kind.SUBJECT, name="s"))
    graph.nodes["mi"] = Node(id="mi", kind=Kind.IDENTITY, name="mi")
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE held_credential AS SELECT 'c' AS id, 'trusts-mi' AS name, NULL::VARCHAR AS key_id, $kind AS kind,"
            " 'application' AS holder_kind, NULL::VARCHAR AS holder_type, 'h' AS holder_id, 'App' AS holder_name,"
            " 'APP' AS app_id, MAP {}::MAP(VARCHAR, VARCHAR) AS unknown, $issuer AS issuer, $subject AS subject",
            {"issuer": issuer, "subject": subject, "kind": kind},
        )
        connection.execute(
            f"CREATE TABLE service_principal AS SELECT '/tenants/{TENANT}/serviceprincipals/{MI}' AS id, 'MI' AS app_id"
        )
        assert federated(connection, graph, ["mi"]) == [edge.target for edge in graph.edges]
    return graph


def test_the_application_is_reached_and_the_hop_is_named() -> None:
    [edge] = walked(OWN, MI.upper()).edges
    assert (edge.source, edge.target, edge.relation, edge.names) == ("mi", "app", Relation.SIGNS_IN_AS, "trusts-mi")
    assert edge.how == "by a federated credential that trusts it,"


@pytest.mark.parametrize(
    ("issuer", "subject", "kind"),
    [
        ("https://token.actions.githubusercontent.com", MI, "federated"),
        (OWN.replace(TENANT, MI), MI, "federated"),
        (OWN, TENANT, "federated"),
        (OWN, MI, "password"),
    ],
)
def test_another_issuer_subject_or_kind_of_credential_is_no_hop(issuer: str, subject: str, kind: str) -> None:
    assert not walked(issuer, subject, kind).edges
