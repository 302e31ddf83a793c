"""Moments of importance weights where a share of whole slates is uniform."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PairedWeights:
    """Second moments in a round where the candidate and today's policy show different items.

    | field | moment |
    |---|---|
    | candidate | E[w_c²], of the candidate's weight |
    | today | E[w_s²], of the weight of today's policy |
    | both | E[w_c w_s]; 0 where only one of them can be above zero |
    | of_slate | E[w w'] − 1 of two slots of one slate, added up over both policies |
    """

    candidate: float
    today: float
    both: float = 0.0
    of_slate: float = 0.0


def explored_weights(exploration: float, available: int) -> PairedWeights:
    """Return the moments where a share ε of slates is uniform over A items; policies show one item a slot.

    The marginal of an item in a slot is (1 − ε) + ε/A =: b for the item that today's policy shows, and ε/A
    for each other (`offline_rl.policies.exploration.explored_marginals`). A weight is 1 over it where the
    item was logged, and 0 elsewhere, so that

        E[w_c²] = ε/A · (A/ε)² = A/ε,    E[w_s²] = 1/b,    E[w_c w_s] = 0, as one item is logged.

    Two slots of an explored slate show the two items of a policy with probability 1 / (A (A − 1)):

        E[w_c w_c'] = ε / (A (A − 1)) · (A/ε)² = A / ((A − 1) ε),
        E[w_s w_s'] = (1 − ε + ε / (A (A − 1))) / b².

    A policy that shows several items now and then has smaller weights: this is the case that needs most
    rounds. Where the candidate serves with the same exploration, its difference and its standard error are
    both (1 − ε) times as large, and the power is the same.

    More exploration makes E[w_c²] smaller and E[w_s²] larger. Their sum falls until
    ε = 1 / (1 − 1/A + √((1 − 1/A) / A)), which is more than 0.82 for every A: beyond it the log lacks rounds
    of the policy that the candidate is compared with.

    Raises ValueError unless 0 < ε <= 1, and for fewer than two items.

    By hand, ε = 0.5 and A = 4: the marginals are 0.625 and 0.125, so 1/0.125 and 1/0.625.

    >>> weights = explored_weights(0.5, 4)
    >>> weights.candidate, weights.today
    (8.0, 1.6)
    """
    if not 0 < exploration <= 1:
        raise ValueError(f"a share of exploration lies above 0 and up to 1, and is not {exploration:g}.")
    if available < 2:
        raise ValueError(f"a candidate needs two items to choose from, and there are {available}.")
    marginal = 1 - exploration + exploration / available
    of_candidate = available / ((available - 1) * exploration)
    of_today = (1 - exploration + exploration / (available * (available - 1))) / marginal**2
    return PairedWeights(
        candidate=available / exploration,
        today=1 / marginal,
        of_slate=(of_candidate - 1) + (of_today - 1),
    )


def logged_weights(second_moment: float) -> PairedWeights:
    """Return the moments for a log as it is, against the policy that logged it.

    second_moment: E[w²] of a candidate that shows any of the A available items equally likely, but always the
    same one in the same round: Σ_a (1/A) / b(a), of which the mean of 1 / (A b²) over logged items is an
    estimate without bias. The logging policy's own weight is 1, so E[w_s²] = E[w_c w_s] = 1.

    A uniform log of 4 items has b = 1/4:

    >>> logged_weights(1 / (4 * 0.25**2)).candidate
    4.0
    """
    return PairedWeights(candidate=second_moment, today=1.0, both=1.0)
