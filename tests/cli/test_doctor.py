"""`keyaudit doctor` and `keyaudit permissions`: each gap, the affected policies and the fix, and the least rights."""

import json
import re
import stat
import sys
from pathlib import Path

from keyaudit.cli.settings.policy_selection import needed_by
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.coverage import State
from keyaudit.model.errors import Exit
from keyaudit.model.evidence import BY_RIGHT, ENVIRONMENTS
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import OPTIONAL
from keyaudit.policy.load import load
from keyaudit.questions.permissions import FORMATS
from keyaudit.questions.permissions.needs import needed
from tests.cli.conftest import Keyaudit
from tests.estates import snapshot


def test_a_tenant_that_can_be_read_whole_is_healthy(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("doctor", "--from", contoso)
    assert ran.code == Exit.CLEAN
    every = load()
    # Vaults have a tag that names their environment, and no right is missing.
    count = sum(set(policy.text.needs) <= {ENVIRONMENTS, *BY_RIGHT} for policy in every)
    assert f"{count} of {count} policies can be evaluated in full." in ran.out
    lacking = len(every) - count
    assert f"{lacking} policies not evaluated, which is never a pass" in ran.out
    assert ran.out.splitlines()[1].endswith(f"{len(every)} policies selected")
    assert "[partly]" not in ran.out
    assert "SIMULATED TENANT" in ran.out
    for name in (
        "identity",
        "tenant",
        "clock",
        "network",
        "versions",
        "vaults and keys",
        "applications and service principals",
    ):
        assert any(line.startswith("[ok]") and name in line for line in ran.out.splitlines()), name


def test_each_blind_spot_is_named_with_what_it_blinds_and_the_remedy(keyaudit: Keyaudit, blind_spots: Path) -> None:
    ran = keyaudit("doctor", "--from", blind_spots, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    policies = {policy.text.id: policy.operations for policy in load() if set(policy.text.needs) <= {ENVIRONMENTS, *BY_RIGHT}}
    missed = {
        (record.scope.name, record.operation)
        for record in open_snapshot(blind_spots).coverage
        if record.state is not State.ASSESSED and record.reason not in OPTIONAL
    }
    gaps = [gap for surface in ran.json["surfaces"] for gap in surface["gaps"]]
    # Every permission that the blind tenant lacks is among those that are asked for.
    asked = {(right["kind"], right["name"]) for right in keyaudit("permissions", "--as", "json").json["rights"]}
    lost = {OPERATIONS[operation].right for gap in gaps for operation in gap["operations"]}
    assert {(right.rights.value, right.data_action or right.name) for right in lost} <= asked
    named = {(gap["scope"]["name"], operation) for gap in gaps for operation in gap["operations"]}
    # Control-plane reads stand in for others, and no table rests on them alone.
    assert {each for each in missed if not each[1].startswith("arm.")} <= named
    for gap in gaps:
        assert gap["remedy"]
        lost = set(gap["operations"])
        assert gap["blinds"] == sorted(policy for policy, operations in policies.items() if operations & lost)
    assert {each["policy"] for each in ran.json["not_judged"]} == {policy.text.id for policy in load()} - set(policies)
    blind = {policy["id"] for policy in ran.json["policies"] if policy["blind_in"]}
    assert blind == {policy for gap in gaps for policy in gap["blinds"]}
    assert blind
    text = " ".join(keyaudit("doctor", "--from", blind_spots).out.split())
    for words in (
        *("kv-payments-prod", "kv-hr-prod", "kv-stores-dev", "kv-orders-prod"),
        "firewall: the vault's firewall refuses this address",
        "affects: kv-key-expiring-soon, kv-key-no-auto-rotation, kv-key-no-expiry, ",
        "kv-key-own-rotation-overdue and kv-near-expiry-unheard",
        "az role assignment create --role 'Key Vault Reader' --scope",
        "grant Key Vault Reader on the vault (or, under access policies, keys list; certificates list; secrets list)",
        "grant Application.Read.All on Microsoft Graph",
        # That Azure roles do not open an HSM is the usual case, and the remedy is not one of them.
        "grant local role Managed HSM Crypto Auditor on the HSM",
        "az keyvault role assignment create --hsm-name hsm-contoso-trust",
        "affects: app-no-owner, app-owner-guest-or-disabled and app-privileged-with-user-owner",
    ):
        assert words in text


def test_it_evaluates_the_policies_that_a_report_evaluates(keyaudit: Keyaudit) -> None:
    # Without vaults, no tag names an environment.
    vaultless = snapshot("sized:1x2x1x3", "--source", "applications")
    few = ("--from", vaultless, "--select", "scope-*", "-o", "json")
    examined, reported = (keyaudit(command, *few).json["not_judged"] for command in ("doctor", "report"))
    # Only an evaluation shows which policies have no row that can be decided.
    assert examined == [each for each in reported if each["needs"] != ["left-out"]] != []


def test_only_what_the_selected_policies_rest_on_counts(keyaudit: Keyaudit, blind_spots: Path) -> None:
    ran = keyaudit("doctor", "--from", blind_spots, "--select", "app-credential-never-expires", "-o", "json")
    assert ran.code == Exit.CLEAN
    assert "vaults and keys" not in [surface["name"] for surface in ran.json["surfaces"]]
    assert [policy["id"] for policy in ran.json["policies"]] == ["app-credential-never-expires"]


def test_without_a_choice_the_rights_are_for_everything(keyaudit: Keyaudit) -> None:
    ran = keyaudit("permissions", "--as", "json")
    assert ran.code == Exit.CLEAN
    read = {operation for right in ran.json["rights"] for operation in right["operations"]}
    assert read == {operation.id for operation in OPERATIONS.values() if operation.right.rights != "none"}
    assert "everything that it collects" in " ".join(keyaudit("permissions").out.split())


def test_the_list_of_rights_fits_a_screen_and_says_in_full_what_each_is_for(keyaudit: Keyaudit) -> None:
    short, full = keyaudit("permissions").out.splitlines(), keyaudit("permissions", "--full").out.splitlines()
    rights = [line for line in full if line.startswith("  ") and not line.startswith("    ")]
    assert set(rights) <= set(short)
    assert len(short) < 50
    assert sum(line.startswith("    for: ") for line in full) == sum(line.startswith("    reads: ") for line in full) > 25
    refused = keyaudit("permissions", "--full", "--as", "json")
    assert (refused.code, refused.out) == (Exit.USAGE, "")


def test_the_rights_of_a_policy_are_those_of_what_it_reads_and_no_more(keyaudit: Keyaudit) -> None:
    by_policy = {}
    for policy in load():
        found = needed(needed_by([policy]), needed_by([policy]), version="0", policies=1)
        by_policy[policy.text.id] = rights = json.loads(FORMATS["json"](found))["rights"]
        read = {operation for right in rights for operation in right["operations"]}
        assert read == {operation for operation in policy.operations if OPERATIONS[operation].right.rights != "none"}
        assert {right["name"] for right in rights} == {_name(operation) for operation in read}, policy.text.id
        assert all(right["policies"] == [policy.text.id] for right in rights)
    # The command is about the policies that are selected.
    selected = keyaudit("permissions", "--select", "kv-key-exportable", "--as", "json").json["rights"]
    assert selected == by_policy["kv-key-exportable"]


def _name(operation: str) -> str:
    right = OPERATIONS[operation].right
    return right.data_action or right.name


def test_shapes_of_answers_are_shown_and_then_written_without_anything_of_the_tenant(
    keyaudit: Keyaudit, tmp_path: Path
) -> None:
    file = tmp_path / "shapes.json"
    ran = keyaudit("doctor", "--demo", "--estate", "sized:2x3", "--shapes", file, "-o", "json")
    assert ran.code == Exit.CLEAN
    assert ran.json["surfaces"]
    before, _, after = ran.err.partition(f"{file}: written")
    assert after == "\n"
    screen = before.splitlines()[1:]
    assert len(screen) <= 24
    assert all(len(line) <= 80 for line in screen[1:])
    assert f"{file} will hold the shapes of" in before
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    document = json.loads(file.read_text(encoding="utf-8"))
    assert (document["schema"], document["simulated"]) == ("keyaudit-shapes/1", True)
    assert document["operations"]["key.list"]["statuses"] == {"200": 2}
    assert "kv-" not in file.read_text(encoding="utf-8")
    # Another key of hashes: nothing is kept that would tell what they stand for.
    keyaudit("doctor", "--demo", "--estate", "sized:1x1", "--shapes", tmp_path / "again.json")
    hashes = [set(re.findall("hash:[0-9a-f]+", path.read_text(encoding="utf-8"))) for path in (file, tmp_path / "again.json")]
    assert all(hashes)
    assert hashes[0].isdisjoint(hashes[1])


def test_the_file_of_shapes_is_never_overwritten_and_never_follows_a_link(keyaudit: Keyaudit, tmp_path: Path) -> None:
    there, link = tmp_path / "there.json", tmp_path / "link.json"
    there.write_text("as it was")
    link.symlink_to(tmp_path / "elsewhere.json")
    for path, words in ((there, "already exists, and is not overwritten"), (link, "is a link"), (tmp_path, "is a folder")):
        ran = keyaudit("doctor", "--demo", "--estate", "sized:1x1", "--shapes", path)
        assert ran.code == Exit.USAGE
        assert words in ran.err
        assert "reading tenant" not in ran.err
    assert there.read_text() == "as it was"
    assert not (tmp_path / "elsewhere.json").exists()


def test_a_snapshot_has_no_shapes(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    ran = keyaudit("doctor", "--from", contoso, "--shapes", tmp_path / "shapes.json")
    assert ran.code == Exit.USAGE
    assert "a snapshot contains rows, not Azure's responses" in ran.err
    assert list(tmp_path.iterdir()) == []
