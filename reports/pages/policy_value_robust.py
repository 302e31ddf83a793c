"""What can be said beside estimates of rewards with a heavy tail, as rows for the terminal and the page."""

from reports import policy_value_wording as wording
from reports.summaries.policy_answer import PolicyAnswer


def robust_rows(answer: PolicyAnswer) -> list[tuple[str, str, str, str]]:
    """Return method, value, ends and what it assumes; empty unless rewards have a heavy tail."""
    reward = answer.robust_reward
    rows = []
    for found in answer.robust:
        ends = (
            f"at least {reward.value(found.lower)}"
            if found.upper is None
            else reward.interval(found.lower, found.upper)
        )
        about = wording.robust(
            found.kind,
            cap=None if found.cap is None else reward.value(found.cap),
            n_capped=found.n_capped,
            bias=None if found.bias_bound is None else reward.value(found.bias_bound),
        )
        value = "" if found.value is None else reward.value(found.value)
        rows.append((found.kind.replace("_", " "), value, ends, about))
    return rows
