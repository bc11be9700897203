"""The vocabulary of keyaudit: values, tables, operations, reasons. No input or output, no clock, no third party."""
