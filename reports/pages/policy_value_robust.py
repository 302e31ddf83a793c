"""What can be said beside estimates of rewards with a heavy tail, as rows for the terminal and the page."""

from reports.summaries.policy_answer import PolicyAnswer
from reports.wording.catalog import Catalog
from reports.wording.policy_value import robust


def robust_rows(answer: PolicyAnswer, catalog: Catalog) -> list[tuple[str, str, str, str]]:
    """Return method, value, ends and what it assumes; empty unless rewards have a heavy tail."""
    reward, numbers = answer.robust_reward, catalog.numbers
    rows = []
    for found in answer.robust:
        ends = (
            catalog.text("robust.at_least", lower=numbers.reward(reward, found.lower))
            if found.upper is None
            else numbers.reward_interval(reward, found.lower, found.upper)
        )
        about = robust(
            found.kind,
            catalog,
            cap=None if found.cap is None else numbers.reward(reward, found.cap),
            n_capped=found.n_capped,
            bias=None if found.bias_bound is None else numbers.reward(reward, found.bias_bound),
        )
        value = "" if found.value is None else numbers.reward(reward, found.value)
        rows.append((catalog.text(f"robust.method.{found.kind}"), value, ends, about))
    return rows
