"""The rounds that all policies share."""

from collections.abc import Mapping

import numpy as np

from offline_rl.ope.records import EvaluationRounds


def common_log(policies: Mapping[str, EvaluationRounds]) -> EvaluationRounds:
    """The first policy's rounds, after a check that all have the same: pairing is meaningless otherwise.

    Raises ValueError where there is no policy, or naming the first row that differs.
    """
    if not policies:
        raise ValueError("there is no policy to evaluate: name at least one.")
    (first, log), *others = policies.items()
    for name, rounds in others:
        if rounds.n != log.n:
            raise ValueError(
                f"{name} has {rounds.n} rounds and {first} has {log.n}: give both the same rounds."
            )
        for column in ("reward", "propensity", "cluster", "segment"):
            differs = getattr(rounds, column) != getattr(log, column)
            if differs.any():
                row = int(np.argmax(differs))
                raise ValueError(
                    f"row {row}: {column} of {name} differs from that of {first}. "
                    "Policies are compared on the same rounds, in the same order."
                )
    return log
