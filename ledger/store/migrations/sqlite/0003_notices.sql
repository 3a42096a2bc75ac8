-- notices: what members are told without asking. Rows about a person go with the person.

-- Who wants to be told what, by which way. since: the log position of the choice.
create table notice_choices (
    person text not null references vault_persons (person) on delete cascade, way text not null,
    kind text not null, since bigint not null, language text not null,
    primary key (person, way, kind));
-- How far the follower is: one row.
create table notice_place (
    one smallint primary key, position bigint not null, fingerprint text not null, looked bigint not null,
    looking bigint not null, person text not null);
-- What is to be told with the next notice.
create table notice_waiting (
    person text not null references vault_persons (person) on delete cascade, way text not null,
    kind text not null, card bigint not null, month bigint not null, npp bigint not null, position bigint not null,
    line bigint not null, wage bigint not null, employer bigint not null, worker bigint not null,
    primary key (person, way, kind, card, month, npp, position, line));
-- The day of the last notice.
create table notice_told (
    person text not null references vault_persons (person) on delete cascade, way text not null,
    day bigint not null, primary key (person, way));
-- Months that were said to be missing: never said twice.
create table notice_missing (
    card bigint not null, month bigint not null, npp bigint not null,
    person text not null references vault_persons (person) on delete cascade, primary key (card, month, npp));
create index notice_missing_person on notice_missing (person);

-- Letters that nobody waits for come after all others.
alter table outbox add column notice bigint not null default 0;
create index outbox_turn on outbox (notice, next_at);
