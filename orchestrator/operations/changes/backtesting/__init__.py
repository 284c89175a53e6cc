"""What a backtest looks at: past events, and those that wait in quarantine."""
