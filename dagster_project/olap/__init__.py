"""Cubes: one metric dictionary, slice, dice, drill, roll up and pivot, and the same number as from the fact."""
