"""A second opinion on where items and sheets stand: a slow replay, written from section 4 of the design alone.

``world`` holds the plain history, ``clauses`` and ``rules`` ask the design's questions of one item, ``sheets`` of a
whole sheet and of an instant to come, ``histories`` makes random histories. No module here knows how the product folds.
"""
