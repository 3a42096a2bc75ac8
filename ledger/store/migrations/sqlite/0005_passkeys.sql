-- Passkeys of members (WebAuthn). They go with the person. version: of passkey-added in the member stream, its name.
create table member_passkeys (
    credential bytea primary key,
    person text not null references vault_persons (person) on delete cascade, version bigint not null,
    public_key bytea not null, sign_count bigint not null, made_at text not null, used_at text not null);
create unique index member_passkeys_person on member_passkeys (person, version);
