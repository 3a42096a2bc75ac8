-- Keys of person records that were joined into another one, which go with the person whose record stays.
create table vault_joined (
    person text collate "C" primary key, into_person text collate "C" not null references vault_persons (person) on delete cascade,
    wrapped bytea not null, master bigint not null);
create index vault_joined_into on vault_joined (into_person);
