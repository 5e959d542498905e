"""Speed and memory of ours against the plain forms: ``python -m benchmarks`` writes docs/performance.md."""
