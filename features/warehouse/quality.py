"""What was loaded and what was not, and why: the rows of out_data_quality."""

import duckdb
import polars as pl

from features.contracts.check import check_output
from features.contracts.outputs import DataQuality

RECONCILED = "loaded = lines - rejected"


def data_quality(connection: duckdb.DuckDBPyConnection, run_id: str) -> pl.DataFrame:
    """Return one row per file, and one per file and rule that some of its lines broke.

    The reason and the example of a rule are those of the first line that broke it.
    """
    rows = connection.sql(
        """
        WITH reconciled AS (
            SELECT
                source_name, ? AS rule, n_lines AS n_rows, n_loaded, n_rejected,
                CASE WHEN n_lines = 0 THEN 'the file holds no data lines'
                    WHEN n_rejected = 0 THEN 'every line was loaded'
                    ELSE 'every line was loaded or has a reason below' END AS reason,
                NULL AS example
            FROM load_manifest
        ),
        broken AS (
            SELECT
                source_name, rule, any_value(n_lines) AS n_rows, any_value(n_loaded) AS n_loaded,
                count(*) AS n_rejected,
                'line ' || min(line) || ': ' || arg_min(reason, line) AS reason,
                arg_min(example, line) AS example
            FROM rejected_lines JOIN load_manifest USING (load_number)
            GROUP BY source_name, rule
        )
        SELECT ? AS run_id, * FROM (FROM reconciled UNION ALL FROM broken)
        ORDER BY source_name, n_rejected DESC, rule
        """,
        params=[RECONCILED, run_id],
    )
    return check_output(rows.pl(), DataQuality)
