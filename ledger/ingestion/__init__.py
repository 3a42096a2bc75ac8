"""From any door's input to events.

source, text_lines         bytes, unpacked and cut into lines, within limits
csv_blocks, json_rows, spreadsheets   the formats; workbook: a spreadsheet opened without trusting it
columns, cells, blocks, table         which columns there are, what a cell means, rows as typed columns
reading                    the one way in: an input and a layout give a table

upload, chunk, contributions, engine, holders   contributions: checked, looked up, decided, appended
employers, registrations, openings, batches     the other facts

receipts                   what became of every line
door                       everything together, for every channel
"""
