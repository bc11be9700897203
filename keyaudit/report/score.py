"""A score in every format: the arithmetic first, then each factor with its reason.

Its band is in JSON alone: beside the severity of a finding it would be a second word for the same question.
"""

from collections.abc import Iterator

from keyaudit.model.findings import Score


def line(score: Score | None) -> str:
    """The score in a line: "score 5 x 4 x 4 = 80"."""
    return f"score {score.arithmetic}" if score else "score not evaluated"


def explained(score: Score) -> Iterator[tuple[str, str]]:
    """Each factor and override by name, in order, with its reason."""
    for factor in score.factors:
        yield f"{factor.name} {factor.range}", factor.because
    for override in score.overrides:
        yield override.name, override.because


def member(score: Score | None) -> dict[str, object] | None:
    """The score in JSON; null without a score."""
    if score is None:
        return None
    return {
        "low": score.low,
        "high": score.high,
        "band": score.band,
        "band_low": score.least_band,
        "arithmetic": score.arithmetic,
        "factors": {
            factor.name.replace(" ", "_"): {
                "low": factor.low,
                "high": factor.high,
                "because": factor.because,
                "unknown": dict(sorted(factor.unknown.items())),
            }
            for factor in score.factors
        },
        "overrides": [
            {"name": override.name, "certain": override.certain, "because": override.because} for override in score.overrides
        ],
    }


def cells(score: Score | None) -> dict[str, str]:
    """The score in CSV, by column; empty without a score."""
    if score is None:
        return {}
    reasons = "|".join(f"{name}: {because}" for name, because in explained(score))
    return {
        "score": str(score.high),
        "score_low": str(score.low),
        "score_arithmetic": score.arithmetic,
        "score_reasons": reasons,
    }
