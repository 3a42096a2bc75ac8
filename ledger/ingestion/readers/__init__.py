"""Any input to a typed table.

reading            the one way in: an input and a layout give a table
source, lines      bytes, unpacked and cut into lines, within limits; file_kind: what their first bytes say they are
csv, json, xlsx    the formats; archive, workbook, sheet, merges, markup: a spreadsheet opened without trusting it
heading, typed, table   a header, and rows as typed columns
payers, altered    what only the whole table tells: who pays, which numbers a spreadsheet altered
"""
