"""What is said of one policy's value, on its page and on the terminal."""

from collections.abc import Sequence

from reports.summaries.policy_answer import EstimatedValue, PolicyAnswer
from reports.wording.catalog import Catalog
from reports.wording.sentences import sentences


def unit_names(answer: PolicyAnswer, catalog: Catalog) -> dict[str, str]:
    """Return what a value is per, `unit`, and what is counted, `units`, as placeholders of texts."""
    return {"unit": catalog.text(f"unit.{answer.unit}"), "units": catalog.text(f"units.{answer.unit}")}


def estimator_name(estimate: EstimatedValue, answer: PolicyAnswer, catalog: Catalog) -> str:
    """Return the name of an estimate; the log's own is a word, those of estimators are names."""
    return catalog.text("estimates.logging_policy") if estimate is answer.logged else estimate.estimator


def robust(kind: str, catalog: Catalog, *, cap: str | None, n_capped: int | None, bias: str | None) -> str:
    """Return what one robust answer is made of and what it rests on."""
    if cap is None or n_capped is None:
        return catalog.text(f"robust.about.{kind}")
    if bias is None:
        return catalog.text(f"robust.about.{kind}", n_capped=n_capped, cap=cap)
    return catalog.text(f"robust.about.{kind}_bounded", n_capped=n_capped, cap=cap, bias=bias)


def log_earned(answer: PolicyAnswer, catalog: Catalog) -> str:
    """Return what the log itself earned; no interval where the log can't give one."""
    logged, numbers = answer.logged, catalog.numbers
    unit, value = catalog.text(f"unit.{answer.unit}"), numbers.reward(answer.reward, logged.value)
    if logged.lower is None or logged.upper is None:
        return catalog.text("policy.log_earned_no_interval", value=value, unit=unit)
    interval = numbers.reward_interval(answer.reward, logged.lower, logged.upper)
    return catalog.text("policy.log_earned", value=value, unit=unit, interval=interval)


def difference_found(answer: PolicyAnswer, catalog: Catalog) -> str:
    """Return what the policy earns beyond the log by the leading estimator, and whether that is a gain."""
    found, written, numbers = answer.difference, answer.difference_format, catalog.numbers
    resolution = numbers.plain(answer.resolution, digits=1)
    return catalog.text(
        "policy.difference",
        change=numbers.reward_change(written, found.value),
        unit=catalog.text(f"unit.{answer.unit}"),
        interval=numbers.reward_interval(written, found.lower, found.upper, signed=True),
        finding=catalog.text(f"policy.finding.{found.finding(answer.resolution)}", resolution=resolution),
    )


def ends(level: str, of_value: str, of_difference: str, method: str, catalog: Catalog) -> str:
    """Return the intervals of a value and of its difference, as far as there are any, and their method."""
    missing = catalog.numbers.missing
    if of_value == missing:
        return method
    known = {"level": level, "of_value": of_value, "method": method}
    if of_difference == missing:
        return catalog.text("estimates.ends", **known)
    return catalog.text("estimates.ends_with_difference", of_difference=of_difference, **known)


def audited(n_findings: int, n_tests: int, catalog: Catalog) -> str:
    """Return what an audit of logged propensities found, after the word `logged`."""
    if not n_tests:
        return catalog.text("policy.audit.none")
    if not n_findings:
        return catalog.text("policy.audit.sound", n_tests=n_tests)
    return catalog.text("policy.audit.findings", n_findings=n_findings)


def agreement(leading: str, outside: Sequence[str], catalog: Catalog) -> str:
    """Return whether other estimators' values lie in the leading one's interval."""
    if not outside:
        return catalog.text("estimates.agree", leading=leading)
    names = catalog.listed(outside)
    return catalog.text("estimates.outside", leading=leading, outside=names, n_outside=len(outside))


def cautions(answer: PolicyAnswer, modeled: Sequence[str], catalog: Catalog) -> tuple[str, ...]:
    """Return what the number does not prove; modeled: estimators that rest on a model alone."""
    names = unit_names(answer, catalog)
    return (
        *sentences(answer.propensities.cautions, catalog=catalog),
        catalog.text("caution.logs"),
        catalog.text("caution.chance"),
        *(() if answer.cluster else (catalog.text("policy_caution.rounds", **names),)),
        catalog.text("policy_caution.later", **names),
        catalog.text("policy_caution.choice"),
        *(catalog.text("policy_caution.model", estimator=name) for name in modeled),
    )
