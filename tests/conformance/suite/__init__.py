"""The machinery of the differential suite; the cases are in ../topics."""
