"""Any input to a typed table.

source, lines      bytes, unpacked and cut into lines, within limits
csv, json, xlsx    the formats; workbook, sheet, merges: a spreadsheet opened without trusting it
typed, table       rows as typed columns
reading            the one way in: an input and a layout give a table
"""
