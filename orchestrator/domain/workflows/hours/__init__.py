"""The hours in which clocks run: as a file says them, as a calendar, and public holidays."""
