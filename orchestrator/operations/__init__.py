"""Use cases as verbs: one file, one public function first, its steps below."""
