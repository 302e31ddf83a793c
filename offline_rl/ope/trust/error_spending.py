"""Error spending: a gate that is asked again and again promotes falsely sooner or later, unless it pays.

Every look at the evidence against what serves today has a level of its own. The first has the whole level a
of a single question. All later ones share another a, which falls as the series 1/2, 1/6, 1/12, ...: together
no more than 2 a, whatever the looks have in common and however many there are. As long as one policy serves,
something that is not better takes its place by the gate with a probability of at most 5 %, at the usual
a = 2.5 % of each side. Experiments have an error of their own.

A look costs all later ones a part of their level, and evidence that has hardly grown says what it said the
night before. So a look is due when a quarter has been added to the evidence (`is_due`): where fourteen days
of rounds come first and none leaves the evidence, sixty nights hold eight looks, and the last asks for
99.91 % and not for 99.999 %. Where old rounds leave as new ones come, looks are more frequent.
Sources: Lan & DeMets 1983, "Discrete sequential boundaries for clinical trials", for the idea; the levels add
up by Bonferroni's inequality.
"""

from dataclasses import replace

from scipy.stats import norm

from offline_rl.ope.policy_value import Difference

GROWTH = 0.25
"""Rounds that must have come since the last look, over the rounds of its evidence."""


def is_due(n_new: int, n_last: int) -> bool:
    """Return whether evidence has grown enough for another look; n_last: rounds of the last look.

    >>> is_due(1500, 6000), is_due(1499, 6000)
    (True, False)
    """
    return n_new >= GROWTH * n_last


def share_of_look(look: int) -> float:
    """Return the part of a single question's level that a look has; look: 1 for the first.

    Raises ValueError for a look before the first.

    >>> [share_of_look(look) for look in (1, 2, 3, 4)] == [1.0, 1 / 2, 1 / 6, 1 / 12]
    True
    """
    if look < 1:
        raise ValueError(f"Looks are counted from 1, and this one is number {look}.")
    return 1.0 if look == 1 else 1.0 / (look * (look - 1))


def confidence_of_look(look: int, confidence: float) -> float:
    """Return the confidence of the interval that must lie above zero.

    >>> [round(confidence_of_look(look, 0.95), 4) for look in (1, 2, 10)]
    [0.95, 0.975, 0.9994]
    """
    return 1.0 - (1.0 - confidence) * share_of_look(look)


def at_look(difference: Difference, look: int, confidence: float) -> Difference:
    """Return a difference with the interval of its look; its own has the `confidence` of a single question.

    Each end moves away from the value as a normal quantile does, because a thousand resamples have none as
    far out. At the second look, 97.5 %: 2.241 / 1.960 = 1.1437 times as far.

    >>> found = at_look(Difference("new", "old", 1.0, 0.0, 3.0), 2, 0.95)
    >>> round(found.lower, 4), round(found.upper, 4)
    (-0.1436, 3.2872)
    """
    if look == 1:
        return difference
    asked, single = (
        norm.isf((1.0 - level) / 2) for level in (confidence_of_look(look, confidence), confidence)
    )
    further = float(asked / single)
    return replace(
        difference,
        lower=difference.value - further * (difference.value - difference.lower),
        upper=difference.value + further * (difference.upper - difference.value),
    )
