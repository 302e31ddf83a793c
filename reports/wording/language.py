"""The language of reports and of the terminal: the one place where it is chosen."""

from reports.wording.catalog import Catalog
from reports.wording.english import ENGLISH

LANGUAGE: Catalog = ENGLISH
