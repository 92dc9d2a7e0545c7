"""Named questions about cost; run by hand for the numbers, run by the tests without timing."""
