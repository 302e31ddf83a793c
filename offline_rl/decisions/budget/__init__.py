"""The budget, as Python users import it: `budget_table` of a spend log."""

from offline_rl.decisions.budget.tables import budget_table, budget_tables

__all__ = ["budget_table", "budget_tables"]
