"""The website: pages that a server writes, in Indonesian first, without script and without any outside request.

site          the member's pages put together: `routes(opened)`
page_context  who visits: the session, the token of forms, and what every handler is wrapped in
desk, entrance   the same for users, staff's or employers': a record of each look; their way in
pages         templates, security headers, the page of an error; `render` is what every handler ends in
words         all texts in both languages, from `texts/*.toml`; one file a page
forms         what people type, checked, each mistake with its sentence
assets        the style sheet under an address that changes with its content
addresses     where one may be sent back to

public, answer_check                       what anybody may see
register, links, login, provider           before one is in
holdings      a member's cards, balances and the facts behind them, in few queries
chart         the growth as an SVG (pure)
saldo, working, outlook, months, statement, cards   the member's own money
account, contacts, passkeys                the member's own data
offline       the site as an app: manifest, service worker, what a device shows without a connection

employer/, office/   the other doors, on the same layout
"""
