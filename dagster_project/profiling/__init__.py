"""Profiling of a source nobody described yet, and the drafts made from it: source.yml, suites, staging models."""
