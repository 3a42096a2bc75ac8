"""The website: pages that a server writes, in Indonesian first, without script and without any outside request.

site      the member's pages put together: `routes(opened)`
visits    who visits: the session, the token of forms, and what every handler is wrapped in
pages     templates, security headers, the page of an error; `render` is what every handler ends in
words     all texts in both languages, from `texts/*.toml`; one file a page
formats   rupiah, dates, months and masked numbers as people write them
forms     what people type, checked, each mistake with its sentence
assets    the style sheet under an address that changes with its content
addresses routes that say which one they are; where one may be sent back to

public, register, links, login, provider   before one is in
holdings  a member's cards, balances and the facts behind them, in few queries
grid      the months: what arrived, waits, was taken back, has not come (pure)
chart     the growth as an SVG (pure)
saldo, months, cards, account              the member's own pages
offline   the site as an app: manifest, service worker, what a device shows without a connection

employer/, office/   the other doors, on the same layout
"""
