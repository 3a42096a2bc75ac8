-- Keys of person records that were joined into another one, which go with the person whose record stays.
create table vault_joined (
    person text primary key, into_person text not null references vault_persons (person) on delete cascade,
    wrapped bytea not null, master bigint not null);
create index vault_joined_into on vault_joined (into_person);
