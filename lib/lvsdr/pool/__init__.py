"""The pool: candidates, their verdicts, and the decision on the wanted real servers."""
