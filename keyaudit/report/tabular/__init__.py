"""Values and columns of tables that programs and spreadsheets read."""
