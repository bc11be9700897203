"""The demo shows what only a join finds: credentials that lie in vaults, serve two, or were left behind by a rotation."""

from pathlib import Path

from keyaudit.inventory.snapshot import open_snapshot

_QUERY = """
    SELECT holder_name, custody, split_part(vault_certificate_id, '/', 5), private_exportable, superseded_in_vault,
        newer_since IS NOT NULL, same_elsewhere_min, same_elsewhere_max
    FROM credential WHERE vault_certificate_id IS NOT NULL ORDER BY holder_name"""


def test_contoso_has_certificates_of_vaults_on_its_applications(contoso: Path) -> None:
    snapshot = open_snapshot(contoso)
    with snapshot.connect(snapshot.run.as_of, reach_known=False, names=["credential"]) as connection:
        found = connection.execute(_QUERY).fetchall()
        kinds = dict(connection.execute("SELECT custody, count(*) FROM credential GROUP BY 1").fetchall())
    assert found == [
        ("Partner EDI", "software", "pay-api-tls", False, False, False, 0, 0),
        ("edi-gateway", "software", "edi-client", True, True, True, 0, 0),
        ("etl-runner", "software", "etl-client", True, False, False, 1, 1),
        ("etl-runner-test", "software", "etl-client", True, False, False, 1, 1),
        ("feed-publisher", "vault-hsm", "feed-client", False, True, True, 0, 0),
    ]
    assert kinds["software"] == 4
    assert kinds["external"] > 20


def test_a_vault_that_was_not_read_leaves_custody_unknown(blind_spots: Path) -> None:
    snapshot = open_snapshot(blind_spots)
    with snapshot.connect(snapshot.run.as_of, reach_known=False, names=["credential"]) as connection:
        [found] = connection.execute(
            "SELECT count(*) FILTER (custody = 'software'), count(*) FILTER (custody = 'external'), count(*) FILTER"
            " (unknown['custody'] IS NOT NULL AND entra_custody = 'external') FROM credential WHERE kind = 'certificate'"
        ).fetchall()
    assert (found[:2], found[2] > 20) == ((2, 0), True)
