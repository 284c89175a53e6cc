"""A rollout of a change: begin, judge, go on or go back, show."""
