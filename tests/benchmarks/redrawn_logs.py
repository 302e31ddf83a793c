"""Logs drawn again: the judged rounds of one simulated night, with new slates and new clicks each time.

The shop is simulated, ingested and learned from once, by the stages of the night themselves. At each rolling
origin every contender is fitted as the night fits it. Then users, visits, policies and reward model stay as
they are, and of each visit the slate is drawn anew by the policy that served it (Plackett-Luce, exactly as
the simulator does) and each click by its true probability. So what varies is what a gate must see through:
which items were shown, and who clicked. What does not vary is what was learned: a redraw judges fixed
policies.

A lift is set by bending the truth, p_lift(x, a) = v(x) + s (p(x, a) − v(x)), v(x) being what the logging
policy earns in that round: every policy's gain over it is multiplied by s, and at s = 0 all are worth the
same in every round. The reward model is bent in the same way around its own mean under the logging policy,
so that it knows as much of a small lift as it did of the large one.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq

from features.simulator.settings import WorldSettings
from features.simulator.shop import simulate
from features.simulator.world import Domain, World
from flows.night_folder import Night
from flows.settings import Settings, read_settings
from flows.shops import SIMULATED, write_config
from flows.stages.ingest import ingest
from flows.stages.learn import learn
from flows.stages.truth import true_rewards, user_ids
from flows.workspace import Workspace
from offline_rl.device import limit_threads, training_device
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.ope.records import EvaluationRounds, Floats, Ints
from offline_rl.registry import LOGGING
from offline_rl.rolling_evaluation import fitted_ones
from offline_rl.rolling_origin import origins
from offline_rl.serving import SegmentPolicies, served_probabilities

TINY = 1e-300
"""In the place of a weight of 0: an item that isn't available arrives after all others."""


@dataclass(frozen=True, eq=False)
class JudgedNight:
    """All rounds that any origin of a night judges; n rounds, A items, V visits, K logging policies a day.

    | field | shape | meaning |
    |---|---|---|
    | policies | name → [n, A] | probability of each item under each contender, as it served from its origin |
    | wanted, cautious | | who asks, in order, and who must pass first |
    | truth | [n, A] | true probability of a click |
    | logging | [n, A] | probability of each item in the round's slot under the policy that served it |
    | q_hat | [n, A] | reward model of the origin |
    | origin, cluster, slot, visit | [n] | where a round belongs; slots from 0 |
    | weights | [V, A] | Plackett-Luce weights that fill the slots of each visit; an ad is a slate of one |
    """

    policies: Mapping[str, Floats]
    wanted: Sequence[str]
    cautious: str | None
    truth: Floats
    logging: Floats
    q_hat: Floats
    origin: Ints
    cluster: Ints
    slot: Ints
    visit: Ints
    weights: Floats
    settings: Settings

    def lift(self, policy: str) -> float:
        """True relative gain of a policy over the logging policy on these rounds."""
        earned = (self.policies[policy] * self.truth).sum(1).mean()
        return float(earned / (self.logging * self.truth).sum(1).mean() - 1)

    def at_lift(self, lift: float, of: str) -> Self:
        """The same night in which a policy's true relative gain is this.

        Raises ValueError where no bending makes it so: the policy isn't better to begin with.
        """

        def bent(share: float) -> Self:
            truth = np.clip(_around_mean(self.truth, self.logging, share), 0.0, 1.0)
            return replace(self, truth=truth, q_hat=_around_mean(self.q_hat, self.logging, share))

        if lift == 0:
            return bent(0.0)
        if not self.lift(of) > 0:
            raise ValueError(f"{of} is no better than the logging policy in this night: take another seed.")
        return bent(float(brentq(lambda share: bent(share).lift(of) - lift, 0.0, 4 * lift / self.lift(of))))

    def last_origin(self) -> Self:
        """The rounds of the holdout alone."""
        last = self.origin == self.origin.max()
        by_round = "truth", "logging", "q_hat", "origin", "cluster", "slot", "visit"
        return replace(
            self,
            policies={name: chances[last] for name, chances in self.policies.items()},
            **{name: getattr(self, name)[last] for name in by_round},
        )

    def redraw(self, seed: int) -> dict[str, EvaluationRounds]:
        """The rounds as every policy sees them, in a new draw of slates and clicks."""
        random = np.random.default_rng(seed)
        # The race of Plackett-Luce: the first arrivals of exponential clocks fill the slots in order.
        arrival = random.exponential(size=self.weights.shape) / np.maximum(self.weights, TINY)
        slates = np.argsort(arrival, axis=1)[:, : int(self.slot.max()) + 1]
        action = slates[self.visit, self.slot]
        row = np.arange(len(action))
        columns = {
            "reward": (random.random(len(row)) < self.truth[row, action]).astype(float),
            "propensity": self.logging[row, action],
            "cluster": self.cluster,
            "segment": np.zeros(len(row), dtype=np.int64),
            "q_logged": self.q_hat[row, action],
        }
        seen = {LOGGING: EvaluationRounds.of_logging_policy(**columns)}
        for name, probabilities in self.policies.items():
            seen[name] = EvaluationRounds(
                **columns,
                evaluation_prob=probabilities[row, action],
                q_policy=(probabilities * self.q_hat).sum(1),
            )
        return seen


def _around_mean(numbers: Floats, logging: Floats, share: float) -> Floats:
    mean = (logging * numbers).sum(1, keepdims=True)
    return mean + share * (numbers - mean)


def judged_night(world: WorldSettings, domain: Domain) -> JudgedNight:
    """Simulate a shop, run its night up to learning, and collect what every origin judges."""
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        simulate(world, logs)
        write_config(logs / "metacart.toml", SIMULATED, name="shop", logs=logs, data=Path(folder) / "data")
        workspace = Workspace(read_settings(logs / "metacart.toml"))
        limit_threads(1)
        night = replace(ingest(workspace, None), domains=(domain,))
        learn(workspace, night)
        return _collect(workspace, night, domain)


def _collect(workspace: Workspace, night: Night, domain: Domain) -> JudgedNight:
    folder, settings = workspace.night_folder(night.run_id), workspace.settings
    tasks, everybody = folder.tasks(domain), folder.rounds(domain)
    contenders, pooled = folder.contenders(domain), folder.pooled(domain)
    in_order = [*contenders.wanted] + ([contenders.cautious] if contenders.cautious else [])
    policies = fitted_ones([folder.policy(domain, name) for name in in_order])
    served: dict[str, list[NDArray[np.float64]]] = {}
    models, judged = [], []
    for origin in origins(tasks):
        rounds = tasks.rounds.select(origin.evaluated)
        judged.append(origin.evaluated)
        for name, tonight in {one.name: one for one in (*policies, pooled)}.items():
            policy = tonight
            if not origin.is_last:
                training = origin.training.to(training_device(), torch.float32)
                policy = tonight.fitted_again(training, settings.night.seed)
            if name == pooled.name:
                assert isinstance(policy, MixedMetaPolicy)
                models.append(policy.model.expected_rewards(rounds).double().cpu().numpy())
            serving = SegmentPolicies.adapted(policy, origin.training, settings.learning.exploration)
            served.setdefault(name, []).append(served_probabilities(serving, rounds).numpy())
    place = torch.cat(judged)
    rows, rounds = everybody[place.numpy()], tasks.rounds.select(place)
    truth = true_rewards(workspace, domain, rows, tasks.action_ids)
    assert truth is not None
    drawn = _ads if domain == "advertising" else _slates
    visit, weights, logging = drawn(workspace, rows, tasks.action_ids)
    return JudgedNight(
        policies={name: np.concatenate(served[name]) for name in in_order},
        wanted=[*contenders.wanted],
        cautious=contenders.cautious,
        truth=truth.of_action,
        logging=logging,
        q_hat=np.concatenate(models),
        origin=np.repeat(np.arange(len(judged)), [len(one) for one in judged]),
        cluster=rounds.cluster.numpy(),
        slot=rounds.slot.numpy(),
        visit=visit,
        weights=weights,
        settings=settings,
    )


def _ads(workspace: Workspace, rows: pl.DataFrame, action_ids: Sequence[str]) -> tuple[Ints, Floats, Floats]:
    """The same of ads: each is a visit of its own, drawn among the creatives of its campaign and channel."""
    ads = World.load(workspace.settings.shop.logs).advertising
    asked = ads.ids.positions(action_ids)
    cell = ads.cell[ads.ids.positions(rows["action_id"].to_list())]
    logging = (ads.cell[asked] == cell[:, None]) * ads.propensity[asked]
    return np.arange(len(rows)), logging, logging


def _slates(
    workspace: Workspace, rows: pl.DataFrame, action_ids: Sequence[str]
) -> tuple[Ints, Floats, Floats]:
    """Visit of each round, weights of each visit, and the exact chance of every item in the round's slot."""
    world = World.load(workspace.settings.shop.logs)
    users = world.people.ids.positions(user_ids(workspace, world, rows["user_key"]))
    items = world.catalog.ids.positions(action_ids)
    day, policy = world.days(rows["decided_at"]), world.logging.policy_of_user[users]
    moment = rows.select(pl.struct("user_key", "decided_at").rank("dense").alias("visit"))
    visit = moment["visit"].to_numpy().astype(np.int64) - 1
    _, first = np.unique(visit, return_index=True)
    weights = np.empty((len(first), len(items)))
    logging = np.empty((len(rows), len(items)))
    slot = rows["slot"].to_numpy() - 1
    for one in np.unique(day):
        today = world.open(int(one))
        here = np.flatnonzero(day == one)
        logging[here] = today.marginals[policy[here], slot[here]][:, items]
        of_visits = np.flatnonzero(day[first] == one)
        weights[of_visits] = today.weights[policy[first[of_visits]]][:, items]
    return visit, weights, logging
