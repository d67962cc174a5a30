"""The warehouse: one build a load, proven, then published as a release."""
