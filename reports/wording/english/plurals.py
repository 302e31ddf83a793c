"""English: the count that decides whether a text is in the singular, `<key>.one`, or in the plural."""

from collections.abc import Mapping

PLURALS: Mapping[str, str] = {
    "holdout_used_before": "n_earlier_uses",
    "later_slots_left_out": "n_rounds",
    "fresh.ahead": "n_days",
    "fresh.late": "n_days",
    "segments.lose": "n_harmed",
    "quality.all_loaded": "n_sources",
    "quality.rejecting": "n_sources",
    "arms.refused": "n_refused",
    "harmed.some": "n_harmed",
    "unseen.too_few": "n_segments",
    "support.none_gains": "n_learners",
    "support.gains": "n_learners",
    "support.gains_at_end": "n_learners",
    "recommendation.small_segments": "n_segments",
    "budget.n_lines": "n_lines",
    "budget.change": "n_moved",
    "budget.limit": "n_at_limit",
    "budget.refused": "n_lines",
    "budget.late": "n_days",
    "budget.tested": "n_weeks",
    "budget.more_lines": "n_lines",
    "caption.unseen": "n_segments",
    "policy.audit.findings": "n_findings",
    "estimates.outside": "n_outside",
    "check.n_findings": "n_findings",
    "terminal.file_in_clusters": "n_clusters",
    "plan.head.after": "n_days",
}
