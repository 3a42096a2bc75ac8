-- The log and everything that is written in its transactions.

-- Events in one order. The position is notification_id: 1, 2, 3 .., given under the append lock.
create table ledger_events (
    notification_id bigint primary key, originator_id text collate "C" not null, originator_version bigint not null,
    topic text not null, state bytea not null, unique (originator_id, originator_version));
-- Nothing is ever updated or deleted: fresh statistics matter more than a vacuum.
alter table ledger_events set (autovacuum_vacuum_threshold = 100000000, autovacuum_vacuum_scale_factor = 0.5,
    autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.01);

-- What an operator did to the log as a whole: who gave it another id, who accepted a clock that runs ahead.
create table log_acts (at text not null, act text not null, by_whom text not null, detail text not null);

-- account_index: who may receive money.
create table account_index_employers (npp bigint primary key, changed_at bigint not null);
create table account_index_cards (
    card bigint primary key, person text not null, segment text not null,
    npp bigint not null, since bigint not null, until bigint not null, more text not null,
    plain bigint not null, epoch bigint not null, opening bigint not null, changed_at bigint not null);
create index account_index_cards_changed on account_index_cards (changed_at);
create table account_index_suspense (
    stream text collate "C" not null, version bigint not null, line bigint not null, card bigint not null, npp bigint not null,
    month bigint not null, kind bigint not null, paid_on bigint not null, employer bigint not null,
    worker bigint not null, reason text not null, position bigint not null, recorded_at text not null,
    primary key (stream, version, line));
create index account_index_suspense_card on account_index_suspense (card);
create index account_index_suspense_position on account_index_suspense (position, line);
create table account_index_requests (
    request text collate "C" primary key, first bigint not null, last bigint not null);

-- vault: the persons' keys, wrapped, and look-up hashes.
create table vault_meta (name text primary key, value text not null);
create table vault_persons (
    person text collate "C" primary key, wrapped bytea not null, nik_hash bytea not null unique, phone_hash bytea,
    email_hash bytea, master bigint not null);
-- an employer's own key: its name stands sealed in events.
create table vault_employers (npp bigint primary key, wrapped bytea not null, master bigint not null);
create index vault_persons_phone on vault_persons (phone_hash) where phone_hash is not null;
create index vault_persons_email on vault_persons (email_hash) where email_hash is not null;

-- outbox: letters that wait. Those about a person go with the person.
create table outbox (
    id text primary key, person text collate "C" references vault_persons (person) on delete cascade, way text not null,
    sealed bytea not null, tries bigint not null, next_at text not null, until text not null, error text not null);
create index outbox_next on outbox (next_at);
create index outbox_person on outbox (person);

-- members: what a member is looked up by, and links that can be used once. An erased person's rows go along.
create table member_logins (
    person text collate "C" primary key references vault_persons (person) on delete cascade, address bytea not null,
    password text not null, epoch bigint not null);
create index member_logins_address on member_logins (address);
create table member_registrations (
    person text collate "C" not null references vault_persons (person) on delete cascade,
    version bigint not null, address bytea not null, password text not null, ticket bytea not null, until text not null,
    primary key (person, version));
create index member_registrations_address on member_registrations (address);
create index member_registrations_ticket on member_registrations (ticket);
create table member_cards (
    handle text primary key, person text collate "C" not null references vault_persons (person) on delete cascade,
    card bigint not null);
create unique index member_cards_person on member_cards (person, card);
create table member_phones (
    hash bytea primary key, person text collate "C" not null references vault_persons (person) on delete cascade);
create index member_phones_person on member_phones (person);
create table member_requests (
    person text collate "C" not null references vault_persons (person) on delete cascade, number bigint not null,
    primary key (person, number));
create table member_links (
    hash bytea primary key, purpose text not null,
    person text collate "C" not null references vault_persons (person) on delete cascade,
    version bigint not null, sent_to bytea not null, until text not null);
create index member_links_person on member_links (person);
-- runs of requests that failed for a reason that may pass: any process may go on with them at once
create table requests_abandoned (
    stream text collate "C" not null, version bigint not null, primary key (stream, version));
create table member_numbers (
    person text collate "C" not null references vault_persons (person) on delete cascade,
    version bigint not null, purpose text not null, sent_to bytea not null, asked_by bytea not null,
    hash bytea not null, tries bigint not null, until text not null, primary key (person, version, sent_to));
create index member_numbers_sent_to on member_numbers (sent_to);
create index member_numbers_asked_by on member_numbers (asked_by);
