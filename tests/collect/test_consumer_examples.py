"""Each kind of consumer is read from the example in its service's documentation, in tests/recorded/consumers.

What a service has masked in its example, such as a thumbprint, is unknown, and so is what the example leaves out of an answer
that always has it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.collect.services.settings import NamingSetting, settings
from keyaudit.model.consumers import DECLARED, NOUNS
from keyaudit.model.coverage import Refusal

FOLDER = Path(__file__).parent.parent / "recorded" / "consumers"
ML, VM = "aabbccddee112233445566778899aabb", "abcdef1234578900abcdef1234567890"
SHA1, MYSQL = "ABCDEF1234567890ABCDEF1234567890ABCDEF12", "c8a92236622244c0a4fdb892666f671a"

Found = tuple[str, str | None, bool, str, str | None]
"""Its address without a version, the version in the setting, whether it is pinned, what proves the version in use, and whether
the service reads it."""
NOTHING, CONFIGURED, UNREADABLE = "nothing", "its setting", "unreadable"

FOUND: Mapping[str, Sequence[Sequence[Found]]] = {
    # kind: for each example, what it names
    "api-management": [[("samir-msi-keyvault.vault.azure.net/msicertificate", None, False, UNREADABLE, None)]],
    "api-management-certificate": [
        [],
        [("rpbvtkeyvaultintegration.vault-int.azure-int.net/msitestingcert", None, False, UNREADABLE, "Success")],
    ],
    "api-management-value": [[], [("contoso.vault.azure.net/aadsecret", None, False, NOTHING, "Success")]],
    "app-service": [[("keyvaultname.vault.azure.net/secretname", "secretversion", True, CONFIGURED, UNREADABLE)]],
    "application-gateway": [[]],
    "app-service-certificate": [[]],
    "automation": [[]],
    "batch": [[]],
    "cdn-domain": [[("kv.vault.azure.net/secret1", "00000000-0000-0000-0000-000000000000", True, CONFIGURED, None)], []],
    "container-apps-certificate": [[("xxxxxxxx.vault.azure.net/certname", None, False, UNREADABLE, None)], []],
    "container-apps-job": [[]],
    "data-explorer": [[("dummy.keyvault.com/keyname", "keyversion", True, CONFIGURED, None)], []],
    "data-factory": [[]],
    "databricks": [[("test-vault-name.vault.azure.net/test-cmk-key", "0" * 32, False, NOTHING, None)], []],
    "encrypted-disk": [[("kevaultname.vault.azure.net/kek", None, False, NOTHING, None)]],
    "encryption-scope": [[("testvault.vault.core.windows.net/key1", "863425f1358359c", True, CONFIGURED, None)], []],
    "front-door": [[("keyvaultname.vault.azure.net/certificatename", VM, False, SHA1, None)], []],
    "machine-certificate": [[]],
    "machine-extension": [
        [
            ("examplekv.vault.azure.net/mycertificate1", None, False, NOTHING, None),
            ("examplekv.vault.azure.net/mycertificate2", None, False, NOTHING, None),
        ]
    ],
    "machine-learning": [[("testkv.vault.azure.net/testkey", ML, True, CONFIGURED, None)]],
    "mysql": [
        [
            ("test.vault.azure.net/key", MYSQL, True, CONFIGURED, None),
            ("test-geo.vault.azure.net/key", MYSQL, True, CONFIGURED, None),
        ]
    ],
    "netapp": [[]],
    "postgresql": [[("exampleprimarykeyvault.vault.azure.net/examplekey", "x" * 32, True, CONFIGURED, "Valid")], []],
    "recovery-services": [[("cmk2xkv.vault.azure.net/key1", "0767b348bb1a4c07baa6c4ec0055d2b3", True, CONFIGURED, None)]],
    "synapse": [[("vault.azure.net/key1", None, False, NOTHING, None)], []],
}
NAMES_NOTHING = {
    "application-gateway": "its certificate was uploaded",
    "app-service-certificate": "its certificate was uploaded",
    "automation": "it has Microsoft's keys",
    "batch": "it has Microsoft's keys",
    "container-apps-job": "it has no secrets",
    "data-factory": "it has Microsoft's keys",
    "machine-certificate": "it has no secrets",
    "netapp": "it has Microsoft's keys",
}
"""The examples that show only that nothing is found, because no other one can be read. The members of these kinds rest on the
page that their declaration cites."""
WITHOUT_EXAMPLE = {
    "container-app": "the page shows the address as <KEY-VAULT-SECRET-URI>",
    "encrypted-machine": "the example of a virtual machine has no encryption settings, which are as those of a disk",
    "firewall-policy": "the example has https://kv/secret, which is not the address of a secret",
    "sql-database": "no example has a protector of its own",
}
"""Kinds without a usable example; their members rest on the page that their declaration cites."""


def examples() -> Iterator[tuple[str, int, Any]]:
    for path in sorted(FOLDER.glob("*.json")):
        file = json.loads(path.read_text())
        yield from ((file["kind"], number, each) for number, each in enumerate(file["examples"]))


def shown(setting: NamingSetting, *, exact: bool) -> Found:
    assert not isinstance(setting.of, Refusal)
    assert isinstance(setting.pinned, bool)
    used = setting.version_in_use or setting.thumbprint_in_use
    proof = CONFIGURED if setting.pinned or (exact and setting.of.version) else NOTHING
    status = UNREADABLE if isinstance(setting.status, Refusal) else setting.status
    return (
        f"{setting.of.host}/{setting.of.name}",
        setting.of.version,
        setting.pinned,
        UNREADABLE if isinstance(used, Refusal) else used or proof,
        status,
    )


@pytest.mark.parametrize(("kind", "number", "example"), [pytest.param(*each, id=f"{each[0]}-{each[1]}") for each in examples()])
def test_an_example_is_read_as_its_kind_is_declared(kind: str, number: int, example: Mapping[str, Any]) -> None:
    raw = msgspec.Raw(msgspec.json.encode(example["properties"]))
    # App Service declares the same settings for apps and for slots.
    declared = {(each.at, each.url): each for each in DECLARED if each.kind == kind}
    found = [
        shown(setting, exact=each.exact)
        for each in declared.values()
        for setting in settings(each, raw, each.at, ENVIRONMENTS["public"])
    ]
    assert found == FOUND[kind][number]


def test_each_kind_has_an_example_or_it_is_said_why_not() -> None:
    declared = {each.kind for each in DECLARED}
    assert declared == FOUND.keys() | WITHOUT_EXAMPLE.keys()
    assert not FOUND.keys() & WITHOUT_EXAMPLE.keys()
    assert NAMES_NOTHING.keys() == {kind for kind, found in FOUND.items() if not any(found)}
    assert declared <= NOUNS.keys()
    kept = [(kind, number) for kind, number, _ in examples()]
    assert sorted(kept) == [(kind, number) for kind in sorted(FOUND) for number in range(len(FOUND[kind]))]


def test_each_example_names_its_source_and_licence() -> None:
    for kind, _, example in examples():
        assert example["source"].startswith(("https://github.com/Azure/", "https://learn.microsoft.com/")), kind
        assert example["licence"] in ("MIT", "CC-BY-4.0"), kind
