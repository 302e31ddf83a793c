"""Sessions as rounds of a bandit: one row per session, whose action is all that was chosen so far.

Under importance weights a session is a round with a long action. Seen so, diagnostics, intervals and the gate
for rounds serve sessions too.
"""

import numpy as np

from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sessions.discount import check_discount, discounts
from offline_rl.ope.sessions.records import Sessions


def whole_sessions(sessions: Sessions, gamma: float = 1.0) -> EvaluationRounds:
    """Return one round per session: its discounted reward G, and the probabilities of all its actions.

    The weight of a round is ρ_{0:T−1}. IPS of these rounds is trajectory importance sampling, SNIPS its
    weighted form: take per-decision weights instead, as here later choices weigh earlier rewards. Their
    effective sample size says what the log is worth to the policy as a whole, and their mean weight estimates
    the share of the policy's sessions that the log could show.

    Raises ValueError unless 0 <= gamma <= 1.

    >>> two_steps = Sessions(
    ...     horizon=3,
    ...     session=np.array([0, 0]),
    ...     step=np.array([0, 1]),
    ...     action=np.array([1, 0]),
    ...     reward=np.array([1.0, 4.0]),
    ...     propensity=np.array([0.5, 0.25]),
    ...     evaluation_prob=np.array([1.0, 0.5]),
    ...     cluster=np.array([7, 7]),
    ... )
    >>> rounds = whole_sessions(two_steps, gamma=0.5)
    >>> rounds.reward.tolist(), rounds.propensity.tolist(), rounds.weight.tolist()
    ([3.0], [0.125], [4.0])
    """
    check_discount(gamma)

    def together(probability: Floats) -> Floats:
        product: Floats = sessions.grid(probability, after_end=1.0).prod(axis=1)
        return product

    return EvaluationRounds(
        reward=sessions.reward_by_step @ discounts(gamma, sessions.horizon),
        propensity=together(sessions.propensity),
        evaluation_prob=together(sessions.evaluation_prob),
        cluster=sessions.cluster_of_session,
        segment=np.zeros(sessions.n_sessions, dtype=np.int64),
    )
