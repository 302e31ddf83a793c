-- stg_superseded_lines: one row per loaded row that does not count because of another row
-- grain: log, load_number, file_line, key_hash
-- reads: stg_keyed_lines, raw_ad_spend_daily, load_manifest
-- units: key_hash is DuckDB's hash of the key: it finds candidates, the key itself decides
-- by_load_number: the file of the row that counts. kind: later_line, a row of the same key and other values;
-- identical_line, a row that says the same; restated_day, a newer file of the source that has lines of the day.
-- Keys that are ids: the last loaded line of a key counts. Few keys come twice, so that the hashes of all keys
-- are counted first, and only the rows whose hash comes twice are put in order.
-- Keys that are groupings (ad_spend_daily): lines add up. A day is stated anew by the newest file of its source
-- that has lines of it; files declared as parts add up with each other. A line that repeats another of its file
-- to the last character counts once, unless the mapping says otherwise.
WITH repeated AS (
    SELECT log, key_hash
    FROM stg_keyed_lines
    GROUP BY log, key_hash
    HAVING count(*) > 1
),
spend_lines AS (
    SELECT
        ad_spend_daily.load_number,
        file_line,
        line_hash,
        hash("date", campaign_id, channel, segment_id) AS key_hash,
        "date",
        source,
        coalesce(is_part, false) AS is_part,
        coalesce(adds_identical_lines, false) AS adds_identical_lines,
        -- a file that is read anew is as new as it was; of files that came together the one that reaches further
        -- is newer, whatever their names
        {
            'received_at': coalesce(received_at, TIMESTAMPTZ '1970-01-01 00:00:00Z'),
            'last_day': max("date") OVER (PARTITION BY ad_spend_daily.load_number),
            'load_number': ad_spend_daily.load_number
        } AS age
    FROM raw_ad_spend_daily AS ad_spend_daily
    LEFT JOIN load_manifest USING (load_number)
    WHERE "date" <= getvariable('as_of')
),
newest_spend_files AS (
    SELECT source, "date", max(age) AS newest
    FROM spend_lines
    WHERE NOT is_part
    GROUP BY source, "date"
),
-- files of a warehouse that knew no sources: whatever comes later states their days anew
newest_of_any_source AS (
    SELECT "date", max(age) AS newest
    FROM spend_lines
    WHERE NOT is_part
    GROUP BY "date"
)
SELECT
    log,
    load_number,
    file_line,
    key_hash,
    first_value(load_number) OVER of_key AS by_load_number,
    CASE WHEN content = first_value(content) OVER of_key THEN 'identical_line' ELSE 'later_line' END AS kind
FROM stg_keyed_lines
SEMI JOIN repeated USING (log, key_hash)
WINDOW of_key AS (PARTITION BY log, key ORDER BY load_number DESC, file_line DESC)
QUALIFY row_number() OVER of_key > 1
UNION ALL
SELECT
    'ad_spend_daily' AS log,
    load_number,
    file_line,
    key_hash,
    struct_extract(
        CASE WHEN source IS NULL THEN any_source.newest ELSE newest_spend_files.newest END, 'load_number'
    ) AS by_load_number,
    'restated_day' AS kind
FROM spend_lines
LEFT JOIN newest_spend_files USING (source, "date")
JOIN newest_of_any_source AS any_source USING ("date")
WHERE NOT is_part AND age < CASE WHEN source IS NULL THEN any_source.newest ELSE newest_spend_files.newest END
UNION ALL
SELECT
    'ad_spend_daily' AS log,
    load_number,
    file_line,
    key_hash,
    load_number AS by_load_number,
    'identical_line' AS kind
FROM spend_lines
LEFT JOIN newest_spend_files USING (source, "date")
-- lines of an earlier version have no hash, and can't be compared
WHERE NOT adds_identical_lines AND line_hash IS NOT NULL AND (is_part OR age = newest)
QUALIFY dense_rank() OVER (PARTITION BY load_number, line_hash, key_hash ORDER BY file_line) > 1
