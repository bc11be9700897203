"""`keyaudit incident` without logs, by its former name: every path that is planted, the plan, and what is left of it."""

import base64
import shlex
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.errors import Exit
from keyaudit.questions.access.answer import Way
from keyaudit.questions.blast_radius.answer import Edge, Relation
from keyaudit.questions.blast_radius.grants import taken_away
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estates.contoso.access import CROWN_KEY, CROWN_VAULT
from keyaudit.simulator.estates.contoso.signing import OUTLET, WHOLESALE
from tests.cli.conftest import Keyaudit
from tests.cli.stolen import CERTIFICATE, DISK, ON_PRINCIPAL, SAML, SECOND, VAULT, WAYS, asked_of, collected, stolen

CROWN = f"{CROWN_VAULT}/{CROWN_KEY}"
ELSEWHERE = "signs-tokens-for other parties that were given its public half"
"""Relations that no API shows are drawn for every key, as unknown."""

OF_THE_CROWN_KEY = {
    "Mei Tanaka",
    "Jonas Lind",
    "Pat Okafor",
    "id-orders-api-prod",
    "Amira Haddad",
    "Break Glass 01",
    "github-deploy-orders",
    "Lukas Brandt",
    "Piotr Nowak",
}
"""Who can sign with it, or give himself that; the last only once he has activated a role."""

TRUSTING = {
    "signs-in-as etl-runner",
    "signs-in-as etl-runner-test",
    f"signs-in-as {ON_PRINCIPAL}",
    f"signs-tokens-for {SAML}",
    f"signs-tokens-for {WHOLESALE}",
    "published-as KID",
    "issues-certificates-for Contoso workforce",
    f"encrypts storage {DISK}",
    f"kept-in {VAULT}/{CERTIFICATE}",
}
"""All that trusts the stolen key."""

SPOKEN_FOR = {
    f"{WHOLESALE} speaks-for every user of {WHOLESALE}",
    "KID controls the whole tenant",
    "Contoso workforce speaks-for everybody who may sign in with a certificate",
}
"""Whom its holder can be by signing for them."""

BEYOND = {
    "etl-runner holds Microsoft Graph: Directory.ReadWrite.All",
    "etl-runner controls the whole tenant",
    f"{ON_PRINCIPAL} holds Microsoft Graph: AppRoleAssignment.ReadWrite.All",
    f"{ON_PRINCIPAL} controls the whole tenant",
    f"etl-runner-test reaches {VAULT}",
    f"etl-runner-test opens {VAULT}/{SECOND}",
    f"{VAULT}/{SECOND} signs-in-as feed-publisher",
    *SPOKEN_FOR,
}
"""What its holder can then become and reach; who can use the vault is apart."""


@pytest.fixture(scope="module")
def theft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collected(tmp_path_factory.mktemp("stolen") / "snapshot", stolen())


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collected(tmp_path_factory.mktemp("closed") / "snapshot", stolen(()))


@pytest.fixture(scope="module")
def digest(theft: Path) -> str:
    """The thumbprint of the stolen certificate."""
    return asked_of(theft, "SELECT thumbprint FROM credential WHERE holder_name = 'etl-runner'")[0]


def edges(found: Any) -> tuple[set[str], set[str]]:
    """The edges from the subject, and the others but for who uses the vault; versions and key ids left out of the names."""
    nodes = {node["id"]: node for node in found["nodes"]}

    def named(id_: str) -> str:
        node = nodes[id_]
        return "KID" if node["kind"] == "issuer-key" else str(node["name"]).partition(" version ")[0]

    first, others = set(), set()
    for edge in found["edges"]:
        if edge["source"] == "subject":
            first.add(f"{edge['relation']} {named(edge['target'])}")
        elif edge["relation"] != "used-by":
            others.add(f"{named(edge['source'])} {edge['relation']} {named(edge['target'])}")
    return first, others


def users(found: Any) -> set[str]:
    names = {node["id"]: node["name"] for node in found["nodes"]}
    return {names[edge["target"]] for edge in found["edges"] if edge["relation"] == "used-by"}


def test_the_crown_key_is_used_by_exactly_these_and_trusted_by_nothing_else(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("blast-radius", CROWN, "--from", contoso, "-o", "json")
    assert ran.code == Exit.CLEAN, ran.err
    assert users(ran.json) == OF_THE_CROWN_KEY
    first, others = edges(ran.json)
    assert first == {f"kept-in {CROWN}", f"{ELSEWHERE}, or a certificate made on it elsewhere"}
    assert others == set()
    [unknown] = [edge for edge in ran.json["edges"] if not edge["certain"]]
    assert unknown["unknown"] == "not_supplied"


def test_a_stolen_thumbprint_opens_every_planted_path_and_no_other(keyaudit: Keyaudit, theft: Path, digest: str) -> None:
    ran = keyaudit("blast-radius", digest, "--from", theft, "-o", "json")
    assert ran.code == Exit.CLEAN, ran.err
    first, others = edges(ran.json)
    assert first == TRUSTING | {ELSEWHERE}
    assert others == BEYOND
    assert all(edge["certain"] for edge in ran.json["edges"] if edge["unknown"] != "not_supplied")


@pytest.mark.exhaustive
def test_the_app_of_the_demo_is_found_by_its_name_its_id_and_its_thumbprint(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("blast-radius", "ETL-Runner", "--from", contoso, "-o", "json")
    assert ran.code == Exit.CLEAN, ran.err
    first, others = edges(ran.json)
    assert first == {
        "signs-in-as etl-runner",
        "signs-in-as etl-runner-test",
        f"kept-in {VAULT}/{CERTIFICATE}",
        ELSEWHERE,
    }
    assert others == {
        "etl-runner holds Microsoft Graph: Directory.ReadWrite.All",
        "etl-runner controls the whole tenant",
        f"etl-runner-test reaches {VAULT}",
    }
    [key] = ran.json["public_keys_sha256"]
    credential = next(edge["facts"]["key_id"] for edge in ran.json["edges"] if edge["relation"] == "signs-in-as")
    for asked in (ran.json["subject"]["id"], key.lower(), credential):
        again = keyaudit("blast-radius", asked, "--from", contoso, "-o", "json")
        assert edges(again.json) == (first, others), asked


@pytest.mark.exhaustive
def test_a_thumbprint_goes_by_every_spelling(keyaudit: Keyaudit, theft: Path, digest: str) -> None:
    for asked in (
        digest.lower(),
        ":".join(digest[at : at + 2] for at in range(0, 40, 2)),
        base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("="),
        # As a version of the certificate.
        asked_of(theft, "SELECT id FROM certificate WHERE thumbprint = ?", digest)[0],
    ):
        ran = keyaudit("blast-radius", asked, "--verify", "--from", theft, "-o", "json")
        assert edges(ran.json) == (TRUSTING | {ELSEWHERE}, SPOKEN_FOR), asked


def test_nothing_is_said_to_trust_what_is_nowhere_but_its_key_is_unknown(keyaudit: Keyaudit, contoso: Path) -> None:
    public = keyaudit("blast-radius", f"spki:{'ab' * 32}", "--from", contoso)
    assert public.code == Exit.CLEAN
    assert "Nothing in this tenant trusts it: everything that could trust it was read." in " ".join(public.out.split())
    # Of a certificate that nobody has shown, nobody knows which others are on the same key.
    thumbprint = keyaudit("blast-radius", "ab" * 20, "--from", contoso)
    assert thumbprint.code == Exit.INCOMPLETE
    assert "Unknown: other certificates on its key" in thumbprint.out
    assert "Nothing that was read trusts it, but 1 thing could not be checked." in " ".join(thumbprint.out.split())


@pytest.mark.exhaustive
def test_a_certificate_that_graph_does_not_show_may_be_on_any_key(keyaudit: Keyaudit, tmp_path: Path) -> None:
    whole = stolen()
    unread = (
        replace(one, keys=tuple(replace(key, certificate=b"no certificate") for key in one.keys))
        if one.name == "etl-runner"
        else one
        for one in whole.applications
    )
    folder = collected(tmp_path / "snapshot", replace(whole, applications=tuple(unread)))
    ran = keyaudit("blast-radius", "etl-runner", "--from", folder, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    [sure] = [edge for edge in ran.json["edges"] if edge["relation"] == "signs-in-as" and edge["certain"]]
    assert sure["target"] == ran.json["subject"]["id"]
    names = {node["name"] for node in ran.json["nodes"] if node["kind"] == "unknown"}
    assert "what else is on the keys of its own certificates that were not shown (1)" in names
    # Asked for by the key, it is one that may be on it.
    (key,) = asked_of(folder, "SELECT public_key_sha256 FROM credential WHERE holder_name = 'etl-runner-test'")
    by_key = keyaudit("blast-radius", key, "--verify", "--from", folder, "-o", "json")
    unknown = {edge["target"]: edge["unknown"] for edge in by_key.json["edges"] if not edge["certain"]}
    assert [name for name in unknown if "credentials whose certificate was not shown (1)" in name]


def test_what_is_not_known_is_refused_with_what_is_near(keyaudit: Keyaudit, contoso: Path) -> None:
    for asked, near in (
        ("etl-runnr", "did you mean etl-runner or etl-runner-test?"),
        ("kv-data-prod/etl", "kv-data-prod/etl-client"),
    ):
        for command in ("blast-radius", "incident"):
            ran = keyaudit(command, asked, "--from", contoso)
            assert (ran.code, ran.out) == (Exit.USAGE, "")
            assert ran.err.startswith(f"keyaudit: '{asked}': nothing is known by this name; ")
            assert near in ran.err


def test_the_plan_is_in_order_and_adds_before_it_takes_away(keyaudit: Keyaudit, theft: Path, digest: str) -> None:
    plan = keyaudit("blast-radius", digest, "--from", theft, "-o", "json").json["plan"]
    phases = [step["phase"] for step in plan]
    assert phases == sorted(phases, key=["keep", "block", "replace", "revoke", "verify"].index)
    settled = [step for step in plan if step["settles"]]
    assert {step["phase"] for step in settled} == {"replace", "revoke"}
    assert len(settled) == len(TRUSTING)
    assert all(step["breaks"] for step in plan if step["commands"] and step["phase"] in ("block", "revoke"))
    assert [step["title"] for step in plan if "neither its current nor its next one" in step["title"]]
    added = plan.index(next(step for step in plan if step["title"] == "Add a new credential to etl-runner, and deploy it"))
    removed = plan.index(next(step for step in plan if step["title"].endswith("from etl-runner")))
    made = plan.index(
        next(step for step in plan if step["title"] == f"Make a new version of {VAULT}/{CERTIFICATE}, on a new key")
    )
    assert made < added < removed
    # Secrets that the holder could read from the vault count as stolen.
    assert any(step["title"].startswith(f"Treat {VAULT}/{SECOND} version") for step in plan)


def test_verify_is_clean_once_the_plan_is_done(keyaudit: Keyaudit, theft: Path, closed: Path, digest: str) -> None:
    plan = keyaudit("blast-radius", digest, "--from", theft, "-o", "json").json["plan"]
    commands = [command for step in plan if step["phase"] == "verify" for command in step["commands"]]
    assert commands
    for asked in (shlex.split(commands[0])[2],):
        before = keyaudit("blast-radius", asked, "--verify", "--from", theft, "-o", "json")
        assert before.code == Exit.FINDINGS
        assert edges(before.json)[0] == TRUSTING | {ELSEWHERE}
        after = keyaudit("blast-radius", asked, "--verify", "--from", closed, "-o", "json")
        assert after.code == Exit.CLEAN, after.out
        assert after.json["plan"] == []
        assert after.json["conclusion"] == "Nothing in this tenant still trusts it: everything that could trust it was read."


@pytest.mark.parametrize(
    "asked",
    [
        "12345678-aaaa-4bbb-8ccc-1234567890ab",
        *(
            pytest.param(asked, marks=pytest.mark.exhaustive)
            for asked in (
                f"spki:{'ab' * 32}",
                f"https://{CROWN_VAULT}.vault.azure.net/keys/{CROWN_KEY}/0123456789abcdef0123456789abcdef",
                f"https://{CROWN_VAULT}.vault.azure.net/keys/no-such-key/0123456789abcdef0123456789abcdef",
            )
        ),
    ],
)
def test_an_id_that_no_reading_has_may_be_mistyped_and_is_unknown(keyaudit: Keyaudit, contoso: Path, asked: str) -> None:
    # A snapshot that does not have it either says no more.
    for also in ((), ("--since", contoso)):
        verified = keyaudit("blast-radius", asked, "--verify", *also, "--from", contoso)
        assert verified.code == Exit.INCOMPLETE, verified.out
        assert "nothing by this id was read: it is gone, or the id is mistyped" in " ".join(verified.out.split())
        assert "Nothing that was read still trusts it, but 1 thing could not be checked." in " ".join(verified.out.split())
    if not asked.startswith("spki:"):
        assert keyaudit("blast-radius", asked, "--from", contoso).code == Exit.USAGE


def _emptied() -> Estate:
    """The tenant of the theft without the applications that were used, and with empty vaults."""
    whole = stolen(())
    gone = ("etl-runner", "etl-runner-test")
    return replace(
        whole,
        applications=tuple(one for one in whole.applications if one.name not in gone),
        service_principals=tuple(one for one in whole.service_principals if one.name not in gone),
        vaults=tuple(replace(one, keys=(), certificates=()) for one in whole.vaults),
    )


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collected(tmp_path_factory.mktemp("emptied") / "snapshot", _emptied())


@pytest.mark.parametrize(
    "query",
    [
        "SELECT thumbprint FROM credential WHERE holder_name = 'etl-runner' AND kind = 'certificate'",
        *(
            pytest.param(query, marks=pytest.mark.exhaustive)
            for query in (
                "SELECT 'spki:' || public_key_sha256 FROM credential WHERE holder_name = 'etl-runner' AND kind = 'certificate'",
                "SELECT key_id FROM credential WHERE holder_name = 'etl-runner-test'",
                "SELECT DISTINCT app_id FROM credential WHERE holder_name = 'etl-runner'",
                f"SELECT id FROM certificate WHERE id LIKE '%/{CERTIFICATE}/%' ORDER BY created_on DESC LIMIT 1",
                f"SELECT id FROM key WHERE id LIKE '%/{CROWN_KEY}/%' AND is_current",
                f"SELECT '{CROWN}'",
            )
        ),
    ],
)
def test_what_is_gone_is_verified_by_the_snapshot_that_had_it(
    keyaudit: Keyaudit, theft: Path, emptied: Path, query: str
) -> None:
    asked = asked_of(theft, query)[0]
    alone = keyaudit("blast-radius", asked, "--verify", "--from", emptied)
    assert alone.code in (Exit.INCOMPLETE, Exit.USAGE), alone.out
    then = keyaudit("blast-radius", asked, "--verify", "--since", theft, "--from", emptied, "-o", "json")
    assert then.code == Exit.CLEAN, then.out
    assert then.json["limits"][0].startswith("It is gone: the snapshot that --since names has it")
    assert then.json["conclusion"] == "Nothing in this tenant still trusts it: everything that could trust it was read."


@pytest.mark.exhaustive
def test_a_version_that_a_service_names_is_there(keyaudit: Keyaudit, theft: Path, emptied: Path) -> None:
    (asked,) = asked_of(theft, "SELECT id FROM key WHERE key_id LIKE '%/keys/storage-cmk' AND is_current")
    ran = keyaudit("blast-radius", asked, "--verify", "--from", emptied)
    assert ran.code == Exit.FINDINGS
    assert "mistyped" not in ran.out


@pytest.mark.exhaustive
def test_what_the_earlier_snapshot_did_not_show_of_it_stays_unknown(keyaudit: Keyaudit, tmp_path: Path, emptied: Path) -> None:
    whole = stolen()
    unread = (
        replace(one, keys=tuple(replace(key, certificate=b"no certificate") for key in one.keys))
        if one.name == "etl-runner"
        else one
        for one in whole.applications
    )
    before = collected(tmp_path / "snapshot", replace(whole, applications=tuple(unread)))
    query = (
        "SELECT key_id FROM credential WHERE holder_name = 'etl-runner' AND public_key_sha256 IS NULL AND kind = 'certificate'"
    )
    ran = keyaudit("blast-radius", asked_of(before, query)[0], "--verify", "--since", before, "--from", emptied)
    assert ran.code == Exit.INCOMPLETE
    assert "what else is on the keys of its own certificates that were not shown (1)" in " ".join(ran.out.split())


def test_the_earlier_snapshot_is_of_the_same_tenant_and_earlier(
    keyaudit: Keyaudit, theft: Path, contoso: Path, hardened: Path, digest: str
) -> None:
    plain = keyaudit("blast-radius", digest, "--since", theft, "--from", theft)
    assert plain.code == Exit.USAGE
    assert "--verify" in plain.err
    other = keyaudit("blast-radius", digest, "--verify", "--since", hardened, "--from", contoso)
    assert other.code == Exit.UNSAFE, other.err


@pytest.mark.exhaustive
def test_the_plan_verifies_since_its_own_snapshot_or_says_to_keep_one(keyaudit: Keyaudit, theft: Path, digest: str) -> None:
    steps = keyaudit("blast-radius", digest, "--from", theft, "-o", "json").json["plan"]
    [last] = [step for step in steps if step["phase"] == "verify"]
    assert {tuple(shlex.split(command)[3:]) for command in last["commands"]} == {("--verify", "--since", str(theft))}
    live = keyaudit("blast-radius", "etl-runner", "--demo", "--quiet", "-o", "json").json["plan"][-1]
    assert "make one with keyaudit collect before you begin" in live["text"]
    assert not any("--since" in command for command in live["commands"])


@pytest.mark.exhaustive
def test_a_version_that_works_still_is_accepted(keyaudit: Keyaudit, contoso: Path) -> None:
    (current,) = asked_of(
        contoso, "SELECT id FROM key WHERE key_id LIKE ? AND is_current", f"https://{CROWN_VAULT}.%/keys/{CROWN_KEY}"
    )
    ran = keyaudit("blast-radius", current, "--verify", "--from", contoso)
    assert ran.code == Exit.FINDINGS
    assert "Exit 1: something still accepts it" in ran.out


@pytest.mark.parametrize(
    ("way", "step"),
    [
        (WHOLESALE, f"Rotate the signing certificate of {WHOLESALE} again"),
        *(
            pytest.param(way, step, marks=pytest.mark.exhaustive)
            for way, step in (
                ("etl-runner-test", "from etl-runner-test"),
                (SAML, f"from {SAML}"),
                (DISK, f"Move storage {DISK} to a new version of the key"),
                (VAULT, f"Disable {VAULT}/{CERTIFICATE} version"),
            )
        ),
    ],
)
def test_verify_names_the_step_that_was_left_out(keyaudit: Keyaudit, tmp_path: Path, digest: str, way: str, step: str) -> None:
    assert way in WAYS
    ran = keyaudit("blast-radius", digest, "--verify", "--from", collected(tmp_path / "snapshot", stolen((way,))))
    assert ran.code == Exit.FINDINGS
    assert "1 object still accepts it." in " ".join(ran.out.split())
    said = " ".join(ran.out.split("Still to do.")[1].split())
    assert step in said
    assert said.count("Breaks:") == 1


def test_an_unread_place_is_drawn_as_unknown_and_verifies_nothing(keyaudit: Keyaudit, blind_spots: Path) -> None:
    ran = keyaudit("blast-radius", "Partner EDI", "--from", blind_spots, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    unknown = {edge["target"]: edge["unknown"] for edge in ran.json["edges"] if not edge["certain"]}
    names = {node["name"]: unknown[node["id"]] for node in ran.json["nodes"] if node["kind"] == "unknown"}
    assert [why for name, why in names.items() if name.startswith("applications, domains")] == ["permission"]
    copies = {why for name, why in names.items() if name.startswith("copies of it in vaults")}
    assert copies == {"permission", "firewall"}
    # The members of the key's group are not shown, either.
    crown = keyaudit("blast-radius", CROWN, "--from", blind_spots)
    assert crown.code == Exit.INCOMPLETE
    assert "Unknown: the principals behind group Order Signing: the identity may not read it" in " ".join(crown.out.split())
    verified = keyaudit("blast-radius", f"spki:{'ab' * 32}", "--verify", "--from", blind_spots)
    assert verified.code == Exit.INCOMPLETE
    assert "Nothing that was read still trusts it, but" in " ".join(verified.out.split())
    dot = keyaudit("blast-radius", "Partner EDI", "--from", blind_spots, "-o", "dot")
    assert "style=dashed" in dot.out
    assert "signs tokens for? the identity may not read it (permission)" in dot.out


@pytest.mark.exhaustive
def test_a_signing_certificate_that_two_share_is_found_by_either(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("blast-radius", "Trey Research Archive", "--from", contoso, "-o", "json")
    assert ran.code == Exit.CLEAN
    first, others = edges(ran.json)
    signed = {"signs-tokens-for Trey Research Archive", "signs-tokens-for Trey Research Portal"}
    assert first == signed | {"speaks-for Trey Research Archive", ELSEWHERE}
    assert others == set()


@pytest.mark.exhaustive
def test_services_that_encrypt_with_a_key_are_found_by_its_version(keyaudit: Keyaudit, contoso: Path) -> None:
    query = "SELECT id FROM key WHERE key_id LIKE '%/keys/storage-cmk' AND is_current"
    (current,) = asked_of(contoso, query)
    whole = edges(keyaudit("blast-radius", f"{VAULT}/storage-cmk", "--verify", "--from", contoso, "-o", "json").json)[0]
    one = edges(keyaudit("blast-radius", current, "--verify", "--from", contoso, "-o", "json").json)[0]
    kept = {f"kept-in {VAULT}/storage-cmk", f"{ELSEWHERE}, or a certificate made on it elsewhere"}
    follow = {"encrypts disk-encryption-set des-contoso-vms", "encrypts storage stcontosostatements"}
    assert one == kept | follow
    # This one stays with an older version.
    assert whole == kept | follow | {"encrypts disk-encryption-set des-contoso-analytics"}


@pytest.mark.exhaustive
def test_a_name_that_several_have_is_refused_with_their_ids(keyaudit: Keyaudit, tmp_path: Path) -> None:
    whole = stolen()
    applications = (replace(one, name="etl-runner") if one.name == "etl-runner-test" else one for one in whole.applications)
    folder = collected(tmp_path / "snapshot", replace(whole, applications=tuple(applications)))
    ran = keyaudit("blast-radius", "etl-runner", "--from", folder)
    assert ran.code == Exit.USAGE
    assert "'etl-runner': names 2 things: application " in ran.err
    assert ran.err.count("application ") == 2
    asked = ran.err.split("application ")[1].split(",")[0]
    assert keyaudit("blast-radius", asked, "--from", folder, "--verify").code == Exit.FINDINGS


@pytest.mark.exhaustive
def test_what_a_filter_left_out_is_not_verified(keyaudit: Keyaudit, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    keyaudit("collect", "--demo", "--vault", "kv-orders-prod", "--out", folder, "--quiet")
    ran = keyaudit("blast-radius", f"spki:{'ab' * 32}", "--verify", "--from", folder, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    assert "excluded_by_config" in {edge["unknown"] for edge in ran.json["edges"]}


@pytest.mark.exhaustive
def test_a_domain_speaks_for_its_users(keyaudit: Keyaudit, contoso: Path) -> None:
    query = "SELECT thumbprint FROM signing_certificate WHERE holder_name = ? AND is_next"
    (thumbprint,) = asked_of(contoso, query, OUTLET)
    ran = keyaudit("blast-radius", thumbprint, "--from", contoso, "-o", "json")
    first, others = edges(ran.json)
    assert first == {f"signs-tokens-for {OUTLET}", ELSEWHERE}
    assert others == {f"{OUTLET} speaks-for every user of {OUTLET}"}


def test_an_access_policy_through_an_application_is_removed_with_its_application() -> None:
    """Without it the command is about the principal's other entry."""
    vault = "/subscriptions/1/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-orders"
    way = Way(
        id=f"{vault}/accesspolicies/1",
        kind="access-policy",
        role=None,
        custom=None,
        scope=vault,
        scope_kind="vault",
        scope_name="kv-orders",
        allows=["sign"],
        application_id="5b8c1a0e-0000-4000-8000-000000000002",
    )
    used = Edge(source="version", target="mei", relation=Relation.USED_BY, way=way)
    assert list(taken_away("kv-orders", used)) == [
        "az keyvault delete-policy --name kv-orders --object-id mei --application-id 5b8c1a0e-0000-4000-8000-000000000002"
    ]
