"""Are persons learned from what they looked at? A night of metacart against a tuned logistic regression.

`PYTHONPATH=. python tests/benchmarks/view_history_study.py SEED ...` prints one JSON object a seed: share of
the gap, from uniform choice to the best item for each user at that moment, that greedy choice closes by true
value on the holdout.

Nothing tells users apart but the pages that they opened. A user has a taste in a few dimensions that drifts;
it moves both the pages that are opened and the clicks on what is shown, uniformly among 30 products:

    w_u ~ N(0, I),  a step of N(0, DRIFT^2) before each visit
    P(next page = a) ∝ exp(g_a' w_u + m_a)
    P(click | a) = sigmoid(BIAS + SLOPE (h_a' w_u) + q_a)

with h_a near g_a: what is looked at is a hint, not the same. After the organic and bandit sessions of Rohde
et al. 2018, "RecoGym", arXiv:1808.00720, whose text names the parts; the sizes are our own.

The rival knows which log to read and how: item, and item x log(1 + views so far of each product), fitted by
scikit-learn on the same rounds before the holdout, its penalty chosen on the last quarter of them.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from features.codes import Window
from flows.settings import Learning, read_settings
from flows.shops import FILES, write_config
from flows.stages.ingest import ingest
from flows.stages.learn import learn
from flows.workspace import Workspace
from offline_rl.device import limit_threads
from offline_rl.serving import SegmentPolicies, served_probabilities

USERS, PRODUCTS, DAYS, DIMENSIONS = 2000, 30, 28, 5
VISITS, VIEWS, SHOWN = 12, 3, 6  # of a user in the mean; of a visit
DRIFT, SLOPE, BIAS = 0.1, 0.6, -3.0
PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Log:
    """What was shown and seen; n rounds, A products.

    impressions, events: as a shop would export them. views [n, A]: pages that the user had opened before
    each round. action, reward [n]; click [n, A]: true probabilities.
    """

    impressions: pl.DataFrame
    events: pl.DataFrame
    views: Array
    action: NDArray[np.int64]
    reward: NDArray[np.int64]
    click: Array


def simulate_log(seed: int) -> Log:
    """Users come at times of their own, open some pages, and are then shown products at random."""
    random = np.random.default_rng(seed)
    opens = random.normal(size=(PRODUCTS, DIMENSIONS))
    clicks = 0.8 * opens + 0.6 * random.normal(size=(PRODUCTS, DIMENSIONS))
    popular, quality = random.normal(size=PRODUCTS), 0.35 * random.normal(size=PRODUCTS)
    shown, seen, views, click = [], [], [], []
    for user in range(USERS):
        taste, so_far = random.normal(size=DIMENSIONS), np.zeros(PRODUCTS)
        minutes = np.sort(random.choice(DAYS * 24 * 30, 1 + random.poisson(VISITS), replace=False)) * 2
        for visit, minute in enumerate(minutes.tolist()):
            taste = taste + DRIFT * random.normal(size=DIMENSIONS)
            drawn = np.exp(opens @ taste + popular)
            pages = random.choice(PRODUCTS, 1 + random.poisson(VIEWS), p=drawn / drawn.sum())
            seen += [(user, visit, minute, "view", int(page), "") for page in pages]
            so_far = so_far + np.bincount(pages, minlength=PRODUCTS)
            chance = expit(BIAS + SLOPE * (clicks @ taste) + quality)
            for place, item in enumerate(random.integers(PRODUCTS, size=SHOWN).tolist(), start=1):
                name = f"{user}-{visit}-{place}"
                is_clicked = bool(random.random() < chance[item])
                shown.append((name, user, visit, minute + 1, place, item, int(is_clicked)))
                seen += [(user, visit, minute + 1, "click", item, name)] * is_clicked
                views.append(so_far)
                click.append(chance)
    impressions = _framed(shown, ("impression_id", "user", "visit", "minute", "place", "item", "reward"))
    events = _framed(seen, ("user", "visit", "minute", "event_type", "item", "impression_id"))
    # A second for each of a visit's impressions, so that a moment and a user name one round.
    at = pl.col("at") + pl.duration(seconds=pl.col("place"))
    return Log(
        impressions=impressions.select(
            "impression_id",
            "user_id",
            "session_id",
            "item_id",
            shown_at=at,
            surface=pl.lit("home"),
            slot=pl.lit(1),
            propensity=pl.lit(1.0 / PRODUCTS),
            policy_version=pl.lit("uniform"),
        ),
        events=events.with_row_index("event_id").select(
            "event_id",
            "user_id",
            "session_id",
            "item_id",
            "event_type",
            "impression_id",
            # what is clicked was shown before
            occurred_at=pl.col("at") + pl.duration(seconds=pl.when(event_type="click").then(30).otherwise(0)),
        ),
        views=np.array(views),
        action=impressions["item"].to_numpy(),
        reward=impressions["reward"].to_numpy(),
        click=np.array(click),
    )


def _framed(rows: Sequence[tuple[object, ...]], names: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=list(names), orient="row").with_columns(
        user_id=pl.format("u{}", "user"),
        session_id=pl.format("s{}-{}", "user", "visit"),
        item_id=pl.format("i{}", pl.col("item").cast(pl.String).str.zfill(2)),
        at=pl.lit(BEGIN) + pl.duration(minutes=pl.col("minute")),
    )


def greedy_values(log: Log, folder: Path) -> tuple[dict[str, float], NDArray[np.int64]]:
    """Policy → its true value on the holdout when it is followed greedily; and the holdout's rounds."""
    log.impressions.write_csv(folder / "impressions.csv")
    log.events.write_csv(folder / "events.csv")
    users = log.impressions.select(pl.col("user_id").unique(maintain_order=True))
    users.with_columns(device=pl.lit("web")).write_csv(folder / "users.csv")
    items = log.impressions.select(pl.col("item_id").unique().sort())
    items.with_columns(category=pl.lit("all")).write_csv(folder / "items.csv")
    config = folder / "metacart.toml"
    write_config(config, FILES, name="history", logs=folder, data=folder / "data")
    logs = {
        "impressions": log.impressions.columns,
        "events": log.events.columns,
        "users": ("user_id", "device"),
        "items": ("item_id", "category"),
    }
    tables = "".join(_file_table(name, columns) for name, columns in logs.items())
    config.write_text(config.read_text(encoding="utf-8") + tables, encoding="utf-8")
    settings = read_settings(config)
    settings = settings.model_copy(update={"learning": Learning(exploration=0.0)})
    workspace = Workspace(settings)
    night = replace(ingest(workspace, None), domains=("recommendation",))
    learn(workspace, night)
    folder = workspace.night_folder(night.run_id)
    tasks = folder.tasks("recommendation")
    holdout = folder.rounds("recommendation").filter(window=Window.HOLDOUT)
    place_of = {name: place for place, name in enumerate(log.impressions["impression_id"])}
    judged = np.array([place_of[name] for name in holdout["round_id"]])
    asks = folder.contenders("recommendation").wanted[0]
    values = {
        policies.name: float(
            (served_probabilities(policies, tasks.window("holdout")).numpy() * log.click[judged])
            .sum(1)
            .mean()
        )
        for policies in (
            SegmentPolicies.adapted(policy, tasks.window("training"), 0.0)
            for policy in folder.policies("recommendation")
        )
    }
    values["asks"] = values[asks]
    return values, judged


def _file_table(log: str, columns: Sequence[str]) -> str:
    """The configuration's table of a file whose columns have the contract's names already."""
    named = ", ".join(f'{column} = "{column}"' for column in columns)
    return f'[[files]]\npath = "{log}.csv"\n[files.{log}]\ncolumns = {{ {named} }}\n'


def logistic_value(log: Log, judged: NDArray[np.int64], moment: pl.Series) -> float:
    """True value of greedy choice by a logistic regression on the views of each product."""
    rounds = np.arange(len(log.action))
    before = rounds[np.isin(rounds, judged, invert=True)]
    before = before[np.argsort(moment.gather(before).to_numpy(), kind="stable")]
    fitted_on, tuned_on = np.split(before, [len(before) * 3 // 4])

    def fit(rows: NDArray[np.int64], penalty: float) -> LogisticRegression:
        return LogisticRegression(C=penalty, max_iter=300).fit(
            _crossed(log.views[rows], log.action[rows]), log.reward[rows]
        )

    def loss(penalty: float) -> float:
        chance = fit(fitted_on, penalty).predict_proba(_crossed(log.views[tuned_on], log.action[tuned_on]))
        return float(log_loss(log.reward[tuned_on], chance[:, 1]))

    weights = fit(before, min(PENALTIES, key=loss)).coef_[0].reshape(PRODUCTS, PRODUCTS + 1)
    scores = np.hstack([np.ones((len(judged), 1)), np.log1p(log.views[judged])]) @ weights.T
    return float(log.click[judged, scores.argmax(1)].mean())


def _crossed(views: Array, action: NDArray[np.int64]) -> sparse.csr_array:
    """The item's indicator, and it times log(1 + views) of each product: [n, A (A + 1)]."""
    own = np.hstack([np.ones((len(views), 1)), np.log1p(views)])
    width = PRODUCTS + 1
    columns = action[:, None] * width + np.arange(width)
    first = np.arange(len(views) + 1) * width
    return sparse.csr_array((own.ravel(), columns.ravel(), first), shape=(len(views), PRODUCTS * width))


def study(seed: int) -> dict[str, float]:
    """Learner → share of the gap."""
    log = simulate_log(seed)
    with tempfile.TemporaryDirectory() as folder:
        values, judged = greedy_values(log, Path(folder))
    values["logistic_regression"] = logistic_value(log, judged, log.impressions["shown_at"])
    uniform, best = log.click[judged].mean(), log.click[judged].max(1).mean()
    return {name: round(float((value - uniform) / (best - uniform)), 3) for name, value in values.items()}


if __name__ == "__main__":
    limit_threads(1)
    for argument in sys.argv[1:]:
        sys.stdout.write(json.dumps({"seed": int(argument), **study(int(argument))}) + "\n")
        sys.stdout.flush()
