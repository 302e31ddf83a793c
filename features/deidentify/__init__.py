"""The treatment of personal columns before anything is stored: pseudonym, generalized, scrubbed, dropped."""

from features.deidentify.pseudonym import (
    ENVIRONMENT_VARIABLE,
    MissingKeyError,
    PseudonymKey,
    pseudonym,
    pseudonym_sql,
    read_key,
)

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "MissingKeyError",
    "PseudonymKey",
    "pseudonym",
    "pseudonym_sql",
    "read_key",
]
