"""A JSON Schema of policy files for editors. The loader checks more."""

from collections.abc import Iterable

from keyaudit.model.guardrails import ENABLED, GUARDRAILS
from keyaudit.model.results.causes import KINDS
from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.fixes import FIRST, PARTS
from keyaudit.model.schema.columns import Table
from keyaudit.model.severity import Severity, Weakness
from keyaudit.model.tables import TABLES
from keyaudit.policy.conditions.parameters import PROFILES
from keyaudit.policy.reading.expressions import MAX_STEPS
from keyaudit.policy.reading.schema import EXAMPLE, ID, LESSON, NEEDS, OPTIONAL, REQUIRED
from keyaudit.policy.reading.shared_steps import STEPS, USE
from keyaudit.policy.templates import QUOTING

Json = dict[str, object]

_TEXT: Json = {"type": "string", "minLength": 1}
_TEXTS: Json = {"type": "array", "items": _TEXT, "minItems": 1}


def json_schema() -> Json:
    """The schema, draft 2020-12. Each column's meaning is its description in the editor."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A policy of keyaudit",
        "type": "object",
        "additionalProperties": False,
        "required": list(REQUIRED),
        "oneOf": [{"required": ["weakness"]}, {"required": ["severity"]}],
        "properties": {name: _FIELDS[name] for name in (*REQUIRED, *OPTIONAL)},
        "allOf": [_of_table(table) for table in TABLES.values()],
    }


_CONTROL: Json = {
    "type": "object",
    "required": ["id"],
    "minProperties": 2,
    "properties": {
        "id": _TEXT,
        "where": {**_TEXT, "description": "The rows that the control applies to."},
        "violated_when": {
            **_TEXT,
            "description": "The condition that violates the control, if it is narrower than the policy's.",
        },
    },
    "additionalProperties": False,
}
_STEP: Json = {
    "type": "object",
    "anyOf": [{"required": [FIRST]}, {"required": [USE]}],
    "properties": {
        **dict.fromkeys(PARTS, _TEXT),
        USE: {"enum": list(STEPS), "description": "A shared step: the parts given here replace those of the shared step."},
        "breaks": {**_TEXT, "description": "What stops working."},
        "before": {**_TEXT, "description": "The requirements before the step."},
        "check": {**_TEXT, "description": "How to verify that it worked."},
        "back": {**_TEXT, "description": "How to undo the step, or a statement that it cannot be undone."},
    },
    "additionalProperties": False,
}
_FIX: Json = {
    "type": "object",
    "minProperties": 1,
    "properties": {
        **dict.fromkeys(QUOTING, _TEXT),
        "steps": {
            "type": "array",
            "items": _STEP,
            "minItems": 2,
            "maxItems": MAX_STEPS,
            "description": "In order, instead of a fix by kind. The first step never contains a command that removes "
            "something; such a step needs breaks, before, check and back.",
        },
    },
    "additionalProperties": False,
}
_CAUSE: Json = {
    "type": "object",
    "properties": {
        "kind": {
            "oneOf": [{"const": name, "description": f"{kind.object}: {kind.action}"} for name, kind in KINDS.items()],
        },
        "object": {**_TEXT, "description": "The column with the id of the object that the action applies to."},
        "when": {**_TEXT, "description": "The rows with this cause; if omitted, all remaining rows."},
    },
    "required": ["kind", "object"],
    "additionalProperties": False,
}
_SEVERITY: Json = {"enum": [str(severity) for severity in Severity]}
_WEAKNESS: Json = {"enum": [str(weakness) for weakness in Weakness]}


def _first_of(noun: str, choices: Iterable[str]) -> Json:
    return {
        "type": "array",
        "items": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {str(each): _TEXT for each in choices},
            "additionalProperties": False,
        },
        "description": f"The first {noun} whose condition holds.",
    }


_FIELDS: dict[str, Json] = {
    "id": {"type": "string", "pattern": f"^{ID.pattern}$", "maxLength": 64, "description": "The file's name without .yaml."},
    "title": {**_TEXT, "description": "The requirement, in one sentence: Keys have an expiration date."},
    "problem": {**_TEXT, "maxLength": 60, "description": "The violation as a noun phrase: Key without an expiration date."},
    "weakness": {**_WEAKNESS, "description": "The weakness; the severity combines it with what the row opens."},
    "weakness_when": _first_of("weakness", Weakness),
    "severity": {**_SEVERITY, "description": "A fixed severity, instead of a weakness."},
    "severity_when": _first_of("severity", Severity),
    "message_when": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"when": _TEXT, "message": _TEXT, "fix": _FIX},
            "required": ["when", "message"],
            "additionalProperties": False,
        },
        "description": "The first message with a true condition replaces `message`, with its fix if it has one.",
    },
    "fix_when": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"when": _TEXT, "fix": _FIX},
            "required": ["when", "fix"],
            "additionalProperties": False,
        },
        "description": "The first fix with a true condition replaces `fix`, for messages without their own fix. In a fix with "
        "steps, a command that removes something replaces the last step's command.",
    },
    "table": {"enum": list(TABLES), "description": "The table to evaluate, row by row."},
    "subject": {**_TEXT, "description": "The column with the subject of the finding; default: id."},
    "applies_to": {**_TEXT, "description": "The rows to evaluate."},
    "violated_when": {**_TEXT, "description": "The condition that must not be true."},
    "parameters": {
        "type": "object",
        "description": f"Limits, each a value or a value by profile: {', '.join(PROFILES)}.",
    },
    "message": {**_TEXT, "description": "The message for a failed row; {columns} and {parameters} are filled in."},
    "why": {**_TEXT, "description": "The possible damage, and its sources."},
    "fix": _FIX,
    "cause": {
        "anyOf": [_CAUSE, {"type": "array", "items": _CAUSE, "minItems": 1}],
        "description": "The object that one action fixes, together with its other findings: the first cause with a true "
        "condition.",
    },
    "references": _TEXTS,
    "frameworks": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"anyOf": [_TEXT, _CONTROL]}, "minItems": 1},
        "description": "Controls by framework and edition.",
    },
    "guardrails": {
        "type": "object",
        "properties": {
            kind: {
                "type": "object",
                "properties": {name: {**_TEXT, "description": each.meaning} for name, each in named.items()},
                "additionalProperties": False,
            }
            for kind, named in GUARDRAILS.items()
        },
        "additionalProperties": False,
        "description": f"Guardrails that refuse or report it beforehand: each with the parameter for its limit, or {ENABLED}.",
    },
    "lessons": {"type": "array", "items": {"type": "string", "pattern": f"^{LESSON.pattern}$"}},
    "needs": {
        "anyOf": [{"enum": list(NEEDS)}, {"type": "array", "items": {"enum": list(NEEDS)}}],
        "description": "Evidence that Azure's read APIs do not provide.",
    },
    "given": {"type": "object", "description": "The columns that every example starts with."},
    "examples": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["why", "expect"]}},
}

_OF_EXAMPLE: dict[str, Json] = {
    "why": {**_TEXT, "description": "The subject of the example."},
    "expect": {"enum": [str(outcome) for outcome in Outcome]},
    "weakness": _WEAKNESS,
    "severity": _SEVERITY,
    "parameters": {"type": "object"},
}


def _of_table(table: Table) -> Json:
    """The part for policies of one table: the columns in their examples."""
    columns: dict[str, Json] = {column.name: {"description": column.meaning} for column in table.columns}
    example = {**{name: _OF_EXAMPLE[name] for name in EXAMPLE}, **columns}
    return {
        "if": {"properties": {"table": {"const": table.name}}, "required": ["table"]},
        "then": {
            "properties": {
                "given": {"properties": columns, "additionalProperties": False},
                "examples": {"items": {"properties": example, "additionalProperties": False}},
            }
        },
    }
