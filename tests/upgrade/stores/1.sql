create table if not exists log_meta (name text primary key, value text not null);-- The log and everything that is written in its transactions.

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
insert into log_meta (name, value) values ('schema_version', '1');
insert into log_meta (name, value) values ('log_id', '231e4693c281067c');
insert into log_meta (name, value) values ('log_secret', 'e25aeb3ccd0873009b26fce280a3e7c1f8b3ce0f558c3e86d7c56f42833fd9393ba0f0a8e15fa52fec76a52a6883c45ea3b17db4de07f4632be06f2d');
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (1, 'employer:10000001', 1, 'employer-registered.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303031222c226e616d65223a225054203130303030303031222c22726567697374657265645f6f6e223a22323031352d30312d3032227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (2, 'employer:10000002', 1, 'employer-registered.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303032222c226e616d65223a225054203130303030303032222c22726567697374657265645f6f6e223a22323031352d30312d3032227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (3, 'person:00000000000000000000000000000000', 1, 'person-registered.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226964656e74697479223a227365616c6564206964656e746974792030222c22636f6e74616374223a227365616c656420636f6e746163742030227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (4, 'account:12345678901', 1, 'account-opened.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226b706a223a223132333435363738393031222c22706572736f6e223a223030303030303030303030303030303030303030303030303030303030303030222c227365676d656e74223a225055222c226f70656e65645f6f6e223a22323031352d30312d3032227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (5, 'account:12345678901', 2, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303031222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (6, 'account:12345678901', 3, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303032222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (7, 'account:00000000007', 1, 'account-opened.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226b706a223a223030303030303030303037222c22706572736f6e223a223030303030303030303030303030303030303030303030303030303030303030222c227365676d656e74223a225055222c226f70656e65645f6f6e223a22323031352d30312d3032227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (8, 'account:00000000007', 2, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303031222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (9, 'account:00000000007', 3, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303032222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (10, 'person:00000000000000000000000000000001', 1, 'person-registered.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226964656e74697479223a227365616c6564206964656e746974792032222c22636f6e74616374223a227365616c656420636f6e746163742032227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (11, 'account:12345678903', 1, 'account-opened.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226b706a223a223132333435363738393033222c22706572736f6e223a223030303030303030303030303030303030303030303030303030303030303031222c227365676d656e74223a225055222c226f70656e65645f6f6e223a22323031352d30312d3032227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (12, 'account:12345678903', 2, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303031222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (13, 'account:12345678903', 3, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303032222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (14, 'account:99999999999', 1, 'account-opened.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226b706a223a223939393939393939393939222c22706572736f6e223a223030303030303030303030303030303030303030303030303030303030303031222c227365676d656e74223a225055222c226f70656e65645f6f6e223a22323031352d30312d3032227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (15, 'account:99999999999', 2, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303031222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (16, 'account:99999999999', 3, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303032222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (17, 'person:00000000000000000000000000000002', 1, 'person-registered.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226964656e74697479223a227365616c6564206964656e746974792034222c22636f6e74616374223a227365616c656420636f6e746163742034227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (18, 'account:00A12', 1, 'account-opened.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226b706a223a223030413132222c22706572736f6e223a223030303030303030303030303030303030303030303030303030303030303032222c227365676d656e74223a225055222c226f70656e65645f6f6e223a22323031352d30312d3032222c226c6567616379223a747275657d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (19, 'account:00A12', 2, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303031222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (20, 'account:00A12', 3, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303032222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (21, 'account:0012345', 1, 'account-opened.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226b706a223a2230303132333435222c22706572736f6e223a223030303030303030303030303030303030303030303030303030303030303032222c227365676d656e74223a225055222c226f70656e65645f6f6e223a22323031352d30312d3032222c226c6567616379223a747275657d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (22, 'account:0012345', 2, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303031222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (23, 'account:0012345', 3, 'membership-started.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226e7070223a223130303030303032222c227365676d656e74223a225055222c226a6f696e65645f6f6e223a22323031352d30312d3032222c2273696e6365223a22323031352d3031227d7d', 'hex'));
insert into ledger_events (notification_id, originator_id, originator_version, topic, state) values (24, 'remittance-e:10000001:2026-10', 1, 'contributions-posted.v1', decode('7b227265636f726465645f6174223a22323032362d31312d32315430333a30303a30302e3030303030305a222c226279223a2274657374222c226368616e6e656c223a2274657374222c2266616374223a7b226d6f6e7468223a22323032362d3130222c22706169645f6f6e223a22323032362d31312d3134222c227265666572656e6365223a2252323032362d3130222c2272756c6573223a7b227261746573223a2274657374227d2c226c696e6573223a7b226b706a223a5b223132333435363738393031225d2c2277616765223a5b353030303030305d2c22656d706c6f796572223a5b3138353030305d2c22776f726b6572223a5b3130303030305d7d7d7d', 'hex'));
insert into account_index_employers (npp, changed_at) values (10000001, 1);
insert into account_index_employers (npp, changed_at) values (10000002, 2);
insert into account_index_cards (card, person, segment, npp, since, until, more, plain, epoch, opening, changed_at) values (7, '00000000000000000000000000000000', 'PU', 10000002, 24180, 0, '[[10000001,"PU",24180,0]]', 1, 0, 0, 9);
insert into account_index_cards (card, person, segment, npp, since, until, more, plain, epoch, opening, changed_at) values (12345678901, '00000000000000000000000000000000', 'PU', 10000002, 24180, 0, '[[10000001,"PU",24180,0]]', 1, 0, 0, 6);
insert into account_index_cards (card, person, segment, npp, since, until, more, plain, epoch, opening, changed_at) values (12345678903, '00000000000000000000000000000001', 'PU', 10000002, 24180, 0, '[[10000001,"PU",24180,0]]', 1, 0, 0, 13);
insert into account_index_cards (card, person, segment, npp, since, until, more, plain, epoch, opening, changed_at) values (99999999999, '00000000000000000000000000000001', 'PU', 10000002, 24180, 0, '[[10000001,"PU",24180,0]]', 1, 0, 0, 16);
insert into account_index_cards (card, person, segment, npp, since, until, more, plain, epoch, opening, changed_at) values (100001939950, '00000000000000000000000000000002', 'PU', 10000002, 24180, 0, '[[10000001,"PU",24180,0]]', 1, 0, 0, 20);
insert into account_index_cards (card, person, segment, npp, since, until, more, plain, epoch, opening, changed_at) values (102638976314, '00000000000000000000000000000002', 'PU', 10000002, 24180, 0, '[[10000001,"PU",24180,0]]', 1, 0, 0, 23);
insert into vault_meta (name, value) values ('master', '1');
insert into vault_meta (name, value) values ('fingerprint.1', 'e59c288b');
