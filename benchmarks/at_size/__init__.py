"""The pages at the size of a large company: a world made in bulk, and each page measured against what it needs."""
