"""Files of slates, sessions and spend that the tests of `metacart ope` read: tiny ones, solved on paper."""

import numpy as np

from tests.flows.commands.ope.round_tables import Columns


def paper_sessions() -> Columns:
    """Three sessions; both actions were logged with 1/2. Session b ends early.

    | session | step | r | ratio | product | q | v |
    |---|---|---|---|---|---|---|
    | a | 0 | 1 | 1.6 | 1.6 | 2 | 1.5 |
    | a | 1 | 2 | 0.5 | 0.8 | 1 | 1 |
    | b | 0 | 0 | 0.4 | 0.4 | 1 | 1.5 |
    | c | 0 | 4 | 1.6 | 1.6 | 2 | 1.5 |
    | c | 1 | 0 | 1.5 | 2.4 | 1 | 1 |
    """
    return {
        "session": list("aabcc"),
        "step": np.array([0, 1, 0, 0, 1]),
        "action": np.array([1, 0, 0, 1, 1]),
        "reward": np.array([1.0, 2.0, 0.0, 4.0, 0.0]),
        "propensity": np.full(5, 0.5),
        "evaluation_prob": np.array([0.8, 0.25, 0.2, 0.8, 0.75]),
        "q_logged": np.array([2.0, 1.0, 1.0, 2.0, 1.0]),
        "v": np.array([1.5, 1.0, 1.5, 1.5, 1.0]),
    }


def paper_slates() -> Columns:
    """Two slates of two slots; all that was logged had 1/2. One earns 1 in both slots, the other below.

    | slate | slot | r | weight in its slot | down to the slot | of the slate | q | E q |
    |---|---|---|---|---|---|---|---|
    | x | 0 | 1 | 1.5 | 2 | 1 | 1 | 2 |
    | x | 1 | 1 | 1 | 1 | 1 | 0.5 | 0.5 |
    | y | 0 | 0 | 0.5 | 0.5 | 0.5 | 1 | 0 |
    | y | 1 | 1 | 0.25 | 0.5 | 0.5 | 1 | 1 |
    """
    half = np.full(4, 0.5)
    return {
        "slate": list("xxyy"),
        "slot": np.array([0, 1, 0, 1]),
        "reward": np.array([1.0, 1.0, 0.0, 1.0]),
        "propensity": half,
        "evaluation_prob": np.array([1.5, 1.0, 0.5, 0.25]) / 2,
        "prefix_propensity": half,
        "prefix_evaluation_prob": np.array([2.0, 1.0, 0.5, 0.5]) / 2,
        "slate_propensity": half,
        "slate_evaluation_prob": np.array([1.0, 1.0, 0.5, 0.5]) / 2,
        "q_logged": np.array([1.0, 0.5, 1.0, 1.0]),
        "q_policy": np.array([2.0, 0.5, 0.0, 1.0]),
    }


def paper_spend() -> Columns:
    """Four amounts between 0 and 10, where the policy would spend 5.

    Triangles of half-width 2 around 5 give weights (1 − |a − 5|/2) / 2 / density = 2, 1, 0 and 0.5.
    """
    return {
        "spend": np.array([5.0, 6.0, 8.0, 4.0]),
        "reward": np.array([1.0, 2.0, 9.0, 4.0]),
        "density": np.array([0.25, 0.25, 0.1, 0.5]),
        "evaluation_spend": np.full(4, 5.0),
        "q_logged": np.array([1.0, 1.0, 1.0, 2.0]),
        "q_policy": np.full(4, 1.5),
    }
