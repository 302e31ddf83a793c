-- item_prices: one row per file and item that it sold, with the item's median price there.
-- grain: load_number, item_id
-- reads: nothing, features/warehouse/implausible_lines.py writes it after the file's rows
-- units: money in cents
CREATE TABLE IF NOT EXISTS item_prices (
    load_number BIGINT NOT NULL,
    item_id VARCHAR NOT NULL,
    n_prices BIGINT NOT NULL,
    median_cents DOUBLE NOT NULL
)
