"""A federated application can be signed in to by every principal that can sign in as the trusted identity."""

import duckdb
import pytest

from keyaudit.model.reasons import Reason
from keyaudit.questions.blast_radius.answer import Kind, Node, Relation
from keyaudit.questions.blast_radius.evidence.graph import Graph
from keyaudit.questions.blast_radius.evidence.trust import credentials, federated

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


OPEN: list[tuple[str, str | None, bool | None, dict[str, str], list[Reason | None]]] = [
    ("federated", "immutable", False, {}, [None]),
    ("federated", "mutable", False, {}, [None]),
    # The identity that it trusts does not exist, or no token can ever match: nobody signs in with it.
    ("federated", "immutable", True, {}, []),
    ("federated", "dead", False, {}, []),
    ("federated", "immutable", None, {"subject_dangling": "permission"}, [Reason.PERMISSION]),
    ("federated", None, None, {"subject_grade": "bad_value", "subject_dangling": "bad_value"}, [Reason.BAD_VALUE]),
    ("password", None, None, {}, [None]),
]


@pytest.mark.parametrize(("kind", "grade", "dangling", "unknown", "doubts"), OPEN)
def test_a_federated_credential_that_nothing_can_match_is_no_way_in(
    kind: str, grade: str | None, dangling: bool | None, unknown: dict[str, str], doubts: list[Reason | None]
) -> None:
    graph = Graph(Node(id="subject", kind=Kind.SUBJECT, name="s"))
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE blueprint AS SELECT 'other' AS app_id")
        connection.execute(
            "CREATE TABLE held_credential AS SELECT 'c' AS id, 'k' AS key_id, $kind AS kind, 'application' AS holder_kind,"
            " NULL::VARCHAR AS holder_type, 'h' AS holder_id, 'App' AS holder_name, 'APP' AS app_id, NULL::VARCHAR AS usage,"
            " NULL::BIGINT AS expires_on, NULL::VARCHAR AS thumbprint, NULL::VARCHAR AS public_key_sha256,"
            " $grade::VARCHAR AS subject_grade, $dangling::BOOLEAN AS subject_dangling,"
            " map_from_entries($unknown::STRUCT(k VARCHAR, v VARCHAR)[]) AS unknown",
            {"kind": kind, "grade": grade, "dangling": dangling, "unknown": [{"k": k, "v": v} for k, v in unknown.items()]},
        )
        found = credentials(connection, graph, {}, ids=["c"], as_of=0)
    assert [edge.doubt for edge in graph.edges] == doubts
    assert found == ["app"] * len(doubts)
