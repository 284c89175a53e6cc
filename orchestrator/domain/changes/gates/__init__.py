"""QA gates: what a change has to pass, each proven by evidence and never ticked; pure."""
