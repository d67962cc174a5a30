-- One row per model and parameter of the newest fit, in days and money.
-- No additive measures. Landed by `clientele fit`; a load reads it and never fits. Empty before the first fit.
{{ fitted_as_declared('parameters') }}
