"""The symbol in front of each word of a fixed vocabulary, whatever the language of the word."""

from collections.abc import Mapping

from reports.summaries.printed_table import Mark

_GOOD, _EVEN, _BAD = Mark("✓", "good"), Mark("=", "even"), Mark("✕", "bad")

NOT_DECIDED = Mark("○", "quiet")
VERDICTS: Mapping[str, Mark] = {"promote": _GOOD, "test": Mark("?", "even"), "hold": _EVEN, "reject": _BAD}
SEGMENT_VERDICTS: Mapping[str, Mark] = {
    "served": _GOOD,
    "kept": _EVEN,
    "protected": Mark("■", "quiet"),
}
TASK_STATUS: Mapping[str, Mark] = {
    "used": _GOOD,
    "merged": Mark("+", "even"),
    "pooled_only": Mark("○", "quiet"),
}
BUDGET_STATUS: Mapping[str, Mark] = {"moved": Mark("↔", "good"), "held": _EVEN, "refused": _BAD}
IS_RIGHT: Mapping[bool, Mark] = {True: _GOOD, False: _BAD}
IS_CLAIMED: Mapping[bool, Mark] = {True: _GOOD, False: Mark("○", "quiet")}
GOALS: Mapping[str, Mark] = {"met": _GOOD, "not_met": _BAD, "not_judged": NOT_DECIDED}
SAME = Mark("=", "quiet")
