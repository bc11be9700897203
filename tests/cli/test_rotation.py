"""`keyaudit rotation`: the same answer in every format, its exit codes, and names that do nothing in a terminal or a shell."""

import shlex
from pathlib import Path

import pytest
from msgspec.structs import replace

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit
from tests.cli.stolen import asked_of, collected, stolen
from tests.cli.test_blast_radius_hostile import HOSTILE

OUTPUTS = ("text", "json", "markdown", "html")


def test_a_consumer_on_the_old_version_is_named_in_every_format(keyaudit: Keyaudit, contoso: Path) -> None:
    # A disk encryption set was never moved from the version that was disabled; a storage account names the new one.
    ran = {output: keyaudit("rotation", "kv-data-prod/storage-cmk", "--from", contoso, "-o", output) for output in OUTPUTS}
    for output, each in ran.items():
        assert each.code == Exit.FINDINGS, each.err
        assert "des-contoso-analytics" in each.out.replace("&#45;", "-"), output
    found = ran["json"].json
    assert {each["name"]: each["state"] for each in found["consumers"]} == {
        "des-contoso-analytics": "not-moved",
        "des-contoso-vms": "unknown",
        "stcontosostatements": "moved",
    }
    assert found["moved"] == {"of": 3, "not-moved": 1, "will-move": 0, "unknown": 1, "moved": 1}
    assert [each["exit"] for each in found["verdict"]["conditions"]] == [Exit.FINDINGS, Exit.INCOMPLETE]
    # Data is wrapped with it, and the old version is disabled: it is enabled first, and never disabled.
    commands = [command for step in found["plan"] for command in step["commands"]]
    [enabled] = [command for command in commands if "--enabled" in command]
    assert commands[0] == enabled
    assert enabled.endswith(" --enabled true")
    assert "not moved: disk encryption set des-contoso-analytics" in ran["text"].out
    assert "Exit 1: somebody uses the old version, or moves later" in ran["text"].out


def test_without_the_logs_of_its_vault_it_is_incomplete(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("rotation", "kv-data-prod/lakehouse-cmk", "--from", contoso, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    assert ran.json["logs"] == [{"log": "AZKVAuditLogs", "complete": None, "enough": False}]
    assert {each["name"]: each["state"] for each in ran.json["consumers"]} == {
        "evh-contoso-telemetry": "unknown",
        "stcontosolake": "moved",
    }


def test_before_a_rotation_it_is_a_rehearsal(keyaudit: Keyaudit, contoso: Path) -> None:
    # Its setting names no version, so it follows the rotation.
    ran = keyaudit("rotation", "kv-payments-prod/merchant-archive", "--from", contoso, "-o", "json")
    found = ran.json
    assert (ran.code, found["begun"], found["moved"]) == (Exit.INCOMPLETE, False, None)
    assert [(each["name"], each["follows"], each["state"]) for each in found["consumers"]] == [
        ("stcontosodisputes", "by-itself", None)
    ]
    assert found["plan"][0]["commands"] == ["az keyvault key rotate --vault-name kv-payments-prod --name merchant-archive"]
    assert not [command for step in found["plan"] for command in step["commands"] if "--enabled false" in command]


def test_an_application_without_credentials_has_nothing_to_rotate(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("rotation", "github-data-jobs", "--from", contoso)
    assert ran.code == Exit.CLEAN
    assert "there is nothing to rotate" in " ".join(ran.out.split())
    assert " az " not in ran.out


def test_a_name_that_nothing_has_is_refused_with_the_nearest(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("rotation", "kv-data-prod/storage-cmkk", "--from", contoso)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "did you mean kv-data-prod/storage-cmk" in ran.err


@pytest.mark.exhaustive
def test_a_hostile_name_does_nothing_in_any_format(keyaudit: Keyaudit, tmp_path: Path) -> None:
    whole = stolen()
    applications = tuple(replace(one, name=HOSTILE) if one.name == "etl-runner" else one for one in whole.applications)
    snapshot = collected(tmp_path / "snapshot", replace(whole, applications=applications))
    (digest,) = asked_of(snapshot, "SELECT thumbprint FROM credential WHERE holder_name = 'etl-runner-test'")
    for asked, outputs in ((digest, OUTPUTS), (HOSTILE, ("text",))):
        for output in outputs:
            ran = keyaudit("rotation", asked, "--from", snapshot, "-o", output)
            assert ran.code in (Exit.CLEAN, Exit.FINDINGS, Exit.INCOMPLETE), ran.err
            for bad in ("\x1b", "\N{RIGHT-TO-LEFT OVERRIDE}", "##[error]", *(["::set"] if output != "json" else [])):
                assert bad not in ran.out, output
            if output == "json":
                assert HOSTILE in {each["name"] for each in ran.json["consumers"]}
                commands = [command for step in ran.json["plan"] for command in step["commands"]]
                assert commands
                for command in commands:
                    words = shlex.split(command)
                    assert words[0] in ("az", "keyaudit")
                    assert not {"rm", "-rf", "~"}.intersection(words)
            if output == "markdown":
                assert "<script" not in ran.out.lower()


def test_a_finding_is_taken_in_place_of_what_it_is_about(keyaudit: Keyaudit, contoso: Path) -> None:
    found = keyaudit("report", "--from", contoso, "-o", "json", "--select", "use-secret-old-version").json["findings"]
    [finding] = [each for each in found if "apim-contoso" in each["resource"]]
    ran = keyaudit("rotation", finding["id"][:8], "--from", contoso, "-o", "json")
    assert ran.json["subject"]["id"] == "https://kv-platform-edge.vault.azure.net/certificates/api-gateway-tls"
    assert [(each["name"], each["state"]) for each in ran.json["consumers"]] == [("apim-contoso", "not-moved")]


def test_since_a_snapshot_of_the_same_tenant_nobody_has_moved(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("rotation", "kv-data-prod/storage-cmk", "--from", contoso, "--since", contoso)
    assert ran.code == Exit.FINDINGS
    assert "No consumer has moved." in ran.out
    refused = keyaudit("rotation", "kv-data-prod/storage-cmk", "--from", contoso, "--since", contoso / "nothing")
    assert (refused.code, refused.out) == (Exit.USAGE, "")


def test_each_service_of_a_certificate_is_named_with_the_version_that_it_uses(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("rotation", "kv-platform-edge/wildcard-contoso-example", "--from", contoso, "-o", "json")
    [gateway] = [each for each in ran.json["consumers"] if each["kind"] == "service"]
    assert (gateway["name"], gateway["state"], gateway["evidence"]) == ("agw-contoso-edge", "moved", "service")
    secret = keyaudit("rotation", "kv-payments-prod/acquirer-sftp-password", "--from", contoso, "-o", "json")
    assert {each["name"]: each["state"] for each in secret.json["consumers"]} == {
        "app-contoso-shop/ACQUIRER_PASSWORD": "not-moved",
        "app-contoso-shop/ACQUIRER_PASSWORD_NEXT": "moved",
    }
    assert secret.code == Exit.FINDINGS
