"""`meshline people`, `meshline login`: who acts."""
