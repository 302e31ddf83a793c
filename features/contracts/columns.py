"""Every column once: type, unit, range, meaning, and whether it is personal.

A contract (logs.py, outputs.py) picks its columns from here, so the same quantity has the same name,
type and range in every table. `optional(column)` is the same column where it may be absent.
"""

import copy
from typing import TypeVar, get_args

import dataframely as dy

from features.codes import Split
from features.contracts.finding_codes import SERVED, TASKS
from features.contracts.policy_versions import RUN_ID

ColumnType = TypeVar("ColumnType", bound=dy.Column)

PERSONAL = {"personal": True}


def optional(column: ColumnType) -> ColumnType:
    """Return the same column, allowed to be null."""
    relaxed = copy.copy(column)
    relaxed.nullable = True
    return relaxed


def _text(description: str, *, personal: bool = False) -> dy.String:
    return dy.String(description=description, min_length=1, metadata=PERSONAL if personal else None)


def _json(description: str) -> dy.String:
    """A JSON object of whatever a shop logs: people's addresses and numbers can be anywhere in it."""
    return dy.String(description=description, min_length=1, metadata={"free_text": "json"})


# No shop counts or pays more on one line, and ten thousand such lines still add up to a 64-bit integer.
MOST_COUNTED = 10**12
MOST_CENTS = 10**14
# What is published is made of such amounts: a day's sum over all lines, or a fit that reaches beyond a line.
MOST_PUBLISHED_CENTS = 10**17
# Nobody sees a choice that is made less than once in 10**12 times, and the weight of a smaller one overflows.
LEAST_PROPENSITY = 1e-12


def _count(description: str) -> dy.Int64:
    return dy.Int64(description=description, min=0, max=MOST_COUNTED, metadata={"unit": "count"})


def _cents(description: str, *, may_be_negative: bool = False, most: int = MOST_CENTS) -> dy.Int64:
    return dy.Int64(
        description=description,
        min=-most if may_be_negative else 0,
        max=most,
        metadata={"unit": "cents"},
    )


def _published_cents(description: str, *, may_be_negative: bool = False) -> dy.Int64:
    return _cents(description, may_be_negative=may_be_negative, most=MOST_PUBLISHED_CENTS)


def _orders(description: str, minimum: int) -> dy.Float64:
    """A number of orders, of which attribution may split one between several rows."""
    return dy.Float64(description=description, min=minimum, max=MOST_COUNTED, metadata={"unit": "count"})


def _share(description: str) -> dy.Float64:
    return dy.Float64(description=description, min=0, max=1, metadata={"unit": "share"})


def _p_value(description: str) -> dy.Float64:
    return dy.Float64(description=description, min=0, max=1, metadata={"unit": "probability"})


def _number(description: str, unit: str | None = None, minimum: float | None = None) -> dy.Float64:
    return dy.Float64(description=description, min=minimum, metadata={"unit": unit} if unit else None)


def _time(description: str) -> dy.Datetime:
    return dy.Datetime(description=description, time_zone="UTC", time_unit="us", metadata={"unit": "UTC"})


# who, where, when
user_id = _text("the shop's own user id; becomes user_key before anything is stored", personal=True)
user_key = _text("keyed pseudonym of a user; the segment's id where logs have no users")
session_id = _text("one visit")
shown_at = _time("when it was shown")
occurred_at = _time("when it happened")
ordered_at = _time("when the order was placed")
signup_at = dy.Datetime(
    description="day on which the user signed up",
    time_zone="UTC",
    time_unit="us",
    metadata={"unit": "UTC", "generalize": "day"},
)
date = dy.Date(description="day in UTC")
as_of = dy.Date(description="the night's date: the last day whose logs count")
surface = _text("place in the shop where items are shown")
slot = dy.Int64(description="position inside the surface, 1 is the first", min=1, max=1000)
run_id = _text("one night of one shop under one configuration")
policy_version = _text("the policy that served the row")
served_run_id = dy.String(
    description=(
        "the night whose list was shown, as `run_id` of the published table; null where something else was "
        "shown, or nobody knows"
    ),
    regex=f"^{RUN_ID}$",
)

# logged decisions
impression_id = _text("one item shown once")
event_id = _text("one event")
item_name = _text("what people call the item; null where the catalog has no name for it")
item_id = _text("an item of the catalog")
candidate_set_id = _text("which items could have been shown")
propensity = dy.Float64(
    description="probability of this action in this slot under the policy that served it",
    min_exclusive=LEAST_PROPENSITY,
    max=1,
    metadata={"unit": "probability"},
)
event_type = dy.Enum(
    ["view", "click", "add_to_cart", "remove_from_cart"], description="what the user did with the item"
)
context = _json("what else was known when deciding, as a JSON object of name and value")
attributes = _json("further attributes, as a JSON object of name and value")

# catalog and people
name = _text("what people call the item")
url = _text("address of the item's page")
image_url = _text("address of the item's picture")
category = _text("category of the item")
brand = _text("brand of the item")
price_cents = _cents("price of one piece")
piece_cost_cents = _cents("what one piece cost the shop to buy or make, in the currency of its price")
currency_code = dy.String(description="ISO 4217 code", regex="^[A-Z]{3}$")
region = _text("region of the user, coarse enough not to identify")
device = _text("kind of device")

# purchases
order_id = _text("one order")
line = dy.Int64(description="line of the order, 1 is the first", min=1, max=MOST_COUNTED)
quantity = dy.Int64(description="pieces bought", min=1, max=1_000_000, metadata={"unit": "count"})
is_cancelled = dy.Bool(description="the line was cancelled later")
is_returned = dy.Bool(description="the line is a return, at ordered_at, of pieces of an earlier order")

# advertising
ad_impression_id = _text("one ad shown once")
campaign_id = _text("advertising campaign")
channel = _text("where the ad ran")
creative_id = _text("the picture and text of the ad")
cost_cents = _cents("what the shop paid for the impression")
is_clicked = dy.Bool(description="the ad was clicked")
conversions = _orders("orders attributed to the row; attribution may split one", 0)
adjusted_conversions = _orders("orders attributed; negative where they are taken back", -MOST_COUNTED)
conversion_value_cents = _cents("revenue attributed to the row")
impressions = _count("ads shown")
clicks = _count("clicks")
spend_cents = _cents("money spent; negative for a credit", may_be_negative=True)
revenue_cents = _cents("revenue attributed; negative where it is taken back", may_be_negative=True)

# segments and tasks
segment_id = _text("customer segment; `all` stands for all of them together")
n_support = _count("rounds a learner adapts on")
n_query = _count("later rounds that judge the adaptation while learning")
n_holdout = _count("last rounds, seen by nothing before the evaluation")
n_users = _count("distinct users; rounds where logs have no users")
split = dy.Enum(get_args(Split), description="role of the segment in learning")
support_until = _time("end of the support window")
query_until = _time("end of the query window")
task_reason_code = dy.Enum(list(TASKS), description="why, as the code of its finding")
task_status = dy.Enum(["used", "merged", "pooled_only"], description="what became of the segment")

# recommendation
slot_rank = dy.Int64(description="position in the slate, 1 is the first", min=1)
score = _number(
    "expected reward of showing this item to this segment, as night.reward counts it: clicks or orders, or "
    "money in the currency's main unit; in rows of the level unproven the ranker's score, of no unit",
    "reward per round",
)
score_lower = _number("lower end of the 95% interval of score; null for a ranker's", "reward per round")
score_upper = _number("upper end of the 95% interval of score; null for a ranker's", "reward per round")
slate_log_probability = dy.Float64(description="natural log of the probability of the whole slate", max=0)
is_exploration = dy.Bool(
    description="from a slate drawn to learn from: uniformly, or from a policy that asks to serve"
)
reason_code = dy.String(
    description="why this row, as the code of its finding", regex=f"^({'|'.join(SERVED)})$"
)
reason_text = _text("why this row, as a sentence")
rule_ids = dy.String(description="business rules that touched the row, separated by spaces; empty for none")
fallback_level = dy.Enum(
    ["segment", "pooled", "baseline", "popular"], description="which policy answered, best first"
)
evidence_level = dy.Enum(
    ["logged", "estimated", "unproven", "experiment"],
    description="what the decision stands on: logged propensities, estimated ones, rankings of later acts "
    "alone, or an experiment",
)
arm = dy.Enum(
    ["candidate", "champion"],
    description="the arm of the experiment that the user was assigned to; null where none runs",
)
arm_probability = _share("probability of that arm: the user was assigned to it by a hash")
probability = _share("probability of the creative in the segment and channel")
item_probability = _share("probability of the item in this slot for a visitor of the segment")

# rankings measured on later acts
ranking_domain = dy.Enum(["recommendation"], description="area of decision")
ranker = _text("what ordered the items: popularity, a best-seller list, similarity of items")
ranking_metric = dy.Enum(
    ["ndcg", "recall", "precision", "hit_rate", "mrr", "popularity_rank", "coverage"],
    description="metric of the first places of a list, as in offline_rl/ranking/metrics.py; of "
    "popularity_rank a larger value means less popular items, of all others a better list",
)
cutoff = dy.Int64(
    description="number of places of a list that are measured", min=1, metadata={"unit": "count"}
)
metric_value = _number("mean of the metric over the users of the window", "metric", 0)
metric_lower = _number("lower end of the 95% interval of that mean over users", "metric")
metric_upper = _number("upper end of that interval", "metric")
metric_difference = _number("the mean less that of the baseline, paired by user", "metric")
metric_difference_lower = _number("lower end of the 95% interval of that difference", "metric")
metric_difference_upper = _number("upper end of that interval", "metric")
n_window_users = _count("distinct users with a purchase in the window")
n_cold_users = _count("those of them who had done nothing before the window")
window_from = _time("start of the window; rankers know what came before it and nothing else")
window_until = _time("end of the window, the first moment that is not in it")
is_chosen = dy.Bool(description="the ranker that serves tomorrow")

# budget
scenario = _text("which total is divided: today's, or one that the shop gives")
spend_current_cents = _published_cents("spend now, of a day on which the cell spends")
spend_recommended_cents = _published_cents("spend proposed, of a day on which the cell spends")
spend_min_cents = _published_cents("least spend allowed, of a day on which the cell spends")
spend_max_cents = _published_cents("most spend allowed, of a day on which the cell spends")
active_share = _share("share of the cell's last logged days with spend; 0 for a cell that spends nothing now")
daily_spend_current_cents = _published_cents(
    "spend per day now, days without spend included; adds up to the shop's total"
)
daily_spend_recommended_cents = _published_cents(
    "spend per day proposed, days without spend included; adds up to the shop's total"
)
change_share = _number("recommended over current spend, less one", "share", -1)
expected_conversions = _number(
    "conversions of a day with spend, expected at the recommended spend", "count", 0
)
revenue_current_cents = _published_cents("revenue of a day with spend, expected at the current spend")
expected_revenue_cents = _published_cents("revenue of a day with spend, expected at the recommended spend")
revenue_lower_cents = _published_cents(
    "lower end of the 95% interval of that revenue, as a mean of the next seven days"
)
revenue_upper_cents = _published_cents("upper end of that interval")
logged_until = dy.Date(description="last day that the log of the channel knows, UTC")
budget_scope = dy.Enum(["shop", "channel"], description="what the sums are over: the shop, or one channel")
n_cells = _count("cells: campaigns, channels and segments that spend is logged for")
n_moved = _count("cells whose spend changes")
n_at_limit = _count("moved cells that a limit stops: the move limit, or the highest spend of a logged day")
n_refused = _count("cells whose log says too little to move them")
daily_revenue_current_cents = _published_cents("revenue per day expected at the current spend")
daily_revenue_current_lower_cents = _published_cents(
    "lower end of its 95% interval, as a mean of the next seven days"
)
daily_revenue_current_upper_cents = _published_cents("upper end of that interval")
daily_revenue_expected_cents = _published_cents("revenue per day expected at the recommended spend")
daily_revenue_lower_cents = _published_cents(
    "lower end of its 95% interval, as a mean of the next seven days"
)
daily_revenue_upper_cents = _published_cents("upper end of that interval")
gain_cents = _published_cents(
    "revenue per day expected at the recommended spend less that at the current", may_be_negative=True
)
gain_lower_cents = _published_cents("lower end of the 95% interval of the gain", may_be_negative=True)
gain_upper_cents = _published_cents("upper end of that interval", may_be_negative=True)
move_limit = _share("largest share by which a cell may move tonight")
is_cautious = dy.Bool(
    description="held-out weeks were predicted no better than by last week's return: halved move limit"
)
backtest_method = dy.Enum(
    ["curves", "same_revenue", "same_return"],
    description="the fitted curves; last week's revenue a day; last week's revenue per cent",
)
held_out_from = dy.Date(description="first day of the week that the prediction had not seen, UTC")
held_out_to = dy.Date(description="last day of that week, UTC")
predicted_revenue_cents = _published_cents(
    "revenue per day predicted for that week from its spend, all compared cells"
)
earned_revenue_cents = _published_cents("revenue per day that they earned")
miss_share = _number("predicted over earned revenue, less one", "share", -1)
cell_miss_share = _number("sum over cells of the absolute miss, over earned revenue", "share", 0)
roas = _number("revenue per unit of spend", "ratio", 0)
marginal_roas = _number("revenue of the next unit of spend", "ratio", 0)
binding_constraint = _text("the limit that stops the cell: none, spend_min, spend_max, support")
shadow_price = _number("revenue that one more unit of total budget would bring", "ratio", 0)
max_supported_spend_cents = _published_cents("highest daily spend that the logs can speak about")
budget_status = dy.Enum(["moved", "held", "refused"], description="what happened to the cell")
certified_gap = _number("upper bound of the revenue share lost against the best allocation", "share", 0)

# evidence
policy = _text("name of the evaluated policy")
estimator = _text("name of the estimator")
value = _number("estimated reward per round", "reward per round")
lower = _number("lower end of the interval", "reward per round")
upper = _number("upper end of the interval", "reward per round")
true_value = _number("reward per round in the simulated world", "reward per round")
n_rounds = _count("logged decisions")
ess = _number("effective sample size of the importance weights", "rounds", 0)
mean_weight = _number("mean importance weight; 1, give or take chance, when propensities are right", None, 0)
max_weight = _number("largest importance weight", None, 0)
supported_share = _share("share of the policy's probability on actions that the log could have shown")
interval_method = _text("how the interval was made and what it is worth, in sentences")
interval_codes = _text("the same as codes of findings, separated by spaces; the first one is the method")
interval_findings = _text("the same as JSON: see Codes of findings")

# estimated propensities
odds_factor = _number(
    "factor by which the true odds of each logged action may be off from the estimated ones, either way",
    "ratio",
    1,
)
bound_lower = _number("least difference that such odds allow in this log", "reward per round")
bound_upper = _number("largest difference that such odds allow in this log", "reward per round")
tipping_factor = _number(
    "largest such factor at which the interval of the difference lies above zero; 1 where it does at none, "
    "null where it does at every one",
    "ratio",
    1,
)
compared_policy = _text("policy that it is compared with")
probability_above = _share("the bin holds estimated probabilities above this one")
probability_up_to = _share("and up to this one")
n_pairs = _count("pairs of a round and an action that it could show")
n_promised = _number("how many of them are chosen, by their estimated probabilities", "count", 0)
n_chosen = _count("how many of them were chosen")

candidate = _text("policy that asks for promotion")
champion = _text("policy that serves tomorrow")
baseline = _text("what the candidate must beat, the strongest by its estimate")
difference = _number("value of the candidate less the baseline", "reward per round")
verdict = dy.Enum(
    ["promote", "test", "hold", "reject", "served", "kept", "protected"],
    description="what the gate decided: test is a promotion on estimated propensities, which serves nobody; "
    "a segment is served, keeps what serves today, or is protected",
)
harm_probability = _share("probability that the candidate earns less in the segment than what serves today")
reasons = _text("why, in sentences")
reason_codes = _text("the codes of the findings, each once, separated by spaces")
findings = _text("why, as JSON: see Codes of findings")
discounted_difference = _number(
    "the difference, less the luck of those that are promoted", "reward per round", 0
)
discounted_upper = _number("what the difference hardly exceeds, after that discount", "reward per round", 0)
baseline_value = _number("value of the baseline on the rounds that were judged", "reward per round")
n_judged = _count("logged decisions that the verdict rests on")
judged_from = dy.Date(description="first day of the rounds that the verdict rests on, UTC")
judged_to = dy.Date(description="last day of the rounds that the verdict rests on, UTC")
split_by = dy.Enum(
    ["time", "user", "round"],
    description="what decided which rounds teach and which judge; user, round: by chance, for want of times",
)
n_origins = _count("times that the candidate was learned anew and judged on later rounds; 1: the holdout")

# arms that ran at the same time
logged_by = _text("policy whose log the value is estimated from")
observed_value = _number("mean reward of the rounds that the policy itself served", "reward per round")
observed_lower = _number("lower end of the interval of observed_value", "reward per round")
observed_upper = _number("upper end of the interval of observed_value", "reward per round")
is_covered = dy.Bool(description="observed_value lies between lower and upper")
is_trusted = dy.Bool(description="the log has enough weight and reach for the value to be believed")

# experiments
experiment_domain = dy.Enum(["recommendation"], description="area of decision")
experiment_id = _text("the area and the candidate's policy_version; users are assigned anew for each")
candidate_version = _text("policy_version that the candidate's arm is served by")
champion_versions = _text(
    "policy_version that served the other arm, of all nights so far, separated by spaces; null on the first "
    "night"
)
started_on = dy.Date(description="the night that started it; the rounds of the days after it count")
experiment_day = _count("days since then")
experiment_share = _share("share of users in the candidate's arm")
n_arm_users = _count("users of the arm with rounds")
n_arm_rounds = _count("rounds of the arm with complete rewards")
arm_value = _number("reward per round of the arm", "reward per round")
served_share = _share("share of the candidate arm's rounds that the candidate served")
arm_difference = _number(
    "reward per round of the candidate's arm less that of the champion's", "reward per round"
)
experiment_lower = _number(
    "lower end of the interval, which holds on all nights together; null where nothing can be said yet",
    "reward per round",
)
experiment_upper = _number("upper end of that interval", "reward per round")
experiment_confidence = _share(
    "confidence of the interval; larger after earlier experiments against the champion"
)
experiment_status = dy.Enum(
    ["running", "promoted", "rejected", "ended"],
    description="what becomes of it: a promoted candidate serves all, a rejected one is shown to earn less, "
    "and one that ended is neither",
)

# learning curves
learner = _text("name of the learner")
step = _count("meta-training steps done")
loss = _number("training loss")
validation_value = _number("value on validation segments after adapting", "reward per round")
zero_shot_value = _number("value on validation segments without adapting", "reward per round")
seconds = _number("wall time since the learner started", "seconds", 0)

# segments that taught no learner
compared_baseline = _text("plain policy that learned in the same night")
n_segments = _count("segments that taught no learner, each with rounds in the holdout")
mean_difference = _number("value of the learner less the baseline, segments alike", "reward per round")
p_value = _p_value("two-sided bootstrap p-value of no difference")
holm_p_value = _p_value(
    "p-value of no difference, adjusted for all that is compared: baselines of a learner, or segments (Holm)"
)
is_claimed = dy.Bool(description="the night says that the learner is better")
curve = dy.Enum(["support_rounds", "inner_steps"], description="what is varied: its support, or its steps")
amount = _count("rounds of support, null for all, or gradient steps")
mean_value = _number("estimated value, segments alike", "reward per round")
mean_true_value = _number("true value in the simulated world, segments alike", "reward per round")

# data quality
source_name = _text("file, or log where no file is meant")
rule = _text("the rule that the lines were checked by, as a sentence")
n_rows = _count("lines looked at")
n_loaded = _count("lines loaded")
n_rejected = _count("lines in quarantine")
reason = _text("what was wrong, as a sentence")
example = _text("one rejected line: the shapes of its values, no text of it")
