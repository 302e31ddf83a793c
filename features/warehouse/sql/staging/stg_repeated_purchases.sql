-- stg_repeated_purchases: one row per counted purchase without an id of its own that equals an earlier one
-- grain: load_number, file_line, content
-- reads: raw_purchases, load_manifest, stg_superseded_lines
-- units: content is DuckDB's hash of what is compared; of ten million rows, two that differ share one with a
-- probability of 3 in a million
-- Where a line's number in its file stands for its number in the order, a purchase that is exported twice has two
-- keys, and counts twice. Two equal lines of one order may be true all the same, so that these rows are only
-- counted. by_load_number: the file of the first row that says the same.
-- A return is not its sale. A cancelled line repeats the line that it cancels, if an older export has it as bought.
WITH numbered AS (
    -- the id of an order may be made of the line as well
    SELECT load_number
    FROM raw_purchases
    JOIN load_manifest USING (load_number)
    GROUP BY load_number
    HAVING bool_and(line = file_line OR starts_with(order_id, source_name || ':' || file_line))
),
compared AS (
    SELECT
        load_number,
        file_line,
        hash(
            -- an order that is named by its line would tell two exports of it apart
            CASE WHEN NOT starts_with(order_id, source_name || ':' || file_line) THEN order_id END,
            item_id,
            user_key,
            session_id,
            ordered_at,
            quantity,
            price_cents,
            coalesce(is_returned, false)
        ) AS content
    FROM raw_purchases AS purchases
    SEMI JOIN numbered USING (load_number)
    JOIN load_manifest USING (load_number)
    ANTI JOIN (FROM stg_superseded_lines WHERE log = 'purchases') AS superseded
        ON purchases.load_number = superseded.load_number
        AND purchases.file_line = superseded.file_line
        AND hash(order_id, line) = superseded.key_hash
    WHERE ordered_at < CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
        -- without an order and a buyer, equal rows may be those of several guests
        AND (
            user_key IS NOT NULL
            OR session_id IS NOT NULL
            OR NOT starts_with(order_id, source_name || ':' || file_line)
        )
),
repeated AS (
    SELECT content
    FROM compared
    GROUP BY content
    HAVING count(*) > 1
)
SELECT
    load_number,
    file_line,
    content,
    first_value(load_number) OVER of_content AS by_load_number
FROM compared
SEMI JOIN repeated USING (content)
WINDOW of_content AS (PARTITION BY content ORDER BY load_number, file_line)
QUALIFY row_number() OVER of_content > 1
