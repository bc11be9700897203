"""Fixes of findings over the simulated tenant."""

from pathlib import Path

from tests.cli.conftest import Keyaudit


def test_a_credential_is_removed_from_its_holder_and_as_what_it_is(keyaudit: Keyaudit, contoso: Path) -> None:
    """The Azure CLI finds a certificate only with --cert, and one of a service principal only on that."""
    wrong, kinds = [], set()
    for finding in keyaudit("report", "--from", str(contoso), "-o", "json").json["findings"]:
        command = (finding["fix"] or {}).get("cli", "")
        if finding["outcome"] != "fail" or " credential delete " not in command:
            continue
        on_principal = finding["row"]["holder_kind"] == "service_principal"
        certificate = finding["row"]["kind"] == "certificate"
        kinds.add((on_principal, certificate))
        expected = f"az ad {'sp' if on_principal else 'app'} credential delete "
        if not command.startswith(expected) or command.endswith(" --cert") is not certificate:
            wrong.append((finding["policy"], command))
    assert wrong == []
    assert len(kinds) == 4


def test_a_federated_credential_is_deleted_from_a_managed_identity_as_such(keyaudit: Keyaudit, contoso: Path) -> None:
    """Azure CLI finds no application of that id."""
    found = keyaudit("report", "--from", str(contoso), "-o", "json").json["findings"]
    deleted = {
        finding["row"]["holder_type"]: finding["fix"]["cli"].partition(" delete ")[0]
        for finding in found
        if finding["policy"] in ("fed-fic-unknown-issuer", "fed-fic-dangling") and finding["outcome"] == "fail"
    }
    assert deleted["ManagedIdentity"] == "az identity federated-credential"
