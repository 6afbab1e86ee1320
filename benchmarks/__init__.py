"""The project compared with its alternatives: ``python -m benchmarks.bench``."""
