"""QA gates of a change: gather evidence, judge, stop what fails, waive."""
