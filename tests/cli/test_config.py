"""keyaudit.toml: what it sets holds unless a flag says otherwise, and every mistake in it is named with its line."""

from pathlib import Path

import pytest

from keyaudit.cli.clock import SystemClock
from keyaudit.cli.options import DEFAULT_CONFIG, Auth, Live
from keyaudit.cli.settings.config import Config, read_config
from keyaudit.cli.settings.run_settings import settle
from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.inventory.spool import Spool
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.gating.expectations import RELATIVE, Expectations
from keyaudit.model.results.run import Run
from keyaudit.model.scope.environments import EnvironmentRule
from keyaudit.model.scope.filters import Filters
from keyaudit.simulator.estates import estate
from tests.cli.conftest import Keyaudit

CLOUD = """
[clouds.bleu]
login = "login.bleu.example"
arm = "management.bleu.example"
graph = "graph.bleu.example"
vault_suffix = "vault.bleu.example"
hsm_suffix = "managedhsm.bleu.example"
"""
WHOLE = f"""
schema = 1

[scope]
tenant = "contoso.example"
subscriptions = ["prod-*", "shared"]
resource_groups = ["rg-*"]
vaults = ["kv-*"]
sources = ["keys"]

[auth]
method = "cli"
cloud = "usgov"
{CLOUD}arm_scope = "https://management.core.bleu.example/.default"

[environments.vaults]
"kv-shared" = "Shared"

[environments.subscriptions]
"prod-*" = "prod"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_where_the_logs_of_a_cloud_are_queried_may_be_said(folder: Path) -> None:
    (folder / "keyaudit.toml").write_text(f'schema = 1\n{CLOUD}logs = "api.logs.bleu.example"\n')
    bleu = read_config(DEFAULT_CONFIG).clouds["bleu"]
    assert (bleu.logs, bleu.logs_scope) == ("api.logs.bleu.example", "https://api.logs.bleu.example/.default")
    assert bleu.logs_scope in bleu.scopes
    (folder / "keyaudit.toml").write_text(f"schema = 1\n{CLOUD}")
    assert "" not in read_config(DEFAULT_CONFIG).clouds["bleu"].scopes


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('logs_scope = "https://api.logs.bleu.example/.default"', "logs missing"),
        ('logs = "https://api.logs.bleu.example"', "not a bare host name"),
        ('logs = "graph.bleu.example"', "two services on one host"),
        ('logs = "api.vault.bleu.example"', "would be a vault's host"),
        ('ingest_suffix = "ingest.bleu.example"', "ingest_scope missing"),
        ('ingest_scope = "https://monitor.bleu.example/.default"', "ingest_suffix missing"),
    ],
)
def test_and_is_checked_as_other_hosts_are(folder: Path, line: str, what: str) -> None:
    (folder / "keyaudit.toml").write_text(f"schema = 1\n{CLOUD}{line}\n")
    with pytest.raises(UsageError, match=what):
        read_config(DEFAULT_CONFIG)


def test_a_whole_file_is_read(folder: Path) -> None:
    (folder / "keyaudit.toml").write_text(WHOLE)
    config = read_config(DEFAULT_CONFIG)
    assert (config.tenant, config.auth, config.cloud) == ("contoso.example", Auth.CLI, "usgov")
    assert config.filters == Filters(
        subscriptions=("prod-*", "shared"), resource_groups=("rg-*",), vaults=("kv-*",), sources=("keys",)
    )
    bleu = config.clouds["bleu"]
    assert (bleu.arm_scope, bleu.graph_scope) == (
        "https://management.core.bleu.example/.default",
        "https://graph.bleu.example/.default",
    )
    assert (bleu.vault_scope, bleu.hsm_scope) == (
        "https://vault.bleu.example/.default",
        "https://managedhsm.bleu.example/.default",
    )
    assert config.environment_rules == (
        EnvironmentRule(of="vault", pattern="kv-shared", environment="shared"),
        EnvironmentRule(of="subscription", pattern="prod-*", environment="prod"),
    )


def test_a_flag_wins_over_the_file_and_the_file_over_the_default(folder: Path) -> None:
    assert settle(Live(), resume=False).environment is ENVIRONMENTS["public"]
    assert settle(Live(), resume=False).auth is Auth.AUTO
    (folder / "keyaudit.toml").write_text(WHOLE)
    usual = settle(Live(), resume=False)
    assert (usual.environment.name, usual.auth, usual.tenant) == ("usgov", Auth.CLI, "contoso.example")
    assert usual.filters.vaults == ("kv-*",)
    said = settle(Live(cloud="china", auth=Auth.ENV, tenant=["other.example"], vault=["kv-one"]), resume=False)
    assert (said.environment.name, said.auth, said.tenant) == ("china", Auth.ENV, "other.example")
    assert said.filters == Filters(
        subscriptions=("prod-*", "shared"), resource_groups=("rg-*",), vaults=("kv-one",), sources=("keys",)
    )
    assert settle(Live(), resume=True).filters == Filters()
    assert settle(Live(demo=True), resume=False).filters == Filters()
    assert settle(Live(config=folder / "keyaudit.toml", cloud="bleu"), resume=False).environment.login == "login.bleu.example"


def test_names_of_one_environment_are_read_in_any_case(folder: Path) -> None:
    (folder / "keyaudit.toml").write_text("[environments.same]\nProd = ['Production', 'prd']\n")
    assert read_config(DEFAULT_CONFIG).environment_rules == (
        EnvironmentRule(of="name", pattern="production", environment="prod"),
        EnvironmentRule(of="name", pattern="prd", environment="prod"),
    )


MISTAKES = {
    "schema = 2": ("1", "written for another version"),
    "scpoe = 1": ("1", "no such setting: scpoe; did you mean scope?"),
    "[scope]\nsubscription = []": ("2", "no such setting: scope.subscription; did you mean subscriptions?"),
    "\n[scope]\n\nvaults = [1]": ("4", "scope.vaults: not a text"),
    "scope.vaults = {}": ("1", "scope.vaults: not a list; write it as"),
    "scope = 3": ("1", "scope: not a table"),
    "[scope]\ntenant = ['a']": ("2", "scope.tenant: not a text"),
    "[auth]\nmethod = 'clii'": ("2", "auth.method: no such value: 'clii'; did you mean cli?"),
    "[auth]\ncloud = 'bleu'" + CLOUD: ("2", "auth.cloud: no such value: 'bleu'"),
    "[clouds.usgov]\nlogin = 'x.example'": ("1", "built in, and cannot be changed"),
    "[clouds.Bleu]": ("1", "not a name for a cloud"),
    "[clouds.bleu]\nlogin = 'login.example'": ("1", "arm missing"),
    CLOUD + "port = '443'": ("8", "no such setting: clouds.bleu.port"),
    CLOUD.replace("management.", "https://management."): ("4", "arm not a bare host name"),
    CLOUD.replace("graph.bleu.example", "graph.bleu.example:8443"): ("5", "graph not a bare host name"),
    CLOUD.replace("graph.bleu.example", "GRAPH.bleu.example"): ("5", "graph not a bare host name"),
    CLOUD.replace("graph.bleu.example", "user@graph.example"): ("5", "graph not a bare host name"),
    CLOUD.replace("vault.bleu.example", "bleu.example"): ("2", "would be a vault's host"),
    CLOUD.replace("graph.bleu", "management.bleu"): ("3", "two services on one host"),
    CLOUD + "arm_scope = 'https://graph.microsoft.com/.default/x'": ("8", "arm_scope not https://HOST/.default"),
    "[environments]\nprod = 'prod'": ("2", "no such setting: environments.prod"),
    "[environments.same]\nprod = {}": ("2", "environments.same.prod: not a list"),
    "[environments.same]\nprod = ['']": ("2", "environments.same.prod: an empty text"),
    "[environments.same]\n'' = ['prod']": ("2", "an environment without a name"),
    "[environments.same]\na = ['live']\nb = ['Live']": ("3", "'live' is named twice"),
    "[environments.same]\nprod = ['live']\nlive = ['l']": ("2", "'live' is named twice"),
    "[environments.vaults]\n'kv' = ''": ("2", "environments.vaults.kv: an empty text"),
    "[prometheus]\ntags = ['a b']": ("2", "'a b' cannot be a label"),
    "[prometheus]\ntags = ['a-b', 'A_B']": ("2", "two of them are the same label"),
    "[prometheus]\ntags = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']": ("2", "more than 10 tags"),
    "a = [\n": ("2", "not TOML"),
    "a = 1\na = 2": ("2", "not TOML"),
    "a = " + "[" * 5_000: ("1", "nested deeper than 10 levels"),
    "\na" + ".a" * 40_000 + " = 1": ("2", "nested deeper than 10 levels"),
    "schema = 1" + "0" * 5_000: ("1", "a value of 5,001 characters without quotes; put a text in quotes"),
    "schema = '1\"'": ("1", "schema '1\"': written for another version; this keyaudit reads schema 1"),
    "\ufeffschema = 1": ("1", "starts with a byte order mark; save it as UTF-8 without one"),
    "\x00": ("1", "not TOML"),
}


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: repr(text)[:30])
def test_a_mistake_is_named_with_its_line_and_ends_the_run(folder: Path, keyaudit: Keyaudit, text: str) -> None:
    line, what = MISTAKES[text]
    (folder / "keyaudit.toml").write_text(text)
    ran = keyaudit("report")
    assert ran.code == Exit.USAGE
    assert ran.err.startswith(f"keyaudit: keyaudit.toml:{line}:" if line else "keyaudit: keyaudit.toml")
    assert what in ran.err
    assert ran.err.count("\n") == 1
    assert ran.out == ""


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    for data, what in ((b"\xff", "not UTF-8"), (b"#" * 1_000_001, "larger than 1,000,000 bytes")):
        (folder / "keyaudit.toml").write_bytes(data)
        with pytest.raises(UsageError, match=what):
            read_config(DEFAULT_CONFIG)
    with pytest.raises(UsageError, match="cannot be read"):
        read_config(folder / "other.toml")
    assert read_config(None) == Config()


def test_a_hostile_key_stays_on_one_line(folder: Path, keyaudit: Keyaudit) -> None:
    (folder / "keyaudit.toml").write_text('"\\u001b[2J##vso[task.complete]\\n" = 1')
    ran = keyaudit("report")
    assert ran.code == Exit.USAGE
    assert "\x1b" not in ran.err
    assert "##vso" not in ran.err


def test_a_folder_cannot_lead_a_sign_in_to_a_cloud_of_its_own(folder: Path, keyaudit: Keyaudit) -> None:
    (folder / "keyaudit.toml").write_text(CLOUD)
    assert settle(Live(), resume=False).environment.name == "public"
    ran = keyaudit("report", "--cloud", "blue")
    assert (ran.code, "no such cloud: 'blue'; did you mean bleu?" in ran.err) == (Exit.USAGE, True)
    # Chosen by name, it is said where the sign-in goes before it does.
    ran = keyaudit("report", "--cloud", "bleu", "--auth", "managed-identity")
    assert ran.err.startswith("cloud bleu of keyaudit.toml: signing in at login.bleu.example for management.bleu.example")


def test_the_simulated_tenant_is_in_the_public_cloud(keyaudit: Keyaudit) -> None:
    ran = keyaudit("report", "--demo", "--cloud", "china")
    assert (ran.code, "--cloud" in ran.err) == (Exit.USAGE, True)


def test_the_environments_of_a_file_are_kept_with_what_was_read(folder: Path, keyaudit: Keyaudit) -> None:
    text = "[environments.vaults]\n'kv-data-*' = 'Lab'\n[environments.subscriptions]\n'contoso-prod' = 'prod'"
    (folder / "mine.toml").write_text(text)
    filters = ("--vault", "kv-data-prod", "--source", "vaults")
    assert keyaudit("collect", "--demo", *filters, "--config", "mine.toml", "--out", "out", "-q").code == Exit.CLEAN
    rules = open_snapshot(folder / "out").run.environment_rules
    assert [(rule.of, rule.pattern, rule.environment) for rule in rules] == [
        ("vault", "kv-data-*", "lab"),
        ("subscription", "contoso-prod", "prod"),
    ]
    ask = ("report", "--from", "out", "-o", "json", "--select", "kv-purge-protection-off")
    assert keyaudit(*ask).json["run"]["environment_rules"][0] == {"vault": "kv-data-*", "environment": "lab"}
    # Only judging needs them, so that a file that names any counts instead, whenever the snapshot was made.
    (folder / "keyaudit.toml").write_text("[policy]\nprofile = 'default'")
    assert keyaudit(*ask).json["run"]["environment_rules"][0] == {"vault": "kv-data-*", "environment": "lab"}
    (folder / "keyaudit.toml").write_text("[environments.principals]\n'orders-*' = 'Prod'")
    assert keyaudit(*ask).json["run"]["environment_rules"] == [{"principal": "orders-*", "environment": "prod"}]


@pytest.mark.parametrize("flags", [("-g", "x"), ("--source", "keys")])
def test_a_snapshot_is_as_it_was_collected(contoso: Path, keyaudit: Keyaudit, flags: tuple[str, str]) -> None:
    ran = keyaudit("report", "--from", contoso, *flags)
    assert (ran.code, "a snapshot is already collected" in ran.err) == (Exit.USAGE, True)


def test_a_resumed_run_keeps_its_filters_and_takes_no_others(folder: Path, keyaudit: Keyaudit) -> None:
    filters = Filters(vaults=("kv-data-prod",), sources=("vaults",))
    begun = Run(
        run_id="run",
        tenant_id=estate("contoso", SystemClock().now()).tenant_id,
        tenant_name="",
        environment="public",
        identity="someone",
        as_of=SystemClock().now(),
        tool_version="0",
        filters=filters,
    )
    Spool.create(folder / "out", begun).close()
    resume = ("collect", "--demo", "--resume", "--out", "out", "-q")
    ran = keyaudit(*resume, "--vault", "kv-hr-prod")
    assert ran.code == Exit.USAGE
    assert "started with only vaults kv-data-prod; only sources vaults, and other filters are given" in ran.err
    assert keyaudit(*resume).code == Exit.CLEAN
    taken = open_snapshot(folder / "out")
    assert (taken.run.filters, taken.run.rows["vault"], taken.run.rows["key"]) == (filters, 1, 0)


def test_what_must_be_there_is_read(folder: Path) -> None:
    least = "[expect.at_least]\napplications = 3\nkeys = 2\n"
    (folder / "keyaudit.toml").write_text(f'[expect]\nsubscriptions = ["prod-*"]\nvaults = "kv-*"\nshrinkage = "10%"\n{least}')
    assert read_config(DEFAULT_CONFIG).expected == Expectations(
        subscriptions=("prod-*",), vaults=("kv-*",), at_least={"application": 3, "key": 2}, shrinkage=10
    )
    (folder / "keyaudit.toml").write_text("[expect]\nno_subscriptions = true\n")
    assert read_config(DEFAULT_CONFIG).expected == Expectations(no_subscriptions=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('shrinkage = "110%"', "not a percentage from 0% to 100%"),
        ("shrinkage = 10", "not a text"),
        ("[expect.at_least]\nkeyz = 3", "no table 'keyz'"),
        ("[expect.at_least]\nkeys = 0", "not a number from 1 to"),
        ("[expect.at_least]\nkeys = true", "expect.at_least.keys: 'true' is not a whole number"),
        ("vault = 3", "vault"),
    ],
)
def test_an_expectation_that_cannot_be_meant_is_refused(folder: Path, text: str, said: str) -> None:
    (folder / "keyaudit.toml").write_text(f"[expect]\n{text}\n")
    with pytest.raises(UsageError) as refused:
        read_config(DEFAULT_CONFIG)
    assert said in str(refused.value)


def test_a_stored_snapshot_is_measured_by_the_expectations_of_now(keyaudit: Keyaudit, folder: Path, contoso: Path) -> None:
    (folder / "keyaudit.toml").write_text('[expect]\nvaults = ["kw-*"]\nshrinkage = "10%"\n')
    asked = ("--from", contoso, "--since", contoso, "--select", "kv-purge-protection-off")
    ran = keyaudit("gate", *asked, "--fail-on", "critical")
    assert ran.code == Exit.INCOMPLETE
    assert "not_visible: it was expected but is not visible; expected vault kw-*" in ran.out
    assert RELATIVE not in " ".join(ran.out.split())
    # So it is where nothing is evaluated, unless what is missing has nothing to do with what is listed.
    ran = keyaudit("inventory", "vault", "--from", contoso)
    assert (ran.code, "expected vault kw-*" in ran.out, RELATIVE in " ".join(ran.out.split())) == (Exit.INCOMPLETE, True, False)
    assert keyaudit("inventory", "signing_certificate", "--from", contoso).code == Exit.CLEAN
    (folder / "keyaudit.toml").unlink()
    ran = keyaudit("gate", *asked, "--fail-on", "critical")
    assert ran.code == Exit.CLEAN
    assert RELATIVE in " ".join(ran.out.split())


OWNERS = """
[owners]
fallback = ["platform@contoso.example", "second"]
[[owners.rules]]
owner = "team-orders"
vault = "kv-orders-*"
name = "sign-*"
[[owners.rules]]
owner = ["a", "b"]
tags = { Team = "pay*" }
"""


def test_rules_for_owners_are_read_in_order(folder: Path, keyaudit: Keyaudit) -> None:
    (folder / DEFAULT_CONFIG).write_text(OWNERS, encoding="utf-8")
    rules = read_config(DEFAULT_CONFIG).owners
    assert rules.fallback == ("platform@contoso.example", "second")
    first, second = rules.rules
    assert (first.owners, first.vault, first.name, first.match) == (
        *(("team-orders",), "kv-orders-*", "sign-*"),
        "vault kv-orders-* and name sign-*",
    )
    assert (second.owners, second.tags, second.match) == (("a", "b"), {"team": "pay*"}, "tag team=pay*")
    shown = keyaudit("config", "show").out
    assert "vault kv-orders-* and name sign-*: team-orders" in " ".join(shown.split())
    assert "keyaudit.toml:4" in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[[owners.rules]]\nowner = "a"\n',
            ":1: a rule that matches everything; name the resources it is for, or use fallback",
        ),
        ('[[owners.rules]]\nvault = "a"\n', "owner"),
        ('[[owners.rules]]\nowner = ""\nvault = "a"\n', ":2:"),
        ('[[owners.rules]]\nowner = []\nvault = "a"\n', ":2: "),
        ('[[owners.rules]]\nowner = "a\\u0007"\nvault = "a"\n', ":2:"),
        ('[[owners.rules]]\nowner = "a"\nvaults = "a"\n', ":3:"),
        ('[[owners.rules]]\nowner = "a"\ntags = { a = 1 }\n', ":3: owners.rules.tags.a: not a text"),
        ("[owners]\nfallback = 1\n", ":2:"),
    ],
)
def test_a_broken_rule_for_owners_is_named_with_its_line(folder: Path, text: str, said: str) -> None:
    (folder / DEFAULT_CONFIG).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        read_config(DEFAULT_CONFIG)
    assert said in str(error.value)
