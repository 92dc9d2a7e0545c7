"""One script per figure: load a store, draw, save."""
