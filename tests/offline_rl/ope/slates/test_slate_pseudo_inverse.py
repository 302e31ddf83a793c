from itertools import product

import numpy as np
import pytest

from offline_rl.ope.slates.pseudo_inverse import pseudo_inverse_weights, slate_moments
from tests.offline_rl.ope.slates.slate_worlds import EVALUATED, LOGGING, SLATES


def test_slots_filled_independently_have_a_closed_form() -> None:
    slates = np.array(list(product(range(3), repeat=2)))
    logging = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]])
    evaluated = np.array([[0.1, 0.1, 0.8], [0.4, 0.4, 0.2]])
    a, b = slates.T
    moments = slate_moments(slates, logging[0, a] * logging[1, b], n_items=3)
    closed = 1 - 2 + evaluated[0, a] / logging[0, a] + evaluated[1, b] / logging[1, b]
    assert np.allclose(pseudo_inverse_weights(slates, moments, evaluated), closed, rtol=1e-9)


def test_the_logging_policy_weighs_one() -> None:
    moments = slate_moments(SLATES, LOGGING.joint[0][tuple(SLATES.T)], n_items=3)
    marginals = np.diag(moments).reshape(2, 3)
    assert np.allclose(marginals, [LOGGING.first[0], LOGGING.below[0]])
    assert np.allclose(pseudo_inverse_weights(SLATES, moments, marginals), 1.0, rtol=1e-9)


def test_an_empty_slot_contributes_nothing() -> None:
    slates = np.array([[0, -1], [1, -1]])
    moments = slate_moments(slates, np.array([0.5, 0.5]), n_items=2)
    marginals = np.array([[0.9, 0.1], [0.0, 0.0]])
    assert np.allclose(pseudo_inverse_weights(slates, moments, marginals), [1.8, 0.2])


def test_slates_outside_the_span_of_the_log_are_refused() -> None:
    # Item 2 was never shown above.
    logged = SLATES[SLATES[:, 0] != 2]
    moments = slate_moments(logged, np.full(len(logged), 0.25), n_items=3)
    with pytest.raises(ValueError, match=r"^the log can't speak about item 2 in slot 0"):
        pseudo_inverse_weights(logged, moments, np.stack([EVALUATED.first[0], EVALUATED.below[0]]))
