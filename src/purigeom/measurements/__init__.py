"""Questions about a purifier, one per file: here, and nowhere else, tensors become Datasets.

Draw d of every measurement is the same random configuration of the purifier.
"""
