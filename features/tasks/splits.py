"""The splits of segments for training, validation and test, by salted hash."""

import hashlib
from collections.abc import Sequence

from features.codes import Split

# With fewer segments, all of them are for training.
FEWEST_TO_SPLIT = 4


def split_segments(segment_ids: Sequence[str], salt: str) -> dict[str, Split]:
    """Split segments 60/20/20 in the order of sha256(salt, id), without choice and reproducible.

    With fewer than four segments all are meta_train, and the learner notes that it could not validate.

    >>> sorted(split_segments(["a", "b", "c", "d", "e"], salt="s").values())
    ['meta_test', 'meta_train', 'meta_train', 'meta_train', 'meta_validation']
    """
    drawn = sorted(segment_ids, key=lambda name: hashlib.sha256(f"{salt}\x1f{name}".encode()).digest())
    if len(drawn) < FEWEST_TO_SPLIT:
        return dict.fromkeys(drawn, "meta_train")
    n_each = max(1, round(0.2 * len(drawn)))
    validation, test = drawn[:n_each], drawn[n_each : 2 * n_each]
    splits: dict[str, Split] = dict.fromkeys(drawn, "meta_train")
    splits.update(dict.fromkeys(validation, "meta_validation"))
    splits.update(dict.fromkeys(test, "meta_test"))
    return splits
