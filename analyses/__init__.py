"""One script per study: what is measured, and how it is fitted."""
