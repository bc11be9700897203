"""Fixes of findings over the simulated tenant."""

from tests.cli.conftest import Reported


def test_a_credential_is_removed_from_its_holder_and_as_what_it_is(contoso_report: Reported) -> None:
    """The Azure CLI finds a certificate only with --cert, and one of a service principal only on that."""
    wrong, kinds = [], set()
    for finding in contoso_report.findings("fail"):
        command = (finding["fix"] or {}).get("cli", "")
        if " credential delete " not in command:
            continue
        on_principal = finding["row"]["holder_kind"] == "service_principal"
        certificate = finding["row"]["kind"] == "certificate"
        kinds.add((on_principal, certificate))
        expected = f"az ad {'sp' if on_principal else 'app'} credential delete "
        if not command.startswith(expected) or command.endswith(" --cert") is not certificate:
            wrong.append((finding["policy"], command))
    assert wrong == []
    assert len(kinds) == 4


def test_a_federated_credential_is_deleted_from_a_managed_identity_as_such(contoso_report: Reported) -> None:
    """Azure CLI finds no application of that id."""
    commands: dict[bool, set[str]] = {True: set(), False: set()}
    for finding in contoso_report.findings("fail"):
        if finding["policy"] in ("fed-fic-unknown-issuer", "fed-fic-dangling"):
            row = finding["row"]
            managed = row["holder_kind"] == "managed_identity" or row["holder_type"] == "ManagedIdentity"
            commands[managed].add(finding["fix"]["cli"].partition(" delete ")[0])
    assert commands == {True: {"az identity federated-credential"}, False: {"az ad app federated-credential"}}
