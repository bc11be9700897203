"""Guardrails have the policies' limits, are what the services take, and once they are in force the tenant passes."""

import asyncio
import functools
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.guardrails import GUARDRAILS
from keyaudit.model.values.times import DAY
from keyaudit.policy.evaluation.binding import bind
from keyaudit.policy.load import Policy, load
from keyaudit.questions.guardrails.built_ins import NEAR
from keyaudit.simulator.estate import AlertRule, Estate, Posture, Restriction, Restrictions
from tests.cli.conftest import Keyaudit, Ran
from tests.collect.estate import ESTATE, SUBSCRIPTION
from tests.collect.rig import take

KINDS = ("azure-policy", "app-management-policy", "alerts")
PROFILES = ("default", "strict", "scuba", "cis-m365-7")
"""Those that set a limit which a guardrail has."""

Values = Mapping[str, Any]

LIMITS: dict[str, tuple[str, str, Callable[[Values], object]]] = {
    "kv-cert-expiring-soon": ("f772fb64", "daysToExpire", lambda values: values["warn"] // DAY),
    "kv-cert-validity-too-long": ("0a075868", "maximumValidityInMonths", lambda values: values["max_months"]["otherwise"]),
    "kv-key-expiring-soon": ("5ff38825", "minimumDaysBeforeExpiration", lambda values: values["warn"] // DAY),
    "kv-key-no-auto-rotation": ("d8cf8476", "maximumDaysToRotate", lambda values: values["max_rotate_after"] // DAY),
    "kv-key-rotation-overdue": ("c26e4b24", "maximumValidityInDays", lambda values: values["max_age"]["otherwise"] // DAY),
    "kv-secret-stale": ("e8d99835", "maximumValidityInDays", lambda values: values["max_age"] // DAY),
    "use-weak-certificate": ("cee51871", "minimumRSAKeySize", lambda values: values["min_rsa"]),
    "use-weak-parameters": ("82067dbb", "minimumRSAKeySize", lambda values: values["min_rsa"]),
}
"""By policy: the definition that has its limit, as which parameter, and how that is counted."""


@functools.cache
def policies() -> dict[str, Policy]:
    """The shipped policies, by id."""
    return {policy.text.id: policy for policy in load()}


def values(profile: str) -> dict[str, Values]:
    """What holds of each policy's parameters under a profile."""
    return {bound.policy.text.id: bound.values for bound in bind(list(policies().values()), profile, {})}


IN_FORCE: dict[str, Any] = {
    "@odata.context": "https://graph.microsoft.com/beta/$metadata#policies/defaultAppManagementPolicy/$entity",
    "id": "00000000-0000-0000-0000-000000000000",
    "displayName": "Default app management tenant policy",
    "isEnabled": True,
    "applicationRestrictions": {
        "audiences": None,
        "identifierUris": {
            "nonDefaultUriAddition": None,
            "uriAdditionWithoutUniqueTenantIdentifier": {
                "state": "enabled",
                "isStateSetByMicrosoft": True,
                "restrictForAppsCreatedAfterDateTime": None,
                "excludeAppsReceivingV2Tokens": True,
                "excludeSaml": True,
                "excludeActors": {"customSecurityAttributes@odata.context": "x", "customSecurityAttributes": []},
            },
        },
        "passwordCredentials@odata.context": "x",
        "passwordCredentials": [
            {"restrictionType": "symmetricKeyAddition", "state": "enabled", "maxLifetime": None},
            {
                "restrictionType": "passwordLifetime",
                "state": "enabled",
                "maxLifetime": "P30D",
                "restrictForAppsCreatedAfterDateTime": "2024-01-01T00:00:00Z",
                "excludeActors": {"customSecurityAttributes": [{"id": "Agents_Tier", "operator": "equals", "value": "b"}]},
            },
        ],
        "keyCredentials": [
            {"restrictionType": "asymmetricKeyLifetime", "state": "disabled", "maxLifetime": "P30D"},
            {
                "restrictionType": "trustedCertificateAuthority",
                "state": "enabled",
                "certificateBasedApplicationConfigurationIds": ["eec5ba11-2fc0-4113-83a2-ed986ed13743"],
            },
        ],
    },
    "servicePrincipalRestrictions": {"passwordCredentials": [], "keyCredentials": []},
}
"""A policy in force, with members as Graph shows them.

https://github.com/microsoft/entra-apps-identifier-uri-protection/blob/main/enable-protection-using-graph.md
https://learn.microsoft.com/graph/api/resources/identifierurirestriction, and keycredentialconfiguration
"""


def saved(folder: Path, policy: object) -> Path:
    """The file with the policy in force."""
    file = folder / "current.json"
    file.write_text(json.dumps(policy))
    return file


def references(ran: Ran) -> dict[str, dict[str, Any]]:
    """The definitions of an initiative by their reference, each with its parameters."""
    found = ran.json["properties"]["policyDefinitions"]
    return {
        each["policyDefinitionReferenceId"]: {name: given["value"] for name, given in each["parameters"].items()}
        for each in found
    }


def unprevented(ran: Ran) -> set[str]:
    """The policies that a document is said to do nothing for."""
    _, _, listed = ran.err.partition("It covers none of")
    return {word.strip(",") for word in listed.split()} & policies().keys()


def test_the_file_to_deploy_is_quoted_for_both_shells(keyaudit: Keyaudit, tmp_path: Path) -> None:
    file = tmp_path / "our limits.json"
    ran = keyaudit("guardrails", "--as", "app-management-policy", "--from", saved(tmp_path, IN_FORCE), "--out", str(file))
    assert f"--body '@{file}' --url" in ran.err
    assert "--body '@FILE' --url" in keyaudit("guardrails", "--as", "azure-policy").err


@pytest.mark.parametrize("profile", PROFILES)
def test_definitions_have_the_limits_of_the_profile(keyaudit: Keyaudit, profile: str) -> None:
    found = references(keyaudit("guardrails", "--as", "azure-policy", "--profile", profile))
    in_force = values(profile)
    for policy, (definition, parameter, counted) in LIMITS.items():
        assert found[f"{policy}-{definition}"][parameter] == counted(in_force[policy]), policy
    assert found["use-weak-parameters-ff25f3c8"]["allowedECNames"] == list(in_force["use-weak-parameters"]["curves"])


@pytest.mark.parametrize("profile", PROFILES)
def test_the_app_management_policy_has_the_limits_of_the_profile(keyaudit: Keyaudit, profile: str) -> None:
    document = keyaudit("guardrails", "--as", "app-management-policy", "--profile", profile).json
    in_force = values(profile)
    life = {
        "passwordLifetime": in_force["app-secret-too-long"]["max_life"],
        "asymmetricKeyLifetime": in_force["app-cert-too-long"]["max_life"],
    }
    for part in ("applicationRestrictions", "servicePrincipalRestrictions"):
        restrictions = [*document[part]["passwordCredentials"], *document[part]["keyCredentials"]]
        by_type = {each["restrictionType"]: each for each in restrictions}
        assert len(by_type) == len(restrictions)
        # What is added has to live less than that.
        expected = {name: f"P{limit // DAY + 1}D" for name, limit in life.items()}
        assert {name: each["maxLifetime"] for name, each in by_type.items() if each["maxLifetime"]} == expected
        assert ("passwordAddition" in by_type) == (profile in ("scuba", "cis-m365-7"))
        assert {(each["state"], each["restrictForAppsCreatedAfterDateTime"]) for each in restrictions} == {("enabled", None)}
    assert document["isEnabled"]


def test_the_document_starts_from_the_policy_in_force_and_loosens_nothing(keyaudit: Keyaudit, tmp_path: Path) -> None:
    ran = keyaudit("guardrails", "--as", "app-management-policy", "--from", saved(tmp_path, IN_FORCE))
    found, before = ran.json["applicationRestrictions"], IN_FORCE["applicationRestrictions"]
    assert ran.json.keys() == {"isEnabled", "applicationRestrictions", "servicePrincipalRestrictions"}
    assert found.keys() == {"passwordCredentials", "keyCredentials", "identifierUris"}
    kept, shorter, added = found["passwordCredentials"]
    assert (kept, added["restrictionType"]) == (before["passwordCredentials"][0], "customPasswordAddition")
    # Shorter than the limit of the policies, and from now on for applications of every age.
    assert shorter == {**before["passwordCredentials"][1], "restrictForAppsCreatedAfterDateTime": None}
    # A restriction that was off has no limit to keep.
    certificates, authority = found["keyCredentials"]
    assert (certificates["state"], certificates["maxLifetime"]) == ("enabled", "P367D")
    assert authority == before["keyCredentials"][1]
    by_microsoft = before["identifierUris"]["uriAdditionWithoutUniqueTenantIdentifier"]
    expected = {**by_microsoft, "excludeActors": {"customSecurityAttributes": []}}
    assert found["identifierUris"] == {"nonDefaultUriAddition": None, "uriAdditionWithoutUniqueTenantIdentifier": expected}


def test_restrictions_of_audiences_stay(keyaudit: Keyaudit, tmp_path: Path) -> None:
    audiences = {"personalMicrosoftAccount": {"state": "enabled"}}
    policy = {**IN_FORCE, "applicationRestrictions": {**IN_FORCE["applicationRestrictions"], "audiences": audiences}}
    ran = keyaudit("guardrails", "--as", "app-management-policy", "--from", saved(tmp_path, policy))
    assert ran.json["applicationRestrictions"]["audiences"] == audiences


def test_a_policy_that_is_off_puts_more_in_force_when_it_is_turned_on(keyaudit: Keyaudit, tmp_path: Path) -> None:
    arguments = ("guardrails", "--as", "app-management-policy", "--from")
    told = " ".join(keyaudit(*arguments, saved(tmp_path, {**IN_FORCE, "isEnabled": False})).err.split())
    assert "enables it, and these restrictions, which it contains: symmetricKeyAddition, trustedCertificateAuth" in told
    assert "enables it" not in keyaudit(*arguments, saved(tmp_path, IN_FORCE)).err


def test_without_the_policy_in_force_nothing_is_sent(keyaudit: Keyaudit) -> None:
    err = keyaudit("guardrails", "--as", "app-management-policy").err
    assert "Do not send this document" in err
    assert "PATCH" not in err
    assert "keyaudit policies guardrails --as app-management-policy --from current.json" in err


@pytest.mark.parametrize(
    "policy",
    [
        [],
        {"value": []},
        {**IN_FORCE, "isEnabled": None},
        {**IN_FORCE, "applicationRestrictions": []},
        {**IN_FORCE, "servicePrincipalRestrictions": {"passwordCredentials": [{"state": "enabled"}]}},
        {**IN_FORCE, "servicePrincipalRestrictions": {"passwordCredentials": ["\x1b[31m"]}},
    ],
)
def test_what_is_no_policy_in_force_is_refused(keyaudit: Keyaudit, tmp_path: Path, policy: object) -> None:
    ran = keyaudit("guardrails", "--as", "app-management-policy", "--from", saved(tmp_path, policy))
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert "current.json: not the default app management policy" in ran.err
    assert "\x1b" not in ran.err


def test_limits_come_from_keyaudit_toml(keyaudit: Keyaudit, tmp_path: Path) -> None:
    config = tmp_path / "keyaudit.toml"
    config.write_text(
        '[policy]\nprofile = "strict"\n[policy.parameters]\nkv-key-rotation-overdue = { max_age = "P400D" }\n'
        'app-secret-too-long = { max_life = "P60D" }\nuse-key-signs-for-many-apps = { max_apps = 3 }\n'
    )
    found = references(keyaudit("guardrails", "--as", "azure-policy", "--config", config))
    assert found["kv-key-rotation-overdue-c26e4b24"]["maximumValidityInDays"] == 400
    assert found["use-weak-parameters-82067dbb"]["minimumRSAKeySize"] == 3072
    assert "kv-public-network-open-405c5871" in found
    assert "kv-public-network-open-55615ac9" not in found
    document = keyaudit("guardrails", "--as", "app-management-policy", "--config", config).json
    assert "P61D" in {each["maxLifetime"] for each in document["applicationRestrictions"]["passwordCredentials"]}
    assert "array_length(AppIds) > 3" in keyaudit("guardrails", "--as", "alerts", "--config", config).out


def test_a_limit_that_a_definition_cannot_have_is_no_guardrail(keyaudit: Keyaudit, tmp_path: Path) -> None:
    config = tmp_path / "keyaudit.toml"
    config.write_text(
        "[policy.parameters]\nuse-weak-parameters = { min_rsa = 2560 }\nuse-weak-certificate = { min_rsa = 2560 }\n"
        'kv-public-network-open = { allowed = ["any-network"] }\n'
    )
    ran = keyaudit("guardrails", "--as", "azure-policy", "--config", config)
    found = references(ran)
    assert "use-weak-parameters-82067dbb" not in found
    assert found["use-weak-parameters-ff25f3c8"]["allowedECNames"] == ["P-256", "P-384", "P-521"]
    assert {"use-weak-certificate", "kv-public-network-open"} <= unprevented(ran)
    assert "min_rsa would have to be among 2048, 3072, 4096" in ran.err
    assert not any(name.startswith("kv-public-network-open") for name in found)


def test_what_differs_from_a_policy_is_said(keyaudit: Keyaudit, tmp_path: Path) -> None:
    config = tmp_path / "keyaudit.toml"
    config.write_text(
        '[[policy.classes]]\nname = "archive"\nreason = "decrypts"\nmatch = { tags = { use = "archive" }, table = "key" }\n'
        'parameters = { kv-key-rotation-overdue = { max_age = "P1095D" } }\n'
    )
    told = " ".join(keyaudit("guardrails", "--as", "azure-policy", "--config", config, "--profile", "strict").err.split())
    assert "has one limit for all, of max_age sign 365 days, otherwise 730 days" in told
    assert "omits the limits of archive" in told
    assert "kv-key-software-protected: leaves out non_production" in told


@pytest.mark.parametrize("kind", KINDS)
def test_every_policy_has_a_guardrail_or_is_said_to_have_none(keyaudit: Keyaudit, kind: str) -> None:
    ran = keyaudit("guardrails", "--as", kind)
    left = unprevented(ran)
    assert (ran.code, bool(left)) == (0, True)
    if kind == "azure-policy":
        properties = ran.json["properties"]
        guarded = {group["name"] for group in properties["policyDefinitionGroups"]}
        assert {name for each in properties["policyDefinitions"] for name in each["groupNames"]} == guarded
        assert guarded | left == policies().keys()
        assert not guarded & left
    else:
        beta = {name for name, each in GUARDRAILS[kind].items() if each.beta}
        named = {policy.text.id for policy in policies().values() if policy.text.guardrails.get(kind, {}).keys() - beta}
        # Those that only a block of all secrets would serve are left, and said to be.
        blocks_all = {"agent-blueprint-with-secret", "app-secret-exists", "sp-privileged-with-secret", "sp-tier0-with-secret"}
        assert policies().keys() - left == named - blocks_all


def test_a_person_is_shown_every_policy_once(keyaudit: Keyaudit) -> None:
    ran = keyaudit("guardrails")
    guarded, _, rest = ran.out.partition("Nothing refuses or reports beforehand")
    left = {word.strip(",") for word in rest.split()} & policies().keys()
    shown = {word.strip(":,") for word in guarded.split()} & policies().keys()
    assert (ran.code, shown | left, shown & left) == (0, set(policies()), set())
    assert all(len(line) <= 80 for line in ran.out.splitlines())


def test_definitions_on_federated_credentials_are_named_with_their_limits(keyaudit: Keyaudit) -> None:
    """They see managed identities alone, and need names that no policy has: they stand for none, and that is said."""
    told = " ".join(keyaudit("guardrails").out.split())
    for id_ in (
        "2571b7c3-3056-4a61-b00a-9bc5232234f5",
        "ae62c456-33de-4dc8-b100-7ce9028a7d99",
        "fd1a8e20-2c4f-4a6c-9354-b58d786d9a1f",
    ):
        assert id_ in told
        assert id_ not in keyaudit("guardrails", "--as", "azure-policy").out
    assert "only for user-assigned identities: allow each as OWNER and as OWNER@ID" in told
    assert set(NEAR) <= set(policies())


def test_selected_policies_alone_are_in_a_document(keyaudit: Keyaudit) -> None:
    ran = keyaudit("guardrails", "--as", "azure-policy", "--select", "kv-key-no-*", "--select", "app-no-owner")
    groups = {group["name"] for group in ran.json["properties"]["policyDefinitionGroups"]}
    assert (groups, unprevented(ran)) == ({"kv-key-no-auto-rotation", "kv-key-no-expiry"}, {"app-no-owner"})
    rules = keyaudit("guardrails", "--as", "alerts", "--select", "fed-domain-second-cert").json["resources"]
    assert [rule["name"] for rule in rules] == ["keyaudit-federation"]
    none = keyaudit("guardrails", "--as", "app-management-policy", "--select", "app-credential-never-expires")
    assert (none.code, none.out) == (2, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--as", "pulumi"),
        ("--profile", "lax"),
        ("--select", "no-such-policy"),
        ("--as", "alerts", "--select", "app-no-owner"),
        ("--out", "overview.txt"),
        ("--as", "alerts", "--config", "missing.toml"),
        ("--as", "alerts", "--from", "current.json"),
        ("--as", "app-management-policy", "--from", "current.json"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    keyaudit: Keyaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = keyaudit("guardrails", *arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "[policy.parameters]\nkv-secret-stale = { max_age = 180 }\n",
        '[policy.parameters]\nkv-secret-stale = { max_age = "soon\\u001b[31m" }\n',
        '[policy.parameters]\nno-such = { max_age = "P1D" }\n',
        "[policy\n",
    ],
)
def test_a_broken_configuration_is_refused_and_nothing_is_written(keyaudit: Keyaudit, tmp_path: Path, text: str) -> None:
    config, out = tmp_path / "keyaudit.toml", tmp_path / "document.json"
    config.write_text(text)
    ran = keyaudit("guardrails", "--as", "azure-policy", "--config", config, "--out", out)
    assert (ran.code, ran.out, out.exists()) == (2, "", False)
    assert "\x1b" not in ran.err


def test_a_document_is_written_whole_and_never_through_a_link(keyaudit: Keyaudit, tmp_path: Path) -> None:
    out = tmp_path / "a document.json"
    ran = keyaudit("guardrails", "--as", "alerts", "--out", out)
    assert (ran.code, json.loads(out.read_text())) == (0, keyaudit("guardrails", "--as", "alerts").json)
    assert f"--template-file '{out}'" in ran.err
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("mine")
    link.symlink_to(target)
    assert (keyaudit("guardrails", "--as", "alerts", "--out", link).code, target.read_text()) == (2, "mine")


NAMES = {
    "application-credentials": (
        "Add service principal credentials",
        "Add service principal credentials.",
        "Update application \N{EN DASH} Certificates and secrets management ",
        "Update application - Certificates and secrets management",
        "Update application\N{EM DASH}Certificates and secrets management.",
    ),
    "federation": ("Set federation settings on domain", "Set domain authentication. "),
}
OTHERS = ("Update application", "Add owner to application", "Set domain authenticationX", "Add service principal")


@pytest.mark.parametrize("rule", NAMES)
def test_names_of_events_are_folded_before_they_are_compared(keyaudit: Keyaudit, rule: str) -> None:
    rules = {each["name"]: each for each in keyaudit("guardrails", "--as", "alerts").json["resources"]}
    query = rules[f"keyaudit-{rule}"]["properties"]["criteria"]["allOf"][0]["query"]
    dashes, into, ends = re.findall(r'@"(.+?)", "( - )"\)[^@]*@"(.+?)"', query)[0]
    known = re.findall(r'"([^"]+)"', re.findall(r"Event in \((.+)\)", query)[0])

    def seen(name: str) -> bool:
        folded = re.sub(re.sub(r"\\x\{(\w{4})\}", r"\\u\1", dashes), into, name.lower())
        return re.sub(f"^(?:{ends})|(?:{ends})$", "", folded) in known

    assert all(map(seen, NAMES[rule]))
    assert not any(map(seen, OTHERS))


def test_the_alert_on_credentials_tells_a_key_from_the_store_of_every_new_service_principal(keyaudit: Keyaudit) -> None:
    rules = {each["name"]: each for each in keyaudit("guardrails", "--as", "alerts").json["resources"]}
    query = rules["keyaudit-application-credentials"]["properties"]["criteria"]["allOf"][0]["query"]
    [terms] = re.findall(r'Event == "add service principal" and tostring\(TargetResources\) has_any \((.+?)\)', query)
    # has_any compares whole runs of letters and digits: https://learn.microsoft.com/kusto/query/datatypes-string-operators
    wanted = set(re.findall(r'"([^"]+)"', terms))
    store = '[{"CredentialType":2,"KeyStoreId":"291154f0-a9f5-45bb-87be-9c8ee5b6d62c","KeyGroupId":"375eb77d"}]'
    keys = ('["[KeyIdentifier=291154f0-a9f5,KeyType=Password]"]', '[{"KeyId":"291154f0-a9f5"}]')
    assert wanted.isdisjoint(re.findall(r"[A-Za-z0-9]+", store))
    assert not any(wanted.isdisjoint(re.findall(r"[A-Za-z0-9]+", key)) for key in keys)


def restrictions(part: dict[str, Any]) -> Restrictions:
    """Restrictions as the simulated tenant holds them."""
    made = {
        name: tuple(
            Restriction(type=each["restrictionType"], state=each["state"], max_lifetime=each["maxLifetime"])
            for each in part[name]
        )
        for name in ("passwordCredentials", "keyCredentials")
    }
    return Restrictions(passwords=made["passwordCredentials"], keys=made["keyCredentials"])


def with_rules(tenant: Estate, rules: list[dict[str, Any]]) -> Estate:
    """The tenant with these alert rules and no others."""
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-logs/providers/microsoft.insights/actionGroups/ag"
    made = tuple(
        AlertRule(
            name=each["name"],
            subscription=SUBSCRIPTION,
            resource_group="rg-logs",
            query=each["properties"]["criteria"]["allOf"][0]["query"],
            enabled=each["properties"]["enabled"],
            action_group=group if each["properties"]["actions"]["actionGroups"] else None,
        )
        for each in rules
    )
    return replace(tenant, logs=replace(tenant.logs, alert_rules=made))


def judged(folder: Path, tenant: Estate, keyaudit: Keyaudit) -> dict[str, tuple[int, int, int]]:
    """How many rows passed, failed and are unknown, by the policies that ask for guardrails."""
    asyncio.run(take(folder, estate=tenant))
    asked = ("--select", "app-management-policy-off", "--select", "log-no-key-alerts")
    return {
        each["id"]: (each["passed"], sum(each["failed"].values()), sum(each["unknown"].values()))
        for each in keyaudit("export", "json", "--from", folder, *asked).json["policies"]
    }


def test_a_tenant_with_the_guardrails_passes(keyaudit: Keyaudit, tmp_path: Path) -> None:
    document = keyaudit("guardrails", "--as", "app-management-policy").json
    rules = keyaudit("guardrails", "--as", "alerts", "--select", "log-no-key-alerts").json["resources"]
    without = with_rules(replace(ESTATE, posture=Posture()), rules[1:])
    assert judged(tmp_path / "without", without, keyaudit) == {
        "app-management-policy-off": (0, 2, 0),
        "log-no-key-alerts": (0, 1, 0),
    }
    posture = Posture(
        default_enabled=document["isEnabled"],
        for_applications=restrictions(document["applicationRestrictions"]),
        for_service_principals=restrictions(document["servicePrincipalRestrictions"]),
    )
    assert judged(tmp_path / "with", with_rules(replace(ESTATE, posture=posture), rules), keyaudit) == {
        "app-management-policy-off": (2, 0, 0),
        "log-no-key-alerts": (1, 0, 0),
    }


def test_the_owners_that_identities_trust_today_are_named_as_the_definition_compares_them(
    keyaudit: Keyaudit, contoso: Path, hardened: Path
) -> None:
    ran = keyaudit("guardrails", "--from", contoso, "--select", "fed-fic-*")
    told = " ".join(ran.out.split())
    assert "contoso-retail: 2 credentials (2 mutable) contoso-retail@5521904: 1 credential (1 immutable)" in told
    assert '["contoso-retail", "contoso-retail@5521904"]' in told
    assert "It cannot check 1 credential without an owner in the subject." in told
    assert "There may be others" not in told
    assert all(len(line) <= 80 for line in ran.out.splitlines())
    # Its pipelines sign in to applications, which the definition does not see.
    assert "(allowedRepoOwners of fd1a8e20): none" in " ".join(keyaudit("guardrails", "--from", hardened).out.split())


def test_owners_are_incomplete_where_credentials_were_not_read(keyaudit: Keyaudit, blind_spots: Path) -> None:
    ran = keyaudit("guardrails", "--from", blind_spots, "--select", "fed-fic-*")
    assert "There may be others: not every federated credential was read." in " ".join(ran.out.split())


def test_owners_are_no_document(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("guardrails", "--from", contoso, "--as", "alerts")
    assert (ran.code, ran.out) == (2, "")
    assert "--from: only works with the overview" in ran.err
