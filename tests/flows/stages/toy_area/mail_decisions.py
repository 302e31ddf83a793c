"""Decide which subject line each segment is sent, as probabilities."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from offline_rl.decisions.night import DecisionNight
from offline_rl.decisions.tomorrow import tomorrow_of
from offline_rl.policies.exploration import explored_marginals
from tests.flows.stages.toy_area.mail_contracts import MailSubjects


def decide(night: DecisionNight) -> Mapping[str, pl.DataFrame]:
    """Return out_mail_subjects: the served policy's probabilities, averaged over the users of a segment."""
    tomorrow = tomorrow_of(night)
    drawn = tomorrow.chances(np.arange(tomorrow.targets.rows.height))
    shares = explored_marginals(drawn.logits, drawn.available, drawn.exploration)[:, 0].numpy()
    segment = tomorrow.targets.segment.numpy()
    rows = [
        {
            "run_id": night.folder.run_id,
            "as_of": night.as_of,
            "segment_id": tomorrow.tasks.segment_ids[place],
            "subject_id": subject_id,
            "probability": float(share),
            "policy_version": tomorrow.served[place].policy_version,
        }
        for place in np.unique(segment)
        for subject_id, share in zip(
            tomorrow.tasks.action_ids, shares[segment == place].mean(axis=0), strict=True
        )
    ]
    return {"out_mail_subjects": MailSubjects.validate(pl.DataFrame(rows), cast=True)}
