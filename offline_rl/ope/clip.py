"""The clip of importance weights."""


def check_clip(clip: float) -> None:
    """Raise ValueError unless the largest weight that an estimator lets pass is above zero.

    >>> check_clip(10)
    """
    if not clip > 0:
        raise ValueError(f"a clip of {clip:g} leaves no weight: give a number above 0, such as 10.")
