-- One row per model of customers' worth in the newest fit: how well it fits, and whether it is the one that counts.
-- No additive measures. Landed by `clientele fit`; a load reads it and never fits. Empty before the first fit.
{{ fitted_as_declared('fits') }}
