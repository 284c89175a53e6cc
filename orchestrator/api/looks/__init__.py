"""Looking at one event over HTTP, also for as long as it takes to change."""
