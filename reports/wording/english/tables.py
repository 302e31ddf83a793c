"""English: heads of columns, captions, and the line below a table."""

from collections.abc import Mapping

BELOW: Mapping[str, str] = {
    "table.source": "From {file} and .parquet beside this report.",
    "table.left_out": (
        "{n_rows} more rows are not shown here; sorting sorts what is shown. All rows are in {file} and "
        ".parquet beside this report."
    ),
}

HEADS: Mapping[str, str] = {
    "head.adapting_higher": "Adapting is higher",
    "head.adds_up": "Adds up",
    "head.adjusted_p": "Adjusted p",
    "head.answered_by": "Answered by",
    "head.arm": "Arm",
    "head.budget_line": "Budget line",
    "head.campaign": "Campaign",
    "head.candidate_less_today": "Candidate less today's",
    "head.change": "Change",
    "head.channel": "Channel",
    "head.claim": "Claim",
    "head.compared_with": "Compared with",
    "head.coverage": "Coverage (interval)",
    "head.creative": "Creative",
    "head.curves_predicted": "Curves predicted",
    "head.diagnostic": "Diagnostic",
    "head.difference": "Difference (interval)",
    "head.difference_with_chance": "Difference with chance",
    "head.difference_within": "Difference",
    "head.earned": "Earned",
    "head.ess": "ESS",
    "head.ess_share": "ESS share",
    "head.estimate": "Estimate (interval)",
    "head.estimate_by": "{estimator} (interval)",
    "head.estimator": "Estimator",
    "head.example": "Example",
    "head.expected_revenue": "Expected revenue (interval)",
    "head.expected_reward": "Expected reward",
    "head.exploration": "Exploration",
    "head.first_adapted": "First adapted value",
    "head.first_explored": "First policy",
    "head.first_loss": "First loss",
    "head.first_zero_shot": "First zero-shot value",
    "head.gain_in_revenue": "Gain in revenue (interval)",
    "head.gap_closed": "Gap closed",
    "head.good": "Good",
    "head.hit_rate": "Visitors with a hit",
    "head.holdout": "Holdout",
    "head.in_slates": "In slates",
    "head.inside": "Inside",
    "head.inside_interval": "Inside interval",
    "head.interval_at": "{level} interval",
    "head.item": "Item",
    "head.last_adapted": "Last adapted value",
    "head.last_loss": "Last loss",
    "head.last_zero_shot": "Last zero-shot value",
    "head.learner": "Learner",
    "head.less_popularity": "Less popularity (interval)",
    "head.less_the_log": "Less the log",
    "head.level": "Level",
    "head.lines": "Lines",
    "head.lines_at_limit": "Lines at a limit",
    "head.loaded": "Loaded",
    "head.log_of": "Log of",
    "head.max_weight": "Max weight",
    "head.mean_of_shops": "Mean shop",
    "head.mean_weight": "Mean weight",
    "head.meaning": "Meaning",
    "head.method": "Method",
    "head.miss": "Miss",
    "head.miss_per_line": "Miss per line: {method}",
    "head.ndcg": "NDCG (interval)",
    "head.next_unit": "Next unit",
    "head.night": "Night",
    "head.nights": "Nights",
    "head.observed": "Observed (interval)",
    "head.odds_factor": "Odds off by",
    "head.oracle": "Best allowed",
    "head.planned_revenue": "Planned revenue (interval)",
    "head.policy": "Policy",
    "head.probability": "Probability",
    "head.probability_of_harm": "Probability of harm",
    "head.promotions": "Promotions",
    "head.propensity": "Propensity",
    "head.query": "Query",
    "head.ranker": "Ranking",
    "head.reason": "Reason",
    "head.recommended": "Recommended",
    "head.rejected": "Rejected",
    "head.rejected_share": "Rejected, share",
    "head.roas": "ROAS",
    "head.role": "Role",
    "head.rounds": "Rounds",
    "head.rows": "Rows",
    "head.rule": "Rule",
    "head.scenario": "Scenario",
    "head.score": "Score (interval)",
    "head.segment": "Segment",
    "head.served": "Served",
    "head.serves": "Serves",
    "head.serves_tomorrow": "Serves tomorrow",
    "head.share_of_nights": "Share of nights",
    "head.shops": "Shops",
    "head.slot": "Slot",
    "head.source": "Source",
    "head.split": "Split",
    "head.status": "Status",
    "head.steps": "Steps",
    "head.support": "Support",
    "head.support_until": "Support until",
    "head.supported": "Supported",
    "head.surface": "Surface",
    "head.this_log": "This log",
    "head.today": "Today",
    "head.tomorrow": "Tomorrow",
    "head.true_value": "True value",
    "head.users": "Users",
    "head.usual_sentence": "Usual sentence",
    "head.value": "Value",
    "head.value_with_interval": "Value (interval)",
    "head.way": "Way",
    "head.week": "Week",
    "head.weight": "Weight",
    "head.weight_they_hold": "Weight they hold",
    "head.worst_shop": "Worst shop",
    "head.wrong": "What was wrong",
}

CAPTIONS: Mapping[str, str] = {
    "caption.quality": "Lines per source and rule, most rejected first",
    "caption.values": "Policy values on the holdout of all segments, reward per round",
    "caption.diagnostics": "Weights and support of each policy; intervals: {methods}",
    "caption.estimators": "Every estimator",
    "caption.arms": "Reward per round of each arm, estimated from another arm's log and observed in its own",
    "caption.sensitivity": "What {policy} earns more per round, by what the odds of what was shown are off",
    "caption.segments": (
        "What each segment gains over {today}, which serves today; drawn towards the mean of all segments, "
        "so that chance in a small one decides little; the largest segment first"
    ),
    "caption.segments_of_one": (
        "What each segment gains over {today}, which serves today; drawn towards the mean of all segments, "
        "so that chance in a small one decides little; the largest segment first; {champion} serves all of "
        "them tomorrow"
    ),
    "caption.ways": (
        "Ways to run a shop of world {world}: true clicks per round, each with its own share of uniform "
        "slates"
    ),
    "caption.by_night": "True clicks per round by night, world {world}",
    "caption.closed": "Why metacart promoted nothing, world {world}",
    "caption.learners": "Learners at their first and last step, value on validation segments",
    "caption.tasks": "What each segment brought to learning, in rounds",
    "caption.tasks_until": "What each segment brought to learning, in rounds; support until {until} UTC",
    "caption.unseen": (
        "Against {baseline}: difference in reward per round on {n_segments} new segments, paired, doubly "
        "robust"
    ),
    "caption.unseen.one": (
        "Against {baseline}: difference in reward per round on 1 new segment, paired, doubly robust"
    ),
    "caption.by_support": (
        "Value on new segments by rounds of support, segments alike, before the pooled model is fitted again"
    ),
    "caption.by_steps": (
        "Value on new segments by gradient steps on all rounds of support, segments alike, before the pooled "
        "model is fitted again"
    ),
    "caption.likeliest_items": "The {n_items} likeliest items of each slot; every visitor draws anew",
    "caption.top_items": (
        "Top {n_items} items per segment and surface, the largest segment first; means over rows"
    ),
    "caption.experiment": "Both arms of the experiment, reward per round",
    "caption.fallback": "Which policy answered",
    "caption.rankers": (
        "Rankings on later days, by their first {n_places} items; {n_tried} were compared on earlier days"
    ),
    "caption.reasons": "Why items were chosen",
    "caption.creatives": "The most probable creatives, best evidence first",
    "caption.channels": "Channels, {unit}",
    "caption.scenarios": "Scenarios, {unit}",
    "caption.biggest_moves": "Budget lines, {unit} with spend, the biggest move first",
    "caption.smaller_moves": "Budget lines, {unit} with spend, the smaller moves",
    "caption.weeks": "Held-out weeks, {unit}, the newest first",
}

TEXTS: Mapping[str, str] = {**BELOW, **HEADS, **CAPTIONS}
