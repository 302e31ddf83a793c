"""The importance weight of what an action looks like, in the place of that of the action itself."""

import numpy as np

from offline_rl.ope.records import Floats


def marginal_weight(
    evaluation_probs: Floats, logging_probs: Floats, embedding_probs: Floats | tuple[Floats, ...]
) -> Floats:
    """Return w(x, e) = Σ_a π_e(a∣x) p(e∣x, a) / Σ_a π_b(a∣x) p(e∣x, a), shape [m].

    evaluation_probs, logging_probs: π_e(a∣x) and π_b(a∣x) of every action in m rounds, [m, A].
    embedding_probs: p(e∣x, a), how likely every action is to show the embedding that the round showed,
    [m, A]; or one such array per dimension, p(e_d∣x, a), for embeddings whose dimensions are independent
    given the action.

    The dimensions are multiplied before the sum over actions, so that p(e∣x, a) is joint. Multiplying one
    ratio per dimension instead, Π_d Σ_a π_e p(e_d∣x, a) / Σ_a π_b p(e_d∣x, a), gives another number and a
    biased estimate: over actions, dimensions depend on each other (where all red items are cheap, "red and
    cheap" says no more than "red").

    Rounds are independent of each other: a long log goes through in pieces.

    Raises ValueError for arrays of different shapes and, with the first such row, for a round whose embedding
    the logging policy could not have shown.
    Source: Saito & Joachims 2022, "Off-policy evaluation for large action spaces via embeddings".

    >>> new, old = np.array([[0.5, 0.5, 0.0]]), np.array([[0.25, 0.25, 0.5]])
    >>> is_red, is_cheap = np.array([[1.0, 0.0, 1.0]]), np.array([[1.0, 1.0, 0.0]])
    >>> marginal_weight(new, old, is_red)
    array([0.66666667])
    >>> marginal_weight(new, old, (is_red, is_cheap))
    array([2.])
    """
    dimensions = embedding_probs if isinstance(embedding_probs, tuple) else (embedding_probs,)
    for array in (logging_probs, *dimensions):
        if array.shape != evaluation_probs.shape:
            raise ValueError(
                f"probabilities have shapes {evaluation_probs.shape} and {array.shape}: "
                "give one number per round and action everywhere."
            )
    joint = np.ones(evaluation_probs.shape)
    for dimension in dimensions:
        joint = joint * dimension
    evaluated = np.einsum("ra,ra->r", evaluation_probs, joint)
    logged = np.einsum("ra,ra->r", logging_probs, joint)
    if not (logged > 0).all():
        raise ValueError(
            f"row {int(np.argmin(logged > 0))}: no action of the logging policy can show the logged "
            "embedding. Check logging and embedding probabilities."
        )
    weight: Floats = evaluated / logged
    return weight
