"""What `meshline up`, `meshline demo` and tests run on one machine: broker, database, children."""
