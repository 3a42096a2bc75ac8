"""A card's statement as it leaves: one statement, four forms.

answer      JSON, as described in OpenAPI
sheet       a table for spreadsheets: CSV and XLSX
paper       PDF, made by typst from `paper.typ`
code        its answer code, as text and for a camera
squares     what a camera reads, many of one kind
run         the statements of a year for all members, one file a card
forms       which of them was asked for, and the file that is downloaded
texts       the sentences of sheet and paper (`texts.toml`), in Indonesian and English
"""
