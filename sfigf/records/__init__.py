"""What lies in a study's folder about how its files were made, read and compared with the present."""
