"""Dagster definitions: thin, they call landing, quality and warehouse."""

import warnings

import dagster as dg

# Single-run backfills are marked beta; the pinned version is what the tests ran with.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
