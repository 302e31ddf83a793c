"""The table of estimators: a form with a weight and, for some, a shrinkage of the weight.

| weight | Mean | CorrectedMean | Ratio | CorrectedRatio |
|---|---|---|---|---|
| importance | ips | dr, mrdr | snips | sndr |
| importance, clipped | ips:clip | dr:clip | | |
| importance, switched | | switch_dr:tau | | |
| importance, optimistic | | dr_os:lambda | | |
| importance, sub_gaussian | subgaussian_ips:lambda | subgaussian_dr:lambda | | |
| embedding | mips | off_cem | snmips | |
| all_loggers | balanced_loggers_ips | balanced_loggers_dr | | |
| density_ratio | | | balanced | |
| density_ratio, clipped | | | balanced:clip | |
| none | | dm | | |

An empty cell is one row away. An estimator that is not a form of a weight has a file of its own:
`cressie_read`, `empirical_likelihood`, `optimal_baseline`, `multiple_loggers`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.forms import CorrectedMean, CorrectedRatio, Mean, Ratio, q_hat_mrdr
from offline_rl.ope.estimators.shrinkage import CLIP, OPTIMISTIC, SUB_GAUSSIAN, SWITCH, Shrinkage
from offline_rl.ope.estimators.weights import Weight, all_loggers, density_ratio, embedding, importance, none

MODEL = ("q_logged", "q_policy")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One estimator, or one family of them where there is a hyperparameter.

    | field | meaning |
    |---|---|
    | name | what configuration, command line and tables call it |
    | title | what the literature calls it |
    | form, weight, shrinkage | what it is made of; shrinkage.symbol is its hyperparameter |
    | formula | the value V |
    | needs | optional columns of the rounds that it can't do without |
    | answer | V of two rounds on paper, at a hyperparameter of 1 |
    | when | when to take it, and what to beware of |
    | source | the paper |

    The rounds on paper: r = (1, 0), w = (3, 1), w(x, e) = (3/2, 1/2), w_bal = (2, 1), v = (4, 1), q_logged =
    (1/2, 1/4), q_policy = (1/2, 1/2), and of MRDR's model (3/4, 1/4) and (1/4, 1/4).
    """

    name: str
    title: str
    form: Callable[[str, Weight], Estimator]
    weight: Weight
    shrinkage: Shrinkage | None = None
    formula: str
    needs: tuple[str, ...] = ()
    answer: float
    when: str
    source: str


TABLE = (
    Row(
        name="ips",
        title="inverse propensity scoring",
        form=Mean,
        weight=importance,
        formula="Σ w r / n",
        answer=1.5,
        when="The textbook's value is wanted: unbiased when propensities are right and the log could show "
        "whatever the policy shows. Its variance grows with the squared weights.",
        source="Horvitz & Thompson 1952; for policies Precup, Sutton & Singh 2000",
    ),
    Row(
        name="ips",
        title="inverse propensity scoring with clipped weights",
        form=Mean,
        weight=importance,
        shrinkage=CLIP,
        formula="Σ min(w, c) r / n",
        answer=0.5,
        when="As a check: far from the value of ips means a heavy tail. Trades variance for a bias, "
        "downward where rewards are non-negative. c = ∞ is ips.",
        source="Ionides 2008, Truncated importance sampling",
    ),
    Row(
        name="subgaussian_ips",
        title="inverse propensity scoring with sub-Gaussian weights",
        form=Mean,
        weight=importance,
        shrinkage=SUB_GAUSSIAN,
        formula="Σ w / (1 − λ + λ w) r / n",
        answer=0.5,
        when="Bounds are wanted at heavy tails: weights are at most 1 / λ and the value is differentiable in "
        "the policy, which under clipping it is not. Biased towards 0. λ = 0 is ips; λ = 1 gives every round "
        "that the policy could have made the weight 1.",
        source="Metelli, Russo & Restelli 2021, Subgaussian and differentiable importance sampling for "
        "off-policy evaluation and learning",
    ),
    Row(
        name="mips",
        title="marginalized inverse propensity scoring",
        form=Mean,
        weight=embedding,
        formula="Σ w(x, e) r / n",
        needs=("marginal_weight",),
        answer=0.75,
        when="There are many actions with embeddings e: varies far less than ips where many actions share an "
        "embedding. Unbiased when the action matters to the reward only through its embedding.",
        source="Saito & Joachims 2022, Off-policy evaluation for large action spaces via embeddings",
    ),
    Row(
        name="balanced_loggers_ips",
        title="balanced inverse propensity scoring of several loggers",
        form=Mean,
        weight=all_loggers,
        formula="Σ π_e(a∣x) / (Σ_k (n_k / n) π_k(a∣x)) r / n",
        needs=("balanced_propensity",),
        answer=1.0,
        when="Several policies wrote the log, and each one's probability of every logged action is known: "
        "unbiased where any logger could show what the policy shows, and never more variable than naive ips.",
        source="Agarwal, Basu, Schnabel & Joachims 2017, Effective evaluation using logged bandit feedback "
        "from multiple loggers",
    ),
    Row(
        name="dr",
        title="doubly robust",
        form=CorrectedMean,
        weight=importance,
        formula="Σ [q_policy + w (r − q_logged)] / n",
        needs=MODEL,
        answer=1.125,
        when="There is a reward model; it decides the gate. Unbiased when either the propensities or the "
        "reward model are right, and varies less than ips the more of the reward the model explains. Large "
        "weights still hurt.",
        source="Dudik, Langford & Li 2011, Doubly robust policy evaluation and learning",
    ),
    Row(
        name="dr",
        title="doubly robust with clipped weights",
        form=CorrectedMean,
        weight=importance,
        shrinkage=CLIP,
        formula="Σ [q_policy + min(w, c) (r − q_logged)] / n",
        needs=MODEL,
        answer=0.625,
        when="As a check beside dr, as ips with a clip is beside ips. Biased towards q̂. c = ∞ is dr.",
        source="Su, Dimakopoulou, Krishnamurthy & Dudik 2020, as of dr_os: the pessimistic shrinkage",
    ),
    Row(
        name="switch_dr",
        title="Switch-DR",
        form=CorrectedMean,
        weight=importance,
        shrinkage=SWITCH,
        formula="Σ [q_policy + w 1(w ≤ τ) (r − q_logged)] / n",
        needs=MODEL,
        answer=0.375,
        when="The model is good and few weights are huge: a round with a weight above τ only contributes "
        "what the model says. The bias is the model's error on the actions that were cut. τ = 0 is dm, "
        "τ = ∞ is dr.",
        source="Wang, Agarwal & Dudik 2017, Optimal and adaptive off-policy evaluation in contextual bandits",
    ),
    Row(
        name="dr_os",
        title="doubly robust with optimistic shrinkage",
        form=CorrectedMean,
        weight=importance,
        shrinkage=OPTIMISTIC,
        formula="Σ [q_policy + λ w / (w² + λ) (r − q_logged)] / n",
        needs=MODEL,
        answer=0.5125,
        when="As switch_dr, smoothly: the shrunken weights minimize a bound of the mean squared error over "
        "reward models. Biased where the model is wrong. λ = 0 is dm, λ = ∞ is dr.",
        source="Su, Dimakopoulou, Krishnamurthy & Dudik 2020, Doubly robust off-policy evaluation with "
        "shrinkage",
    ),
    Row(
        name="subgaussian_dr",
        title="doubly robust with sub-Gaussian weights",
        form=CorrectedMean,
        weight=importance,
        shrinkage=SUB_GAUSSIAN,
        formula="Σ [q_policy + w / (1 − λ + λ w) (r − q_logged)] / n",
        needs=MODEL,
        answer=0.625,
        when="Bounds are wanted at heavy tails, and there is a model. Biased towards q̂. λ = 0 is dr.",
        source="Metelli, Russo & Restelli 2021, as of subgaussian_ips",
    ),
    Row(
        name="mrdr",
        title="more robust doubly robust",
        form=partial(CorrectedMean, model=q_hat_mrdr),
        weight=importance,
        formula="Σ [q_policy_mrdr + w (r − q_logged_mrdr)] / n",
        needs=("q_logged_mrdr", "q_policy_mrdr"),
        answer=0.5,
        when="The reward model can be fitted to make the variance of dr small, under the sample weights "
        "π_e(a∣x) (1 − π_b(a∣x)) / π_b(a∣x)². Unbiased as dr is.",
        source="Farajtabar, Chow & Ghavamzadeh 2018, More robust doubly robust off-policy evaluation",
    ),
    Row(
        name="off_cem",
        title="off-policy evaluation by the conjunct effect model",
        form=CorrectedMean,
        weight=embedding,
        formula="Σ [q_policy + w(x, e) (r − q_logged)] / n",
        needs=(*MODEL, "marginal_weight"),
        answer=0.8125,
        when="As mips, with a model for what the embedding (or cluster) e leaves unexplained. Unbiased when "
        "q̂ gets the differences between actions of one embedding right.",
        source="Saito, Ren & Joachims 2023, Off-policy evaluation for large action spaces via conjunct "
        "effect modeling",
    ),
    Row(
        name="balanced_loggers_dr",
        title="balanced doubly robust of several loggers",
        form=CorrectedMean,
        weight=all_loggers,
        formula="Σ [q_policy + w_bal (r − q_logged)] / n, w_bal = π_e(a∣x) / Σ_k (n_k / n) π_k(a∣x)",
        needs=(*MODEL, "balanced_propensity"),
        answer=0.875,
        when="As balanced_loggers_ips, with a model. With a right one it is efficient among all that know "
        "the loggers' probabilities.",
        source="Kallus, Saito & Uehara 2021, Optimal off-policy evaluation from multiple logging policies",
    ),
    Row(
        name="dm",
        title="direct method",
        form=CorrectedMean,
        weight=none,
        formula="Σ_i Σ_a π_e(a∣x_i) q̂(x_i, a) / n = Σ q_policy / n",
        needs=MODEL,
        answer=0.5,
        when="Propensities are unknown or useless. Hardly varies, but is as wrong as its model, and its "
        "interval doesn't show it.",
        source="Dudik, Langford & Li 2011, Doubly robust policy evaluation and learning",
    ),
    Row(
        name="snips",
        title="self-normalized inverse propensity scoring",
        form=Ratio,
        weight=importance,
        formula="Σ w r / Σ w",
        answer=0.75,
        when="There is no reward model, or rewards are far from 0: biased by O(1/n), but never outside the "
        "observed rewards, and a constant added to the reward moves it by exactly that constant. NaN where "
        "no logged action can be chosen by the evaluation policy.",
        source="Swaminathan & Joachims 2015, The self-normalized estimator for counterfactual learning",
    ),
    Row(
        name="snmips",
        title="self-normalized marginalized inverse propensity scoring",
        form=Ratio,
        weight=embedding,
        formula="Σ w(x, e) r / Σ w(x, e)",
        needs=("marginal_weight",),
        answer=0.75,
        when="To mips what snips is to ips. NaN where the evaluation policy can show no logged embedding.",
        source="Saito & Joachims 2022, Off-policy evaluation for large action spaces via embeddings",
    ),
    Row(
        name="balanced",
        title="balanced inverse propensity scoring",
        form=Ratio,
        weight=density_ratio,
        formula="Σ v r / Σ v",
        needs=("density_ratio",),
        answer=0.8,
        when="Propensities are doubted, or the policy is deterministic. Self-normalized, as a classifier's "
        "ratio is known up to a factor only. As wrong as its classifier. NaN where all v are 0.",
        source="Sondhi, Arbour & Dimmery 2020, Balanced off-policy evaluation in general action spaces",
    ),
    Row(
        name="balanced",
        title="balanced inverse propensity scoring with clipped weights",
        form=Ratio,
        weight=density_ratio,
        shrinkage=CLIP,
        formula="Σ min(v, c) r / Σ min(v, c)",
        needs=("density_ratio",),
        answer=0.5,
        when="As a check beside balanced. c = ∞ is balanced.",
        source="Sondhi, Arbour & Dimmery 2020, Balanced off-policy evaluation in general action spaces",
    ),
    Row(
        name="sndr",
        title="self-normalized doubly robust",
        form=CorrectedRatio,
        weight=importance,
        formula="Σ q_policy / n + Σ w (r − q_logged) / Σ w",
        needs=MODEL,
        answer=0.8125,
        when="Weights vary and rewards are far from 0, and there is a model. NaN where no logged action can "
        "be chosen by the evaluation policy.",
        source="Thomas & Brunskill 2016, the weighted doubly robust estimator at horizon one",
    ),
)
"""One row per estimator; `named_estimators.from_name` makes them."""
