"""How often the audit of propensities accuses correct logs, and how often it finds wrong ones.

    python tests/offline_rl/ope/trust/audit_study.py [LOGS]

prints a table by kind of log and number of clusters; README of offline_rl/ope quotes it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.trust.propensity_audit import audit_propensities
from offline_rl.ope.trust.propensity_identities import PropensityLog

SIGNIFICANCE = 0.001
CLUSTERS = (1, 2, 3, 4, 5, 8, 20, 100)
ROUNDS = 20
"""Rounds of a cluster, on average."""

Draw = np.random.Generator


@dataclass(frozen=True)
class Shown:
    """Rounds in the order of time: who saw them, the probabilities [n, A], and what was drawn."""

    cluster: Ints
    probabilities: Floats
    action: Ints

    def log(self, factor: float = 1.0) -> PropensityLog:
        """The log without the probabilities of all actions; its propensities are off by a factor."""
        propensity = self.probabilities[np.arange(len(self.action)), self.action]
        return PropensityLog(
            self.action, np.minimum(factor * propensity, 1.0), self.cluster, self.probabilities.shape[1]
        )


def alone(n_clusters: int, draw: Draw) -> Shown:
    """Every round is drawn by itself, with the taste of its user."""
    return _drawn(_sizes(n_clusters, draw), _tastes(n_clusters, draw, 5), draw)


def sticky(n_clusters: int, draw: Draw) -> Shown:
    """A user sees one of five things always, each as likely."""
    return _repeated(_sizes(n_clusters, draw), np.full((n_clusters, 5), 0.2), draw)


def sticky_and_sure(n_clusters: int, draw: Draw) -> Shown:
    """A user sees one of two things always, of which one is shown to 95 %."""
    return _repeated(_sizes(n_clusters, draw), np.tile([0.95, 0.05], (n_clusters, 1)), draw)


def sticky_tastes(n_clusters: int, draw: Draw) -> Shown:
    """A user sees one of five things always, each user with other probabilities."""
    return _repeated(_sizes(n_clusters, draw), _tastes(n_clusters, draw, 5), draw)


def leaving(n_clusters: int, draw: Draw) -> Shown:
    """Users leave when they see the first of three things: small clusters have more of it than large ones."""
    shown = _drawn(np.full(n_clusters, 3 * ROUNDS), np.tile([0.2, 0.4, 0.4], (n_clusters, 1)), draw)
    seen = (shown.action == 0).reshape(n_clusters, -1)
    stays = (seen.cumsum(axis=1) - seen == 0).ravel()
    return Shown(shown.cluster[stays], shown.probabilities[stays], shown.action[stays])


def one_large(n_clusters: int, draw: Draw) -> Shown:
    """One user has half of all rounds, and all users see always the same."""
    sizes = np.full(n_clusters, ROUNDS)
    sizes[0] *= max(1, n_clusters - 1)
    return _repeated(sizes, np.tile([0.6, 0.3, 0.1], (n_clusters, 1)), draw)


WORLDS: tuple[Callable[[int, Draw], Shown], ...] = (
    alone,
    sticky,
    sticky_and_sure,
    sticky_tastes,
    leaving,
    one_large,
)


def found(
    world: Callable[[int, Draw], Shown],
    n_clusters: int,
    seeds: range,
    *,
    factor: float = 1.0,
    knows_all: bool = False,
) -> int:
    """How many of the logs the audit finds inconsistent, each as `metacart ope` would ask it.

    knows_all: with the probabilities of all actions, each of which has a chance (a factor is a matter of the
    propensities alone); else only sums that are too large count.
    """
    n = 0
    for seed in seeds:
        shown = world(n_clusters, np.random.default_rng([seed, n_clusters]))
        probabilities = shown.probabilities if knows_all and factor == 1 else None
        audit = audit_propensities(
            replace(shown.log(factor), probabilities=probabilities),
            has_full_support=knows_all,
            least_propensity=factor * float(shown.probabilities.min()) if knows_all else None,
            significance=SIGNIFICANCE,
        )
        n += not audit.is_consistent
    return n


def _sizes(n_clusters: int, draw: Draw) -> Ints:
    return draw.geometric(1 / ROUNDS, n_clusters)


def _tastes(n_clusters: int, draw: Draw, n_actions: int) -> Floats:
    raised = np.exp(0.7 * draw.normal(size=(n_clusters, n_actions)))
    return 0.1 / n_actions + 0.9 * raised / raised.sum(axis=1, keepdims=True)


def _chosen(probabilities: Floats, draw: Draw) -> Ints:
    edges = probabilities.cumsum(axis=1)[:, :-1]
    return (draw.random((len(probabilities), 1)) > edges).sum(axis=1)


def _drawn(sizes: Ints, of_cluster: Floats, draw: Draw) -> Shown:
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    return Shown(cluster, of_cluster[cluster], _chosen(of_cluster[cluster], draw))


def _repeated(sizes: Ints, of_cluster: Floats, draw: Draw) -> Shown:
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    return Shown(cluster, of_cluster[cluster], _chosen(of_cluster, draw)[cluster])


def table(n_logs: int) -> str:
    """Accused logs of each kind among n_logs, as Markdown; the last rows have wrong propensities."""
    lines = [
        "| log | probabilities of all actions | " + " | ".join(map(str, CLUSTERS)) + " |",
        "|---" * (2 + len(CLUSTERS)) + "|",
    ]
    for world in WORLDS:
        for knows_all in (False, True):
            counts = [found(world, n, range(n_logs), knows_all=knows_all) for n in CLUSTERS]
            known = "known" if knows_all else "not known"
            lines.append(f"| {world.__name__} | {known} | " + " | ".join(map(str, counts)) + " |")
    for world in (alone, sticky_tastes):
        for factor in (1 / 1.2, 1.2, 1 / 1.5, 1.5):
            few = range(max(1, n_logs // 10))
            power = [found(world, n, few, factor=factor, knows_all=True) / len(few) for n in (20, 100, 200)]
            shares = ", ".join(f"{share:.2f}" for share in power)
            lines.append(f"{world.__name__}, propensities times {factor:.2f}: {shares} at 20, 100, 200")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(int(sys.argv[1]) if len(sys.argv) > 1 else 1000) + "\n")
