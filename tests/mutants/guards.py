"""Which tests guard which file, and the mutants that no test can notice."""

from fnmatch import fnmatch

from tests.needs import ROOT

Stages = tuple[tuple[str, ...], ...]

CLOUD = ("tests/cloud",)
_RESTING = (
    "blast_agents blast_federation blast_radius contradictions environment_rules expiring in_entra joins migration overview"
    " owners purposes reach reach_beside"
)
VIEWS = (
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/inventory").glob("test_*view*.py")),
    *(f"tests/inventory/test_{name}.py" for name in _RESTING.split()),
)
"""The tests of the views and of what is read from them; the rest of that floor does not look at them."""
JUDGING = ("tests/policy", "tests/policies", "tests/test_traps.py", "tests/cli/test_detections.py")
RENDERING = ("tests/report", "tests/model/test_text.py")
GATE = (
    "tests/test_assess.py",
    "tests/test_gate.py",
    "tests/test_left_out.py",
    "tests/test_allowances.py",
    "tests/test_required.py",
)
ESCAPES = ("tests/report/test_escaping.py",)


def _view(name: str) -> str:
    [path] = (path for path in (ROOT / "keyaudit/inventory/views").rglob("*.py") if path.stem == name)
    return str(path.relative_to(ROOT))


GUARDS: dict[str, Stages] = {
    "keyaudit/cloud/answers/pages.py": (("tests/cloud/test_lists.py",), CLOUD),
    "keyaudit/cloud/answers/listing.py": (("tests/cloud/test_lists.py",), CLOUD),
    "keyaudit/cloud/limits/pacing.py": (("tests/cloud/test_pacing.py",), CLOUD),
    "keyaudit/cloud/failures.py": (("tests/cloud/test_failures.py",), CLOUD),
    "keyaudit/cloud/addresses.py": (("tests/cloud/test_addresses.py",), CLOUD),
    "keyaudit/cloud/challenge.py": (("tests/cloud/test_challenge.py",), CLOUD),
    "keyaudit/gate/*.py": (GATE,),
    "keyaudit/inventory/ledger.py": (("tests/inventory/test_ledger.py",), ("tests/inventory/test_spool.py", "tests/collect")),
    **{
        _view(view): (
            tuple(f"tests/inventory/{name}.py" if "/" in name else f"tests/inventory/test_{name}.py" for name in tests.split()),
            VIEWS,
            JUDGING,
        )
        for view, tests in {
            "account_key": "environment_rules",
            "agent_bursts": "usage_views",
            "agents": "agent_views",
            "app_management_policy": "app_management_views holder_views",
            "application": "application_views views",
            "blast_radius": "blast_radius",
            "blueprint": "agent_views",
            "certificate": "certificate_views",
            "credential": "joins in_entra holder_views privilege_views views",
            "delegation": "written_vaults",
            "deleted": "key_views",
            "environment": "environment_rules views",
            "federation": "federation_views",
            "grant": "reach reach_beside",
            "holder": "holder_views",
            "identities": "in_entra joins",
            "entra_credentials": "in_entra",
            "matching_certificates": "joins",
            "issuers": "federation_views",
            "key": "key_use_views key_views views",
            "key_use": "key_use_views",
            "ledger": "reach views containment",
            "log_sink": "log_views",
            "recorded_uses": "use_views usage_views",
            "own_readers": "reach_beside certificate_views",
            "principal": "reach_beside",
            "privileges": "privilege_views agent_views federation_views",
            "purposes": "purposes",
            "reach": "reach reach_beside",
            "reach_counts": "reach reach_beside blast_radius",
            "repositories": "repository_views",
            "secret": "purposes certificate_views",
            "service_principal": "privilege_views azure_role_views agent_views reach_beside",
            "signing_certificate": "signing_views federation_views joins",
            "subscription": "log_views",
            "tenant": "log_views",
            "tier0": "holder_views certificate_views reach_beside agent_views",
            "token_policy": "federation_views",
            "trusted_key": "trusted_key_view",
            "log_gaps": "usage_views use_views",
            "unusual": "usage_views usage/test_agreement",
            "usage": "use_views usage_views",
            "vault": "vault_view views log_views purposes",
            "versions": "views key_views certificate_views environment_rules",
            "written_vaults": "written_vaults privilege_views",
        }.items()
    },
    "keyaudit/inventory/views/__init__.py": (VIEWS, JUDGING),
    "keyaudit/inventory/views/custody.py": (("tests/collect/test_custody.py",), JUDGING),
    "keyaudit/policy/conditions/sql.py": (("tests/policy/test_judge.py", "tests/policy/test_differential.py"), JUDGING),
    "keyaudit/inventory/dialect/*.py": (
        ("tests/inventory/test_dialect.py", "tests/policy/test_judge.py", "tests/policy/test_differential.py"),
        VIEWS,
        JUDGING,
    ),
    "keyaudit/model/values/text.py": (ESCAPES, RENDERING),
    "keyaudit/model/values/shell.py": (ESCAPES, RENDERING),
    "keyaudit/report/tabular/cells.py": ((*ESCAPES, "tests/report/test_hostile.py"), RENDERING),
    "keyaudit/report/html/inert.py": (ESCAPES, RENDERING),
}
"""For each file (or pattern), the tests that guard it, in the order in which they are run."""

ESCAPING: dict[str, tuple[str, Stages]] = {
    "keyaudit/questions/incident/dot.py": ("quoted", (ESCAPES,)),
    "keyaudit/send/digest.py": ("inert", (ESCAPES,)),
    "keyaudit/questions/guardrails/bicep.py": ("_quoted", (ESCAPES,)),
    "keyaudit/questions/guardrails/terraform.py": ("_quoted", (ESCAPES,)),
    "keyaudit/report/formats/junit.py": ("_attributes _text _safe", (ESCAPES,)),
    "keyaudit/report/markdown.py": ("safe", (ESCAPES,)),
    "keyaudit/report/members.py": ("inert document _list", ((*ESCAPES, "tests/report/test_golden.py"),)),
    "keyaudit/report/formats/prometheus.py": ("_safe", (ESCAPES,)),
    "keyaudit/report/formats/sarif.py": ("_plain _segment", (ESCAPES,)),
    "keyaudit/report/formats/xlsx.py": ("_cell _text", ((*ESCAPES, "tests/report/test_xlsx.py"),)),
}
"""Files in which only these functions, which escape hostile text, are changed."""

EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        "keyaudit/inventory/views/vaults/matching_certificates.py",
        "(SELECT min(reason) FROM coverage WHERE operation IN ({_list(VAULTS_FOUND + _READ)}) AND state <> 'assessed'),",
        "assessed~",
    ): "what was read has no reason, and the first reason is taken",
    (
        "keyaudit/inventory/views/logs/log_gaps.py",
        "WHERE operation IN ({lists}) AND state <> 'assessed' AND reason NOT IN ({optional}))",
        "assessed~",
    ): "what was read has no reason",
    (
        "keyaudit/inventory/views/logs/recorded_uses.py",
        'LEFT JOIN (SELECT min(since) AS since FROM ({whole(sources, USER_SIGN_IN_LOG, as_of)})) AS log ON true"""',
        "JOIN",
    ): "the joined query has one row",
    (
        "keyaudit/inventory/views/access/grant.py",
        "LEFT JOIN reach_holder AS holder ON holder.principal_id IS NOT DISTINCT FROM stored.principal_id",
        "JOIN",
    ): "there is a holder for each grant",
    (
        "keyaudit/inventory/views/access/reach.py",
        "CASE WHEN vault.access_model IN ('rbac', 'hsm-local') THEN NULL",
        "hsm-local~",
    ): "a managed HSM has no access policies that could be unread",
    (
        "keyaudit/model/values/text.py",
        r'return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"',
        "65536",
    ): "the character U+10000 is a letter, and no letter is escaped",
    (
        "keyaudit/policy/conditions/sql.py",
        'return f"({value})" if value < 0 else str(value)',
        "<=",
    ): "it decides only whether 0 is in brackets",
    ("keyaudit/policy/conditions/sql.py", "_FEW = 8", "9"): "it decides only how fast a list is compared",
    (
        "keyaudit/policy/conditions/sql.py",
        'if term.function in {"overlaps", "covers"} and (short := self._short(term)) is not None:',
        "*()",
    ): "it decides only whether a list is compared item by item, which is faster",
    (
        "keyaudit/policy/conditions/sql.py",
        "self._times[number] += 1",
        "2",
    ): "it decides only whether a condition that is used once is a column, too",
    (
        "keyaudit/policy/conditions/sql.py",
        "if items is None or not 0 < len(items) <= _FEW:",
        "1",
    ): "a list of one item is compared in one call, with the same result",
}
"""By file, text of the line and new text: mutants that do the same as the code, so that no test can notice, with the reason."""


def guards(file: str) -> tuple[Stages, frozenset[str]]:
    """The tests of a file, and the functions that are changed; none if all are."""
    if file in ESCAPING:
        names, stages = ESCAPING[file]
        return stages, frozenset(names.split())
    return next(stages for pattern, stages in GUARDS.items() if fnmatch(file, pattern)), frozenset()
