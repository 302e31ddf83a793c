"""Every sentence a reader sees, with its caution. Numbers arrive as text, already formatted."""

from collections.abc import Collection, Mapping, Sequence

from features.areas import AREAS
from reports.summaries.learning_curves import LearningCurve
from reports.summaries.night import JUDGED_DOMAINS
from reports.summaries.notes import Note
from reports.summaries.printed_table import Mark
from reports.summaries.verdicts import Verdict

TITLES = {
    "overview": "Overview",
    "evaluation": "Evaluation",
    "decisions": "Decisions",
    "data_quality": "Data quality",
}
QUESTIONS = {
    "overview": "What did the night decide, and what carries it?",
    "evaluation": "What is each policy worth, and how sure is that?",
    "decisions": "What will be shown and spent tomorrow?",
    "data_quality": "What did the night read, and what did it refuse?",
}
DOMAINS = {area.name: area.title for area in AREAS}

VERDICTS: Mapping[str, tuple[Mark, str]] = {
    "promote": (Mark("✓", "good"), "Promote"),
    "hold": (Mark("=", "even"), "Hold"),
    "reject": (Mark("✕", "bad"), "Reject"),
}
SEGMENT_VERDICTS: Mapping[str, tuple[Mark, str]] = {
    "served": (Mark("✓", "good"), "Served"),
    "kept": (Mark("=", "even"), "Kept"),
    "protected": (Mark("■", "quiet"), "Protected"),
}
TASK_STATUS: Mapping[str, tuple[Mark, str]] = {
    "used": (Mark("✓", "good"), "used"),
    "merged": (Mark("+", "even"), "merged"),
    "pooled_only": (Mark("○", "quiet"), "pooled only"),
}
FALLBACK_LEVELS = {
    "segment": "the segment's own policy",
    "pooled": "the policy of all segments together",
    "baseline": "the strongest plain policy",
    "popular": "the most popular items",
}

SEGMENT_SHARES = (
    "The logs know no users, so nobody has a list of their own: each visitor of a segment draws an item with "
    "these probabilities."
)

WHY_TABLES_MATTER = {
    **{name: table.why_it_matters for area in AREAS for name, table in area.tables.items()},
    "out_policy_values": "without it no policy has a measured value",
    "out_verdicts": "without it the gate's decision and its reasons are unknown",
    "out_segment_tasks": "without it nobody can see which segments were learned from, and which were merged",
    "out_learning_curves": "without it nobody can see whether learning had settled",
    "out_data_quality": "without it nobody can see which lines were refused",
}

POLICIES: Mapping[str, str] = {
    "pooled_reward_model": "one model for everybody",
    "pooled_cautious": (
        "one model for everybody, followed less sharply, since following it sharply promises more and is not "
        "proven yet"
    ),
    "mixed_effects": "one model for everybody, and on top what each segment likes otherwise",
    "maml": "one model for everybody that takes a few more learning steps in each segment",
    "popularity": "one best-seller list for everybody",
    "segment_item_rates": "the click rates of each segment and item",
    "crosses_logit": "a logistic regression of segments, items and their traits",
    "boosting": "boosted trees over segments and the traits of items",
}
"""What a policy is, for a reader who has never met its name."""

NOT_DECIDED = (Mark("○", "quiet"), "Not decided")
NOTHING_JUDGED = "This night judged no policy; the overview says why."
NOTHING_FOR_TOMORROW = "This night decided nothing for tomorrow; the overview says why."

CAUTION_LOGS = (
    "Values are estimated from logs, not measured in an experiment. They hold if the logged propensities are "
    "right and nothing unlogged drove both what was shown and what was rewarded."
)
CAUTION_CHANCE = (
    "An interval speaks of chance in these logs. It says nothing of a new season, new prices or a new "
    "catalog after the last logged day."
)
CAUTION_SEGMENTS = (
    "A segment that is not listed as harmed is not proven safe: small segments have wide intervals. What is "
    "listed stands out among all segments, at a chance of 5% that even one of them does so by luck."
)
CAUTION_ROUNDS = (
    "The logs know no users, so the round is the unit. Rounds of one person count as independent, and "
    "intervals may be too narrow for it."
)
CAUTION_SPEND = (
    "Expected revenue comes from curves fitted on past spend. Past spend followed demand, so a curve can "
    "take demand for effect; move in steps and look again."
)
CAUTION_SIMULATED = (
    "This shop is simulated. Its true values are known here and only here; they test the method, they "
    "promise nothing for a real shop."
)

LOSS_CONCLUSION = (
    "Training loss: a curve that is flat at its end has settled. Compare a learner with itself only, because "
    "losses differ in kind."
)
VALIDATION_HINT = (
    "All steps are judged on the same rounds of the validation segments and share their luck: one high step "
    "proves nothing, and many in a row prove little. Paired comparisons decide which step a learner keeps, "
    "and whether it adapts at all; a note names the learners that kept their start or do not adapt."
)
DIAGNOSTICS_HINT = (
    "Trust a value when its mean weight is near 1, its supported share near 100 %, and its effective sample "
    "size a fair part of the rounds. A single huge weight means that one round speaks for many."
)

ARMS_HINT = (
    "Several policies served this shop on the same days. Each one's value is estimated from the log of "
    "another, as if it had not run, and stands beside what it was seen to earn: the one check of such an "
    "estimate that needs no new experiment. An arm is taken as what it shows in each slot on average, not "
    "to whom; one that looks at a context can't be checked that way, and its row says so."
)
REFUSED = "refused"

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Baseline", "The strongest plain policy: what a shop could run without any of this."),
    ("Candidate and champion", "The policy that asks for promotion, and the one that serves tomorrow."),
    (
        "Cautious policy (pooled_cautious)",
        "The pooled model followed less sharply: it earns less and is sooner proven. It must pass the gate "
        "before a sharper one may, and serves where it alone passes.",
    ),
    (
        "Certified gap",
        "Upper bound of the revenue share that the allocation loses against the best one on the same curves.",
    ),
    (
        "Doubly robust (dr)",
        "Reward model, corrected by weighted logged rewards; right if the model or the propensities are.",
    ),
    (
        "Effective sample size (ESS)",
        "How many equally weighted rounds would carry the same evidence; far fewer means few rounds decide.",
    ),
    (
        "Holdout",
        "The last rounds of each segment. Nothing was fitted on them; policies are judged there.",
    ),
    (
        "Interval",
        "Values that the logs are compatible with; “0.42 % (0.31 to 0.55)” is value, lower, upper end.",
    ),
    ("Marginal ROAS", "Revenue that the next unit of spend brings. Equal across cells in a best allocation."),
    ("Mean weight", "Average importance weight; about 1 when the logged propensities are right."),
    ("pp", "Percentage points: the difference of two percentages."),
    ("Propensity", "Probability that the policy shows this action in this slot."),
    ("Reward", "What one logged decision earned, such as a click. Values are rewards per round."),
    ("ROAS", "Return on ad spend: revenue per unit of spend."),
    (
        "Rolling origin",
        "A date at which a policy is learned anew from all rounds before it and judged on those after it. "
        "The gate judges from several, so that it decides by more rounds than the holdout's.",
    ),
    (
        "Round",
        "One logged decision: what was known, what was shown, with which probability, what came of it.",
    ),
    ("Segment", "A group of customers that learns and is judged on its own."),
    (
        "Self-normalized importance sampling (snips)",
        "Logged rewards, reweighted to the policy; needs no reward model and checks the doubly robust value.",
    ),
    ("Shadow price", "Revenue that one more unit of total budget would bring."),
    ("Supported share", "Share of the policy's probability on actions that the log could have shown."),
    ("Zero-shot", "The meta-trained policy before it adapts to a segment."),
)


def lead(everyone: Sequence[Verdict], undecided: Collection[str], planned: Sequence[str]) -> str:
    """Return the sentence that opens the report; planned: what was decided without a verdict.

    >>> lead((), ("recommendation", "advertising"), ["the ad budget"])
    'The night decided the ad budget alone: no policy was judged.'
    """
    if not everyone:
        return _lead_without_verdicts(undecided, planned)
    promoted = [DOMAINS[verdict.domain].lower() for verdict in everyone if verdict.verdict == "promote"]
    if not promoted:
        return "No policy changes tomorrow: no candidate passed the gate."
    return f"A new policy serves {' and '.join(promoted)} tomorrow."


def decision(verdict: Verdict) -> str:
    """Return what happens tomorrow in the verdict's domain."""
    if verdict.verdict == "promote":
        what = f": {POLICIES[verdict.candidate]}" if verdict.candidate in POLICIES else ""
        return (
            f"{verdict.candidate} serves from tomorrow{what}. It beats {verdict.baseline}, "
            "the strongest plain policy."
        )
    if verdict.verdict == "hold":
        return (
            f"{verdict.champion} keeps serving. {verdict.candidate} is not proven better than "
            f"{verdict.baseline}, the strongest plain policy."
        )
    return f"{verdict.champion} keeps serving. {verdict.candidate} was refused."


def meaning(verdict: Verdict) -> str:
    """Return what the interval of the difference says."""
    if verdict.difference is None or verdict.lower is None or verdict.upper is None:
        return "The difference could not be measured."
    if verdict.sign > 0:
        return "The whole interval lies above zero: a gain is more than chance."
    if verdict.sign < 0:
        return "The whole interval lies below zero: the candidate loses more than chance explains."
    return "The interval contains zero: a difference of this size can be chance."


def discounted(lead: str, upper: str) -> str:
    """Return what is left of a lead after the luck of those that pass."""
    return (
        "Policies that pass a gate were lucky more often than not. "
        f"Less that luck, the lead is about {lead}, and hardly more than {upper}."
    )


def judged(verdict: Verdict) -> str:
    """Return which rounds a verdict rests on, and what was learned before them."""
    rounds = f"Judged on {verdict.n_rounds:,} rounds, {verdict.judged_from} to {verdict.judged_to}"
    if verdict.split_by != "time":
        anew = f", learned anew {verdict.n_origins} times" if verdict.n_origins > 1 else ""
        return (
            f"Judged on {verdict.n_rounds:,} rounds{anew}. The log has no times, so chance decided which "
            f"{verdict.split_by}s teach and which judge: the result says nothing of change over time."
        )
    if verdict.n_origins == 1:
        return f"{rounds}, that nothing was fitted on."
    return (
        f"{rounds}: learned anew at {verdict.n_origins} dates, each time from the days before. The early "
        "versions knew less than the one that serves, so the difference is a cautious one."
    )


def per_rounds(difference: str, interval: str) -> str:
    """Return the difference as rewards in ten thousand rounds."""
    return f"In 10,000 rounds: {difference} rewards ({interval})."


def freshness(days_behind: int | None) -> tuple[Mark, str]:
    """Return how fresh the data are; 0 days behind is a night on time."""
    if days_behind is None:
        return Mark("?", "quiet"), "Freshness unknown: the manifest names no night or no last logged day"
    if days_behind < 0:
        return Mark("✕", "bad"), f"Logs run {_days(-days_behind)} past the night; check as_of"
    if days_behind == 0:
        return Mark("✓", "good"), "On time: logs reach the night"
    return Mark(
        "!", "even" if days_behind == 1 else "bad"
    ), f"Late: logs end {_days(days_behind)} before the night"


def segments_line(n_served: int, n_kept: int, n_protected: int, n_harmed: int) -> str:
    """Return what happens in single segments tomorrow.

    >>> segments_line(20, 2, 1, 0)
    'Segments: 20 served, 2 kept, 1 protected; no loss stands out among them.'
    """
    losses = "no loss stands out" if not n_harmed else f"{n_harmed} losses stand out"
    losses = "1 loss stands out" if n_harmed == 1 else losses
    return f"Segments: {n_served} served, {n_kept} kept, {n_protected} protected; {losses} among them."


def segments_caption(today: str) -> str:
    """Return what the table of segments compares."""
    return (
        f"What each segment gains over {today}, which serves today; drawn towards the mean of all segments, "
        "so that chance in a small one decides little; the largest segment first"
    )


def harmed_segment(segment: Verdict, difference: str) -> str:
    """Return a segment whose loss stands out, and what happens there tomorrow."""
    return f"{segment.segment_id}: {difference}, {segment.verdict}"


def harmed_line(n_harmed: int) -> str:
    """Return the sentence above the list of harmed segments."""
    if n_harmed == 0:
        return (
            "No segment's loss stands out among all segments (p-value under 0.05, adjusted for their number)."
        )
    them = "segment loses" if n_harmed == 1 else "segments lose"
    return (
        f"{n_harmed} {them} beyond chance (p-value under 0.05, adjusted for the number of segments). Look "
        f"at {'it' if n_harmed == 1 else 'them'} before the policy goes on:"
    )


def values_conclusion(best: str, overlaps: bool, second: str) -> str:
    """Return what to conclude from the chart of values."""
    if not second:
        return f"Only {best} was measured."
    if overlaps:
        return (
            f"{best} has the highest value, {second} is next. All are judged on the same rounds, so "
            "overlapping intervals do not settle their order; the verdict rests on the paired difference."
        )
    return f"{best} has the highest value, and its interval lies clear of {second}, the next."


def coverage_conclusion(n_covered: int, n_known: int) -> str:
    """Return how often intervals contained the simulated truth."""
    return f"The simulated world's true value lies inside {n_covered} of {n_known} intervals."


def arms_conclusion(n_covered: int, n_trusted: int, n_refused: int) -> str:
    """Return how often one arm's log told what another arm was seen to earn."""
    said = (
        f"In {n_covered} of {n_trusted} cases the observed reward lies inside the interval of the estimate."
        if n_trusted
        else "No log could speak about another arm."
    )
    if not n_refused:
        return said
    more = "1 more is" if n_refused == 1 else f"{n_refused} more are"
    return f"{said} {more} refused: the log says too little about the arm."


def validation_conclusion(curves: Sequence[LearningCurve]) -> str:
    """Return what the curves of validation values show, without calling any step the best."""
    adapting = [curve for curve in curves if curve.n_differing]
    still = [curve.learner for curve in curves if not curve.n_differing]
    parts = []
    if adapting:
        shares = [f"{curve.n_above} of {curve.n_compared} steps of {curve.learner}" for curve in adapting]
        parts.append(f"Adapted to a segment, the value lies higher than zero-shot at {', '.join(shares)}.")
    if still:
        parts.append(f"The same with and without adapting: {', '.join(still)}.")
    return " ".join(parts)


def note_heading(note: Note) -> str:
    """Return whom a note speaks of, empty for a note of the whole night."""
    names = ", ".join(note.learners)
    return f"{DOMAINS[note.domain]}, {names}" if names else ""


def quality_conclusion(n_sources: int, n_refusing: int, n_lost: int) -> str:
    """Return what the lines of the table come to."""
    sources = "1 source" if n_sources == 1 else f"{n_sources} sources"
    rejecting = "with rejected lines" if n_sources == 1 else f"{n_refusing} of them with rejected lines"
    refused = rejecting if n_refusing else "no line rejected"
    sums = (
        "Every line was either loaded or rejected with a reason."
        if n_lost == 0
        else f"In {n_lost} of them loaded and rejected lines do not make up the lines read: lines were lost."
    )
    return f"{sources} read, {refused}. {sums}"


def absent_table(table: str, *, is_empty: bool) -> str:
    """Return the notice for a table that is missing or has no rows."""
    state = "has no rows" if is_empty else "was not published"
    return f"{table} {state}: {WHY_TABLES_MATTER[table]}."


def left_out(n_left_out: str) -> str:
    """Return the line below a table that shows its first rows only."""
    return f"{n_left_out} more rows are not shown here; sorting sorts what is shown. All rows are in"


def small_segments(n_segments: int, smallest: int) -> str:
    """Return why segments are missing from a table."""
    noun = "segment" if n_segments == 1 else "segments"
    return (
        f"Not shown: {n_segments} {noun} with fewer than {smallest} users, so that nobody can be singled out."
    )


def _lead_without_verdicts(undecided: Collection[str], planned: Sequence[str]) -> str:
    if planned and all(domain in undecided for domain in JUDGED_DOMAINS):
        return f"The night decided {' and '.join(planned)} alone: no policy was judged."
    if not planned and all(domain in undecided for domain in DOMAINS):
        return (
            "The night decided nothing: the reasons stand below, and data quality says what was read "
            "and what was refused."
        )
    return "The night published no verdict, so nothing here says which policy should serve tomorrow."


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
