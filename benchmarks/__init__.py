"""How fast Clientele is, as ratios: `python -m benchmarks` measures and writes REPORT.md and results.json."""
