"""From any door's input to events.

readers        CSV, JSON, XLSX: an input and a layout give a table
contributions  checked, looked up, decided, appended
employers, registrations, openings, batches   the other facts; earlier_payments: what an opening balance would count again
preview        an employer's own file checked, nothing of it taken
door           everything together, for every channel
"""
