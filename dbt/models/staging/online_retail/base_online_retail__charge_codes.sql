-- Stock codes that are no product, and what they charge.
-- One row per stock code as the source writes it (m and M are one charge, typed twice).
select codes.stock_code, codes.charge_type
from (
    values
    ('POST', 'postage'), ('DOT', 'postage'), ('C2', 'carriage'),
    ('M', 'manual'), ('m', 'manual'), ('D', 'discount'), ('B', 'bad debt'),
    ('BANK CHARGES', 'bank charges'), ('AMAZONFEE', 'marketplace fee'), ('CRUK', 'charity commission'),
    ('S', 'samples'), ('PADS', 'cushion pads'),
    -- money paid in advance, not goods: what is bought with it is sold in lines of its own
    ('gift_0001_10', 'gift voucher'), ('gift_0001_20', 'gift voucher'), ('gift_0001_30', 'gift voucher'),
    ('gift_0001_40', 'gift voucher'), ('gift_0001_50', 'gift voucher')
) as codes (stock_code, charge_type)
