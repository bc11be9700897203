"""Scores of rows: every rung from both sides, what leaves a factor open, and the worked examples of the catalogue."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import duckdb
import pytest

from keyaudit.inventory.rows import columns_of, stored_types, view_types
from keyaudit.inventory.scores import SCALES, age, prepared, read, scored
from keyaudit.model.findings import Score
from keyaudit.model.rows import view_name
from keyaudit.model.tables import TABLES
from keyaudit.policy.load import load
from keyaudit.policy.scores import score_of
from tests.policy.inventory import DAY, NOW, VAULT, inventory

_LEDGER = "CREATE TABLE coverage (operation VARCHAR, state VARCHAR, reason VARCHAR)"
Row = dict[str, Any]

QUIET: Row = {"id": VAULT.id, "network_open": False, "audit_searchable": True}
OPEN: Row = {**QUIET, "network_open": True}

KEY: Row = {
    "id": "key/1",
    "vault_id": VAULT.id,
    "vault_kind": "key-vault",
    "enabled": True,
    "is_current": True,
    "purpose": "sign",
    "exportable": False,
    "custody": "vault-hsm",
    "created_on": NOW - 30 * DAY,
    "rotates_on": NOW + 335 * DAY,
    "used_by": (0, 0),
    "user_environments": (1, 1),
    "user_subscriptions": (1, 1),
    **{f"{who}_{action}": (1, 1) for who in ("principals", "workloads") for action in ("signing", "decrypting")},
    "foreign_signing": (0, 0),
    "foreign_decrypting": (0, 0),
}
"""A well-kept RSA-HSM key that one application signs with, rotated every year."""

HOLDER: Row = {
    "id": "holder",
    "app_id": "app",
    "audience": "AzureADMyOrg",
    "tier0": False,
    "tenant_wide_app_roles": [],
    "app_role_count": (0, 0),
    "directory_role_count": (0, 0),
}
SECRET: Row = {
    "id": "credential",
    "holder_id": "holder",
    "holder_kind": "application",
    "holder_home": "own",
    "holder_type": "Application",
    "app_id": "app",
    "kind": "password",
    "starts_on": NOW - 30 * DAY,
    "expires_on": NOW + 60 * DAY,
    "superseded_in_vault": False,
}
CERTIFICATE: Row = {**SECRET, "kind": "certificate", "custody": "vault-hsm", "private_exportable": False}
SIGNER: Row = {
    "id": "signer",
    "kind": "federated-domain",
    "holder_name": "fed.example",
    "active": True,
    "custody": "external",
    "starts_on": NOW - 100 * DAY,
    "expires_on": NOW + 265 * DAY,
}
ACCOUNT: Row = {"id": "account", "local_auth_enabled": True, "dated": True, "created_on": NOW - 10 * DAY}
VERSION: Row = {
    "id": "certificate/1",
    "vault_id": VAULT.id,
    "enabled": True,
    "is_current": True,
    "exportable": False,
    "custody": "vault-hsm",
    "created_on": NOW - 10 * DAY,
    "expires_on": NOW + 200 * DAY,
    "public_key_sha256": "AB",
    "principals_signing": (1, 1),
    "workloads_signing": (1, 1),
    "foreign_signing": (0, 0),
}


def unknown(**columns: str) -> Row:
    """These columns unknown, each with its reason."""
    return {**dict.fromkeys(columns), "unknown": columns}


def of_view(table: str) -> str:
    """The scores of a whole view."""
    return scored(f'"{table}"', table, NOW)


def score(table: str, row: Row, gaps: Sequence[tuple[str, str]] = (), **others: list[Row]) -> Score:
    """The score of one row, among rows of other tables."""
    with inventory(**{**others, table: [row, *others.get(table, [])]}) as connection:
        connection.execute(_LEDGER)
        for operation, reason in gaps:
            connection.execute("INSERT INTO coverage VALUES (?, 'not_assessed', ?)", [operation, reason])
        for statement in prepared(table, NOW):
            connection.execute(statement)
        query = f"SELECT score, unknown, score_high, score_low FROM ({of_view(table)}) WHERE id = ?"
        cells, reasons, high, low = connection.execute(query, [row["id"]]).fetchall()[0]
    found = score_of(table, cells, reasons or {}, lambda names: {name: str(row.get(name)) for name in names})
    assert (found.high, found.low) == (high, low), "what is sorted by is what is shown"
    return found


def _can_be_scored(table: str, columns: Mapping[str, Collection[str]]) -> bool:
    """Whether these derived columns, and the stored ones of their tables, are all that the scores of a table need."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(_LEDGER)
        for name, derived in columns.items():
            shown = {bound for column in derived for bound in view_name(TABLES[name].by_name[column])}
            types = {column: type_ for column, type_ in view_types(TABLES[name]).items() if column in shown}
            connection.execute(f'CREATE TABLE "{name}" ({columns_of(stored_types(TABLES[name]) | types)})')
        try:
            for statement in (*prepared(table, NOW), of_view(table)):
                connection.execute(statement)
        except (duckdb.BinderException, duckdb.CatalogException):
            return False
    return True


@pytest.mark.parametrize("table", SCALES)
def test_what_a_score_reads_is_declared_and_nothing_else(table: str) -> None:
    columns = read([table])
    assert _can_be_scored(table, columns)
    for name, derived in columns.items():
        assert not _can_be_scored(table, {other: of for other, of in columns.items() if other != name}), name
        for column in derived:
            assert not _can_be_scored(table, {**columns, name: derived - {column}}), (name, column)


def of_key(place: Row = QUIET, **changes: Any) -> Score:
    return score("key", {**KEY, **changes}, vault=[place])


def of_credential(row: Row, holder: Row | None = None, **changes: Any) -> Score:
    return score("credential", {**row, **changes}, application=[holder or HOLDER])


def factors(found: Score) -> tuple[str, ...]:
    return tuple(factor.range for factor in found.factors)


def test_a_software_key_of_2016_across_two_environments_scores_80() -> None:
    old: Row = {"created_on": NOW - 3_885 * DAY, "rotates_on": None, "custody": "software", "user_environments": (2, 2)}
    found = of_key(**old)
    assert (found.arithmetic, found.band) == ("5 x 4 x 4 = 80", "critical")
    assert [factor.because for factor in found.factors] == [
        "used across (2, 2) environments",
        "its users and it are of (2, 2) environments",
        "3885 days, 5.32 times the limit of 730",
    ]


def test_a_yearly_rotated_hsm_key_of_one_application_scores_4() -> None:
    found = of_key()
    assert (found.arithmetic, found.band, found.overrides) == ("2 x 2 x 1 = 4", "info", ())


def test_a_key_of_unknown_custody_shows_a_range() -> None:
    found = of_key(user_environments=(1, 1), **unknown(custody="permission"))
    assert (found.arithmetic, found.least_band, found.band) == ("2 x 2..4 x 1 = 4..8 (custody unknown)", "info", "low")
    assert found.factors[1].because == "unknown: custody (the identity may not read it)"


KEY_FACTORS: list[tuple[str, Row, Row, str]] = [
    ("blast radius", QUIET, {"purpose": "wrap", "user_environments": (2, 2)}, "4"),
    ("blast radius", QUIET, {"user_environments": (1, None)}, "2..5"),
    ("blast radius", QUIET, {"user_environments": (2, None)}, "5"),
    ("blast radius", QUIET, {"user_subscriptions": (2, 2)}, "4"),
    ("blast radius", QUIET, {"user_subscriptions": (1, None)}, "2..4"),
    ("blast radius", QUIET, {"foreign_signing": (1, 1)}, "4"),
    ("blast radius", QUIET, {"foreign_decrypting": (1, 1)}, "2"),
    ("blast radius", QUIET, {"workloads_signing": (2, 2)}, "3"),
    ("blast radius", QUIET, {"workloads_signing": (1, 2)}, "2..3"),
    ("blast radius", QUIET, {"used_by": (2, 2)}, "3"),
    ("blast radius", QUIET, {"principals_signing": (0, 0), "workloads_signing": (0, 0)}, "1"),
    ("blast radius", QUIET, {"principals_signing": (0, 0), "workloads_signing": (0, 0), "used_by": (1, 1)}, "2"),
    ("blast radius", QUIET, {"enabled": False, "user_environments": (2, 2)}, "1"),
    ("blast radius", QUIET, {"purpose": "public", "user_environments": (2, 2)}, "1"),
    ("blast radius", QUIET, unknown(purpose="permission"), "1..4"),
    ("blast radius", QUIET, {**unknown(purpose="permission"), "user_environments": (1, None)}, "1..5"),
    ("exposure", OPEN, {}, "4"),
    ("exposure", {**QUIET, **unknown(network_open="dns")}, {}, "2..4"),
    ("exposure", {**QUIET, "id": "elsewhere"}, {}, "2..4"),
    ("exposure", QUIET, {"exportable": True}, "4"),
    ("exposure", QUIET, unknown(exportable="dns"), "2..4"),
    ("exposure", QUIET, {"principals_signing": (3, 3)}, "2"),
    ("exposure", QUIET, {"principals_signing": (4, 4)}, "4"),
    ("exposure", QUIET, {"principals_signing": (3, 4)}, "2..4"),
    ("exposure", QUIET, {"custody": "software"}, "3"),
    ("exposure", QUIET, {"custody": "managed-hsm", "vault_kind": "managed-hsm"}, "1"),
    ("exposure", QUIET, {"custody": "managed-hsm", "vault_kind": "managed-hsm", "principals_signing": (2, 2)}, "1"),
    ("exposure", QUIET, {"custody": "managed-hsm", "vault_kind": "managed-hsm", "principals_signing": (3, 3)}, "2"),
    # It is known by where it lies.
    ("exposure", QUIET, {"vault_kind": "managed-hsm", **unknown(custody="permission")}, "1"),
    ("age", QUIET, {"rotates_on": None}, "4"),
    ("age", QUIET, {"is_current": False}, "4"),
    ("age", QUIET, {"is_current": False, "enabled": False}, "1"),
    ("age", QUIET, {"expires_on": NOW}, "4"),
    ("age", QUIET, {"expires_on": NOW + 1}, "1"),
    ("age", QUIET, {"created_on": None}, "4"),
    ("age", QUIET, unknown(created_on="permission"), "1..4"),
    ("age", QUIET, unknown(rotates_on="permission"), "1..4"),
    ("age", QUIET, {"created_on": NOW - 1_461 * DAY, **unknown(rotates_on="permission")}, "4"),
    # Whichever comes first bounds its life.
    ("age", QUIET, {"rotates_on": NOW + 900 * DAY, "expires_on": NOW + 200 * DAY}, "1"),
    ("age", QUIET, {"rotates_on": NOW + 200 * DAY, "expires_on": NOW + 900 * DAY}, "1"),
    ("age", QUIET, {"rotates_on": None, "expires_on": NOW + 900 * DAY}, "3"),
    *(
        ("age", QUIET, {"rotates_on": None, "created_on": NOW, "expires_on": NOW + life}, value)
        for life, value in (
            (age.KEY_LIMIT * 3 // 4, "1"),
            (age.KEY_LIMIT * 3 // 4 + 1, "2"),
            (age.KEY_LIMIT, "2"),
            (age.KEY_LIMIT + 1, "3"),
            (age.KEY_LIMIT * 2, "3"),
            (age.KEY_LIMIT * 2 + 1, "4"),
        )
    ),
    # A date at the bound does not leave what can be counted.
    ("age", QUIET, {"rotates_on": None, "created_on": -(2**60), "expires_on": 2**60}, "4"),
]


@pytest.mark.parametrize(("factor", "place", "changes", "expected"), KEY_FACTORS)
def test_each_rung_of_a_key(factor: str, place: Row, changes: Row, expected: str) -> None:
    found = of_key(place, **changes)
    (of_name,) = (each for each in found.factors if each.name == factor)
    assert of_name.range == expected
    assert bool(of_name.unknown) == (".." in expected)


@pytest.mark.parametrize(
    ("place", "changes", "overrides"),
    [
        (QUIET, {}, []),
        (QUIET, {"is_current": False}, [("retired", True)]),
        (QUIET, {"expires_on": NOW}, [("retired", True)]),
        (QUIET, unknown(is_current="dns"), [("retired", False)]),
        ({**QUIET, "audit_searchable": False}, {}, [("blind", True)]),
        ({**QUIET, **unknown(audit_searchable="dns")}, {}, [("blind", False)]),
    ],
)
def test_what_overrides_the_band_of_a_key(place: Row, changes: Row, overrides: list[tuple[str, bool]]) -> None:
    assert [(each.name, each.certain) for each in of_key(place, **changes).overrides] == overrides


@pytest.mark.parametrize(
    ("holder", "life", "arithmetic", "band"),
    [
        ({}, 730, "1 x 5 x 4 = 20", "medium"),
        ({"tenant_wide_app_roles": ["Mail.Read"], "app_role_count": (1, 1)}, 730, "4 x 5 x 4 = 80", "critical"),
        ({"tenant_wide_app_roles": ["Mail.Read"], "app_role_count": (1, 1)}, 170, "4 x 5 x 2 = 40", "high"),
    ],
)
def test_the_worked_secrets(holder: Row, life: int, arithmetic: str, band: str) -> None:
    found = of_credential(SECRET, {**HOLDER, **holder}, expires_on=SECRET["starts_on"] + life * DAY)
    assert (found.arithmetic, found.band) == (arithmetic, band)


CREDENTIALS: list[tuple[Row, Row, Row, tuple[str, str, str]]] = [
    (SECRET, {}, {}, ("1", "5", "1")),
    (SECRET, {"tier0": True}, {}, ("5", "5", "1")),
    (SECRET, unknown(tier0="permission"), {}, ("1..5", "5", "1")),
    (SECRET, {"audience": "AzureADMultipleOrgs"}, {}, ("5", "5", "1")),
    (SECRET, {"directory_role_count": (1, 1)}, {}, ("4", "5", "1")),
    (SECRET, {"app_role_count": (1, 1)}, {}, ("3", "5", "1")),
    (SECRET, {"app_role_count": (0, None)}, {}, ("1..3", "5", "1")),
    (SECRET, {"id": "another"}, {}, ("1..5", "5", "1")),
    (SECRET, {"tier0": True}, {"expires_on": NOW}, ("1", "1", "1")),
    (SECRET, {}, {"expires_on": None}, ("1", "5", "4")),
    (SECRET, {}, {"starts_on": None}, ("1", "5", "1..4")),
    (CERTIFICATE, {}, {}, ("1", "2", "1")),
    (CERTIFICATE, {}, {"custody": "software"}, ("1", "3", "1")),
    (CERTIFICATE, {}, {"private_exportable": True}, ("1", "4", "1")),
    (CERTIFICATE, {}, {"custody": "external", "private_exportable": None}, ("1", "1..4", "1")),
    (CERTIFICATE, {}, {"holder_type": "ManagedIdentity", "custody": "external"}, ("1", "1", "1")),
    (SECRET, {}, {"kind": "federated", "subject": "repo:a:ref:b", "starts_on": None, "expires_on": None}, ("1", "2", "1")),
    (SECRET, {}, {"kind": "federated", "subject": None, "starts_on": None, "expires_on": None}, ("1", "4", "1")),
    (SECRET, {}, {"kind": "federated", "subject": "repo:*", "starts_on": None, "expires_on": None}, ("1", "4", "1")),
    (SECRET, {}, {"holder_home": "microsoft"}, ("1..5", "5", "1")),
]


@pytest.mark.parametrize(("row", "holder", "changes", "expected"), CREDENTIALS)
def test_each_rung_of_a_credential(row: Row, holder: Row, changes: Row, expected: tuple[str, str, str]) -> None:
    assert factors(of_credential(row, {**HOLDER, **holder}, **changes)) == expected


@pytest.mark.parametrize(
    ("scope_kind", "allows", "expected"),
    [
        ("root", ["sign"], "4"),
        ("management-group", ["sign"], "4"),
        ("subscription", ["sign"], "3"),
        ("vault", ["sign"], "2"),
        ("subscription", [], "1"),
        ("subscription", None, "1..4"),
    ],
)
@pytest.mark.parametrize("through", ["itself", "group"])
def test_what_an_azure_role_reaches_counts_for_its_holder(
    scope_kind: str, allows: list[str] | None, expected: str, through: str
) -> None:
    who = "principal" if through == "itself" else "team"
    doubt = {} if allows is not None else {"allows": "permission"}
    found = score(
        "credential",
        SECRET,
        application=[HOLDER],
        service_principal=[{"id": "t/sp/principal", "app_id": "APP"}],
        membership=[{"id": "m", "group_id": "team", "member_id": "principal"}],
        grant=[
            {
                "id": "g",
                "kind": "azure-role",
                "principal_id": who,
                "standing": True,
                "scope_kind": scope_kind,
                "allows": allows,
                "unknown": doubt,
            }
        ],
    )
    assert found.factors[0].range == expected


def test_roles_that_were_not_read_leave_it_open() -> None:
    found = score("credential", SECRET, [("role_assignment.query", "permission")], application=[HOLDER])
    assert found.arithmetic == "1..4 x 5 x 1 = 5..20 (azure roles unknown)"


def test_a_customers_credential_on_microsofts_application_is_critical() -> None:
    principal = {**HOLDER, "app_id": "app"}
    row = {**SECRET, "holder_kind": "service_principal", "holder_home": "microsoft"}
    found = score("credential", row, service_principal=[principal])
    assert (found.least_band, found.band) == ("critical", "critical")
    assert [each.name for each in found.overrides] == ["first-party"]
    assert found.arithmetic == "1..5 x 5 x 1 = 5..25 (rights of holder unknown)"


SIGNERS: list[tuple[Row, tuple[str, str, str], list[str]]] = [
    ({}, ("5", "1..4", "1"), []),
    ({"expires_on": None}, ("5", "1..4", "4"), []),
    ({"kind": "saml", "custody": "platform"}, ("2", "1", "1"), []),
    ({"kind": "saml", "custody": "platform", "active": False}, ("1", "1", "1"), []),
    ({"kind": "saml", "custody": "platform", "expires_on": NOW}, ("2", "1", "4"), ["retired"]),
    ({"expires_on": NOW}, ("5", "1..4", "1"), []),
    (unknown(active="dns"), ("1..5", "1..4", "1"), []),
]


@pytest.mark.parametrize(("changes", "expected", "overrides"), SIGNERS)
def test_each_rung_of_a_signing_certificate(changes: Row, expected: tuple[str, str, str], overrides: list[str]) -> None:
    found = score("signing_certificate", {**SIGNER, **changes})
    assert factors(found) == expected
    assert [each.name for each in found.overrides] == overrides


def test_the_key_of_a_domain_is_a_range_since_nobody_says_where_it_is_kept() -> None:
    found = score("signing_certificate", {**SIGNER, "expires_on": NOW + 3_550 * DAY})
    assert found.arithmetic == "5 x 1..4 x 4 = 20..80 (custody unknown)"
    assert found.factors[1].unknown == {"custody": "not_supplied"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("2", "5", "1")),
        ({"created_on": NOW - 361 * DAY}, ("2", "5", "4")),
        ({"created_on": None}, ("2", "5", "4")),
        ({"created_on": None, "dated": False}, ("2", "5", "1..4")),
        ({"local_auth_enabled": False}, ("1", "1", "1")),
        (unknown(local_auth_enabled="dns"), ("1..2", "1..5", "1")),
    ],
)
def test_each_rung_of_an_account_key(changes: Row, expected: tuple[str, str, str]) -> None:
    assert factors(score("account_key", {**ACCOUNT, **changes})) == expected


VERSIONS: list[tuple[Row, Row, Row | None, tuple[str, str, str]]] = [
    (QUIET, {}, None, ("2", "2", "1")),
    (OPEN, {}, None, ("2", "4", "1")),
    (QUIET, {"exportable": True}, None, ("2", "4", "1")),
    (QUIET, {"custody": "software"}, None, ("2", "3", "1")),
    (QUIET, unknown(custody="dns"), None, ("2", "2..4", "1")),
    (QUIET, {"principals_signing": (4, 4)}, None, ("2", "4", "1")),
    (QUIET, {"foreign_signing": (1, 1)}, None, ("4", "2", "1")),
    (QUIET, {"workloads_signing": (2, 2)}, None, ("3", "2", "1")),
    (QUIET, {"is_current": False}, None, ("2", "2", "4")),
    (QUIET, {"expires_on": NOW}, None, ("1", "2", "1")),
    (QUIET, {}, {**CERTIFICATE, "public_key_sha256": "AB"}, ("5", "2", "1")),
    (QUIET, {}, {**CERTIFICATE, "public_key_sha256": "CD"}, ("2", "2", "1")),
    (QUIET, {}, {**CERTIFICATE, "public_key_sha256": None, "unknown": {"public_key_sha256": "dns"}}, ("2..5", "2", "1")),
]


@pytest.mark.parametrize(("place", "changes", "credential", "expected"), VERSIONS)
def test_each_rung_of_a_certificate(place: Row, changes: Row, credential: Row | None, expected: tuple[str, str, str]) -> None:
    credentials = [credential] if credential else []
    holders = [{**HOLDER, "tier0": True}]
    found = score("certificate", {**VERSION, **changes}, vault=[place], credential=credentials, application=holders)
    assert factors(found) == expected


def test_a_name_from_the_tenant_is_made_safe_in_a_reason() -> None:
    hostile = "Mail.Read\x1b[2J\n##vso[task]{0}"
    found = of_credential(SECRET, {**HOLDER, "tenant_wide_app_roles": [hostile], "app_role_count": (1, 1)})
    because = found.factors[0].because
    assert because == r"its holder has Mail.Read\x1b[2J\x0a#\#vso[task]{0} over the whole tenant"


def test_the_limits_of_scores_are_those_of_the_policies_by_default() -> None:
    limits = {
        ("kv-key-rotation-overdue", "max_age"): age.KEY_LIMIT,
        ("app-secret-too-long", "max_life"): age.SECRET_LIMIT,
        ("app-cert-too-long", "max_life"): age.CERTIFICATE_LIMIT,
    }
    policies = {policy.text.id: policy for policy in load()}
    for (policy, name), limit in limits.items():
        value = policies[policy].parameters[name].value("default")
        assert value in (limit, {"sign": limit, "otherwise": limit})


@pytest.mark.parametrize("table", SCALES)
def test_every_rung_names_columns_that_there_are(table: str) -> None:
    with inventory() as connection:
        connection.execute(_LEDGER)
        for statement in prepared(table, NOW):
            connection.execute(statement)
        connection.execute(f"SELECT count(*) FROM ({of_view(table)})")
    for ladder in SCALES[table].ladders:
        assert {rung.value for rung in ladder.rungs} <= {1, 2, 3, 4, 5}
        assert all(rung.reads for rung in ladder.rungs)
