"""A package, so that no installed one of the same name stands before it."""
