"""Random numbers that belong to a key, so that a draw does not depend on what else is drawn that night."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

MOST_NUMBERS = 8


def keyed_uniforms(keys: Iterable[str], n_numbers: int, *, salt: str) -> NDArray[np.float64]:
    """Return uniform numbers in [0, 1), float64 [keys, n_numbers], a pure function of salt and key.

    A generator hands out numbers in order, so a user who leaves the batch would change all users behind
    him. Here the BLAKE2b hash of salt and key is read as 64-bit integers, whose 53 upper bits fill a float64.

    n_numbers: at most 8, the length of one hash.
    Raises ValueError for more.

    >>> together = keyed_uniforms(["ann", "ben"], 3, salt="7")
    >>> alone = keyed_uniforms(["ben"], 3, salt="7")
    >>> bool((together[1] == alone[0]).all()), bool((keyed_uniforms(["ben"], 3, salt="8") == alone).any())
    (True, False)
    """
    if not 1 <= n_numbers <= MOST_NUMBERS:
        raise ValueError(f"{n_numbers} numbers were asked for each key: one hash holds 1 to {MOST_NUMBERS}.")
    # The unit separator keeps salt "7" with key "1x" apart from salt "71" with key "x".
    salted = blake2b(f"{salt}\x1f".encode(), digest_size=8 * n_numbers)
    digests = bytearray()
    for key in keys:
        hashed = salted.copy()
        hashed.update(key.encode())
        digests += hashed.digest()
    bits = np.frombuffer(bytes(digests), dtype="<u8").reshape(-1, n_numbers)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
