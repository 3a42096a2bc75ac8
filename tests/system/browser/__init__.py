"""The website as people use it: Debian's Chromium, a real `jht serve`, a real mail server.

town       the served ledger, its people, the letters they get
visitor    somebody at a browser, who notices what no page may do
looks      what every page must be: accessible, without sideways scrolling; pictures of it
test_*     one file a journey, in both languages, on a phone and at a desk; `test_pages` looks at every page
"""
