"""What the suites of tests/ share: proxies started alike, programs built from registries, and scores."""
