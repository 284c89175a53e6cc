"""Every page of the desk beside the bare queries that it makes: see benchmarks/README.md."""
