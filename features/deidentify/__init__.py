"""What happens to personal columns before anything is stored: pseudonym, generalized, scrubbed or dropped."""

from features.deidentify.pseudonym import (
    ENVIRONMENT_VARIABLE,
    PseudonymKey,
    pseudonym,
    pseudonym_sql,
    read_key,
)

__all__ = ["ENVIRONMENT_VARIABLE", "PseudonymKey", "pseudonym", "pseudonym_sql", "read_key"]
